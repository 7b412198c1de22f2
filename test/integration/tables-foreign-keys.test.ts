import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Replica } from '../harness/replica.ts';
import { sharedServer } from '../servers/postgres.ts';

const source = sharedServer();
const target = sharedServer();

/** Runs each list of statements as one transaction at the source. */
async function transactions(replica: Replica, ...list: readonly (readonly string[])[]): Promise<void> {
  for (const statements of list) await replica.source.query(`begin; ${statements.join('; ')}; commit`);
}

test('defect 6: parents and children in any order, a child of two parents, a chain of three', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `
      create table z_customer (id integer primary key, name text);
      create table m_product (id integer primary key, name text);
      create table a_order (id integer primary key, customer integer not null references z_customer, product integer references m_product);
      create table b_line (order_id integer references a_order, line integer, primary key (order_id, line));`,
  });
  await replica.start();
  const batch: string[][] = [];
  for (let i = 0; i < 60; i++) {
    batch.push(
      [`insert into z_customer values (${i}, 'c')`, `insert into m_product values (${i}, 'p')`],
      [`insert into a_order values (${i}, ${i}, ${i})`, `insert into b_line values (${i}, 1), (${i}, 2)`],
    );
    if (i % 3 === 0) batch.push([`delete from b_line where order_id = ${i}`, `delete from a_order where id = ${i}`]);
    if (i % 6 === 0)
      batch.push([`delete from z_customer where id = ${i}`, `insert into z_customer values (${i}, 'again')`]);
    if (i % 5 === 1)
      batch.push([
        `update a_order set customer = 0 where id = ${i}`,
        `delete from z_customer where id = ${i} and not exists (select from a_order where customer = ${i})`,
      ]);
  }
  await transactions(replica, ...batch);
  await replica.assertSettledEqual();
  await transactions(replica, [
    'delete from b_line',
    'delete from a_order',
    'delete from z_customer',
    'delete from m_product',
  ]);
  await replica.assertSettledEqual();
});

test('a table that refers to itself: a tree deleted in one statement, children inserted before parents', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `
      create table node (id integer primary key, parent integer references node, name text);
      create table late (id integer primary key, parent integer references late deferrable initially deferred, name text);`,
  });
  await replica.start();
  await replica.source.query(`insert into node select n, nullif(n / 2, 0), 'n' from generate_series(1, 400) n`);
  // Within one statement a child may stand before its parent.
  await replica.source.query(
    `insert into node select n, case when n < 600 then n + 1 end, 'reverse' from generate_series(501, 600) n`,
  );
  await transactions(replica, [
    `insert into late values (1, 2, 'child first')`,
    `insert into late values (2, null, 'parent')`,
    `insert into late select n, n + 1, 'chain' from generate_series(10, 40) n`,
    `insert into late values (41, 1, 'end')`,
  ]);
  await replica.assertSettledEqual();
  await replica.source.query('delete from node where id <= 400');
  await replica.source.query('update node set parent = null where id = 550');
  await replica.source.query('delete from node where id between 501 and 550');
  await transactions(
    replica,
    ['delete from late where id = 41', 'delete from late where id >= 10'],
    ['update late set parent = 1 where id = 2'],
  );
  await transactions(replica, ['delete from late where id = 1', 'delete from late where id = 2']);
  await replica.assertSettledEqual();
});

test('defect 6: tables that refer to each other, checked at once and at the commit', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `
      create table team (id integer primary key, leader integer);
      create table person (id integer primary key, team integer references team);
      alter table team add foreign key (leader) references person;
      create table egg (id integer primary key, hen integer not null);
      create table hen (id integer primary key, egg integer not null references egg deferrable initially deferred);
      alter table egg add foreign key (hen) references hen deferrable initially deferred;`,
  });
  await replica.start();
  for (let i = 1; i <= 25; i++) {
    await transactions(
      replica,
      [
        `insert into team values (${i}, null)`,
        `insert into person values (${i}, ${i})`,
        `update team set leader = ${i} where id = ${i}`,
      ],
      [`insert into egg values (${i}, ${i})`, `insert into hen values (${i}, ${i})`],
      ...(i % 4 === 0
        ? [
            [
              `update team set leader = null where id = ${i}`,
              `delete from person where id = ${i}`,
              `delete from team where id = ${i}`,
            ],
            [`delete from egg where id = ${i}`, `delete from hen where id = ${i}`],
          ]
        : []),
    );
  }
  await replica.source.query('update team set leader = 1 where id > 10');
  await replica.assertSettledEqual();
});

