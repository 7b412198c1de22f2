import type { Queryable } from '../target/dialect.ts';
import { qualify, quoteIdentifier } from '../target/identifiers.ts';
import { FORMAT_KEY, isMemoCopy } from './format.ts';
import { memoKeys } from './memo.ts';
import { ORACLE_CHECKPOINT } from './oracle-checkpoint.ts';
import { type StagingSchema, stagingTables } from './staging-schema.ts';

/**
 * Forgets the progress of one replication for good. The staging schema goes with it when no other replication keeps anything
 * there; true then. `checkpointKey` as in the memo, `identityKey` likewise.
 */
export async function dropStaging(
  client: Queryable,
  staging: StagingSchema,
  keys: { readonly checkpoint: string; readonly identity: string },
): Promise<boolean> {
  const memo = qualify(staging.name, 'memo');
  await client.query(`DELETE FROM ${memo} WHERE "key" IN ($1::TEXT, $2::TEXT)`, [keys.checkpoint, keys.identity]);
  // Version marks are the schema's own; whatever else is there belongs to another replication.
  const others = (await memoKeys(client, staging, '')).filter(
    (key) => !/^version-\d+$/.test(key) && key !== FORMAT_KEY,
  );
  if (others.length > 0) return false;
  const copies = (await stagingTables(client, staging)).filter(isMemoCopy).map((copy) => qualify(staging.name, copy));
  const tables = [memo, qualify(staging.name, 'leases'), qualify(staging.name, ORACLE_CHECKPOINT), ...copies];
  await client.query(`DROP TABLE IF EXISTS ${tables.join(', ')}`);
  const { product } = staging.dialect;
  // RESTRICT: what else may be in there is not ours.
  if (product === 'postgresql') await client.query(`DROP SCHEMA ${quoteIdentifier(staging.name.schema)} RESTRICT`);
  else if (staging.name.schema !== 'public') await client.query(`DROP SCHEMA ${staging.name.sql} RESTRICT`);
  else await client.query(`DROP DATABASE ${quoteIdentifier(staging.name.database)} RESTRICT`);
  return true;
}
