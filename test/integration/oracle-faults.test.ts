import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseOracleConnectionString } from '../../src/config/oracle-connection.ts';
import { OperatorError } from '../../src/errors.ts';
import type { OracleSourceOptions } from '../../src/sources/oracle/oracle-source.ts';
import { asScnPosition } from '../../src/sources/oracle/position.ts';
import { OracleRun, startOracle } from '../harness/oracle-run.ts';
import type { OracleServer, OracleServerOptions } from '../servers/oracle/oracle.ts';
import type { ModelTable } from '../servers/oracle/redo-model.ts';
import { parts } from '../servers/oracle/redo-text.ts';

const TEXTS = ['A', 'B', 'C'];

interface Place {
  readonly server: OracleServer;
  readonly table: ModelTable;
  /** So many rows, each in a transaction of its own. */
  insert(first: number, count?: number): void;
  run(options?: Partial<OracleSourceOptions>): OracleRun;
}

async function place(t: TestContext, options: OracleServerOptions = {}): Promise<Place> {
  const server = await startOracle(t, options);
  const { model, owner } = server;
  const table = model.createTable(
    owner,
    'NOTES',
    [
      { name: 'ID', type: 'NUMBER', length: 22, nullable: false },
      ...TEXTS.map((name) => ({ name, type: 'VARCHAR2', length: 4000, nullable: true })),
      { name: 'N', type: 'NVARCHAR2', length: 2000, nullable: true },
      { name: 'BODY', type: 'CLOB', length: 4000, nullable: true },
      { name: 'BYTES', type: 'BLOB', length: 4000, nullable: true },
    ],
    ['ID'],
  );
  return {
    server,
    table,
    insert(first, count = 1) {
      for (let id = first; id < first + count; id++) {
        const transaction = model.begin();
        transaction.insert(table, [String(id), null, null, null, null, null, null]);
        transaction.commit();
      }
    },
    run: (more) => new OracleRun(t, server, more),
  };
}

const ids = (...runs: readonly OracleRun[]) =>
  runs.flatMap(({ sink }) =>
    sink.transactions.flatMap(({ changes }) => changes.map((change) => Number(change.new?.[0]))),
  );
const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

/** A fault that does not strike fails the test, which would wait for ever. */
function soon<T>(promise: Promise<T>): Promise<T> {
  const late = sleep(30_000, undefined, { ref: false }).then(() => Promise.reject(new Error('nothing came for 30 s')));
  return Promise.race([promise, late]);
}

async function failure(run: OracleRun): Promise<OperatorError> {
  const error = await soon(run.outcome);
  assert(error instanceof OperatorError, String(error));
  return error;
}

/** Metrics that call `asked` each time the newest SCN was read, before the sentinel is written. */
function whenAsked(asked: () => void): OracleSourceOptions['metrics'] {
  return { mutation: () => {}, skipped: () => {}, distance: asked, window: () => {}, open: () => {} };
}

test('what is committed between the newest SCN and the flush, while that is held up, is read once', async (t) => {
  const at = await place(t);
  const { model, double } = at.server;
  const asked = Promise.withResolvers<void>();
  let waiting = false;
  const metrics = whenAsked(() => {
    if (waiting) asked.resolve();
  });
  const run = await at.run({ metrics }).start();
  at.insert(1);
  await run.caughtUp();
  const release = double.hold(/SET "LASTSCN" = :1/);
  at.insert(2);
  const open = model.begin();
  open.insert(at.table, ['3', null, null, null, null, null, null]);
  waiting = true;
  await soon(asked.promise);
  // The window ends before these; of the open transaction it holds the first row alone.
  at.insert(4);
  open.insert(at.table, ['5', null, null, null, null, null, null]);
  open.commit();
  const { position } = run.sink;
  // Meanwhile another one asks the server dozens of things: time enough to mine without the flush.
  await at.run().source.connect();
  assert.equal(run.sink.position, position);
  assert.deepEqual(ids(run), [1], 'nothing is read of what is not known to be on the disk');
  release();
  await run.caughtUp();
  assert.deepEqual(ids(run), [1, 2, 4, 3, 5]);
});

test('a connection that is lost between the batches of a window: what was handed on is mined again, and does not come again', async (t) => {
  for (const profile of ['19c', '23ai'] as const) {
    const at = await place(t, { profile });
    const { model, double } = at.server;
    const begin = model.scn;
    // As long as it is open, mining begins before it.
    const open = model.begin();
    open.insert(at.table, ['-1', null, null, null, null, null, null]);
    at.insert(0, 800);
    open.insert(at.table, ['-2', null, null, null, null, null, null]);
    open.commit();
    double.dropNext(/RAWTOHEX\(XID\)/, { rows: 1100 });
    const run = await at.run({ scn: begin }).start();
    const error = await failure(run);
    assert.deepEqual([error.code, error.transient], ['ORACLE_CONNECTION_LOST', true]);
    const delivered = ids(run).length;
    assert(delivered > 0 && delivered < 800, `${delivered} of the batches before`);
    const position = asScnPosition(run.source.parsePosition(String(run.sink.position)));
    assert(position.mineFrom < open.firstScn + 1n && position.applied > open.firstScn + 100n, String(position));
    const again = await at.run().start(String(position));
    await again.caughtUp();
    assert.deepEqual(ids(run, again), [...range(0, 800), -1, -2], profile);
  }
});

