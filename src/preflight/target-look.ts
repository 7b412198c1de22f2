import { OperatorError } from '../errors.ts';
import type { Check, CheckSide } from './check.ts';
import { failedBy, type Look, type Outcome } from './look.ts';
import type { TargetFacts } from './target-facts.ts';

/** A look at a target. */
export type TargetLook = Look<TargetFacts>;

/** A check without which the replication cannot start. `id` without its side. */
export function blocking(id: string, title: string, why: string): Check {
  return { id: `target.${id}`, title, side: 'target', severity: 'blocking', why };
}

/** A check without which something will be worse than it need be. */
export function advisory(id: string, title: string, why: string): Check {
  return { id: `target.${id}`, title, side: 'target', severity: 'advisory', why };
}

/**
 * What `look` comes to; a failure that the engine would end with is a result, mended at `side`.
 * @throws whatever else `look` throws.
 */
export async function orRefused(side: CheckSide, look: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return failedBy(error, error.message, side);
  }
}
