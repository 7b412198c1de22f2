import type { MysqlMetrics } from '../metrics.ts';
import type { CountedValue } from '../values/column.ts';

const KINDS = ['insert', 'update', 'delete', 'truncate'] as const;
type Kind = (typeof KINDS)[number];

/** Changes and changed values since the last report to the metrics. */
export class ChangeCounts {
  readonly #counts: Record<Kind, number> = { insert: 0, update: 0, delete: 0, truncate: 0 };
  /** All kinds together. */
  total = 0;

  add(kind: Kind, count: number): void {
    this.#counts[kind] += count;
    this.total += count;
  }

  /** Adds everything to the metrics and sets it to zero, `values` included. */
  report(metrics: MysqlMetrics | undefined, values: Record<CountedValue, number>): void {
    if (this.total === 0) return;
    for (const kind of KINDS) {
      if (this.#counts[kind] > 0) metrics?.mutation(kind, this.#counts[kind]);
      this.#counts[kind] = 0;
    }
    this.total = 0;
    if (values.zeroDate > 0) metrics?.valueChanged('zeroDate', values.zeroDate);
    if (values.boolOutOfRange > 0) metrics?.valueChanged('boolOutOfRange', values.boolOutOfRange);
    values.zeroDate = values.boolOutOfRange = 0;
  }
}
