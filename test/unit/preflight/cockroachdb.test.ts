import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from 'pg';
import { parseConnectionString } from '../../../src/config/connection.ts';
import { lookAtAll } from '../../../src/preflight/look.ts';
import { postgresInquiry } from '../../../src/preflight/postgres-inquiry.ts';
import { PostgresSourceFacts } from '../../../src/preflight/postgres-source-facts.ts';
import type { Line } from '../../../src/preflight/question-line.ts';
import { TargetFacts, type TargetWishes } from '../../../src/preflight/target-facts.ts';
import { SERVER_LOOKS } from '../../../src/preflight/target-server-looks.ts';
import { STAGING_LOOKS } from '../../../src/preflight/target-staging-looks.ts';
import { TABLE_LOOKS, tableLooks } from '../../../src/preflight/target-table-looks.ts';
import { Recording } from '../../harness/cockroachdb-recording.ts';
import { trapsOf } from '../../harness/cockroachdb-traps.ts';

/*
 * What the checks of a target ask a CockroachDB server, held against the traps, and what they make of its answers. The
 * answers are those of the documentation. What this does not show: that the server takes and understands the statements.
 */

type Answers = readonly (readonly [pattern: RegExp, rows: readonly object[]])[];

function line(recording: Recording, answers: Answers): Line {
  const client = recording.client((sql) => answers.find(([pattern]) => pattern.test(sql))?.[1] ?? []);
  Object.assign(client, { connection: { stream: {} } });
  return { ask: (questions) => questions(client as Client), close: () => {} };
}

const now = () => [{ now: String(Date.now() / 1000) }];

const COCKROACHDB: Answers = [
  [/version\(\)/, [{ version: 'CockroachDB CCL v26.2.1 (x86_64-pc-linux-gnu)', database: 'shop', user: 'root' }]],
  [/FROM pg_catalog.pg_namespace ORDER BY/, [{ name: 'public' }]],
  [/default_transaction_read_only/, [{ standby: 'false', read_only: 'off' }]],
  [/pg_class c .*ORDER BY c\.relname$/s, [{ table: 'orders', triggers: 'true' }]],
  [
    /crdb_sql_type/,
    [
      {
        table: 'orders',
        position: '1',
        name: 'id',
        type: '20',
        type_text: 'INT8',
        generated: 'NEVER',
        identity_always: 'false',
        hidden: 'NO',
        has_default: 'false',
        nullable: 'NO',
      },
    ],
  ],
  [
    /information_schema.statistics/,
    [{ table: 'orders', index: 'orders_pkey', column: 'id', primary: 'true', implicit: 'NO' }],
  ],
  [/FROM pg_catalog.pg_database/, [{ may: 'true' }]],
  [/EXISTS \(SELECT 1/, [{ at: '0', some: 'false' }]],
  [/SELECT 1 FROM .*pg_namespace/, [{}]],
  [/clock_timestamp/, now()],
];

const column = { name: 'id', key: true, type: 20, modifier: -1 };

const SOURCE: Answers = [
  [/json_object_agg/, [{ types: '{"20":"bigint"}' }]],
  [
    /pg_partition_tree\(c.oid\) t\s+JOIN/,
    ['orders', 'lines'].map((name, oid) => ({
      table: JSON.stringify({ oid, schema: 'public', name, identity: 'd', columns: [column], partitions: [] }),
    })),
  ],
  [
    /AS size/,
    [
      {
        size: JSON.stringify({
          schema: 'public',
          table: 'orders',
          name: 'public.orders',
          identity: 'd',
          rows: 12,
          bytes: 1,
        }),
      },
    ],
  ],
  [/clock_timestamp/, now()],
];

async function check(stagingSchema: string, answers = COCKROACHDB) {
  const recording = new Recording();
  const connection = parseConnectionString('postgresql://root@localhost:26257/shop', '--targetConn', {});
  const wishes: TargetWishes = { targetSchema: 'shop.public', stagingSchema, source: connection, tables: 'all' };
  const source = postgresInquiry(new PostgresSourceFacts(connection, wishes, line(new Recording(), SOURCE)));
  const facts = new TargetFacts(connection, wishes, source, line(recording, answers));
  const results = [
    ...(await lookAtAll([...SERVER_LOOKS, ...STAGING_LOOKS, ...TABLE_LOOKS], facts, () => {}, undefined)),
    ...(await lookAtAll(tableLooks(await facts.compared(), 'all'), facts, () => {}, undefined)),
  ];
  return {
    recording,
    results: Object.fromEntries(results.map((result) => [result.id.replace('target.', ''), result])),
  };
}

test('nothing that is asked is a trap, and nothing is changed', async () => {
  for (const stagingSchema of ['_replicator.public', 'shop.staging']) {
    const { recording } = await check(stagingSchema);
    assert(recording.distinct.length > 10, String(recording.distinct.length));
    for (const sent of recording.distinct) {
      assert.deepEqual(trapsOf(sent), [], sent.sql);
      assert.match(sent.sql.trim(), /^(SELECT|BEGIN|COMMIT|ROLLBACK)\b/, sent.sql);
    }
  }
});

test('what it makes of the answers', async () => {
  const { results } = await check('_replicator.public');
  assert.equal(results.version.found, 'CockroachDB 26.2.1');
  assert.equal(results.writable.state, 'passed');
  assert.equal(results.schema.found, 'public in shop, with 1 table');
  assert.equal(results.rows.found, 'only at the source: public.orders (about 12)');
  assert.equal(results['table.public.orders'].state, 'passed');
  const missing = results['table.public.lines'];
  assert.deepEqual(missing.fix?.statements, [
    'CREATE TABLE "shop"."public"."lines" (\n  "id" INT8,\n  PRIMARY KEY ("id")\n)',
  ]);
  assert.match(results.triggers.fix?.text ?? '', /DROP TRIGGER <name> ON "shop"\."public"\."orders";/);
  assert.equal(results.triggers.fix?.statements, undefined, 'triggers cannot be switched off there, only dropped');
  assert.equal(results.truncate_right.state, 'skipped');
  assert.match(results.truncate_right.found, /privilege DROP/);
});

test('a staging database that the user may not create', async () => {
  const { results } = await check('_replicator.public', [
    [/FROM pg_catalog.pg_database/, []],
    [/rolcreatedb/, [{ may: 'false' }]],
    ...COCKROACHDB,
  ]);
  assert.equal(results.staging.code, 'STAGING_NOT_PERMITTED');
  assert.match(results.staging.found, /CREATEDB, as there is no database "_replicator"/);
  assert.match(results.staging.fix?.text ?? '', /ALTER USER <user> CREATEDB/);
});