test('a log that is written over while it is mined: its archived copy is read from where it was', async (t) => {
  const at = await place(t);
  const { model } = at.server;
  const begin = model.scn;
  at.insert(0, 800);
  const run = at.run({ scn: begin });
  let struck = false;
  run.sink.onPosition = () => {
    if (struck) return;
    struck = true;
    for (let i = 0; i < 3; i++) model.switchLog(1, 'late');
  };
  await run.start();
  const error = await failure(run);
  assert.deepEqual([error.code, error.transient], ['ORACLE_LOG_FILE', true]);
  assert.match(error.message, /ORA-00310/);
  model.logs.archive();
  const again = await at.run().start(String(run.sink.position));
  await again.caughtUp();
  assert(ids(run).length > 0 && ids(again).length > 0);
  assert.deepEqual(ids(run, again), range(0, 800));
});

test('logs that were purged while nobody read: the checkpoint is refused with the sequence that is needed', async (t) => {
  const at = await place(t);
  const { model } = at.server;
  const run = await at.run().start();
  at.insert(1);
  await run.caughtUp();
  await run.stop();
  at.insert(2);
  const needed = model.logs.current(1);
  for (let i = 0; i < 4; i++) model.switchLog();
  model.logs.purge(needed.next);
  at.insert(3);
  const again = at.run();
  const error = await again.start(String(run.sink.position)).then(
    () => failure(again),
    (early: unknown) => early as OperatorError,
  );
  assert.deepEqual([error.code, error.transient], ['ORACLE_LOG_MISSING', false]);
  assert.match(error.message, new RegExp(`sequence ${needed.sequence}\\b`));
  assert.deepEqual(ids(again), [], 'what was committed behind the hole is not applied');
});

test('a server that restarts: lost, then a service that is not known yet, and then it goes on with nothing missing', async (t) => {
  const at = await place(t);
  const { double } = at.server;
  const run = await at.run().start();
  at.insert(1);
  await run.caughtUp();
  double.refuse(12514);
  double.dropAll();
  const lost = await failure(run);
  assert.deepEqual([lost.code, lost.transient], ['ORACLE_CONNECTION_LOST', true]);
  at.insert(2);
  const stop = new AbortController();
  const position = run.source.parsePosition(String(run.sink.position));
  const stream = () => run.source.stream(position, run.sink, stop.signal);
  await assert.rejects(stream(), { code: 'ORACLE_SERVICE', transient: true });
  double.refuse(undefined);
  run.outcome = stream();
  await run.caughtUp();
  stop.abort();
  await run.outcome;
  assert.deepEqual(ids(run), [1, 2]);
});

test('a wrong password and an unknown service are named by the source, and nobody is told the password', async (t) => {
  const at = await place(t);
  const url = new URL(at.server.rootUrl);
  url.password = 'not-the-one';
  const connection = (text: string) => parseOracleConnectionString(text, '--sourceConn');
  const wrong = at.run({ connection: connection(url.href) });
  await assert.rejects(wrong.source.connect(), (error) => {
    assert(error instanceof OperatorError);
    assert.equal(error.code, 'ORACLE_PASSWORD');
    assert.doesNotMatch(`${error.message}${error.fix}`, /not-the-one/);
    return true;
  });
  const unknown = at.run({ connection: connection(at.server.rootUrl.replace('ORCLCDB', 'NOWHERE')) });
  await assert.rejects(unknown.source.connect(), { code: 'ORACLE_SERVICE' });
});

test('long statements whose rows are in different batches are whole', async (t) => {
  const at = await place(t);
  const { model } = at.server;
  const transaction = model.begin();
  const wide = (length: number, seed: number) => "it''s, '); -- ".repeat(300).slice(seed % 14, length + (seed % 14));
  const rows = range(0, 400).map((i) => [
    String(i),
    ...TEXTS.map((_, column) => wide(2200 + ((i * 37 + column) % 300), i + column)),
    `\\ ' ${'漢🙂é'.repeat(40)}`,
    null,
    null,
  ]);
  for (const row of rows) transaction.insert(at.table, row);
  const ends = new Set<number>();
  let pieces = 0;
  for (const record of model.redo.filter(({ operation }) => operation === 1)) {
    pieces += parts(model.render(record, new Map(), { rowIds: false })).length;
    ends.add(pieces);
  }
  assert(pieces > 1000 && !ends.has(500) && !ends.has(1000), 'a batch, of 500 rows, ends in the middle of a statement');
  const run = await at.run({ scn: model.scn - 1000n }).start();
  transaction.commit();
  await run.caughtUp();
  assert.deepEqual(
    run.sink.transactions.flatMap(({ changes }) => changes.map((change) => change.new)),
    rows,
  );
});

test('large objects whose pieces are in different windows and logs are whole, and gone when they were taken back', async (t) => {
  const at = await place(t);
  const { model } = at.server;
  const run = await at.run({ windowLimit: 5n }).start();
  const body = "it's long; ".repeat(2000);
  const bytes = 'C0FFEE'.repeat(1500);
  const kept = model.begin();
  kept.insert(at.table, ['1', null, null, null, null, body, bytes]);
  const savepoint = kept.savepoint();
  kept.insert(at.table, ['2', null, null, null, null, body, null]);
  model.switchLog();
  kept.rollbackTo(savepoint);
  const gone = model.begin();
  gone.insert(at.table, ['3', null, null, null, null, body, bytes]);
  gone.rollback();
  kept.commit();
  await run.caughtUp();
  const [{ changes }, ...others] = run.sink.transactions;
  assert.deepEqual(others, []);
  assert.deepEqual(new Set(changes.map((change) => change.new?.[0])), new Set(['1']));
  const row = [...(changes[0].new ?? [])];
  for (const { new: values = [] } of changes) {
    for (const [i, value] of values.entries()) if (value !== undefined) row[i] = value;
  }
  assert.deepEqual([row[5], row[6]], [body, `\\x${bytes}`]);
});
