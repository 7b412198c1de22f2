import { OperatorError } from '../errors.ts';
import type { Queryable } from '../target/dialect.ts';
import { qualify, type SchemaName } from '../target/identifiers.ts';
import type { StagingSchema } from './staging-schema.ts';

export const ORACLE_CHECKPOINT = '_oracle_checkpoint';
const PREFIX = 'oracle-scn-';

/**
 * Part of the checkpoint statement of an Oracle source: keeps the row of `_oracle_checkpoint` in step with the memo, which operators and
 * runbooks look at: that of their schema which is not committed, with the `startscn` that mining has to begin behind. The
 * statement's own parameters are the memo key ($1) and the position (`$2`, `mineFrom:applied/…`).
 */
export function oracleCheckpointPart({ name, dialect }: StagingSchema): string {
  const bytes = dialect.product === 'cockroachdb' ? 'BYTES' : 'BYTEA';
  const position = `convert_from($2::${bytes}, 'UTF8')`;
  const applied = `split_part(split_part(${position}, ':', 2), '/', 1)`;
  return (
    `kept AS (INSERT INTO ${qualify(name, ORACLE_CHECKPOINT)} AS t ("schema", "startscn", "endscn", "committed") ` +
    `SELECT substr("key", ${PREFIX.length + 1}), split_part(${position}, ':', 1)::DECIMAL, ${applied}::DECIMAL, false FROM moved ` +
    'ON CONFLICT ("schema") DO UPDATE SET "startscn" = excluded."startscn", "endscn" = excluded."endscn", "committed" = false RETURNING 1)'
  );
}

/**
 * Makes the table where it is missing, and the two places of the checkpoint agree: one that was cleared in either of them is
 * cleared, and where somebody has set `startscn` back, mining begins there. To be called when the memo row of `key` exists.
 * @throws OperatorError ORACLE_CHECKPOINT_TABLE when another program's table is in its place
 */
export async function alignOracleCheckpoint(
  client: Queryable,
  { name, dialect }: StagingSchema,
  key: string,
): Promise<void> {
  const table = qualify(name, ORACLE_CHECKPOINT);
  const memo = qualify(name, 'memo');
  const text = dialect.product === 'cockroachdb' ? 'STRING' : 'TEXT';
  const bytes = dialect.product === 'cockroachdb' ? 'BYTES' : 'BYTEA';
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${table} ("schema" ${text} NOT NULL PRIMARY KEY, "startscn" DECIMAL NOT NULL, "endscn" DECIMAL NOT NULL, "committed" BOOL NOT NULL)`,
  );
  const schema = key.slice(PREFIX.length);
  let rows: readonly { readonly start: string }[];
  try {
    ({ rows } = await client.query<{ start: string }>(
      `SELECT "startscn"::${text} AS start FROM ${table} WHERE "schema" = $1::${text} AND NOT "committed" AND "endscn" IS NOT NULL ORDER BY "startscn" LIMIT 1`,
      [schema],
    ));
  } catch (cause) {
    throw foreignTable(name, cause);
  }
  const stored = await client.query<{ hex: string }>(
    `SELECT encode("value", 'hex') AS hex FROM ${memo} WHERE "key" = $1::${text}`,
    [key],
  );
  const position = Buffer.from(stored.rows[0]?.hex ?? '', 'hex').toString();
  const start = rows[0]?.start;
  if (position === '' || start === undefined) {
    if (start !== undefined) await client.query(`DELETE FROM ${table} WHERE "schema" = $1::${text}`, [schema]);
    if (position !== '')
      await client.query(`UPDATE ${memo} SET "value" = ''::${bytes} WHERE "key" = $1::${text}`, [key]);
    return;
  }
  const [mineFrom, applied] = position.split(':');
  if (!/^\d+$/.test(start) || applied === undefined || BigInt(start) >= BigInt(mineFrom)) return;
  await client.query(`UPDATE ${memo} SET "value" = $2::${bytes} WHERE "key" = $1::${text}`, [
    key,
    `\\x${Buffer.from(`${start}:${applied}`).toString('hex')}`,
  ]);
}

function foreignTable(name: SchemaName, cause: unknown): OperatorError {
  return new OperatorError(
    'ORACLE_CHECKPOINT_TABLE',
    `${qualify(name, ORACLE_CHECKPOINT)} is there already, with other columns than this program's: another one has made it`,
    {
      fix: `Take another staging schema (--stagingSchema), or, once the other program is not needed any more:\nDROP TABLE ${qualify(name, ORACLE_CHECKPOINT)};`,
      cause,
    },
  );
}
