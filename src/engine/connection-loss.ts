import { OperatorError } from '../errors.ts';
import { sqlState } from '../target/retry.ts';

/** Whether the same may succeed when tried again: the server or the network went away, or was short of something. */
export function isTransient(error: unknown): boolean {
  if (error instanceof OperatorError) return error.transient;
  if (!(error instanceof Error)) return false;
  const state = sqlState(error);
  // Errors of the network and of the operating system have a code too; those of `pg` have only words.
  if (state === undefined) return 'code' in error || /connection|terminated|timeout/i.test(error.message);
  return /^(08|57P|53|40|58)/.test(state);
}

/** A transient error under a name, if it has none yet. */
export function connectionLost(error: Error): OperatorError {
  if (error instanceof OperatorError) return error;
  return new OperatorError('CONNECTION_LOST', `a connection was lost: ${error.message}`, {
    transient: true,
    cause: error,
  });
}
