import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangeLog } from '../../../src/changes/change-log.ts';
import type { SourceTable } from '../../../src/changes/table.ts';
import { Applier, type ApplierOptions } from '../../../src/engine/applier.ts';
import type { LargeMode } from '../../../src/engine/large-mode.ts';
import { Batcher } from '../../../src/engine/batcher.ts';
import { Checkpoint } from '../../../src/engine/checkpoint.ts';
import { Collapser } from '../../../src/engine/collapse.ts';
import { openLetters } from '../../../src/engine/letters.ts';
import { Pause } from '../../../src/engine/pause.ts';
import { sessionSettings } from '../../../src/engine/target.ts';
import { TargetTables } from '../../../src/engine/target-tables.ts';
import { readIdentity, writeIdentity } from '../../../src/staging/identity.ts';
import { Lease } from '../../../src/staging/lease.ts';
import {
  checkpointStatement,
  ensureCheckpoint,
  memoKeys,
  moveCheckpoint,
  readMemo,
  writeMemo,
} from '../../../src/staging/memo.ts';
import { alignFormat } from '../../../src/staging/format.ts';
import { openStagingSchema } from '../../../src/staging/staging-schema.ts';
import { readCatalogue } from '../../../src/target/catalogue.ts';
import { openDeadLetterTable } from '../../../src/target/dead-letters.ts';
import { describeServer } from '../../../src/target/dialect.ts';
import { checkTable } from '../../../src/target/drift.ts';
import { stagingSchemaName } from '../../../src/target/identifiers.ts';
import { MessageBuffer } from '../../../src/target/messages.ts';
import { append, sourceTable } from '../../harness/apply-rig.ts';
import { cockroachdbCatalogue, Recording, type TableShape } from '../../harness/cockroachdb-recording.ts';
import { trapsOf } from '../../harness/cockroachdb-traps.ts';
import { Feed } from '../../harness/feed.ts';
import { RecordingLogger } from '../../harness/recording-logger.ts';
import { COCKROACHDB, schemaOf } from '../../harness/target-model.ts';

/*
 * Every statement that would be sent to CockroachDB, held against the traps. What this does not show: that the server takes
 * and understands the statements.
 */

const schema = schemaOf(COCKROACHDB);
const staging = {
  name: stagingSchemaName('_replicator.public', { dialect: COCKROACHDB, database: 'shop', schemas: ['public'] }),
  dialect: COCKROACHDB,
};

const ODD = 'Odd "name". from t';

/** Tables of every shape and, in the second, columns of every type. */
const SHAPES: readonly TableShape[] = [
  { name: 'item', columns: { id: 'INT8 NOT NULL', code: 'STRING', body: 'STRING' }, key: ['id'] },
  {
    name: 'types',
    columns: {
      id: 'UUID NOT NULL',
      ...Object.fromEntries(
        [
          ...[
            'BOOL',
            'INT2',
            'INT4',
            'INT8',
            'FLOAT4',
            'FLOAT8',
            'DECIMAL',
            'DECIMAL(10,2)',
            'STRING',
            'STRING(5)',
            'VARCHAR(20)',
          ],
          ...[
            'CHAR',
            'CHAR(3)',
            '"char"',
            'NAME',
            'BYTES',
            'DATE',
            'TIME(3)',
            'TIMETZ',
            'TIMESTAMP(3)',
            'TIMESTAMPTZ',
            'INTERVAL',
          ],
          ...[
            'JSONB',
            'INET',
            'BIT',
            'BIT(3)',
            'VARBIT(5)',
            'OID',
            'TSVECTOR',
            'TSQUERY',
            'VECTOR(3)',
            'LTREE',
            'CITEXT',
          ],
          ...[
            'GEOMETRY(POINT,4326)',
            'GEOGRAPHY',
            'BOX2D',
            'STRING COLLATE de',
            'INT8[]',
            'VARCHAR(5)[]',
            'public.mood',
            'public.mood[]',
          ],
        ].map((type, i) => [`c${i}`, type]),
      ),
    },
    key: ['id'],
  },
  { name: 'wide', columns: { a: 'INT8', x: 'INT8 NOT NULL', b: 'STRING', y: 'STRING NOT NULL' }, key: ['y', 'x'] },
  { name: 'only', columns: { x: 'INT8 NOT NULL', y: 'INT8 NOT NULL' }, key: ['x', 'y'] },
  { name: 'loose', columns: { a: 'INT8', b: 'JSONB', rowid: 'INT8 NOT NULL NOT VISIBLE' }, key: ['rowid'] },
  { name: 'foreign_key', columns: { id: 'UUID NOT NULL DEFAULT', a: 'STRING' }, key: ['id'] },
  {
    name: 'sharded',
    columns: {
      crdb_internal_id_shard_16: 'INT8 NOT VISIBLE STORED',
      id: 'INT8 NOT NULL',
      a: 'STRING',
      sum: 'INT8 STORED',
    },
    key: ['crdb_internal_id_shard_16', 'id'],
  },
  { name: ODD, columns: { 'Key "k"': 'STRING NOT NULL', 'select ': 'INT8' }, key: ['Key "k"'] },
  {
    name: 'owned',
    columns: { id: 'INT8 NOT NULL', item: 'INT8' },
    key: ['id'],
    references: [{ referenced: 'item', on_delete: 'c' }],
  },
  { name: 'node', columns: { id: 'INT8 NOT NULL', up: 'INT8' }, key: ['id'], references: [{ referenced: 'node' }] },
];
const catalogue = cockroachdbCatalogue(SHAPES);
const tables = await TargetTables.open(schema, COCKROACHDB, async () => catalogue);

