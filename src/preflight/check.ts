import type { ErrorCode } from '../explanations/table.ts';
/** Where a check looks, and where its fix runs. */
export type CheckSide = 'source' | 'target';

/** How a finding is mended. */
export interface Fix {
  /** SQL, or a setting and where to make it, as it is shown and copied. */
  readonly text: string;
  /** Statements that do it, each alone, on `side`; undefined when only a person can (a restart, a provider's console). */
  readonly statements?: readonly string[];
  readonly side: CheckSide;
  /** The server has to be restarted afterwards. */
  readonly restart?: boolean;
}

/** Something that must hold, or had better hold, before a replication starts. Made before it is looked at. */
export interface Check {
  /** Stable, as in `source.wal_level` or `target.table.shop.orders`. */
  readonly id: string;
  /** What is looked at, as in "wal_level". At most 40 characters. */
  readonly title: string;
  readonly side: CheckSide;
  /** `blocking`: replication cannot start without it. `advisory`: it can, and something will be worse than it need be. */
  readonly severity: 'blocking' | 'advisory';
  /** Why it matters, one sentence for an operator. */
  readonly why: string;
}

export interface CheckResult extends Check {
  /** `skipped`: it could not be looked at because another check failed; `found` names that one. */
  readonly state: 'passed' | 'failed' | 'skipped';
  /** What was found: "replica", "3 of 10 in use". Never a secret. */
  readonly found: string;
  /** What is wanted instead, for checks that failed. */
  readonly expected?: string;
  readonly fix?: Fix;
  /** Code of the OperatorError that the engine would end with, where there is one. */
  readonly code?: ErrorCode;
  /** What was to be created is there already and can be used as it is. */
  readonly offer?: { readonly what: 'publication' | 'slot'; readonly name: string };
}

/** True when nothing blocking has failed or been skipped. */
export function isReady(results: readonly CheckResult[]): boolean {
  return results.every(({ severity, state }) => severity === 'advisory' || state === 'passed');
}
