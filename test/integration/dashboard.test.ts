import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { run as watch } from '../../src/commands/watch.ts';
import { Poller, readOnce } from '../../src/dashboard/poller.ts';
import type { Reading } from '../../src/dashboard/reading.ts';
import { statusJson, statusText } from '../../src/dashboard/text.ts';
import { type Engine, eventually } from '../harness/engine.ts';
import { Replica } from '../harness/replica.ts';
import { sharedServer } from '../servers/postgres.ts';

const TOKEN = 'Kd3-control-token-of-the-dashboard-tests';

const source = sharedServer({ settings: { wal_keep_size: '16MB' } });
const target = sharedServer();

async function open(t: TestContext, flags: readonly string[] = []) {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table item (id integer primary key, v text); create table quiet (id integer primary key)',
  });
  const engine = await replica.start(flags, { environment: { INSTAR_CONTROL_TOKEN: TOKEN } });
  await replica.source.query(`insert into item values (0, 'first')`);
  await replica.settle();
  const poller = new Poller(engine.endpoint, { interval: 250 });
  poller.start();
  t.after(() => poller.stop());
  return { replica, engine, poller };
}

async function reaches(poller: Poller, engine: Engine, wanted: (reading: Reading) => boolean, timeout = 20_000) {
  return await eventually(
    async () => poller.reading !== undefined && wanted(poller.reading) && poller.reading,
    () => `${JSON.stringify(poller.getState(), undefined, 1)}\n${engine.logTail()}`,
    timeout,
  );
}

