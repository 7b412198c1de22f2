import type { OracleConnectionDescription } from '../config/oracle-connection.ts';
import { OperatorError } from '../errors.ts';
import { close, connect } from '../sources/oracle/connection.ts';
import { failureOf, isDenied } from '../sources/oracle/ora-errors.ts';
import type { Fix } from './check.ts';

/** The container may not be altered from. */
const IN_PDB = 65040;
/** The object is in use: DDL does not wait. */
const BUSY = 54;

/**
 * Runs the statements of a fix at an Oracle source one by one; each commits by itself. Ends at the first that fails.
 * @throws OperatorError FIX_BY_HAND when there is nothing to run; FIX_NOT_PERMITTED, FIX_BLOCKED, FIX_FAILED, which say what was carried out; ORACLE_… when the
 *   server cannot be reached.
 */
export async function runOracleFix(fix: Fix, description: OracleConnectionDescription): Promise<void> {
  const { statements } = fix;
  if (statements === undefined) {
    throw new OperatorError('FIX_BY_HAND', 'this has to be done by hand; nothing was changed', { fix: fix.text });
  }
  const connection = await connect(description, { action: 'fix' });
  try {
    for (const [done, statement] of statements.entries()) {
      try {
        await connection.execute(statement);
      } catch (error) {
        throw refused(error, fix, done, statement);
      }
    }
  } finally {
    await close(connection);
  }
}

function refused(cause: unknown, fix: Fix, done: number, statement: string): OperatorError {
  const failure = failureOf(cause);
  const message = failure?.message ?? String(cause);
  const count = fix.statements?.length ?? 0;
  const sofar = done === 0 ? 'nothing was changed' : `${done} of ${count} statements were carried out before it`;
  if (isDenied(cause) || failure?.number === IN_PDB) {
    return new OperatorError('FIX_NOT_PERMITTED', `the source user may not run this: ${message}; ${sofar}`, {
      fix: `Have a DBA run:\n${fix.text}`,
      cause,
    });
  }
  if (failure?.number === BUSY) {
    return new OperatorError('FIX_BLOCKED', `somebody else uses the table: ${message}; ${sofar}`, {
      fix: `Try again at a quieter moment, or run it yourself:\n${fix.text}`,
      transient: true,
      cause,
    });
  }
  return new OperatorError('FIX_FAILED', `the source refused ${JSON.stringify(statement)}: ${message}; ${sofar}`, {
    fix: fix.text,
    cause,
  });
}
