import pg from 'pg';
import type { ConnectionDescription } from '../config/connection.ts';
import { connect } from '../config/postgres-client.ts';
import { OperatorError } from '../errors.ts';
import type { CheckSide, Fix } from './check.ts';
import { closeQuietly } from './connection-test.ts';

/**
 * Milliseconds that a statement waits for a table that others use: those who come later would queue up behind it, so that a
 * fix that waits stops the application.
 */
const LOCK_TIMEOUT = 5000;

/** Milliseconds that a statement may take; an index of a large table takes its time. */
const STATEMENT_TIMEOUT = 600_000;

/**
 * Runs the statements of a fix one by one, each in a transaction of its own, as some of them cannot run otherwise. Ends at
 * the first that fails.
 * @throws OperatorError FIX_BY_HAND when there is nothing to run; FIX_NOT_PERMITTED, FIX_BLOCKED, FIX_FAILED, which say what
 *   was carried out; PG_… when the server cannot be reached.
 */
export async function runFix(
  fix: Fix,
  connections: Readonly<Partial<Record<CheckSide, ConnectionDescription>>>,
): Promise<void> {
  const connection = connections[fix.side];
  if (fix.statements === undefined || connection === undefined) {
    throw new OperatorError('FIX_BY_HAND', 'this has to be done by hand; nothing was changed', { fix: fix.text });
  }
  const client = await connect(connection, fix.side);
  try {
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT}`);
    await client.query(`SET statement_timeout = ${STATEMENT_TIMEOUT}`);
    for (const [done, statement] of fix.statements.entries()) {
      try {
        await client.query(statement);
      } catch (error) {
        throw refused(error, fix, done, statement);
      }
    }
  } finally {
    closeQuietly(client);
  }
}

function refused(cause: unknown, fix: Fix, done: number, statement: string): OperatorError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const count = fix.statements?.length ?? 0;
  const state = cause instanceof pg.DatabaseError ? cause.code : undefined;
  const sofar = done === 0 ? 'nothing was changed' : `${done} of ${count} statements were carried out before it`;
  switch (state) {
    case '42501':
      return new OperatorError('FIX_NOT_PERMITTED', `the ${fix.side} user may not run this: ${reason}; ${sofar}`, {
        fix: `Have a user with more rights run:\n${fix.text}`,
        cause,
      });
    case '55P03':
    case '57014':
      return new OperatorError(
        'FIX_BLOCKED',
        `the ${fix.side} did not get to it in time, because somebody else uses the table or a transaction is open: ${reason}; ${sofar}`,
        { fix: `Try again at a quieter moment, or run it yourself:\n${fix.text}`, transient: true, cause },
      );
    default:
      return new OperatorError(
        'FIX_FAILED',
        `the ${fix.side} refused ${JSON.stringify(statement.split('\n', 1)[0])}: ${reason}; ${sofar}`,
        { fix: fix.text, cause },
      );
  }
}
