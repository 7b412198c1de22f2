import type pg from 'pg';
import { OperatorError } from '../errors.ts';
import type { Surroundings } from './identifiers.ts';

/** The SQL that a server speaks. */
export interface Dialect {
  readonly product: 'cockroachdb' | 'postgresql';
  /** Major version and hundredths for the minor one, to compare: 26.02, 18.01, 14.09. */
  readonly version: number;
}

/** The only thing that catalogue and staging need of a client. All results are expected as text. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/** What is at the other end of a connection. */
export interface Server extends Surroundings {
  /** The answer to `SELECT version()`. */
  readonly versionText: string;
}

/**
 * The dialect of the product behind the answer to `SELECT version()`.
 * @throws OperatorError TARGET_PRODUCT_UNKNOWN for any other product: what it would do with our statements is not known.
 */
export function detectDialect(versionText: string): Dialect {
  const cockroach = /^CockroachDB\b.*?\bv(\d+)\.(\d+)/.exec(versionText);
  if (cockroach !== null) return { product: 'cockroachdb', version: versionNumber(cockroach) };
  const postgres = /^PostgreSQL (\d+)(?:\.(\d+))?/.exec(versionText);
  if (postgres !== null) return { product: 'postgresql', version: versionNumber(postgres) };
  throw new OperatorError('TARGET_PRODUCT_UNKNOWN', `unknown product for version: ${versionText}`, {
    fix: 'point the connection at CockroachDB or PostgreSQL',
  });
}

/** Asks a server who it is, which database the connection is in, and which schemas that has. */
export async function describeServer(client: Queryable): Promise<Server> {
  const facts = await client.query<{ version: string; database: string }>(
    'SELECT version()::TEXT AS version, current_database()::TEXT AS database',
  );
  const { version, database } = facts.rows[0];
  const schemas = await client.query<{ name: string }>(
    'SELECT nspname::TEXT AS name FROM pg_catalog.pg_namespace ORDER BY 1',
  );
  return {
    dialect: detectDialect(version),
    versionText: version,
    database,
    schemas: schemas.rows.map((row) => row.name),
  };
}

function versionNumber(match: RegExpExecArray): number {
  return Number(match[1]) + Number(match[2] ?? 0) / 100;
}
