import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Replica } from '../harness/replica.ts';
import { sharedServer } from '../servers/postgres.ts';

const source = sharedServer({ version: 14 });
const target = sharedServer();

/** Runs each list of statements as one transaction at the source. */
async function transactions(replica: Replica, ...list: readonly (readonly string[])[]): Promise<void> {
  for (const statements of list) await replica.source.query(`begin; ${statements.join('; ')}; commit`);
}

test('defect 1: an update that changes the key leaves no old row', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `
      create table one (id integer primary key, v text);
      create table two (a text, b integer, v text, primary key (b, a));
      create table only_key (a integer, b integer, primary key (a, b));
      insert into one select n, 'v' || n from generate_series(1, 50) n;`,
  });
  await replica.start();
  await transactions(
    replica,
    ['update one set id = id + 1000 where id <= 10'],
    [`update one set id = 2000, v = 'moved' where id = 11`, 'update one set id = 2001 where id = 2000'],
    ['update one set id = 3000 where id = 12', 'update one set id = 12 where id = 3000'],
    [`insert into one values (100, 'x')`, `update one set id = 101 where id = 100`],
    ['update one set id = 3001 where id = 13', `insert into one values (13, 'takes the old key')`],
    ['update one set id = -id where id between 20 and 40'],
    ['delete from one where id = 14', 'update one set id = 14 where id = 15'],
    [`insert into two values ('x', 1, 'a'), ('y', 1, 'b')`],
    [`update two set a = 'z' where a = 'x'`, `update two set a = 'x' where a = 'y'`],
    ['insert into only_key select n, n from generate_series(1, 9) n'],
    ['update only_key set a = a + 100', 'update only_key set b = b + 1 where a > 105'],
  );
  await replica.assertSettledEqual();
  await replica.source.query('update one set id = id + 100000');
  await replica.assertSettledEqual();
});

test('keys passed on from row to row within one transaction and within one statement', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `create table chain (id integer primary key deferrable initially immediate, v text);
      alter table chain replica identity full;
      create table ring (id integer primary key, v text);
      insert into ring select n, 'v' || n from generate_series(1, 5) n;`,
  });
  await replica.start();
  await transactions(
    replica,
    [
      'update ring set id = 0 where id = 5',
      ...[4, 3, 2, 1, 0].map((id) => `update ring set id = ${id + 1} where id = ${id}`),
    ],
    [
      'update ring set id = -1 where id = 1',
      'update ring set id = 1 where id = 2',
      'update ring set id = 2 where id = -1',
    ],
    [`insert into chain select n, 'v' || n from generate_series(1, 20) n`],
  );
  await replica.assertSettledEqual({ tables: ['ring', 'harness_marker'] });
  await replica.source.query('update chain set id = id + 1');
  await replica.source.query('update chain set id = 43 - id');
  await replica.assertSettledEqual();
});

test('defect 2: a row written and deleted, or deleted and written, in one transaction', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `create table item (id integer primary key, v text, w text);
      insert into item select n, 'v', 'w' from generate_series(1, 20) n;`,
  });
  await replica.start();
  await transactions(
    replica,
    [`insert into item values (100, 'a', 'b')`, 'delete from item where id = 100'],
    ['delete from item where id = 1', `insert into item values (1, 'again', null)`],
    ['delete from item where id = 2', `insert into item values (2, 'x', 'y')`, 'delete from item where id = 2'],
    [`update item set v = 'u' where id = 3`, 'delete from item where id = 3'],
    [`insert into item values (101, 'a', 'b')`, `update item set v = 'c' where id = 101`],
    [
      `insert into item values (102, 'a', 'b')`,
      `update item set id = 103 where id = 102`,
      'delete from item where id = 103',
    ],
    ['delete from item where id = 4', `insert into item (id) values (4)`, `update item set w = 'z' where id = 4`],
  );
  for (let i = 0; i < 30; i++) {
    await replica.source.query(`insert into item values (200, 'round ${i}', null)`);
    await replica.source.query('delete from item where id = 200');
  }
  await replica.assertSettledEqual();
});

