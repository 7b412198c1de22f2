import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../src/errors.ts';
import type { OracleSourceOptions } from '../../src/sources/oracle/oracle-source.ts';
import { OracleRun, startOracle } from '../harness/oracle-run.ts';
import { OraError } from '../servers/oracle/answer.ts';
import type { OracleServer, OracleServerOptions } from '../servers/oracle/oracle.ts';
import type { ModelTable } from '../servers/oracle/redo-model.ts';

interface Place {
  readonly server: OracleServer;
  readonly table: ModelTable;
  /** One row in a transaction of its own. */
  insert(id: number): void;
  run(options?: Partial<OracleSourceOptions>): OracleRun;
}

async function place(t: TestContext, options: OracleServerOptions = {}): Promise<Place> {
  const server = await startOracle(t, options);
  const columns = [{ name: 'ID', type: 'NUMBER', length: 22, nullable: false }];
  const table = server.model.createTable(server.owner, 'ROWS_OF_IT', columns, ['ID']);
  return {
    server,
    table,
    insert(id) {
      const transaction = server.model.begin();
      transaction.insert(table, [String(id)]);
      transaction.commit();
    },
    run: (more) => new OracleRun(t, server, more),
  };
}

const ids = ({ sink }: OracleRun) =>
  sink.transactions.flatMap(({ changes }) => changes.map((change) => Number(change.new?.[0])));

async function failure(run: OracleRun): Promise<OperatorError> {
  const error = await run.outcome;
  assert(error instanceof OperatorError, String(error));
  return error;
}

test('an archived log that was deleted is named, with what is lost, and nothing is read past it', async (t) => {
  const at = await place(t);
  const { model } = at.server;
  const begin = model.scn;
  at.insert(1);
  model.switchLog();
  at.insert(2);
  for (let i = 0; i < 4; i++) model.switchLog();
  const [oldest] = model.logs.logs;
  model.logs.purge(oldest.next);
  const run = at.run({ scn: begin });
  const outcome = await run.start().then(
    () => failure(run),
    (error: unknown) => error as OperatorError,
  );
  assert.equal(outcome.code, 'ORACLE_LOG_MISSING');
  assert.match(outcome.message, new RegExp(`sequence ${oldest.sequence}\\b`));
  assert.deepEqual(ids(run), []);
});

test('a log that is archived a while after its switch is waited for, and nothing is missing', async (t) => {
  const at = await place(t);
  const { model } = at.server;
  const run = await at.run().start();
  at.insert(1);
  await run.caughtUp();
  at.insert(2);
  // The online copy is gone before the archived one is told: three switches overwrite it.
  for (let i = 0; i < 3; i++) model.switchLog(1, 'late');
  at.insert(3);
  setTimeout(() => model.logs.archive(), 700);
  await run.caughtUp();
  assert.deepEqual(ids(run), [1, 2, 3]);
});

test('a transaction over many windows, switches of the log and both threads of a cluster comes whole, at its commit', async (t) => {
  const at = await place(t, { threads: 2, profile: '23ai' });
  const { model } = at.server;
  const run = await at.run({ windowLimit: 20n }).start();
  const long = model.begin(2);
  for (let i = 0; i < 40; i++) {
    long.insert(at.table, [String(100 + i)]);
    at.insert(i);
    model.advance(7n);
    if (i % 8 === 0) model.switchLog(1 + (i % 2));
  }
  long.commit();
  await run.caughtUp();
  const { transactions } = run.sink;
  assert.equal(transactions.length, 41);
  assert.equal(transactions.at(-1)?.changes.length, 40);
});

test('an instance of a cluster that is slow to write its redo is waited for: nothing of it is passed over', async (t) => {
  const at = await place(t, { threads: 2 });
  const { model } = at.server;
  const run = await at.run().start();
  at.insert(1);
  await run.caughtUp();
  const written = model.stall(2);
  const there = model.begin(2);
  there.insert(at.table, ['2']);
  there.commit();
  at.insert(3);
  // Time enough for several windows.
  await sleep(1000);
  assert.deepEqual(ids(run), [1], 'not even what the other instance has committed behind it');
  written();
  await run.caughtUp();
  assert.deepEqual(ids(run), [1, 2, 3]);
});

test('two commits with one SCN: stopped between them, the second one follows and the first does not come again', async (t) => {
  const at = await place(t);
  const { model } = at.server;
  const begin = model.scn;
  const [first, second] = [model.begin(), model.begin()];
  first.insert(at.table, ['1']);
  second.insert(at.table, ['2']);
  first.commit();
  second.commit(0n);
  at.insert(3);
  const whole = await at.run({ scn: begin }).start();
  await whole.caughtUp();
  assert.deepEqual(ids(whole), [1, 2, 3]);
  const [after] = whole.sink.transactions;
  const rest = await at.run().start(after.position);
  await rest.caughtUp();
  assert.deepEqual(ids(rest), [2, 3]);
});