/** The source's side of each shape. The row of `foreign_key` is known by its other columns only. */
const SOURCES: readonly SourceTable[] = SHAPES.map(({ name, columns, key = [] }) => {
  const names = Object.keys(columns).filter((column) => !/^(rowid|crdb_internal.*|sum)$/.test(column));
  if (name === 'foreign_key') return sourceTable(name, ['a'], []);
  return sourceTable(name, names, name === 'loose' ? [] : key.filter((column) => names.includes(column)));
});

function assertNoTraps(recording: Recording, least: number): void {
  const statements = recording.distinct;
  assert.ok(statements.length >= least, `only ${statements.length} statements`);
  const caught = statements.flatMap((sent) => trapsOf(sent).map((trap) => `${trap}\n    ${sent.sql.slice(0, 300)}`));
  assert.deepEqual(caught, []);
}

/** Every kind of change of a table, with and without missing values. */
function changeAll(feed: Pick<Feed, 'insert' | 'update' | 'delete' | 'truncate'>, source: SourceTable): void {
  const row = (text: string) => source.columns.map(({ identity }) => (identity ? '1' : text));
  const moved = source.columns.map(({ identity }) => (identity ? '2' : 'x'));
  const partial = source.columns.map(({ identity }, i) => (identity || i % 2 === 0 ? '1' : undefined));
  const old = source.identity === 'full' ? row('x') : source.columns.map(({ identity }) => (identity ? '1' : null));
  feed.insert(source, row('x'));
  feed.update(source, row('y'), source.identity === 'full' ? old : undefined);
  feed.truncate(source);
  feed.update(source, partial, source.identity === 'full' ? old : undefined);
  feed.delete(source, old);
  if (source.identity === 'key') {
    feed.update(source, moved, old);
    feed.update(
      source,
      partial.map((value, i) => (source.columns[i].identity ? '3' : value)),
      moved,
    );
  }
  for (let i = 0; i < 30; i++)
    feed.insert(
      source,
      source.columns.map(({ identity }) => (identity ? String(i) : null)),
    );
}

