import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Engine, eventually } from '../harness/engine.ts';
import { connect, Replica } from '../harness/replica.ts';
import { type SharedServer, sharedServer } from '../servers/postgres.ts';

const GIBIBYTE = 1024 ** 3;
const limited = sharedServer({ settings: { max_slot_wal_keep_size: '2GB' } });
const oldest = sharedServer({ version: 14 });
const target = sharedServer();

interface Diag {
  readonly engine: {
    readonly state: string;
    readonly reason?: string;
    readonly targetBusy: number;
    readonly sourceBlocked: number;
  };
  readonly lag: {
    readonly p50?: number;
    readonly p99?: number;
    readonly lastEvent?: number;
    readonly lastHeartbeat?: number;
  };
  readonly source: {
    readonly received: number;
    readonly retention: {
      readonly retainedBytes?: number;
      readonly limitBytes?: number;
      readonly safeBytes?: number;
      readonly walStatus?: string;
    };
  };
  readonly troubles: readonly {
    readonly at: number;
    readonly code: string;
    readonly message: string;
    readonly table?: string;
  }[];
}

const SCHEMA = 'create table item (id integer primary key, v text)';
/** Two databases and the engine, streaming, between them. */
async function open(
  t: TestContext,
  source: SharedServer,
  flags: readonly string[] = [],
  targetSchema?: string,
): Promise<{ replica: Replica; engine: Engine }> {
  const replica = await Replica.create(t, source.server, target.server, { schema: SCHEMA, targetSchema });
  const engine = await replica.start(flags);
  await engine.waitForLog(/streaming/);
  return { replica, engine };
}

const diagOf = async (engine: Engine) => JSON.parse(await engine.diag()) as Diag;

/** The document once `ready` says that it has what is looked for. */
async function diagWhen(engine: Engine, ready: (diag: Diag) => boolean): Promise<Diag> {
  return await eventually(
    async () => {
      const diag = await diagOf(engine);
      return ready(diag) && diag;
    },
    () => `not told\n${engine.logTail()}`,
  );
}

test('the ages of what was applied, the last event and heartbeat, and the bytes received', async (t) => {
  const { replica, engine } = await open(t, limited);
  const { lag: none } = await diagOf(engine);
  assert.deepEqual([none.p50, none.p99, none.lastEvent], [undefined, undefined, undefined]);
  const started = Date.now();
  await replica.source.query(`insert into item select n, repeat('x', 1000) from generate_series(1, 2000) n`);
  await replica.settle();
  const { lag, source } = await diagOf(engine);
  assert(lag.p50! > 0 && lag.p50! <= lag.p99! && lag.p99! < 30, JSON.stringify(lag));
  assert(lag.lastEvent! >= started && lag.lastEvent! <= Date.now(), JSON.stringify(lag));
  assert(lag.lastHeartbeat! >= started && lag.lastHeartbeat! <= Date.now(), JSON.stringify(lag));
  assert(source.received > 2_000_000 && source.received < 4_000_000, String(source.received));
  await eventually(
    async () => ((await engine.metrics()).get('instar_source_received_bytes_total') ?? 0) >= source.received,
    () => 'the metric stays behind',
  );
});

test('what the source keeps at most, and how much of that is left', async (t) => {
  const { engine } = await open(t, limited);
  const { source } = await diagWhen(engine, (diag) => diag.source.retention.walStatus !== undefined);
  assert.equal(source.retention.limitBytes, 2 * GIBIBYTE);
  assert.equal(source.retention.walStatus, 'reserved');
  assert(source.retention.safeBytes! > GIBIBYTE && source.retention.safeBytes! <= 2.1 * GIBIBYTE);
  assert(source.retention.retainedBytes! < GIBIBYTE);
});

test('a source without such a limit has none', async (t) => {
  const { engine } = await open(t, oldest);
  const { source } = await diagWhen(engine, (diag) => diag.source.retention.walStatus !== undefined);
  assert.deepEqual([source.retention.limitBytes, source.retention.safeBytes], [undefined, undefined]);
});

test('a target that waits is busy, and holds the source back once nothing more can be kept', async (t) => {
  const { replica, engine } = await open(t, limited, ['--memoryLimit', '4MiB']);
  await replica.settle();
  const idle = await diagWhen(engine, (diag) => diag.engine.targetBusy !== undefined);
  assert(idle.engine.targetBusy < 0.5 && idle.engine.sourceBlocked === 0, JSON.stringify(idle.engine));
  const blocker = await connect(replica.targetConn);
  t.after(() => blocker.end());
  await blocker.query('begin; lock table item in exclusive mode');
  const began = performance.now();
  for (let i = 0; i < 8; i++) {
    await replica.source.query(
      `insert into item select n, repeat('x', 1000) from generate_series($1::int, $2::int) n`,
      [i * 1000, i * 1000 + 999],
    );
  }
  const { engine: stuck } = await diagWhen(
    engine,
    ({ engine: { targetBusy, sourceBlocked } }) => targetBusy > 0.8 && sourceBlocked > 0.8,
  );
  assert(stuck.targetBusy <= 1 && stuck.sourceBlocked <= 1);
  const held = (performance.now() - began) / 1000;
  await blocker.query('commit');
  await replica.assertSettledEqual();
  await diagWhen(engine, ({ engine: { targetBusy, sourceBlocked } }) => targetBusy < 0.5 && sourceBlocked < 0.5);
  const metrics = await engine.metrics();
  for (const name of ['instar_target_busy_seconds_total', 'instar_source_blocked_seconds_total']) {
    assert(metrics.get(name)! > held / 2, `${name}: ${metrics.get(name)} of ${held} s`);
  }
});

test('lost connections and dead letters are told of, the newest first, with their table', async (t) => {
  const { replica, engine } = await open(
    t,
    limited,
    ['--onApplyError', 'dlq'],
    'alter table item add constraint positive check (id > 0)',
  );
  await replica.settle();
  assert.deepEqual((await diagOf(engine)).troubles, []);
  const started = Date.now();
  await replica.source.query(`select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1`, [
    replica.slot,
  ]);
  await diagWhen(engine, ({ troubles }) => troubles.length === 1);
  await replica.source.query(`insert into item values (-1, 'refused')`);
  await replica.settle();
  const { troubles } = await diagOf(engine);
  assert.deepEqual(
    troubles.map(({ code, table }) => [code, table]),
    [
      ['DEAD_LETTER', 'item'],
      ['PG_SOURCE_ERROR', undefined],
    ],
  );
  assert.match(troubles[0].message, /dead-letter table: .*positive/);
  assert(troubles.every(({ at }) => at >= started && at <= Date.now()));
});

test('a standby says whose lease it waits for', async (t) => {
  const { replica, engine: first } = await open(t, limited);
  await replica.settle();
  const standby = await Engine.start(t, {
    sourceConn: replica.sourceConn,
    targetConn: replica.targetConn,
    flags: [...replica.resumeFlags, '--standby'],
  });
  await standby.waitForLog(/on standby/);
  const waiting = new RegExp(`waiting for the lease held by .+ pid ${first.pid}\\b`);
  const { status, body } = await standby.health();
  assert.equal(status, 503);
  assert.match(body, /^standby: /);
  assert.match(body, waiting);
  const { engine } = await diagOf(standby);
  assert.equal(engine.state, 'starting');
  assert.match(engine.reason!, waiting);
  await first.kill();
  await eventually(
    async () => (await standby.health()).status === 200,
    () => `not taken over\n${standby.logTail()}`,
  );
  await standby.stop();
});