test('large values that did not change are kept: TOAST in every order of insert, update, key change', async (t) => {
  const big = `(select string_agg(md5(random()::text), '') from generate_series(1, 400))`;
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `create table doc (id integer primary key, title text, body text, extra text, tags text[]);
      alter table doc alter column body set storage external, alter column extra set storage external;`,
  });
  await replica.start();
  await replica.source.query(`insert into doc select n, 't', ${big}, ${big}, null from generate_series(1, 30) n`);
  await replica.settle();
  await transactions(
    replica,
    [`update doc set title = 'body untouched' where id = 1`],
    [`update doc set title = 'x', extra = 'short now' where id = 2`, `update doc set title = 'y' where id = 2`],
    [`update doc set extra = ${big} where id = 3`, `update doc set title = 'after' where id = 3`],
    [`update doc set body = null where id = 4`, `update doc set title = 'null stays' where id = 4`],
    ['update doc set id = 105 where id = 5'],
    [`update doc set id = 106, title = 'key and title' where id = 6`, `update doc set title = 'again' where id = 106`],
    [`update doc set id = 107, body = ${big} where id = 7`],
    [`insert into doc values (200, 'new', ${big}, ${big}, '{a}')`],
    [`update doc set title = 'updated in the batch of its insert' where id = 200`],
    [
      `insert into doc values (201, 'new', ${big}, ${big}, null)`,
      `update doc set title = 'same transaction' where id = 201`,
    ],
    [`insert into doc values (202, 'new', ${big}, ${big}, null)`, 'update doc set id = 203 where id = 202'],
    ['update doc set id = 204 where id = 203', `update doc set tags = '{b,c}' where id = 204`],
    [`update doc set title = 'before delete' where id = 8`, 'delete from doc where id = 8'],
    [
      'delete from doc where id = 9',
      `insert into doc values (9, 'short', 'b', 'e', null)`,
      `update doc set title = 'q' where id = 9`,
    ],
    [
      'update doc set id = 300 where id = 10',
      'update doc set id = 10 where id = 11',
      `update doc set title = 'third' where id = 10`,
    ],
  );
  await replica.source.query(`update doc set title = title || '!' where id % 2 = 0`);
  await replica.source.query('update doc set id = id + 1000 where id between 12 and 25');
  await replica.assertSettledEqual();
});

test('partial updates of one row by several transactions merge column by column', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `create table doc (id integer primary key, a text, b text, c integer);
      alter table doc alter column a set storage external, alter column b set storage external;`,
  });
  await replica.start();
  await replica.source.query(
    `insert into doc select n, repeat('a', 5000), repeat('b', 5000), 0 from generate_series(1, 40) n`,
  );
  await replica.settle();
  const updates: string[] = [];
  for (let i = 0; i < 40; i++) {
    updates.push(
      `update doc set c = c + 1 where id = ${1 + (i % 10)}`,
      `update doc set a = repeat('${i % 10}', 4000 + ${i}) where id = ${1 + (i % 7)}`,
      `update doc set b = repeat('${i % 10}', 4000 + ${i}) where id = ${1 + (i % 5)}`,
    );
  }
  await replica.source.query(updates.map((update) => `begin; ${update}; commit;`).join(''));
  await replica.assertSettledEqual();
});

test('defect 7: a keyless table gets every insert once, however often the engine is killed', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table event (at integer, what text); create index on event (at);',
  });
  let inserting = true;
  const writer = (async () => {
    for (let i = 0; inserting; i++)
      await replica.source.query('insert into event values ($1, $2), ($1, $2)', [i, `event ${i}`]);
  })();
  try {
    for (const pause of [900, 1300, 700, 1100]) {
      const engine = await replica.start();
      await engine.waitForLog(/./);
      await new Promise((resolve) => setTimeout(resolve, pause));
      await engine.kill();
    }
  } finally {
    inserting = false;
    await writer;
  }
  await replica.start();
  await replica.assertSettledEqual();
});

test('REPLICA IDENTITY FULL without a key: an update or delete hits exactly one of equal rows', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `create table bag (a integer, b text, c numeric); alter table bag replica identity full;
      insert into bag select n % 3, null, 1.0 from generate_series(1, 30) n;
      insert into bag select n % 3, 'x', 1.00 from generate_series(1, 30) n;`,
  });
  await replica.start();
  const one = (where: string) => `ctid = (select ctid from bag where ${where} limit 1)`;
  await transactions(
    replica,
    [`delete from bag where ${one('a = 1 and b is null')}`],
    [`update bag set b = 'changed' where ${one('a = 1 and b is null')}`],
    [
      `update bag set b = null where ${one(`a = 2 and b = 'x'`)}`,
      `delete from bag where ${one('a = 2 and b is null')}`,
    ],
    [`insert into bag values (1, null, 1.0)`, `delete from bag where ${one('a = 1 and b is null')}`],
    [`insert into bag values (7, 'twice', 1), (7, 'twice', 1)`, `delete from bag where ${one('a = 7')}`],
    [`update bag set c = 1.00 where ${one('a = 0 and c::text = $$1.0$$')}`],
    [`update bag set a = a + 1 where b = 'x'`],
  );
  await replica.assertSettledEqual();
  await replica.source.query('delete from bag where a = 1');
  await replica.assertSettledEqual();
});