test('the statements for tables of every shape and type', () => {
  const recording = new Recording();
  const session = recording.session();
  for (const options of [
    { exact: false, copy: true },
    { exact: false, copy: false },
    { exact: true, copy: false },
  ]) {
    for (const source of SOURCES) {
      const log = new ChangeLog();
      changeAll(
        {
          insert: (table, row) => append.insert(log, table, row),
          update: (table, row, old) => append.update(log, table, row, old),
          delete: (table, old) => append.delete(log, table, old),
          truncate: (table) => log.appendTruncate(table),
        },
        source,
      );
      const script = new MessageBuffer();
      script.query('BEGIN');
      new Collapser(COCKROACHDB, (table) => tables.resolve(table)).write(log, 0, log.length, session, script, options);
      script.query('COMMIT');
      void session.send(script);
    }
  }
  assertNoTraps(recording, 50);
  const all = recording.sent.map(({ sql }) => sql);
  for (const name of SOURCES.map((source) => source.name.replaceAll('"', '""'))) {
    for (const verb of ['INSERT INTO', 'COPY', 'UPDATE', 'DELETE FROM']) {
      // One column alone never goes by COPY.
      if (['only', 'foreign_key'].includes(name) && verb === 'COPY') continue;
      assert.ok(
        all.some((sql) => sql.startsWith(`${verb} "shop"."public"."${name}"`)),
        `no ${verb} ${name}`,
      );
    }
  }
});

const schemaExists = (sql: string) => (/FROM \S*pg_namespace WHERE/.test(sql) ? [{}] : []);

/** Runs an applier over some transactions; the script that holds a statement like `refused` fails so often. */
async function apply(
  recording: Recording,
  refusals: { pattern: RegExp; state: string; times: number }[],
  options: { applying?: Partial<ApplierOptions>; largeMode?: LargeMode; large?: boolean },
): Promise<Error | undefined> {
  const left = refusals.map((refusal) => ({ ...refusal }));
  const session = recording.session((statements) => {
    const hit = left.find(({ pattern, times }) => times > 0 && statements.some((sql) => pattern.test(sql)));
    if (hit !== undefined) hit.times--;
    return hit?.state;
  });
  const batcher = new Batcher({ flushSize: 1000, transactionLimit: 1, memoryLimit: 1e8, queueSize: 100 });
  const store = {
    fence: checkpointStatement(staging.name, COCKROACHDB),
    key: 'k',
    read: async () => '',
    write: async () => {},
  };
  const applier = new Applier({
    batcher,
    session,
    openSession: async () => session,
    dialect: COCKROACHDB,
    tables,
    checkpoint: new Checkpoint(store, undefined, '', false, () => {}),
    options: {
      flushPeriod: 10,
      maxRetries: 3,
      retryInitialBackoff: 1,
      retryMaxBackoff: 1,
      retryMultiplier: 1,
      onApplyError: 'dlq',
      collapse: true,
      lanes: 1,
      ...options.applying,
    },
    deadLetters: openLetters(
      { schema, dialect: COCKROACHDB, withClient: (work) => work(recording.client(schemaExists)) },
      'letters',
    ),
    log: new RecordingLogger(),
    largeMode: options.largeMode ?? 'copy',
    largeReason: undefined,
    pause: new Pause(),
    events: { committed: () => {}, durable: () => {}, refused: () => {}, retried: () => {}, deadLettered: () => {} },
  });
  const feed = new Feed(batcher);
  if (options.large) {
    feed.transaction(() => {
      for (let i = 0; i < 3; i++) feed.insert(SOURCES[0], [String(i), 'c', 'x'.repeat(700_000)]);
    });
  } else {
    for (const source of SOURCES) feed.transaction(() => changeAll(feed, source));
  }
  feed.progress();
  applier.drain();
  return applier.run().then(
    () => undefined,
    (error: Error) => error,
  );
}

// The catalogue cannot be read again here, and that is said by its SQLSTATE before anything else goes wrong.
const cases: [string, RegExp | undefined, string, number, Parameters<typeof apply>[2]][] = [
  ['batches', undefined, '', 0, {}],
  ['batches that are retried', /^COPY/, '40001', 2, {}],
  ['rows that exist', /^COPY/, '23505', 1, {}],
  ['the exact order', /"item"/, '23503', 2, {}],
  ['dead letters', /"(item|loose)"/, '23514', 6, {}],
  ['changes one by one', undefined, '', 0, { applying: { collapse: false } }],
  ['a large transaction', undefined, '', 0, { large: true }],
  ['a large transaction without COPY', undefined, '', 0, { large: true, largeMode: 'upsert' }],
  ['a large transaction in the exact order', undefined, '', 0, { large: true, largeMode: 'exact' }],
  ['a large transaction as dead letters', undefined, '', 0, { large: true, largeMode: 'deadLetter' }],
];

