import type { Finding } from '../sources/finding.ts';
import type { Check } from './check.ts';
import { failedBy, type Outcome, passed } from './look.ts';

/** A check of the source without which the replication cannot start. `id` without its side. */
export function blocking(id: string, title: string, why: string): Check {
  return { id: `source.${id}`, title, side: 'source', severity: 'blocking', why };
}

/** A check of the source without which something will be worse than it need be. */
export function advisory(id: string, title: string, why: string): Check {
  return { id: `source.${id}`, title, side: 'source', severity: 'advisory', why };
}

/** What one of the engine's own checks came to. */
export function fromFinding({ found, refusal }: Finding): Outcome {
  return refusal === undefined ? passed(found) : failedBy(refusal.error, found, 'source', refusal);
}
