import type { Metrics } from '../metrics/registry.ts';

/** Counts changes read; the metrics are told once for all transactions that came in the same turn. */
export function countMutations({ handle }: Metrics, source: string): (kind: string, count: number) => void {
  const counts = new Map<string, number>();
  return (kind, count) => {
    if (counts.size === 0) {
      setImmediate(() => {
        for (const [type, number] of counts) {
          handle.mutation_total.inc({ source, type }, number);
          handle.acceptor_mutations_total.inc({ type: 'received' }, number);
        }
        counts.clear();
      });
    }
    counts.set(kind, (counts.get(kind) ?? 0) + count);
  };
}