for (const [name, pattern, state, times, options] of cases) {
  test(`what the applier sends: ${name}`, async () => {
    const recording = new Recording();
    const refusals = pattern === undefined ? [] : [{ pattern, state, times }];
    const failure = await apply(recording, refusals, options);
    assert.equal(failure, undefined, failure?.stack);
    assertNoTraps(recording, 4);
  });
}

test('what is asked about the server and its catalogue, and what sessions are told', async () => {
  const recording = new Recording();
  const version = 'CockroachDB CCL v26.2.0 (x86_64-pc-linux-gnu, built 2026/04/27, go1.25)';
  const client = recording.client((sql) => (sql.includes('version()') ? [{ version, database: 'shop' }] : []));
  await describeServer(client);
  // There is no such schema: that, too, is a question.
  await assert.rejects(readCatalogue(client, COCKROACHDB, schema), { code: 'TARGET_SCHEMA_MISSING' });
  for (const setting of sessionSettings(COCKROACHDB, 30_000).split('; ')) recording.add(setting);
  assertNoTraps(recording, 10);
});

test('what the staging schema is told', async () => {
  const recording = new Recording();
  const client = recording.client();
  for (const name of ['_replicator', '_replicator.public', 'shop."my staging"']) {
    const place = {
      name: stagingSchemaName(name, { dialect: COCKROACHDB, database: 'shop', schemas: ['public'] }),
      dialect: COCKROACHDB,
    };
    await openStagingSchema(client, place, { create: true });
    await alignFormat(client, place, [async () => {}]);
    await readMemo(client, place, 'k');
    await memoKeys(client, place, 'k');
    await writeMemo(client, place, 'k', 'v');
    await ensureCheckpoint(client, place, 'k');
    await moveCheckpoint(client, place, 'k', 'b', 'a');
    await readIdentity(client, place, 'pglogical', 'shop.public');
    await writeIdentity(client, place, 'pglogical', schema, { slot: 's' });
  }
  assertNoTraps(recording, 20);
});

test('what the lease is told', async () => {
  const recording = new Recording();
  let taken = false;
  const client = recording.client((sql) => {
    if (sql.startsWith('INSERT')) return taken ? [] : [{ name: 'l' }];
    return sql.startsWith('UPDATE') ? [] : [{ holder: 'other', nonce: 'n', expires: '' }];
  });
  const connection = { ...client, on: () => {}, end: async () => {} };
  const lost = Promise.withResolvers<Error>();
  const options = {
    staging,
    name: 'l',
    connect: async () => connection,
    standby: false,
    onLost: lost.resolve,
    log: new RecordingLogger(),
  };
  const lease = await Lease.acquire(options);
  await lease.release();
  const second = await Lease.acquire(options);
  taken = true;
  await lost.promise;
  await second.release();
  assertNoTraps(recording, 4);
});

test('what is done about dead letters, and what an operator is told to run', async () => {
  const recording = new Recording();
  const letters = await openDeadLetterTable(recording.client(), COCKROACHDB, schema, catalogue, 'my letters');
  recording.add(letters.insert);
  const types = [
    'integer',
    'bigint',
    'smallint',
    'serial',
    'character varying(5)',
    'text',
    'money',
    'point',
    'xml',
    'cidr',
    'jsonb',
  ];
  for (const [name, columns] of [
    ['missing', ['id', 'a']],
    ['item', ['id', 'code', 'more']],
    [ODD, ['Key "k"', 'new']],
  ] as const) {
    for (const type of types) {
      const source: SourceTable = {
        ...sourceTable(name, columns, [columns[0]]),
        columns: columns.map((column, i) => ({ name: column, identity: i === 0, type: i === 0 ? 'uuid' : type })),
      };
      try {
        checkTable(source, catalogue, schema, COCKROACHDB);
      } catch (error) {
        const { fix = '' } = error as { fix?: string };
        for (const sql of fix.split(/;(?:\n|$)/)) if (sql !== '') recording.add(sql);
      }
    }
  }
  assertNoTraps(recording, 20);
});
