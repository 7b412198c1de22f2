import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { checkpointOf } from '../harness/applier-rig.ts';
import { fill, item, items, openApplier } from '../harness/applier-tables.ts';
import { type Engine, eventually } from '../harness/engine.ts';
import { connect, lsnNumber, Replica } from '../harness/replica.ts';
import { sharedServer } from '../servers/postgres.ts';

const MEBIBYTE = 1024 * 1024;
const TOKEN = 'Pq7-control-token-of-the-pause-tests';

// A reader that says nothing for two seconds is cut off.
const source = sharedServer({ settings: { wal_sender_timeout: '2s' } });
const target = sharedServer();

interface Diag {
  readonly checkpoint: { readonly position?: string };
  readonly engine: {
    readonly state: string;
    readonly paused: boolean;
    readonly bufferedBytes: number;
    readonly inFlight: number;
  };
}

const diagOf = async (engine: Engine) => JSON.parse(await engine.diag()) as Diag;

async function open(
  t: TestContext,
  flags: readonly string[] = [],
  sourceSchema?: string,
): Promise<{ replica: Replica; engine: Engine }> {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table item (id integer primary key, v text)',
    sourceSchema,
  });
  const engine = await replica.start(flags, { environment: { INSTAR_CONTROL_TOKEN: TOKEN } });
  await replica.source.query(`insert into item select n, 'before' from generate_series(1, 100) n`);
  await replica.settle();
  return { replica, engine };
}

/** Pauses and waits until nothing is on its way to the target any more. */
async function pause(engine: Engine): Promise<void> {
  assert.deepEqual(await engine.control('pause', TOKEN), { status: 200, body: 'paused\n' });
  await eventually(
    async () => (await diagOf(engine)).engine.inFlight === 0,
    () => 'the target is still written to',
  );
}

/** Rows of the target, and when any of them was written. */
async function content(replica: Replica): Promise<string> {
  const { rows } = await replica.target.query<{ v: string }>(
    `select count(*) || ' ' || coalesce(sum(hashtext(v)::bigint), 0) || ' ' || max(xmin::text::bigint) as v from item`,
  );
  return rows[0].v;
}

test('a pause applies nothing while the source goes on, in bounded memory, and continues where it was', async (t) => {
  const { replica, engine } = await open(t, ['--memoryLimit', '16MiB', '--standbyTimeout', '1h']);
  const worker = await connect(replica.sourceConn);
  t.after(() => worker.end());
  let working = true;
  let step = 0;
  const workload = (async () => {
    for (; working; step++) await worker.query(`update item set v = $1 where id = $2`, [`w${step}`, 1 + (step % 100)]);
  })();
  await eventually(
    async () => step > 200,
    () => 'no workload',
  );
  await pause(engine);
  const before = await content(replica);
  const checkpoint = await replica.checkpoint();
  const walsender = await replica.source.query(`select active_pid from pg_replication_slots where slot_name = $1`, [
    replica.slot,
  ]);
  const insertMebibytes = async (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      await replica.source.query(
        `insert into item select $1 + n, repeat(md5(n::text), 32) from generate_series(1, 1024) n`,
        [10_000 * (i + 1)],
      );
    }
  };
  await insertMebibytes(0, 24);
  await eventually(
    async () => (await diagOf(engine)).engine.bufferedBytes >= 16 * MEBIBYTE,
    () => 'what fits is not read',
  );
  const resident = (await engine.metrics()).get('process_resident_memory_bytes')!;
  await insertMebibytes(24, 96);
  const { rows } = await replica.source.query<{ grown: string; now: string }>(
    'select pg_current_wal_lsn() - $1::pg_lsn as grown, clock_timestamp()::text as now',
    [checkpoint],
  );
  assert(Number(rows[0].grown) > 96 * MEBIBYTE, rows[0].grown);
  // Twice the time after which a silent reader would be cut off.
  await eventually(
    async () => {
      const heard = await replica.source.query(
        `select 1 from pg_stat_replication where pid = $1 and reply_time > $2::timestamptz + interval '4 s'`,
        [walsender.rows[0].active_pid, rows[0].now],
      );
      return heard.rowCount === 1;
    },
    () => `the source does not hear of the engine\n${engine.logTail()}`,
  );
  const diag = await diagOf(engine);
  assert.equal(diag.engine.paused, true);
  assert(diag.engine.bufferedBytes < 18 * MEBIBYTE, String(diag.engine.bufferedBytes));
  const metrics = await engine.metrics();
  assert.equal(metrics.get('instar_paused'), 1);
  const grown = metrics.get('process_resident_memory_bytes')! - resident;
  assert(grown < 24 * MEBIBYTE, `${grown} bytes more once nothing more is read`);
  const health = await engine.health();
  assert.equal(health.status, 503);
  assert.match(health.body, /^paused: /);
  assert.equal(await content(replica), before);
  assert.equal(await replica.checkpoint(), checkpoint);
  const slot = await replica.source.query<{ confirmed: string }>(
    'select confirmed_flush_lsn::text as confirmed from pg_replication_slots where slot_name = $1',
    [replica.slot],
  );
  assert(lsnNumber(slot.rows[0].confirmed) <= lsnNumber(checkpoint!), slot.rows[0].confirmed);

  assert.deepEqual(await engine.control('continue', TOKEN), { status: 200, body: 'continued\n' });
  assert.deepEqual(await engine.health(), { status: 200, body: 'OK' });
  working = false;
  await workload;
  await replica.assertSettledEqual();
  assert.equal((await engine.metrics()).get('instar_paused'), 0);
  assert.match(engine.log, /paused by request[\s\S]*continued/);
  assert.doesNotMatch(engine.log, /reconnect|will retry/);
  assert(!engine.log.includes(TOKEN) && !(await engine.diag()).includes(TOKEN));
});

