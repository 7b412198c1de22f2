import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TestContext, test } from 'node:test';
import { Replica } from '../harness/replica.ts';
import { scriptFor } from '../harness/script-example.ts';
import { seeded } from '../harness/seed.ts';
import { sharedServer } from '../servers/postgres.ts';
import { randomNumbers } from './chaos.ts';

const source = sharedServer();
const target = sharedServer();

const SOURCE = `create table item (id int primary key, v text, n int); create table noise (id int primary key);
  create table event (k int, v text); alter table event replica identity full;`;

interface Case {
  readonly script: string;
  readonly target: string;
  /** Queries whose answers are the same at the source and at the target. */
  readonly same: readonly (readonly [source: string, target: string])[];
  readonly flags?: readonly string[];
}

const FILTER = `
  const kept = (row, meta) => meta.table === "noise" || (meta.table === "item" && Number(row.id) % 3 === 0) ? null : row;
  api.configureTargetSchema(SCHEMA, { onRowUpsert: kept, onRowDelete: kept });`;

const FAN_OUT = `
  api.configureTargetSchema(SCHEMA, {
    onRowUpsert: (row, meta): any => meta.table === "item"
      ? { item: [row], copies: [1, 2].map((copy) => ({ id: row.id, copy, v: row.v })) }
      : meta.table === "event" ? { log: [{ k: row.k, v: row.v + "!" }] } : meta.table === "noise" ? null : row,
    onRowDelete: (row, meta): any => meta.table === "item"
      ? { item: [row], copies: [1, 2].map((copy) => ({ id: row.id, copy })) }
      : meta.table === "event" ? { log: [{ k: row.k, v: row.v + "!" }] } : meta.table === "noise" ? null : row,
  });`;

const CASES: Readonly<Record<string, Case>> = {
  'a filter': {
    script: FILTER,
    target: 'create table item (id int primary key, v text, n int); create table event (k int, v text)',
    same: [
      ['select * from item where id % 3 <> 0 order by id', 'select * from item order by id'],
      ['select * from event order by k, v', 'select * from event order by k, v'],
    ],
  },
  'a filter, on lanes': {
    script: FILTER,
    target: 'create table item (id int primary key, v text, n int); create table event (k int, v text)',
    same: [['select * from item where id % 3 <> 0 order by id', 'select * from item order by id']],
    flags: ['--enableParallelApplies'],
  },
  'a fan-out': {
    script: FAN_OUT,
    target: `create table item (id int primary key, v text, n int);
      create table copies (copy int, id int, v text, primary key (id, copy)); create table log (k int, v text)`,
    same: [
      ['select * from item order by id', 'select * from item order by id'],
      [
        'select id, copy, v from item, generate_series(1, 2) copy order by 1, 2',
        'select id, copy, v from copies order by 1, 2',
      ],
      [`select k, v || '!' as v from event order by 1, 2`, 'select k, v from log order by 1, 2'],
    ],
  },
  'an onWrite that counts': {
    script: `api.configureTargetTables(["event"], { onWrite: async (rows) => {
        await api.write(rows);
        const n = rows.reduce((sum, row) => sum + (row.action === "upsert" && row.before === undefined ? 1 : 0), 0);
        await api.getTX().exec("UPDATE counted SET n = n + $1", n);
      } });`,
    target: `create table item (id int primary key, v text, n int); create table noise (id int primary key);
      create table event (k int, v text); create table counted (n int); insert into counted values (0)`,
    same: [
      ['select * from item order by id', 'select * from item order by id'],
      ['select * from event order by k, v', 'select * from event order by k, v'],
      ['select count(*)::int as n from event', 'select n from counted'],
    ],
  },
};

/** Some transactions of inserts, updates, changes of keys and deletes. */
async function churn(
  replica: Replica,
  random: () => number,
  from: number,
  transactions: number,
  deletesEvents: boolean,
): Promise<void> {
  for (let i = 0; i < transactions; i++) {
    const id = from + i * 10;
    const pick = () => Math.floor(random() * (id + 10));
    await replica.source.query(`begin;
      insert into item select n, 'v' || n, 0 from generate_series(${id}, ${id + 5}) n on conflict do nothing;
      insert into event values (${id}, 'a'), (${id}, 'a');
      update item set n = n + 1, v = v || 'x' where id = ${pick()};
      delete from item where id = ${pick()};
      update item set id = ${-id - 1} where id = ${pick()} and id >= 0;
      insert into noise values (${id});
      ${deletesEvents ? `delete from event where k = ${pick()};` : ''} commit`);
  }
}

async function crash(t: TestContext, one: Case): Promise<void> {
  const random = randomNumbers(seeded(t, 1).seed);
  const replica = await Replica.create(t, source.server, target.server, {
    sourceSchema: SOURCE,
    targetSchema: one.target,
  });
  const flags = ['--userscript', scriptFor(t, replica, one.script), ...(one.flags ?? [])];
  const deletesEvents = !one.script.includes('counted');
  for (let round = 0; round < 6; round++) {
    const engine = await replica.start(flags);
    const work = churn(replica, random, round * 1000, 40, deletesEvents);
    await sleep(150 + random() * 900);
    await engine.kill();
    await work;
  }
  await replica.start(flags);
  await replica.settle();
  for (const [atSource, atTarget] of one.same) {
    assert.deepEqual(
      (await replica.target.query(atTarget)).rows,
      (await replica.source.query(atSource)).rows,
      atTarget,
    );
  }
}

for (const [name, one] of Object.entries(CASES)) {
  test(`the engine is killed over and over: ${name} applies everything once`, (t) => crash(t, one));
}
