import type { OperatorError } from '../errors.ts';
import type { Queryable } from '../target/dialect.ts';
import { qualify, quoteIdentifier } from '../target/identifiers.ts';
import { readMissingRights } from '../target/rights.ts';
import { refusedFormat } from './format.ts';
import { STAGING_TABLES, type StagingSchema, stagingExists, stagingTables } from './staging-schema.ts';

/** What a start would find of the staging schema. */
export interface StagingState {
  readonly exists: boolean;
  /** All of its tables are there. */
  readonly complete: boolean;
  /** Rights that are missing to create what is missing, and to use what is there: "CREATE on database shop". */
  readonly missingRights: readonly string[];
  /** Why what is there cannot be used, as STAGING_NEWER. */
  readonly refused?: OperatorError | undefined;
}

/** Looks at a staging schema; nothing is created. */
export async function readStagingState(client: Queryable, staging: StagingSchema): Promise<StagingState> {
  const exists = await stagingExists(client, staging);
  if (!exists) {
    return { exists, complete: false, missingRights: await rightsToCreate(client, staging) };
  }
  const present = new Set(await stagingTables(client, staging));
  const own = STAGING_TABLES.filter((table) => present.has(table));
  const complete = own.length === STAGING_TABLES.length;
  const lacking = await readMissingRights(
    client,
    own.map((table) => qualify(staging.name, table)),
  );
  const missingRights = lacking.map(({ table, missing }) => `${missing.join(', ')} on ${table}`);
  if (!complete) missingRights.unshift(...(await rightsToFill(client, staging)));
  if (missingRights.length > 0 || !present.has('memo')) return { exists, complete, missingRights };
  return { exists, complete, missingRights, refused: await refusedFormat(client, staging) };
}

async function rightsToCreate(client: Queryable, { name }: StagingSchema): Promise<string[]> {
  const database = quoteIdentifier(name.database);
  const inDatabase = await client.query<{ may: string }>(
    `SELECT has_database_privilege(datname::TEXT, 'CREATE')::TEXT AS may FROM pg_catalog.pg_database WHERE datname = $1::TEXT`,
    [name.database],
  );
  if (inDatabase.rows.length > 0) return inDatabase.rows[0].may === 'true' ? [] : [`CREATE on database ${database}`];
  // CockroachDB alone: on PostgreSQL the schema is always in the connected database.
  const { rows } = await client.query<{ may: string }>(
    'SELECT (rolsuper OR rolcreatedb)::TEXT AS may FROM pg_catalog.pg_roles WHERE rolname = current_user',
  );
  return rows.at(0)?.may === 'false' ? [`CREATEDB, as there is no database ${database}`] : [];
}

async function rightsToFill(client: Queryable, { name, dialect }: StagingSchema): Promise<string[]> {
  // CockroachDB tells of the schemas of the connected database only, and lets everybody create in most of them.
  if (dialect.product === 'cockroachdb') return [];
  const { rows } = await client.query<{ may: string }>(
    `SELECT (has_schema_privilege($1::TEXT, 'CREATE') AND has_schema_privilege($1::TEXT, 'USAGE'))::TEXT AS may`,
    [name.schema],
  );
  return rows[0].may === 'true' ? [] : [`CREATE, USAGE on schema ${name.sql}`];
}
