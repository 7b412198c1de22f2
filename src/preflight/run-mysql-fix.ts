import type { MysqlConnectionDescription } from '../config/mysql-connection.ts';
import { OperatorError } from '../errors.ts';
import { close, connect } from '../sources/mysql/connection.ts';
import { failureOf } from '../sources/mysql/connection-errors.ts';
import type { Fix } from './check.ts';

/** Seconds that a statement waits for a table that others use: those who come later would queue up behind it. */
const LOCK_TIMEOUT = 5;

/** Errors of users who lack a right: for a table, for a column, for the server. */
const DENIED = [1044, 1142, 1143, 1227, 1419];
const WAITED = 1205;

/**
 * Runs the statements of a fix at a MySQL or MariaDB source one by one; each commits by itself. Ends at the first that fails.
 * @throws OperatorError FIX_BY_HAND when there is nothing to run; FIX_NOT_PERMITTED, FIX_BLOCKED, FIX_FAILED, which say what was carried out; MYSQL_… when the server cannot be
 *   reached.
 */
export async function runMysqlFix(fix: Fix, description: MysqlConnectionDescription): Promise<void> {
  const { statements } = fix;
  if (statements === undefined) {
    throw new OperatorError('FIX_BY_HAND', 'this has to be done by hand; nothing was changed', { fix: fix.text });
  }
  const connection = await connect(description);
  try {
    await connection.query(`SET SESSION lock_wait_timeout = ${LOCK_TIMEOUT}`);
    for (const [done, statement] of statements.entries()) {
      try {
        await connection.query(statement);
      } catch (error) {
        throw refused(error, fix, done, statement);
      }
    }
  } finally {
    close(connection);
  }
}

function refused(cause: unknown, fix: Fix, done: number, statement: string): OperatorError {
  const { number, message } = failureOf(cause);
  const count = fix.statements?.length ?? 0;
  const sofar = done === 0 ? 'nothing was changed' : `${done} of ${count} statements were carried out before it`;
  if (DENIED.includes(number)) {
    return new OperatorError('FIX_NOT_PERMITTED', `the source user may not run this: ${message}; ${sofar}`, {
      fix: `Have a user with more rights run:\n${fix.text}`,
      cause,
    });
  }
  if (number === WAITED) {
    return new OperatorError(
      'FIX_BLOCKED',
      `the source did not get to it in time, because somebody else uses the table or a transaction is open: ${message}; ${sofar}`,
      { fix: `Try again at a quieter moment, or run it yourself:\n${fix.text}`, transient: true, cause },
    );
  }
  return new OperatorError(
    'FIX_FAILED',
    `the source refused ${JSON.stringify(statement.split('\n', 1)[0])}: ${message}; ${sofar}`,
    { fix: fix.text, cause },
  );
}
