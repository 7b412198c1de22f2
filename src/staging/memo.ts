import { OperatorError } from '../errors.ts';
import type { Dialect, Queryable } from '../target/dialect.ts';
import { qualify, type SchemaName } from '../target/identifiers.ts';
import type { StagingSchema } from './staging-schema.ts';

/** SQLSTATE of a checkpoint statement that did not find the value that it expected: division_by_zero. */
export const FENCED = '22012';

/** The text kept under `key`; empty when there is none. */
export async function readMemo(client: Queryable, staging: StagingSchema, key: string): Promise<string> {
  const found = await client.query<{ hex: string }>(
    `SELECT encode("value", 'hex') AS hex FROM ${qualify(staging.name, 'memo')} WHERE "key" = $1::TEXT`,
    [key],
  );
  return Buffer.from(found.rows[0]?.hex ?? '', 'hex').toString();
}

/** Keys that begin with `prefix`, sorted. */
export async function memoKeys(client: Queryable, staging: StagingSchema, prefix: string): Promise<string[]> {
  const found = await client.query<{ key: string }>(
    `SELECT "key" FROM ${qualify(staging.name, 'memo')} WHERE strpos("key", $1::TEXT) = 1`,
    [prefix],
  );
  return found.rows.map((row) => row.key).sort();
}

/** Keeps a text under `key`, whatever was there. Not for checkpoints: those only move, see `checkpointStatement`. */
export async function writeMemo(client: Queryable, staging: StagingSchema, key: string, value: string): Promise<void> {
  await client.query(
    `INSERT INTO ${qualify(staging.name, 'memo')} ("key", "value") VALUES ($1::TEXT, $2::BYTEA) ` +
      'ON CONFLICT ("key") DO UPDATE SET "value" = excluded."value"',
    [key, bytes(value)],
  );
}

/**
 * Makes the row that the checkpoint statement moves, where there is none yet. Its value is empty, which reads as "no
 * checkpoint", to MOLT Replicator too.
 */
export async function ensureCheckpoint(client: Queryable, staging: StagingSchema, key: string): Promise<void> {
  await client.query(
    `INSERT INTO ${qualify(staging.name, 'memo')} ("key", "value") VALUES ($1::TEXT, $2::BYTEA) ON CONFLICT ("key") DO NOTHING`,
    [key, bytes('')],
  );
}

/**
 * The statement that moves a checkpoint, meant to run inside the transaction of the data that it stands for. Parameters: key
 * (text), new value and expected old value (bytes in `\x` form).
 *
 * It is a fence: unless the stored value is the expected one it fails with SQLSTATE 22012 and takes the transaction with
 * it. So neither a batch that was sent behind a failed one nor a second process can commit out of turn. The division is
 * one of decimals, because CockroachDB and PostgreSQL mean different things by `/` between integers. `besides` is another part of
 * its WITH clause, for what has to be kept in step.
 */
export function checkpointStatement(schema: SchemaName, dialect: Dialect, besides?: string): string {
  const type = dialect.product === 'cockroachdb' ? 'BYTES' : 'BYTEA';
  return (
    `WITH moved AS (UPDATE ${qualify(schema, 'memo')} SET "value" = $2::${type} ` +
    `WHERE "key" = $1::TEXT AND "value" = $3::${type} RETURNING "key")${besides === undefined ? '' : `, ${besides}`} ` +
    'SELECT 1::DECIMAL / count(*)::DECIMAL AS moved FROM moved'
  );
}

/**
 * Moves a checkpoint in a transaction of its own, for a staging schema that is not on the target.
 * @throws OperatorError CHECKPOINT_MOVED when the stored value is not `expected`.
 */
export async function moveCheckpoint(
  client: Queryable,
  staging: StagingSchema,
  key: string,
  value: string,
  expected: string,
  besides?: string,
): Promise<void> {
  try {
    await client.query(checkpointStatement(staging.name, staging.dialect, besides), [
      key,
      bytes(value),
      bytes(expected),
    ]);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === FENCED) throw checkpointMoved(key, error);
    throw error;
  }
}

/** The error for a checkpoint that somebody else has moved. */
export function checkpointMoved(key: string, cause?: unknown): OperatorError {
  return new OperatorError(
    'CHECKPOINT_MOVED',
    `the checkpoint ${key} is not where this process left it: another process writes to the same target schema, or the memo ` +
      'table was edited; what was about to be committed was rolled back, so nothing is doubled',
    { fix: 'make sure that only one process replicates into this target schema, then start again', cause },
  );
}

function bytes(text: string): string {
  return `\\x${Buffer.from(text).toString('hex')}`;
}
