import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Replica } from '../harness/replica.ts';
import { sharedServer } from '../servers/postgres.ts';
import { type Fault, isCommit, type Statement } from './faults.ts';
import { FaultProxy } from './proxy.ts';

const source = sharedServer();
const target = sharedServer();

/** An insert-only table without a key shows what was applied twice; a counter shows what was applied out of order. */
const TABLES = `
  create table event (n integer, v text);
  create table counter (id integer primary key, n integer);
  insert into counter values (1, 0);`;

async function replicaThroughProxy(
  t: TestContext,
): Promise<{ replica: Replica; proxy: FaultProxy; targetConn: string }> {
  const replica = await Replica.create(t, source.server, target.server, { schema: TABLES });
  const proxy = await FaultProxy.start(target.server);
  t.after(() => proxy.close());
  return { replica, proxy, targetConn: proxy.url(replica.targetConn) };
}

/** One transaction that neither can be applied twice nor left out unseen. */
async function step(replica: Replica, n: number): Promise<void> {
  await replica.source.query(
    `begin; insert into event values (${n}, 'a'), (${n}, 'a'); update counter set n = n + 1; commit`,
  );
}

test('killed while the answer to a commit is on its way: applied once, whether or not the commit took place', async (t) => {
  const { replica, proxy, targetConn } = await replicaThroughProxy(t);
  let n = 0;
  for (const fault of ['lostAnswer', 'cut', 'lostAnswer', 'lostAnswer', 'cut'] as const) {
    const engine = await replica.start([], { targetConn });
    await step(replica, n++);
    await replica.settle();
    const injection = proxy.inject({ match: isCommit, fault: { kind: fault } });
    await step(replica, n++);
    await injection.firstFired;
    await engine.kill();
    injection.cancel();
    await step(replica, n++);
  }
  await replica.start([], { targetConn });
  await replica.assertSettledEqual();
});

const FAULTS: readonly Fault[] = [
  { kind: 'error', sqlstate: '40001' },
  { kind: 'error', sqlstate: '40P01' },
  { kind: 'error', sqlstate: '57P01' },
  { kind: 'ambiguous', sqlstate: '40003' },
  { kind: 'lostAnswer' },
  { kind: 'cut' },
];

const PLACES: readonly { name: string; match(statement: Statement): boolean }[] = [
  { name: 'the commit', match: isCommit },
  {
    name: 'a statement with rows',
    match: ({ sql }) => /"?event"?|"?counter"?/.test(sql) && /insert|update|copy/i.test(sql),
  },
  { name: 'the checkpoint', match: ({ sql }) => /memo/.test(sql) && /update|insert/i.test(sql) },
];

for (const { name, match } of PLACES) {
  test(`${name} fails in every way: 40001, 40P01, 40003, 57P01, a lost answer, a lost connection`, async (t) => {
    const { replica, proxy, targetConn } = await replicaThroughProxy(t);
    await replica.start([], { targetConn });
    let n = 0;
    await step(replica, n++);
    await replica.settle();
    for (const fault of FAULTS) {
      for (const times of [1, 3]) {
        const injection = proxy.inject({ match, fault, times });
        await step(replica, n++);
        await injection.firstFired;
        await step(replica, n++);
        await replica.settle();
        injection.cancel();
      }
    }
    await replica.assertEqual();
    const { rows } = await replica.target.query('select n from counter');
    assert.deepEqual(rows, [{ n }]);
  });
}

test('defect 20: a failure that never ends is named after --maxRetries, and nothing of it was applied', async (t) => {
  const { replica, proxy, targetConn } = await replicaThroughProxy(t);
  const engine = await replica.start(['--maxRetries', '3', '--retryInitialBackoff', '1ms'], { targetConn });
  await step(replica, 1);
  await replica.settle();
  const injection = proxy.inject({ match: isCommit, fault: { kind: 'error', sqlstate: '40001' }, times: 1000 });
  await step(replica, 2);
  assert.deepEqual(await engine.waitForExit(), { code: 1, signal: null });
  assert.match(engine.log, /APPLY_RETRIES/);
  assert(injection.fired >= 3 && injection.fired < 50, `${injection.fired} tries`);
  injection.cancel();
  const { rows } = await replica.target.query('select n from counter');
  assert.deepEqual(rows, [{ n: 1 }]);
  await replica.start([], { targetConn });
  await replica.assertSettledEqual();
});

test('the commit of a lost connection arrives after the engine has come back: applied once, and it goes on', async (t) => {
  const { replica, proxy, targetConn } = await replicaThroughProxy(t);
  const engine = await replica.start([], { targetConn });
  await step(replica, 1);
  await replica.settle();
  // A lock at the target holds the old connection's transaction while the network is lost.
  const locker = replica.target;
  await locker.query('begin; lock table counter in exclusive mode');
  await step(replica, 2);
  for (;;) {
    const { rowCount } = await locker.query('select from pg_locks where not granted');
    if (rowCount === 1) break;
  }
  proxy.cut();
  await engine.waitForLog(/TARGET_LOST/);
  await locker.query('select pg_sleep(0.7)');
  await locker.query('commit');
  await step(replica, 3);
  await replica.assertSettledEqual();
  assert(engine.running, engine.logTail());
});

test('a commit whose outcome is unknown, with others behind it on their way that take place: it goes on from the checkpoint', async (t) => {
  const { replica, proxy, targetConn } = await replicaThroughProxy(t);
  const engine = await replica.start(['--flushSize', '1', '--timestampLimit', '1'], { targetConn });
  await step(replica, 0);
  await replica.settle();
  // A lock holds the first of them up until all have been sent.
  const locker = replica.target;
  await locker.query('begin; lock table counter in exclusive mode');
  for (let n = 1; n <= 8; n++) await step(replica, n);
  for (;;) {
    const { rowCount } = await locker.query('select from pg_locks where not granted');
    if (rowCount === 1) break;
  }
  const injection = proxy.inject({ match: isCommit, fault: { kind: 'ambiguous', sqlstate: '40003' } });
  await locker.query('select pg_sleep(0.3)');
  await locker.query('commit');
  await injection.firstFired;
  await step(replica, 9);
  await replica.assertSettledEqual();
  assert(engine.running, engine.logTail());
});

test('connections lost or refused for a moment while the engine starts are opened again', async (t) => {
  const { replica, proxy, targetConn } = await replicaThroughProxy(t);
  const faults: Fault[] = [{ kind: 'cut' }, { kind: 'lostAnswer' }, { kind: 'error', sqlstate: '57P01' }];
  const injections = [/information_schema|pg_namespace/i, /CREATE TABLE/i, /INSERT INTO .*memo/i, /lease/i].map(
    (place, i) => proxy.inject({ match: ({ sql }) => place.test(sql), fault: faults[i % faults.length], times: 2 }),
  );
  const sourceProxy = await FaultProxy.start(source.server);
  t.after(() => sourceProxy.close());
  const asked = sourceProxy.inject({ match: ({ sql }) => /pg_publication/i.test(sql), fault: { kind: 'cut' } });
  await replica.start([], { targetConn, sourceConn: sourceProxy.url(replica.sourceConn) });
  await step(replica, 1);
  await replica.assertSettledEqual();
  assert.deepEqual(
    [...injections, asked].map(({ fired }) => fired > 0),
    [true, true, true, true, true],
  );
});
