import type { OperatorError } from '../errors.ts';

/** What was found out about one thing that a replication needs. */
export interface Finding {
  /** What is there, in a few words: "replica", "3 of 10 in use". */
  readonly found: string;
  /** Why it is not enough, as the engine would refuse it. Undefined when it is enough. */
  readonly refusal?: Refusal;
}

/** A refusal, and how it is mended. */
export interface Refusal {
  /** What is wanted instead. */
  readonly expected: string;
  readonly error: OperatorError;
  /** The error's fix as statements that this user may run, each alone. */
  readonly statements?: readonly string[];
  /** The server has to be restarted afterwards. */
  readonly restart?: boolean;
}

/** @throws OperatorError of the first finding that is not enough. */
export function refuseFirst(findings: Iterable<Finding>): void {
  for (const { refusal } of findings) if (refusal !== undefined) throw refusal.error;
}
