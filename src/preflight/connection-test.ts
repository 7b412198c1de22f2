import type { Client } from 'pg';
import type { ConnectionDescription } from '../config/connection.ts';
import { connect, connectionError, type Side } from '../config/postgres-client.ts';
import { OperatorError } from '../errors.ts';
import { detectDialect } from '../target/dialect.ts';
import type { CheckSide } from './check.ts';

/** What is at the other end of a connection. */
export interface ConnectionFacts {
  readonly product: 'postgresql' | 'cockroachdb' | 'mysql' | 'mariadb' | 'oracle';
  /** `18.1`, `26.2.1`. */
  readonly version: string;
  /** Empty when none is named, as a MySQL source may do. */
  readonly database: string;
  readonly user: string;
  /** TLS is on. */
  readonly encrypted: boolean;
  /** Milliseconds that a question and its answer take. */
  readonly latency: number;
}

/** Milliseconds that a server gets for one question of a check. */
const ANSWER_TIMEOUT = 15_000;

/**
 * Connects and asks who is there, then closes the connection again.
 * @throws OperatorError PG_… as `connect` does; TARGET_PRODUCT_UNKNOWN for a product that is neither PostgreSQL nor CockroachDB.
 */
export async function testConnection(description: ConnectionDescription, side: CheckSide): Promise<ConnectionFacts> {
  const client = await openForChecks(description, side);
  try {
    return await describeConnection(client);
  } catch (error) {
    throw error instanceof OperatorError ? error : connectionError(error, description, side);
  } finally {
    closeQuietly(client);
  }
}

/**
 * A connection for checks: a question that takes too long is given up by the server, so that the next one can be asked. The
 * server does not answer at all: the question fails a little later.
 */
export async function openForChecks(description: ConnectionDescription, side: Side): Promise<Client> {
  const client = await connect(description, side, { query_timeout: ANSWER_TIMEOUT + 2000 });
  try {
    await client.query(`SET statement_timeout = ${ANSWER_TIMEOUT}`);
    return client;
  } catch (error) {
    closeQuietly(client);
    throw connectionError(error, description, side);
  }
}

/** Asks the server on an open connection who it is. */
export async function describeConnection(client: Client): Promise<ConnectionFacts> {
  const started = performance.now();
  const { rows } = await client.query<{ version: string; database: string; user: string }>(
    'SELECT version()::TEXT AS version, current_database()::TEXT AS database, current_user::TEXT AS user',
  );
  const latency = performance.now() - started;
  const [{ version, database, user }] = rows;
  const { product } = detectDialect(version);
  return {
    product,
    version: /\bv?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? version,
    database,
    user,
    encrypted: 'encrypted' in client.connection.stream,
    latency,
  };
}

/** Says goodbye without waiting for an answer. */
export function closeQuietly(client: Client): void {
  client.end().catch(() => {});
}
