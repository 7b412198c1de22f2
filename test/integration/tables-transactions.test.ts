import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, Replica } from '../harness/replica.ts';
import { sharedServer } from '../servers/postgres.ts';

for (const version of [14, 18] as const) {
  const source = sharedServer({ version, settings: { logical_decoding_work_mem: '64kB' } });
  const target = sharedServer();

  test(`defect 13: a transaction of 200,000 rows becomes visible all at once, source ${version}`, async (t) => {
    const replica = await Replica.create(t, source.server, target.server, {
      schema: `create table big (id integer primary key, a text, b integer); create table event (n integer);
        create table tally (id integer primary key, n integer); insert into tally values (1, 0);`,
    });
    const engine = await replica.start();
    await engine.waitForLog(/streaming/);
    const watcher = await connect(replica.targetConn);
    const seen = new Set<string>();
    let watching = true;
    let looked = 0;
    const watch = (async () => {
      while (watching) {
        const { rows } = await watcher.query<{ state: string }>(
          `select (select count(*) from big) || ' ' || (select count(*) from event) || ' ' || (select n from tally) as state`,
        );
        seen.add(rows[0].state);
        looked++;
      }
      await watcher.end();
    })();
    await replica.source.query(`begin;
      insert into big select n, 'first ' || n, n from generate_series(1, 120000) n;
      savepoint one;
      insert into big select n, 'rolled back', n from generate_series(200001, 220000) n;
      update tally set n = 5;
      rollback to one;
      insert into event select n from generate_series(1, 40000) n;
      savepoint two;
      insert into big select n, 'second ' || n, n from generate_series(120001, 160000) n;
      savepoint three;
      delete from big where id <= 100;
      rollback to three;
      release two;
      update big set b = -b where id % 1000 = 0;
      delete from big where id > 159000;
      update tally set n = 1;
      commit`);
    await replica.settle(60_000);
    const looks = looked;
    while (looked < looks + 2) await sleep(5);
    watching = false;
    await watch;
    await replica.assertEqual();
    assert.deepEqual([...seen].sort(), ['0 0 0', '159000 40000 1']);
  });

  test(`two large transactions interleaved with small ones, one rolled back, source ${version}`, async (t) => {
    const replica = await Replica.create(t, source.server, target.server, {
      schema:
        'create table big (id integer primary key, who text, n integer); create table small (id serial primary key, v text);',
    });
    await replica.start();
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => connect(replica.sourceConn)));
    try {
      await Promise.all([one, two, three].map((client) => client.query('begin')));
      for (let round = 0; round < 6; round++) {
        const first = round * 3000;
        await one.query(`insert into big select n, 'one', $1 from generate_series($2::int, $3::int) n`, [
          round,
          first,
          first + 2999,
        ]);
        await two.query(`insert into big select 100000 + n, 'two', $1 from generate_series($2::int, $3::int) n`, [
          round,
          first,
          first + 2999,
        ]);
        await three.query(`insert into big select 200000 + n, 'never', $1 from generate_series($2::int, $3::int) n`, [
          round,
          first,
          first + 2999,
        ]);
        if (round % 2 === 1) {
          await two.query('savepoint s');
          await two.query(`update big set who = 'wrong' where who = 'two'`);
          await two.query('rollback to s');
        }
        await replica.source.query(`insert into small (v) values ('between')`);
      }
      await two.query(`update big set n = n + 100 where who = 'two' and id % 7 = 0`);
      await two.query('commit');
      await replica.source.query(`insert into small (v) values ('after two')`);
      await three.query('rollback');
      await one.query(`delete from big where who = 'one' and id % 3 = 0`);
      await one.query('commit');
    } finally {
      await Promise.all([one, two, three].map((client) => client.end()));
    }
    await replica.assertSettledEqual();
  });

  test(`a large transaction that is open while the engine is killed arrives whole, source ${version}`, async (t) => {
    const replica = await Replica.create(t, source.server, target.server, {
      schema: 'create table big (id integer primary key, v text); create table event (n integer);',
    });
    const first = await replica.start();
    await first.waitForLog(/streaming/);
    const writer = await connect(replica.sourceConn);
    try {
      await writer.query('begin');
      await writer.query(`insert into big select n, 'v' || n from generate_series(1, 20000) n`);
      await writer.query('insert into event select n from generate_series(1, 5000) n');
      await replica.source.query('insert into event values (-1)');
      await replica.settle();
      await first.kill();
      await replica.source.query('insert into event values (-2)');
      await replica.start();
      await writer.query(`update big set v = 'updated' where id % 10 = 0`);
      await replica.settle();
      await writer.query('commit');
    } finally {
      await writer.end();
    }
    await replica.assertSettledEqual();
  });
}