const CASCADES = `
  create table customer (region text, id integer, name text, primary key (region, id));
  create table purchase (id integer primary key, region text, customer integer, note text,
    foreign key (region, customer) references customer on delete cascade on update cascade);
  alter table purchase alter column note set storage external;
  create table line (purchase integer references purchase on delete cascade on update cascade, line integer, note text,
    primary key (purchase, line));
  create table remark (id integer primary key, purchase integer default 1 references purchase on delete set null on update cascade, note text);
  insert into customer select 'eu', n, 'c' from generate_series(1, 20) n;
  insert into purchase select n, 'eu', 1 + n % 20, repeat('x', 4000) from generate_series(1, 60) n;
  insert into line select n, l, 'l' from generate_series(1, 60) n, generate_series(1, 3) l;
  insert into remark select n, n, 'r' from generate_series(1, 60) n;`;

/** Changes that make the source cascade: deletes, nulls, moved keys, and rows that come back under the old key. */
async function cascade(replica: Replica): Promise<void> {
  await transactions(
    replica,
    ['delete from customer where id = 1'],
    ['delete from purchase where id = 2'],
    [`update customer set region = 'us' where id in (3, 4)`],
    ['update purchase set id = 1000 where id = 5'],
    [
      `update customer set id = 500 where id = 6`,
      `update purchase set id = 2000 where id = 6`,
      `update customer set name = 'moved' where id = 500`,
    ],
    [`delete from customer where id = 7`, `insert into customer values ('eu', 7, 'again')`],
    [
      `delete from customer where id = 8`,
      `insert into customer values ('eu', 8, 'again')`,
      `insert into purchase values (7, 'eu', 8, 'new')`,
    ],
    [`update customer set id = 900 where id = 9`, `insert into customer values ('eu', 9, 'takes the key')`],
    [`update customer set id = 901 where id = 10`, 'update customer set id = 10 where id = 901'],
    [
      'update purchase set id = 3000 where id = 12',
      'update purchase set id = 12 where id = 3000',
      `update line set note = 'x' where purchase = 12`,
    ],
  );
  await replica.source.query(`update customer set id = id + 10000 where id > 12`);
  await replica.source.query(`delete from customer where id > 10015`);
}

test('ON DELETE and ON UPDATE actions on both sides: nothing vanishes, nothing is left', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, { schema: CASCADES });
  await replica.start();
  await cascade(replica);
  await replica.assertSettledEqual();
});

test('ON DELETE CASCADE at the source alone: the target has foreign keys without actions', async (t) => {
  const schema = CASCADES.replaceAll(/ on delete set null| on update cascade/g, '');
  const replica = await Replica.create(t, source.server, target.server, {
    sourceSchema: schema.replace(/create table remark[^;]*;|insert into remark[^;]*;/g, ''),
    targetSchema: schema
      .replace(/create table remark[^;]*;|insert into remark[^;]*;/g, '')
      .replaceAll(' on delete cascade', ''),
  });
  await replica.start();
  await replica.source.query('delete from customer where id = 1');
  await replica.settle();
  await transactions(
    replica,
    ['delete from purchase where id = 2'],
    ['delete from customer where id in (4, 5)', 'delete from purchase where id < 30'],
  );
  await replica.assertSettledEqual();
});

const LOOSER_SOURCE = `
  create table parent (id integer primary key, v text);
  create table child (id integer primary key, parent integer references parent deferrable initially deferred, v text);
  insert into parent select n, 'v' from generate_series(1, 30) n;
  insert into child select n, n, 'c' from generate_series(1, 30) n;`;

test('ON DELETE CASCADE at the target alone: rows that the source keeps are not taken away', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    sourceSchema: LOOSER_SOURCE,
    targetSchema: LOOSER_SOURCE.replace('deferrable', 'on delete cascade deferrable'),
  });
  await replica.start();
  await transactions(
    replica,
    ['update child set parent = 2 where id = 1', 'delete from parent where id = 1'],
    ['update parent set id = 100 where id = 4', 'update child set parent = 100 where id = 4'],
    ['update parent set id = 101 where id = 5', 'update parent set id = 5 where id = 101'],
  );
  await replica.assertSettledEqual();
});

