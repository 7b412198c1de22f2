import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignFormat } from '../../../src/staging/format.ts';
import {
  checkpointStatement,
  ensureCheckpoint,
  memoKeys,
  moveCheckpoint,
  readMemo,
  writeMemo,
} from '../../../src/staging/memo.ts';
import { oracleCheckpointPart } from '../../../src/staging/oracle-checkpoint.ts';
import { openStagingSchema, type StagingSchema } from '../../../src/staging/staging-schema.ts';
import type { Queryable } from '../../../src/target/dialect.ts';
import { stagingSchemaName } from '../../../src/target/identifiers.ts';

/*
 * What is said to CockroachDB, without a server: the double records statements and answers "there is nothing". It does not
 * imitate what the server makes of them.
 */

const dialect = { product: 'cockroachdb', version: 26.02 } as const;
const surroundings = { dialect, database: 'defaultdb', schemas: ['public'] };

function recorder(): { client: Queryable; sent: string[] } {
  const sent: string[] = [];
  const query = async (text: string) => {
    sent.push(text);
    return { rows: [] };
  };
  return { client: { query } as unknown as Queryable, sent };
}

function staging(text: string): StagingSchema {
  return { name: stagingSchemaName(text, surroundings), dialect };
}

async function everything(text: string): Promise<string[]> {
  const { client, sent } = recorder();
  const place = staging(text);
  await openStagingSchema(client, place, { create: true });
  await readMemo(client, place, 'k');
  await memoKeys(client, place, 'k');
  await writeMemo(client, place, 'k', 'v');
  await ensureCheckpoint(client, place, 'k');
  await moveCheckpoint(client, place, 'k', 'b', 'a');
  // As when there were a second format.
  await alignFormat(client, place, [async () => {}]);
  return sent;
}

test('a database is made for a one-part name, a schema in it for any but public', async () => {
  const creations = async (text: string) =>
    (await everything(text)).filter((sql) => /^CREATE (DATABASE|SCHEMA)/.test(sql));
  assert.deepEqual(await creations('_replicator'), ['CREATE DATABASE IF NOT EXISTS "_replicator"']);
  assert.deepEqual(await creations('defaultdb._replicator'), [
    'CREATE DATABASE IF NOT EXISTS "defaultdb"',
    'CREATE SCHEMA IF NOT EXISTS "defaultdb"."_replicator"',
  ]);
});

test('tables have the types of the existing tool', async () => {
  const tables = (await everything('_replicator')).filter((sql) => sql.startsWith('CREATE TABLE'));
  assert.deepEqual(tables.slice(0, 2), [
    'CREATE TABLE IF NOT EXISTS "_replicator"."public"."memo" ("key" STRING NOT NULL PRIMARY KEY, "value" BYTES NOT NULL)',
    'CREATE TABLE IF NOT EXISTS "_replicator"."public"."leases" ("name" STRING NOT NULL PRIMARY KEY, ' +
      '"expires" TIMESTAMP NOT NULL, "nonce" UUID NOT NULL, "hostname" STRING NOT NULL)',
  ]);
});

test('every statement stands alone, casts what is bound and gives tables three parts', async () => {
  for (const sql of await everything('defaultdb._replicator')) {
    assert.doesNotMatch(sql, /\bBEGIN\b|\bCOMMIT\b|;/);
    assert.doesNotMatch(sql, /\$\d+(?!::)/, sql);
    assert.doesNotMatch(sql, /(FROM|INTO|UPDATE|EXISTS|JOIN) "?(memo|leases|_replicator)/, sql);
    assert.doesNotMatch(sql, /crdb_internal|pg_advisory|\bINT\b/, sql);
  }
});

test('the fence divides decimals: integers divide differently on the two products', () => {
  assert.equal(
    checkpointStatement(staging('_replicator').name, dialect),
    'WITH moved AS (UPDATE "_replicator"."public"."memo" SET "value" = $2::BYTES ' +
      'WHERE "key" = $1::TEXT AND "value" = $3::BYTES RETURNING "key") ' +
      'SELECT 1::DECIMAL / count(*)::DECIMAL AS moved FROM moved',
  );
});

test('the part of it that Oracle sources add names columns and casts what is bound', () => {
  assert.equal(
    oracleCheckpointPart(staging('_replicator')),
    'kept AS (INSERT INTO "_replicator"."public"."_oracle_checkpoint" AS t ("schema", "startscn", "endscn", "committed") ' +
      `SELECT substr("key", 12), split_part(convert_from($2::BYTES, 'UTF8'), ':', 1)::DECIMAL, ` +
      `split_part(split_part(convert_from($2::BYTES, 'UTF8'), ':', 2), '/', 1)::DECIMAL, false FROM moved ` +
      'ON CONFLICT ("schema") DO UPDATE SET "startscn" = excluded."startscn", "endscn" = excluded."endscn", "committed" = false RETURNING 1)',
  );
});

test('a missing database is told as one, with the statement that makes it', async () => {
  const { client } = recorder();
  await assert.rejects(openStagingSchema(client, staging('_replicator'), { create: false }), {
    code: 'STAGING_MISSING',
    fix: /CREATE DATABASE "_replicator";/,
  });
});