test('REPLICA IDENTITY FULL tells rows apart by their text where the type has no or a loose equality', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `create table odd (b box, j json, p point, f double precision, c circle, n numeric);
      alter table odd replica identity full;
      create table keyed (id integer primary key, j json, b box); alter table keyed replica identity full;`,
  });
  await replica.start();
  await replica.source.query(`insert into odd values
    ('(2,2),(0,0)', '{"a":1}', '(0,0)', 'NaN', '<(0,0),1>', 1.0),
    ('(4,1),(0,0)', '{"a": 1}', '(0,0)', '-0', '<(5,5),1>', 1.00),
    ('(4,1),(0,0)', null, null, '0', null, null)`);
  await replica.source.query(`insert into keyed values (1, '{}', '(2,2),(0,0)'), (2, '[]', '(4,1),(0,0)')`);
  await replica.settle();
  await transactions(
    replica,
    [`update odd set p = '(9,9)' where j::text = '{"a": 1}'`],
    [`delete from odd where f = 'NaN'`],
    [`update odd set n = 5 where j is null`],
    [`update keyed set j = '{"x":1}' where id = 2`, 'delete from keyed where id = 1'],
  );
  await replica.assertSettledEqual();
});

test('REPLICA IDENTITY FULL with a key: the key may change, large values stay', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `create table doc (id integer primary key, v text, body text); alter table doc replica identity full;
      alter table doc alter column body set storage external;`,
  });
  await replica.start();
  await replica.source.query(`insert into doc select n, 'v', repeat('b', 5000) from generate_series(1, 20) n`);
  await replica.settle();
  await transactions(
    replica,
    ['update doc set id = 100 where id = 1'],
    [`update doc set v = 'w' where id = 2`, `update doc set v = 'x', id = 102 where id = 2`],
    ['delete from doc where id = 3'],
  );
  await replica.source.query(`update doc set v = v || 'y'`);
  await replica.assertSettledEqual();
});

test('REPLICA IDENTITY USING INDEX: rows are found by the index, the primary key may change', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `create table by_index (id integer primary key, code text not null, region text not null, v text);
      create unique index by_index_code on by_index (region, code);
      alter table by_index replica identity using index by_index_code;
      create table no_primary (code text not null unique, v text);
      alter table no_primary replica identity using index no_primary_code_key;`,
  });
  await replica.start();
  await replica.source.query(`insert into by_index select n, 'c' || n, 'eu', 'v' from generate_series(1, 30) n`);
  await replica.source.query(`insert into no_primary select 'c' || n, 'v' from generate_series(1, 30) n`);
  await replica.settle();
  await transactions(
    replica,
    [`update by_index set v = 'w' where id = 1`],
    [`update by_index set id = 100 where id = 2`],
    [`update by_index set code = 'new' where id = 3`],
    [`update by_index set id = 200, code = 'both' where id = 4`, `update by_index set v = 'then' where id = 200`],
    ['delete from by_index where id = 5'],
    ['delete from by_index where id = 6', `insert into by_index values (6, 'other', 'us', 'v')`],
    [`update no_primary set v = 'w' where code = 'c1'`, `update no_primary set code = 'd2' where code = 'c2'`],
    [`delete from no_primary where code = 'c3'`],
  );
  await replica.assertSettledEqual();
  await replica.source.query('update by_index set id = id + 1000');
  await replica.assertSettledEqual();
});

test('REPLICA IDENTITY NOTHING: inserts go through', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table log (id integer primary key, v text); alter table log replica identity nothing;',
    publication: `for all tables with (publish = 'insert')`,
  });
  await replica.start();
  await replica.source.query(`insert into log select n, 'v' from generate_series(1, 2500) n`);
  await replica.source.query(`insert into log values (9999, 'single')`);
  await replica.assertSettledEqual();
});

test('hostile names are just names', async (t) => {
  const name = `"""; drop table x; --"`;
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `create table x (id integer primary key);
      create table ${name} ("a""b" integer, "select" text, "ünïcode" text, "semi;colon" text, "$1" text, "back\\slash" text,
        "'quote'" text, "%s %I" text, " " text, primary key ("a""b", "select"));
      create table "UPPER.dotted" ("Id" integer primary key, "id" integer, "ID" integer);
      create table "${'n'.repeat(63)}" ("${'c'.repeat(63)}" integer primary key);`,
  });
  await replica.start();
  await replica.source.query(
    `insert into ${name} select n, 's', 'u', ';', '$', '\\', '''', '%', ' ' from generate_series(1, 1200) n`,
  );
  await replica.source.query(`update ${name} set "a""b" = -1, "ünïcode" = null where "a""b" = 1`);
  await replica.source.query(`update ${name} set "%s %I" = '%L' where "a""b" = 2`);
  await replica.source.query(`delete from ${name} where "a""b" = 3`);
  await replica.source.query(`insert into "UPPER.dotted" values (1, 2, 3), (4, 5, 6)`);
  await replica.source.query(`update "UPPER.dotted" set "id" = 9 where "Id" = 1`);
  await replica.source.query(`insert into "${'n'.repeat(63)}" values (1)`);
  await replica.assertSettledEqual();
  const { rows } = await replica.target.query('select count(*)::int as n from x');
  assert.deepEqual(rows, [{ n: 0 }]);
});