test('ON DELETE CASCADE at the target alone: a parent deleted and written anew keeps its children', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    sourceSchema: LOOSER_SOURCE,
    targetSchema: LOOSER_SOURCE.replace('deferrable', 'on delete cascade deferrable'),
  });
  await replica.start();
  await transactions(replica, ['delete from parent where id = 3', `insert into parent values (3, 'again')`]);
  await replica.assertSettledEqual();
  await transactions(
    replica,
    ['delete from parent where id = 4', `insert into parent values (4, 'again')`],
    ['update parent set id = 101 where id = 5', 'update parent set id = 5 where id = 101'],
  );
  await replica.assertSettledEqual();
});

test('a unique value that moves between rows, across transactions and within one', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `
      create table account (id integer primary key, handle text unique, note text);
      create table slot (id integer primary key, place integer unique deferrable initially deferred);
      create table ranked (id integer primary key, place integer unique deferrable initially immediate);
      create unique index on account (lower(note)) where id < 100;
      insert into account select n, 'h' || n, 'n' || n from generate_series(1, 50) n;
      insert into slot select n, n from generate_series(1, 50) n;
      insert into ranked select n, n from generate_series(1, 50) n;`,
  });
  await replica.start();
  await transactions(
    replica,
    [`update account set handle = 'free' where id = 1`],
    [`update account set handle = 'h1' where id = 2`],
    [`update account set handle = 'h2' where id = 1`],
    ['delete from account where id = 3'],
    [`insert into account values (300, 'h3', 'n')`],
    [
      `update account set handle = null where id = 4`,
      `update account set handle = 'h4' where id = 5`,
      `update account set handle = 'h5' where id = 4`,
    ],
    [`delete from account where id = 6`, `insert into account values (600, 'h6', 'n6')`],
    [
      `update account set id = 700 where id = 7`,
      `insert into account values (7, 'h7b', 'x')`,
      `update account set handle = 'h7c' where id = 700`,
      `update account set handle = 'h7' where id = 7`,
    ],
    [`update slot set place = 2 where id = 1`, `update slot set place = 1 where id = 2`],
    ['update slot set place = 51 - place'],
    ['update ranked set place = 51 - place'],
    ['update ranked set place = place + 1'],
  );
  await replica.assertSettledEqual();
});

test('a unique value swapped in one statement where only the source can wait: named, and nothing of it applied', async (t) => {
  const schema = (timing: string) => `
    create table slot (id integer primary key, place integer not null unique ${timing});
    insert into slot select n, n from generate_series(1, 20) n;`;
  const replica = await Replica.create(t, source.server, target.server, {
    sourceSchema: schema('deferrable initially deferred'),
    targetSchema: schema(''),
  });
  const engine = await replica.start();
  await transactions(replica, [
    'insert into slot values (100, 100)',
    'update slot set place = 21 - place where id <= 20',
  ]);
  assert.deepEqual(await engine.waitForExit(), { code: 1, signal: null });
  assert.match(engine.log, /APPLY_FAILED/);
  assert.match(engine.log, /slot_place_key/);
  const { rows } = await replica.target.query('select bool_and(id = place) as before, count(*)::int as n from slot');
  assert.deepEqual(rows, [{ before: true, n: 20 }]);
  await replica.target.query('alter table slot drop constraint slot_place_key');
  await replica.start();
  await replica.assertSettledEqual();
});

test('TRUNCATE: one table, several, a cascade, followed by rows in the same transaction', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: `
      create table parent (id serial primary key, v text);
      create table child (id serial primary key, parent integer references parent, v text);
      create table other (id integer primary key, v text);
      create table event (v text);
      create table "Weird; ""table" (id integer primary key);`,
  });
  await replica.start();
  const fill = [
    `insert into parent (v) select n from generate_series(1, 300) n`,
    'insert into child (parent, v) select id, v from parent',
    `insert into other select n, 'v' from generate_series(1, 1500) n`,
    `insert into event select n from generate_series(1, 100) n`,
    'insert into "Weird; ""table" select generate_series(1, 10)',
  ];
  await transactions(replica, fill);
  await replica.source.query('truncate other');
  await replica.assertSettledEqual();
  await transactions(
    replica,
    ['truncate parent cascade', ...fill.slice(0, 2)],
    ['truncate parent, child, other, event restart identity'],
    fill.slice(0, 4),
    [`insert into event values ('before')`, 'truncate event', `insert into event values ('after')`],
    ['truncate event, "Weird; ""table"', `insert into event values ('x')`, 'truncate event'],
    ['savepoint s', 'truncate other', 'rollback to s', `insert into other values (99999, 'kept')`],
  );
  await replica.assertSettledEqual();
});