test('a large transaction that is still open at the source keeps no lock on the target during a pause', async (t) => {
  const sentWhileOpen = `do $$ begin
    execute format('alter database %I set logical_decoding_work_mem = ''64kB''', current_database());
  end $$`;
  const { replica, engine } = await open(t, [], sentWhileOpen);
  const half = (from: number) =>
    replica.source.query(
      `insert into item select n, repeat(md5(n::text), 4) from generate_series($1::int, $1::int + 29999) n`,
      [from],
    );
  const openOnTarget = async () => {
    const { rows } = await replica.target.query<{ n: string }>(
      `select count(*) as n from pg_locks l where l.relation = 'item'::regclass and l.pid <> pg_backend_pid()
         and mode = 'RowExclusiveLock'`,
    );
    return Number(rows[0].n);
  };
  await replica.source.query('begin');
  await half(1000);
  await eventually(
    async () => (await openOnTarget()) > 0,
    () => `the transaction was not begun early\n${engine.logTail()}`,
  );
  await pause(engine);
  await eventually(
    async () => (await openOnTarget()) === 0,
    () => 'locks remain',
  );
  const before = await content(replica);
  await half(100_000);
  await replica.source.query('commit');
  await eventually(
    async () => ((await engine.metrics()).get('mutation_total{source="postgres",type="insert"}') ?? 0) > 60_000,
    () => `the transaction was not read\n${engine.logTail()}`,
  );
  assert.equal(await openOnTarget(), 0);
  assert.equal(await content(replica), before);
  await engine.control('continue', TOKEN);
  await replica.assertSettledEqual();
});

test('a pause holds while connections are lost and made again', async (t) => {
  const { replica, engine } = await open(t);
  await pause(engine);
  await replica.source.query(`insert into item values (1000, 'during the pause')`);
  const before = await content(replica);
  const serving = async () => {
    const { rows } = await replica.source.query<{ active_pid: number | null }>(
      'select active_pid from pg_replication_slots where slot_name = $1',
      [replica.slot],
    );
    return rows[0].active_pid;
  };
  const first = await serving();
  await replica.source.query('select pg_terminate_backend($1)', [first]);
  await eventually(
    async () => {
      const now = await serving();
      const { engine: state } = await diagOf(engine);
      return now !== null && now !== first && state.state === 'streaming' && state.paused && state.bufferedBytes > 0;
    },
    () => `not streaming again\n${engine.logTail()}`,
  );
  assert.equal(await content(replica), before);
  await engine.control('continue', TOKEN);
  await replica.assertSettledEqual();
});

test('a stop during a pause ends at once, applies no more, and loses nothing', async (t) => {
  const { replica, engine } = await open(t, ['--memoryLimit', '4MiB']);
  await pause(engine);
  await replica.source.query(`insert into item select n, repeat(md5(n::text), 32) from generate_series(1000, 17000) n`);
  await eventually(
    async () => (await diagOf(engine)).engine.bufferedBytes > 0,
    () => 'nothing was read',
  );
  const before = await content(replica);
  const asked = performance.now();
  engine.signal('SIGTERM');
  assert.deepEqual(await engine.waitForExit(), { code: 0, signal: null });
  assert(performance.now() - asked < 5000, `${performance.now() - asked} ms`);
  assert.equal(await content(replica), before);
  // The pause was the process's own.
  await replica.start();
  await replica.assertSettledEqual();
});

test('a wrong token pauses nothing, and without a token in the environment nobody can', async (t) => {
  const { replica, engine } = await open(t);
  assert.equal((await engine.control('pause', `${TOKEN}x`)).status, 403);
  assert.equal((await diagOf(engine)).engine.paused, false);
  await replica.source.query(`insert into item values (1000, 'goes on')`);
  await replica.settle();
  await engine.stop();
  const without = await replica.start();
  await without.waitForLog(/streaming/);
  assert.equal((await without.control('pause', TOKEN)).status, 404);
});

test('a transaction whose first pieces are on the target is finished, and nothing after it is begun', async (t) => {
  const { database, rig } = await openApplier(target, t, {});
  rig.feed.begin();
  fill(rig.feed, 1, 150, 10_000);
  await eventually(
    async () => rig.applier.inFlight === 0 && rig.feed.batcher.queued === 0,
    () => 'not taken',
  );
  rig.pause.set(true);
  fill(rig.feed, 200, 150, 10_000);
  const first = rig.feed.commit();
  rig.feed.transaction((feed) => feed.insert(item, ['1000', 'next', null]));
  await eventually(
    async () => rig.durable === first,
    () => 'not finished',
  );
  assert.equal(rig.feed.batcher.hasChanges, true);
  assert.equal(await checkpointOf(database), first);
  assert.equal((await items(database)).split(' ').length, 300);
  rig.pause.set(false);
  await eventually(
    async () => rig.commits.length === 2,
    () => 'not continued',
  );
  assert.equal((await items(database)).split(' ').length, 301);
});

test('on a pause the checkpoint does not move without data either', async (t) => {
  const { database, rig } = await openApplier(target, t, {});
  rig.pause.set(true);
  rig.feed.transaction((feed) => feed.insert(item, ['1', 'one', null]));
  rig.feed.progress();
  await rig.finish();
  assert.equal(await items(database), null);
  assert.equal(await checkpointOf(database), 0);
  assert.deepEqual(rig.commits, []);
});
