import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../harness/engine.ts';
import { lsnNumber, Replica } from '../harness/replica.ts';
import { sharedServer } from '../servers/postgres.ts';

const source = sharedServer({ settings: { wal_keep_size: '16MB' } });
const target = sharedServer();

test('/_/varz counts what was applied, and tells lag and retained log', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema:
      'create table item (id integer primary key, v text, big text); alter table item alter column big set storage external;',
  });
  const engine = await replica.start();
  await replica.source.query(`insert into item select n, 'v', repeat('x', 4000) from generate_series(1, 50) n`);
  await replica.settle();
  await replica.source.query(`update item set v = 'w' where id <= 20`);
  await replica.settle();
  await replica.source.query('delete from item where id > 40');
  await replica.settle();
  const metrics = await eventually(
    async () => {
      const found = await engine.metrics();
      return found.get('mutation_total{source="postgres",type="delete"}') === 10 && found;
    },
    () => 'the deletes are not counted',
  );
  const labels = `{schema="${replica.targetSchema}",table="${replica.targetSchema}.item"}`;
  const one = (name: string) => {
    const samples = [...metrics].filter(([key]) => key === name || key.startsWith(`${name}{`));
    const own = samples.filter(([key]) => key.includes('item'));
    assert(samples.length > 0, `${name}${labels} is missing`);
    return (own.length > 0 ? own : samples).reduce((sum, [, value]) => sum + value, 0);
  };
  assert.equal(one('apply_upserts_total'), 70);
  assert.equal(one('apply_deletes_total'), 10);
  assert.equal(metrics.get('mutation_total{source="postgres",type="insert"}'), 53);
  assert.equal(metrics.get('mutation_total{source="postgres",type="update"}'), 20);
  assert.equal(one('pglogical_unchanged_toasted_columns'), 20);
  assert.equal(one('pglogical_dial_success_total'), 1);
  for (const name of ['target_apply_queue_size', 'target_apply_queue_utilization_percent', 'log_message_count'])
    one(name);
  assert.match([...metrics.keys()].join('\n'), /lag_bytes/);
  assert.match([...metrics.keys()].join('\n'), /retained|wal_bytes/);
});

test('/_/diag is JSON without secrets and tells the checkpoint', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table item (id integer primary key);',
  });
  const engine = await replica.start([], {
    targetConn: replica.targetConn.replace('postgres@', 'postgres:hidden-word@'),
  });
  await replica.source.query('insert into item values (1)');
  await replica.settle();
  const diag = await eventually(
    async () => {
      const text = await engine.diag();
      assert(!text.includes('hidden-word'));
      const parsed = JSON.parse(text) as { checkpoint: { position?: string }; source: { state: string } };
      return parsed.checkpoint.position !== undefined && parsed;
    },
    () => 'no checkpoint is shown',
    3000,
  );
  assert.match(diag.checkpoint.position!, /^[0-9A-F]+\/[0-9A-F]+$/);
  assert.equal(diag.source.state, 'streaming');
});

test('defect 20: /_/healthz says 503 while the source is gone, and 200 soon after it is back', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table item (id integer primary key);',
  });
  const engine = await replica.start();
  await replica.source.query('insert into item values (1)');
  await replica.settle();
  assert.deepEqual(await engine.health(), { status: 200, body: 'OK' });
  await source.server.stop({ keepData: true });
  const sick = await eventually(
    async () => {
      const health = await engine.health();
      return health.status === 503 && health;
    },
    () => 'still healthy without a source',
  );
  assert.match(sick.body, /source|connect/i);
  assert(engine.running, engine.logTail());
  await source.server.restart();
  const back = Date.now();
  await eventually(
    async () => (await engine.health()).status === 200,
    () => `still not healthy\n${engine.logTail()}`,
  );
  assert(Date.now() - back < 2500, `healthy only after ${Date.now() - back} ms`);
  await replica.reconnect();
  await replica.source.query('insert into item values (2)');
  await replica.assertSettledEqual();
});

test('a target that goes away and comes back: 503 with the reason, then everything arrives', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table item (id integer primary key);',
  });
  const engine = await replica.start();
  await replica.source.query('insert into item values (1)');
  await replica.settle();
  await target.server.stop({ keepData: true });
  await replica.source.query('insert into item values (2)');
  await eventually(
    async () => (await engine.health()).status === 503,
    () => 'still healthy without a target',
  );
  assert(engine.running, engine.logTail());
  await target.server.restart();
  await replica.reconnect();
  await replica.assertSettledEqual();
  await eventually(
    async () => (await engine.health()).status === 200,
    () => `still not healthy\n${engine.logTail()}`,
  );
});

test('defect 11: an idle publication in a busy database keeps no log', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table item (id integer primary key);',
    sourceSchema: 'create table unpublished (v text);',
    publication: 'for table item, harness_marker',
  });
  const engine = await replica.start(['--standbyTimeout', '200ms']);
  await replica.source.query('insert into item values (1)');
  await replica.settle();
  await replica.source.query(`insert into unpublished select repeat('x', 500) from generate_series(1, 20000)`);
  const { rows } = await replica.source.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
  await eventually(
    async () => {
      const slot = await replica.source.query<{ lsn: string }>(
        'select confirmed_flush_lsn::text as lsn from pg_replication_slots where slot_name = $1',
        [replica.slot],
      );
      const memo = await replica.checkpoint();
      assert(memo !== undefined && lsnNumber(memo) >= lsnNumber(slot.rows[0].lsn), 'acknowledged ahead of the memo');
      return lsnNumber(slot.rows[0].lsn) >= lsnNumber(rows[0].lsn);
    },
    () => `the slot stays behind ${rows[0].lsn}\n${engine.logTail()}`,
    20_000,
  );
});
