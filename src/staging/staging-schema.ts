import { OperatorError } from '../errors.ts';
import type { Dialect, Queryable } from '../target/dialect.ts';
import { qualify, quoteIdentifier, type SchemaName } from '../target/identifiers.ts';
import { alignFormat, refusedFormat } from './format.ts';

/** Where checkpoints, identities and leases are kept. */
export interface StagingSchema {
  readonly name: SchemaName;
  readonly dialect: Dialect;
}

/**
 * The tables, under the names and with the columns that MOLT Replicator gives them, so that either program can go on where the
 * other one stopped.
 */
const TABLES: Readonly<Record<string, (dialect: Dialect) => string>> = {
  memo: ({ product }) =>
    product === 'cockroachdb'
      ? '"key" STRING NOT NULL PRIMARY KEY, "value" BYTES NOT NULL'
      : '"key" TEXT NOT NULL PRIMARY KEY, "value" BYTEA NOT NULL',
  leases: ({ product }) => {
    const text = product === 'cockroachdb' ? 'STRING' : 'TEXT';
    return `"name" ${text} NOT NULL PRIMARY KEY, "expires" TIMESTAMP NOT NULL, "nonce" UUID NOT NULL, "hostname" ${text} NOT NULL`;
  },
};

/** The tables without which nothing can be kept. */
export const STAGING_TABLES = Object.keys(TABLES);

/** Manual schema upgrades of MOLT Replicator, which it wants to see marked as applied; on a fresh schema they all are. */
const VERSION_MARKERS = ['version-389', 'version-400', 'version-572', 'version-828'];
const FRESH_MARKER = 'version-400';
const APPLIED = '{"state":"applied"}';

/** What creating a thing that another process creates at this moment fails with. */
const CREATED_MEANWHILE = new Set(['23505', '40001', '42710', '42P04', '42P06', '42P07']);
const ATTEMPTS = 5;

/**
 * Makes sure that the staging schema and its tables are there. Not inside a transaction: each statement that creates
 * something stands for itself, because on CockroachDB it would commit what came before.
 *
 * @throws OperatorError STAGING_MISSING when there is no such schema and `create` (`--stagingCreateSchema`) is false;
 *   STAGING_NOT_PERMITTED when the user may not create what is missing; STAGING_NEWER when a newer version has been there.
 */
export async function openStagingSchema(
  client: Queryable,
  staging: StagingSchema,
  options: { readonly create: boolean },
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const place: Place = { table: undefined };
    try {
      await prepare(client, staging, options.create, place);
      return;
    } catch (error) {
      if (attempt < ATTEMPTS && CREATED_MEANWHILE.has(sqlState(error))) continue;
      if (sqlState(error) !== '42501') throw error;
      throw stagingNotPermitted(staging, error, { user: await currentUser(client), table: place.table });
    }
  }
}

/** The table that is being looked at or created. */
interface Place {
  table: string | undefined;
}

async function currentUser(client: Queryable): Promise<string | undefined> {
  const found = await client.query<{ name: string }>('SELECT current_user::TEXT AS name').catch(() => undefined);
  return found?.rows[0]?.name;
}

async function prepare(client: Queryable, staging: StagingSchema, create: boolean, place: Place): Promise<void> {
  if (!(await stagingExists(client, staging))) {
    if (!create) throw missing(staging);
    for (const statement of createStatements(staging)) await client.query(statement);
  }
  const present = new Set(await stagingTables(client, staging));
  if (present.has('memo')) {
    place.table = qualify(staging.name, 'memo');
    const refused = await refusedFormat(client, staging);
    if (refused !== undefined) throw refused;
  }
  for (const [table, definition] of Object.entries(TABLES)) {
    if (present.has(table)) continue;
    place.table = qualify(staging.name, table);
    await client.query(`CREATE TABLE IF NOT EXISTS ${place.table} (${definition(staging.dialect)})`);
  }
  const memo = qualify(staging.name, 'memo');
  place.table = memo;
  const marker = await client.query(`SELECT 1 FROM ${memo} WHERE "key" = $1::TEXT`, [FRESH_MARKER]);
  for (const key of marker.rows.length > 0 ? [] : VERSION_MARKERS) {
    await client.query(
      `INSERT INTO ${memo} ("key", "value") VALUES ($1::TEXT, $2::BYTEA) ON CONFLICT ("key") DO NOTHING`,
      [key, APPLIED],
    );
  }
  await alignFormat(client, staging);
}