test('an idle engine is caught up; then changes come: rates, tables, positions', async (t) => {
  const { replica, engine, poller } = await open(t);
  const idle = await reaches(poller, engine, ({ lag }) => lag.state === 'caught up');
  assert.equal(idle.lag.seconds, 0);
  assert.equal(idle.kind, 'pglogical');
  assert.equal(idle.pid, engine.pid);
  assert.match(idle.source!, /^postgres(ql)?:\/\//);
  assert(Date.now() - idle.lag.lastHeartbeat! < 30_000);
  let id = 1;
  const writer = setInterval(() => {
    replica.source
      .query(`insert into item select n, 'x' from generate_series($1::int, $1 + 9) n`, [id])
      .catch(() => {});
    id += 10;
  }, 50);
  t.after(() => clearInterval(writer));
  const busy = await reaches(
    poller,
    engine,
    (reading) =>
      reading.lag.state === 'following' && (reading.rowsPerSecond ?? 0) > 20 && reading.lag.p99 !== undefined,
  );
  assert(busy.lag.seconds! < 5, `${busy.lag.seconds}`);
  assert(busy.lag.p50! <= busy.lag.p99!);
  const item = busy.tables.find(({ name }) => name.endsWith('item'))!;
  assert(item.upserts > 10 && item.rowsPerSecond > 0 && item.lagSeconds !== undefined, JSON.stringify(item));
  assert.equal(busy.stages.length, 4);
  clearInterval(writer);
  await replica.settle();
  const after = await reaches(
    poller,
    engine,
    ({ lag, retained }) => lag.state === 'caught up' && lag.bytes === 0 && retained.bytes !== undefined,
  );
  assert.match(after.position.applied!, /^[0-9A-F]+\/[0-9A-F]+$/);
  await eventually(
    async () => poller.reading!.position.applied === (await replica.checkpoint()),
    () => `${poller.reading!.position.applied} is shown`,
  );
  assert.equal(after.lag.seconds, 0);
  const read = await readOnce(`${engine.endpoint}/_/varz`, { interval: 300 });
  assert.match(statusText(read), /^state +(caught up \(idle\)|following)$/m);
  assert.doesNotMatch(JSON.stringify(statusJson(read)), /undefined|NaN/);
});

test('paused on request is stalled with that reason, and goes on', async (t) => {
  const { replica, engine, poller } = await open(t);
  await engine.control('pause', TOKEN);
  const paused = await reaches(poller, engine, (reading) => reading.paused);
  assert.equal(paused.lag.state, 'stalled');
  assert.match(paused.lag.reason!, /paused on request/);
  await replica.source.query(`insert into item select n, 'later' from generate_series(1, 50) n`);
  await engine.control('continue', TOKEN);
  await replica.settle();
  await reaches(poller, engine, ({ lag, paused }) => !paused && lag.state !== 'stalled');
});

test('a target whose rows are locked: stalled with the queue and the time, though the gauge of the lag stands still', async (t) => {
  const { replica, engine, poller } = await open(t);
  await replica.target.query('begin; lock table item in access exclusive mode');
  await replica.source.query(`insert into item select n, 'stuck' from generate_series(1, 50) n`);
  const stuck = await reaches(poller, engine, ({ lag }) => lag.state === 'stalled', 30_000);
  assert.match(stuck.lag.reason!, /the target has committed nothing for 1\d s/);
  assert(stuck.lag.seconds! >= 10);
  assert.equal(stuck.stages.find(({ bottleneck }) => bottleneck)?.name, 'target');
  await replica.target.query('rollback');
  await replica.settle();
  await reaches(poller, engine, ({ lag }) => lag.state !== 'stalled');
});

test('a source that goes away: stalled, never caught up; when it is back it goes on', async (t) => {
  const { replica, engine, poller } = await open(t);
  await reaches(poller, engine, ({ lag }) => lag.state === 'caught up');
  await source.server.stop({ keepData: true });
  const gone = await reaches(poller, engine, ({ lag }) => lag.state === 'stalled');
  assert.match(gone.lag.reason!, /source|connect/);
  await source.server.restart();
  await replica.reconnect();
  await replica.source.query(`insert into item values (1, 'back')`);
  await replica.settle();
  await reaches(poller, engine, ({ lag }) => lag.state === 'caught up');
});

test('an engine that is killed leaves numbers marked as old; another at the same place is followed without odd rates', async (t) => {
  const { replica, engine, poller } = await open(t);
  await replica.source.query(`insert into item select n, 'x' from generate_series(1, 1000) n`);
  await replica.settle();
  await reaches(poller, engine, ({ tables }) => tables.some(({ upserts }) => upserts >= 1000));
  await engine.kill();
  const silent = await reaches(poller, engine, ({ staleFor }) => staleFor > 1000);
  assert.equal(silent.lag.state, 'stalled');
  assert.match(silent.silence!, /nobody listens/);
  assert(silent.tables.some(({ upserts }) => upserts >= 1000));
  const next = await replica.start();
  poller.watch(next.endpoint);
  await replica.source.query(`insert into item values (2000, 'y')`);
  await replica.settle();
  const again = await reaches(poller, next, ({ staleFor, tables }) => staleFor === 0 && tables.length > 0);
  assert((again.rowsPerSecond ?? 0) >= 0);
  assert.notEqual(again.pid, silent.pid);
});

test('instar watch without a terminal: a line per interval, until nobody reads any more', async (t) => {
  const { engine } = await open(t);
  const stdout = new PassThrough();
  const lines: string[] = [];
  stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.trimEnd().split('\n')));
  const ended = watch({
    program: 'instar',
    args: [`${engine.endpoint}/_/varz`, '--interval', '300ms'],
    env: {},
    stdout,
    stderr: new PassThrough(),
  });
  await eventually(
    async () => lines.length >= 3,
    () => lines.join('\n'),
  );
  await engine.kill();
  await eventually(
    async () =>
      lines.some((line) => /stalled: the endpoint does not answer: nobody listens.*numbers are .* old/.test(line)),
    () => lines.join('\n'),
  );
  stdout.destroy();
  assert.equal(await ended, 0);
  assert.match(lines[1], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (following|caught up \(idle\)); lag /);
});
