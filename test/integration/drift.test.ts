import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTargetTables, sourceTable } from '../harness/apply-rig.ts';
import { Replica } from '../harness/replica.ts';
import { sharedServer } from '../servers/postgres.ts';

const source = sharedServer();
const target = sharedServer();

/** The SQL of the `fix` lines of a log. */
function proposedFix(log: string): string {
  const lines = log.slice(log.lastIndexOf('fix: ') + 5).split('\n');
  const end = lines.findIndex((line) => /^(\[\d{4}-| *more: )/.test(line));
  return lines.slice(0, end < 0 ? undefined : end).join('\n');
}

test('a table that was altered since the catalogue was read is looked at again before it is refused', async (t) => {
  const database = await target.freshDatabase(t);
  await database.query('CREATE TABLE item (id integer PRIMARY KEY)');
  const tables = await openTargetTables(t, database.url, 'public');
  const item = sourceTable('item', ['id', 'v'], ['id']);
  await assert.rejects(
    tables.check(() => [item]),
    { code: 'TARGET_SCHEMA_DRIFT' },
  );
  await database.query('ALTER TABLE item ADD COLUMN v text');
  await tables.check(() => [item]);
});

const CASES = [
  {
    name: 'a missing table',
    source: `create table item (id bigint primary key, v varchar(20), at timestamptz, tags text[]);`,
    target: '',
    message: /"?item"?.*does not exist/,
  },
  {
    name: 'missing columns',
    source: 'create table item (id integer primary key, v text, extra jsonb, amount numeric(10,2));',
    target: 'create table item (id integer primary key, v text);',
    message: /unexpected columns: .*extra.*amount/,
  },
  {
    name: 'a NOT NULL column that the source lacks',
    source: 'create table item (id integer primary key, v text);',
    target: 'create table item (id integer primary key, v text, must text not null);',
    message: /must/,
  },
  {
    name: 'a key that the target lacks',
    source: 'create table item (id integer primary key, v text);',
    target: 'create table item (id integer, v text);',
    message: /key/,
  },
  {
    name: 'an identity column that nobody may write',
    source: 'create table item (id integer primary key, v integer not null default 5);',
    target: 'create table item (id integer primary key, v integer generated always as identity);',
    message: /IDENTITY/,
  },
];

for (const { name, source: sourceSchema, target: targetSchema, message } of CASES) {
  test(`${name}: named before anything is written; the proposed DDL mends it`, async (t) => {
    const replica = await Replica.create(t, source.server, target.server, { sourceSchema, targetSchema });
    await replica.source.query('insert into item (id) values (1), (2)');
    const engine = await replica.start();
    assert.deepEqual(await engine.waitForExit(), { code: 1, signal: null });
    assert.match(engine.log, /TARGET_SCHEMA_DRIFT/);
    assert.match(engine.log, message);
    await replica.target.query(proposedFix(engine.log));
    await replica.start();
    await replica.settle();
    await replica.source.query('update item set v = default');
    await replica.assertSettledEqual({ allowExtraTargetColumns: true });
  });
}

test('drift while changes flow: the source has a new column that the target lacks', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table item (id integer primary key, v text);',
  });
  const engine = await replica.start();
  await replica.source.query(`insert into item values (1, 'a')`);
  await replica.settle();
  await replica.source.query('alter table item add column later integer');
  await replica.source.query(`insert into item values (2, 'b', 5)`);
  assert.deepEqual(await engine.waitForExit(), { code: 1, signal: null });
  assert.match(engine.log, /TARGET_SCHEMA_DRIFT/);
  assert.match(engine.log, /later/);
  await replica.target.query(proposedFix(engine.log));
  await replica.start();
  await replica.assertSettledEqual();
});

test('a type that refuses the text stops with the column or the value in the error', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    sourceSchema: 'create table item (id integer primary key, v text);',
    targetSchema: 'create table item (id integer primary key, v integer);',
  });
  const engine = await replica.start();
  await replica.source.query(`insert into item values (1, '17')`);
  await replica.settle();
  await replica.source.query(`insert into item values (2, 'not a number')`);
  assert.deepEqual(await engine.waitForExit(), { code: 1, signal: null });
  assert.match(engine.log, /not a number/);
  assert.match(engine.log, /item/);
  await replica.target.query('alter table item alter column v type text');
  await replica.start();
  await replica.assertSettledEqual();
});

test('a drift error leaves the checkpoint where it was', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table item (id integer primary key, v text);',
  });
  const engine = await replica.start();
  await replica.source.query(`insert into item values (1, 'a')`);
  await replica.settle();
  const before = await replica.checkpoint();
  await replica.target.query('alter table item drop column v');
  await replica.source.query(`begin; insert into item values (2, 'b'); update item set v = 'c'; commit`);
  assert.equal((await engine.waitForExit()).code, 1);
  const { rows } = await replica.target.query('select id from item');
  assert.deepEqual(rows, [{ id: 1 }]);
  assert.equal((await replica.checkpoint())?.length, before?.length);
  await replica.target.query('alter table item add column v text; delete from item');
  await replica.target.query(`insert into item values (1, 'a')`);
  await replica.start();
  await replica.assertSettledEqual();
});