test('trouble in the middle ends the stream with a name, to begin again where it was', async (t) => {
  const cases: readonly (readonly [code: string, strike: (server: OracleServer) => void])[] = [
    ['ORACLE_MEMORY', ({ double }) => double.failNext(/START_LOGMNR/, new OraError(4036, 'PGA memory exceeded'))],
    [
      'ORACLE_LOG_FILE',
      ({ double }) => double.failNext(/V\$LOGMNR_CONTENTS/, new OraError(310, 'sequence 7 required')),
    ],
    ['ORACLE_CONNECTION_LOST', ({ double }) => double.dropNext(/FROM V\$LOGMNR_CONTENTS/, { rows: 1 })],
    ['ORACLE_UNAVAILABLE', ({ double }) => double.failNext(/CURRENT_SCN/, new OraError(1034, 'ORACLE not available'))],
  ];
  for (const [code, strike] of cases) {
    const at = await place(t);
    const run = await at.run().start();
    at.insert(1);
    await run.caughtUp();
    strike(at.server);
    at.insert(2);
    const error = await failure(run);
    assert.deepEqual([error.code, error.transient], [code, true]);
    const again = await at.run().start(String(run.sink.position));
    await again.caughtUp();
    assert.deepEqual([...ids(run), ...ids(again)], [1, 2], code);
  }
});

test('after the server was out of memory the next windows are smaller', async (t) => {
  const at = await place(t);
  const sizes: number[] = [];
  const metrics = {
    mutation: () => {},
    skipped: () => {},
    distance: () => {},
    window: (_total: number, _query: number, size: number) => void sizes.push(size),
    open: () => {},
  };
  const run = await at.run({ metrics }).start();
  at.insert(1);
  await run.caughtUp();
  at.server.double.failNext(/START_LOGMNR/, new OraError(4030, 'out of process memory'));
  await failure(run);
  const before = sizes.at(-1) ?? 0;
  const stop = new AbortController();
  at.server.model.advance(1_000_000n);
  at.insert(2);
  const stream = run.source.stream(run.source.parsePosition(String(run.sink.position)), run.sink, stop.signal);
  run.outcome = stream;
  const known = sizes.length;
  await run.caughtUp();
  stop.abort();
  await stream;
  assert.deepEqual(ids(run), [1, 2]);
  assert(sizes[known] < before, `${sizes[known]} after ${before}`);
});

test('a checkpoint of another database, from before RESETLOGS, or ahead of the source is refused', async (t) => {
  const at = await place(t);
  const { model } = at.server;
  const run = await at.run().start();
  at.insert(1);
  await run.caughtUp();
  await run.stop();
  const stored = { ...run.source.identity };
  const verify = async () => {
    const other = at.run({ scn: undefined });
    await other.source.connect();
    return other.source.verifyCheckpoint(other.source.parsePosition(String(run.sink.position)), stored);
  };
  await verify();
  stored.dbid = '1';
  await assert.rejects(verify, { code: 'ORACLE_OTHER_DATABASE' });
  stored.dbid = model.dbid;
  model.resetlogs = 500n;
  await assert.rejects(verify, { code: 'ORACLE_RESETLOGS' });
  stored.resetlogs = '500';
  model.scn -= 1000n;
  await assert.rejects(verify, { code: 'ORACLE_SCN_AHEAD' }, 'a database that was restored to an earlier state');
});

test('a transaction that began before the redo which is read is told of, with the SCN to begin with', async (t) => {
  const at = await place(t);
  const { model } = at.server;
  const early = model.begin();
  early.insert(at.table, ['1']);
  at.insert(2);
  const run = at.run({ scn: model.scn });
  await run.start();
  const told = run.log.lines.find(({ fields }) => fields?.code === 'ORACLE_OPEN_TRANSACTIONS');
  assert.match(String(told?.fields?.fix), new RegExp(`--backfillFromSCN ${early.firstScn}\\b`));
  const heeded = at.run({ scn: model.scn, backfillFrom: early.firstScn });
  await heeded.start();
  const codes = heeded.log.lines.map(({ fields }) => fields?.code);
  assert.ok(!codes.includes('ORACLE_OPEN_TRANSACTIONS'), 'who begins there is not told again');
  await heeded.stop();
  early.commit();
  // Its first row may stand at the very SCN that is told.
  const firstRow = model.redo.find(({ xid, operation }) => xid === early.xid && operation === 1)?.scn;
  const right = await at.run({ scn: model.scn - 1n, backfillFrom: firstRow }).start();
  await right.caughtUp();
  assert.deepEqual(ids(right), [1], 'and with it the transaction is whole');
});