function createStatements({ name, dialect }: StagingSchema): string[] {
  if (dialect.product === 'postgresql') return [`CREATE SCHEMA IF NOT EXISTS ${name.sql}`];
  const database = `CREATE DATABASE IF NOT EXISTS ${quoteIdentifier(name.database)}`;
  return name.schema === 'public' ? [database] : [database, `CREATE SCHEMA IF NOT EXISTS ${name.sql}`];
}

/** Whether the schema is there (and on CockroachDB its database). */
export async function stagingExists(client: Queryable, { name, dialect }: StagingSchema): Promise<boolean> {
  if (dialect.product === 'cockroachdb') {
    const database = await client.query('SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1::TEXT', [
      name.database,
    ]);
    if (database.rows.length === 0) return false;
  }
  const schema = await client.query(`SELECT 1 FROM ${catalogue(name, dialect)}.pg_namespace WHERE nspname = $1::TEXT`, [
    name.schema,
  ]);
  return schema.rows.length > 0;
}

/** The names of all tables in the schema. */
export async function stagingTables(client: Queryable, { name, dialect }: StagingSchema): Promise<string[]> {
  const prefix = catalogue(name, dialect);
  const found = await client.query<{ name: string }>(
    `SELECT c.relname::TEXT AS name FROM ${prefix}.pg_class c JOIN ${prefix}.pg_namespace n ON n.oid = c.relnamespace ` +
      "WHERE n.nspname = $1::TEXT AND c.relkind = 'r'",
    [name.schema],
  );
  return found.rows.map((row) => row.name);
}

function catalogue(name: SchemaName, dialect: Dialect): string {
  return dialect.product === 'cockroachdb' ? `${quoteIdentifier(name.database)}.pg_catalog` : 'pg_catalog';
}

function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function missing(staging: StagingSchema): OperatorError {
  return new OperatorError(
    'STAGING_MISSING',
    `the staging schema ${staging.name.sql} does not exist; without it no checkpoint can be kept, so nothing was started`,
    {
      fix: [
        'add --stagingCreateSchema once, or check --stagingSchema, or run:',
        ...createStatements(staging).map((statement) => `${statement.replace('IF NOT EXISTS ', '')};`),
      ].join('\n'),
    },
  );
}

/**
 * The user may not do what is needed there; `cause` is the server's word, or what was found out. `table`: the one that was
 * refused, quoted; without it the schema itself was.
 */
export function stagingNotPermitted(
  { name, dialect }: StagingSchema,
  cause: unknown,
  { user, table }: { readonly user?: string | undefined; readonly table?: string | undefined } = {},
): OperatorError {
  const database = quoteIdentifier(name.database);
  const to = user === undefined ? '<user>' : quoteIdentifier(user);
  const onSchema = dialect.product === 'cockroachdb' ? `DATABASE ${database}` : `SCHEMA ${name.sql}`;
  const fix =
    table !== undefined
      ? [`GRANT ALL ON ${onSchema} TO ${to};`, `GRANT ALL ON ALL TABLES IN SCHEMA ${name.sql} TO ${to};`]
      : dialect.product === 'cockroachdb'
        ? [`ALTER USER ${to} CREATEDB;`, `GRANT ALL ON ${onSchema} TO ${to};`]
        : [`GRANT CREATE ON DATABASE ${database} TO ${to};`, `GRANT ALL ON ${onSchema} TO ${to};`];
  return new OperatorError(
    'STAGING_NOT_PERMITTED',
    `the user${user === undefined ? '' : ` ${user}`} may not create or use ` +
      `${table === undefined ? 'what is missing in' : `${table} of`} the staging schema ${name.sql}: ` +
      `${cause instanceof Error ? cause.message : String(cause)}; nothing was started`,
    { cause, fix: fix.join('\n') },
  );
}
