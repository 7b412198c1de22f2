import { OperatorError } from '../errors.ts';
import type { Queryable } from '../target/dialect.ts';
import { qualify } from '../target/identifiers.ts';
import { readMemo } from './memo.ts';
import type { StagingSchema } from './staging-schema.ts';

/** Memo key of the format of what this program keeps there. MOLT Replicator asks for keys of its own, and passes it over. */
export const FORMAT_KEY = 'instar-staging-format';

/**
 * Makes format n + 1 of format n. It may be run twice, since not everything can be in one transaction on CockroachDB, and before the
 * lease is taken: what a process of the version before reads has to stay.
 */
export type StagingMigration = (client: Queryable, staging: StagingSchema) => Promise<void>;

/** The first makes format 2 of format 1, which is also that of a staging schema without a word of it: MOLT Replicator's. */
const MIGRATIONS: readonly StagingMigration[] = [];

/**
 * Why what is in the staging schema cannot be used: a newer version has written it. Undefined when it can. Its memo has to be there.
 */
export async function refusedFormat(
  client: Queryable,
  staging: StagingSchema,
  migrations: readonly StagingMigration[] = MIGRATIONS,
): Promise<OperatorError | undefined> {
  const format = await readFormat(client, staging);
  return format !== undefined && format <= 1 + migrations.length ? undefined : newer(staging);
}

/**
 * Brings what an older version has written up to date, a step at a time; a copy of its memo stays, as `memo_format_1`.
 * @throws OperatorError STAGING_NEWER, before anything is changed
 */
export async function alignFormat(
  client: Queryable,
  staging: StagingSchema,
  migrations: readonly StagingMigration[] = MIGRATIONS,
): Promise<void> {
  const format = await readFormat(client, staging);
  const current = 1 + migrations.length;
  if (format === undefined || format > current) throw newer(staging);
  await mark(client, staging, format);
  if (format === current) return;
  await copyMemo(client, staging, format);
  for (let at = format; at < current; at++) {
    await migrations[at - 1](client, staging);
    await mark(client, staging, at + 1);
  }
}

/** Undefined when it cannot be read, which only a newer version can have written. */
async function readFormat(client: Queryable, staging: StagingSchema): Promise<number | undefined> {
  const text = await readMemo(client, staging, FORMAT_KEY);
  if (text === '') return 1;
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}

/** Notes the format, unless another process is further already. */
async function mark(client: Queryable, staging: StagingSchema, format: number): Promise<void> {
  const memo = qualify(staging.name, 'memo');
  const bytes = (value: number) => `\\x${Buffer.from(String(value)).toString('hex')}`;
  const type = staging.dialect.product === 'cockroachdb' ? 'BYTES' : 'BYTEA';
  await client.query(
    `INSERT INTO ${memo} AS m ("key", "value") VALUES ($1::TEXT, $2::${type}) ` +
      `ON CONFLICT ("key") DO UPDATE SET "value" = excluded."value" WHERE m."value" = $3::${type}`,
    [FORMAT_KEY, bytes(format), bytes(format - 1)],
  );
}

/** Whether a table is a copy that was kept. */
export function isMemoCopy(table: string): boolean {
  return /^memo_format_\d+$/.test(table);
}

/** A copy that is there already is of an attempt that did not come to its end: it holds what was there before. */
async function copyMemo(client: Queryable, staging: StagingSchema, format: number): Promise<void> {
  const { product } = staging.dialect;
  const [text, bytes] = product === 'cockroachdb' ? ['STRING', 'BYTES'] : ['TEXT', 'BYTEA'];
  const copy = qualify(staging.name, `memo_format_${format}`);
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${copy} ("key" ${text} NOT NULL PRIMARY KEY, "value" ${bytes} NOT NULL)`,
  );
  await client.query(
    `INSERT INTO ${copy} ("key", "value") SELECT "key", "value" FROM ${qualify(staging.name, 'memo')} ON CONFLICT ("key") DO NOTHING`,
  );
}

function newer({ name }: StagingSchema): OperatorError {
  return new OperatorError(
    'STAGING_NEWER',
    `a newer version of this program has kept its progress in the staging schema ${name.sql}; nothing was started or changed`,
    {
      fix: 'go on with the newer version (instar version tells which one this is), or begin anew in another --stagingSchema',
    },
  );
}
