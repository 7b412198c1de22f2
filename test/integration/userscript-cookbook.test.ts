import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { Replica } from '../harness/replica.ts';
import { EXAMPLES, exampleFor } from '../harness/script-example.ts';
import { sharedServer } from '../servers/postgres.ts';

const source = sharedServer();
const target = sharedServer();

interface Recipe {
  readonly source: string;
  readonly target: string;
  /** Transactions at the source. */
  readonly steps: readonly string[];
  /** What queries at the target answer. */
  readonly found: Readonly<Record<string, readonly object[]>>;
}

const RECIPES: Readonly<Record<string, Recipe>> = {
  'filter-one-table.ts': {
    source: 'create table items (id int primary key, v text); create table audit_log (id int primary key, v text)',
    target: 'create table items (id int primary key, v text)',
    steps: [
      `insert into audit_log values (1, 'a')`,
      `insert into items values (1, 'a'), (2, 'b'); insert into audit_log values (2, 'b')`,
      `update audit_log set v = 'c'; delete from items where id = 2`,
      'delete from audit_log; truncate audit_log',
    ],
    found: { 'select * from items': [{ id: 1, v: 'a' }] },
  },
  'filter-tables.ts': {
    source:
      'create table items (id int primary key); create table audit_log (id int primary key); create table sessions (id int)',
    target: 'create table items (id int primary key)',
    steps: [
      'insert into sessions values (1); insert into items values (1)',
      'insert into audit_log values (1); truncate items; insert into items values (7)',
    ],
    found: { 'select * from items': [{ id: 7 }] },
  },
  'soft-deletes.ts': {
    source: 'create table items (id text primary key, name text, is_deleted text)',
    target: 'create table items (id text primary key, name text, is_deleted text)',
    steps: [
      `insert into items values ('a', 'one', '0'), ('b', 'two', '1'), ('c', 'three', null)`,
      `update items set is_deleted = '0', name = 'back' where id = 'b'`,
      `update items set is_deleted = '1', name = 'gone' where id = 'c'`,
      `insert into items values ('d', 'four', '0')`,
      `delete from items where id = 'd'`,
    ],
    found: {
      'select id, name, is_deleted from items order by id': [
        { id: 'a', name: 'one', is_deleted: '0' },
        { id: 'b', name: 'back', is_deleted: '0' },
        { id: 'c', name: 'three', is_deleted: null },
      ],
    },
  },
  'filter-columns.ts': {
    source:
      'create table items (id int primary key, name text, qty text); create table other (id int primary key, qty text)',
    target: 'create table items (id int primary key, name text); create table other (id int primary key, qty text)',
    steps: [
      `insert into items values (1, 'a', '5'), (2, 'b', '6'); insert into other values (1, '7')`,
      `update items set qty = '9', name = 'z' where id = 1; delete from items where id = 2`,
      'update items set id = 10 where id = 1',
    ],
    found: {
      'select * from items': [{ id: 10, name: 'z' }],
      'select * from other': [{ id: 1, qty: '7' }],
    },
  },
  'rename-columns.ts': {
    source: 'create table employees (emp_id int primary key, emp_name text, department text)',
    target: 'create table employees (employee_id int primary key, employee_name text, department text)',
    steps: [
      `insert into employees values (1, 'Ann', 'a'), (2, 'Bob', 'b'), (3, 'Cy', 'c')`,
      `update employees set emp_name = 'Anna' where emp_id = 1; delete from employees where emp_id = 2`,
      'update employees set emp_id = 30 where emp_id = 3',
    ],
    found: {
      'select * from employees order by 1': [
        { employee_id: 1, employee_name: 'Anna', department: 'a' },
        { employee_id: 30, employee_name: 'Cy', department: 'c' },
      ],
    },
  },
  'rename-keys.ts': {
    source: 'create table pairs (pk1 text, pk2 text, name text, primary key (pk1, pk2))',
    target: 'create table pairs (name text, id2 text, id1 text, primary key (id1, id2))',
    steps: [
      `insert into pairs values ('a', 'x', '1'), ('a', 'y', '2'), ('b', 'x', '3')`,
      `update pairs set name = 'new' where pk1 = 'a' and pk2 = 'y'; delete from pairs where pk1 = 'a' and pk2 = 'x'`,
      `update pairs set pk2 = 'z' where pk1 = 'b'`,
    ],
    found: {
      'select id1, id2, name from pairs order by 1': [
        { id1: 'a', id2: 'y', name: 'new' },
        { id1: 'b', id2: 'z', name: '3' },
      ],
    },
  },
  'route-partitions.ts': {
    source: 'create table items (id int primary key, v text)',
    target: [1, 2, 3].map((n) => `create table items_${n} (id int primary key, v text)`).join(';'),
    steps: [
      `insert into items select n * 5000, 'v' || n from generate_series(1, 5) n`,
      'update items set id = 10001 where id = 5000; delete from items where id = 25000',
      `update items set v = 'w' where id = 20000`,
    ],
    found: {
      'select * from items_1 order by id': [{ id: 10000, v: 'v2' }],
      'select * from items_2 order by id': [
        { id: 10001, v: 'v1' },
        { id: 15000, v: 'v3' },
        { id: 20000, v: 'w' },
      ],
      'select * from items_3': [],
    },
  },
  'rename-tables.ts': {
    source:
      'create table customer_table (id int primary key, v text); create table order_table (id int primary key, customer int); create table plain (id int primary key)',
    target:
      'create table "CUSTOMERS" (id int primary key, v text); create table "ORDERS" (id int primary key, customer int references "CUSTOMERS"); create table plain (id int primary key)',
    steps: [
      `insert into order_table values (1, 1); insert into customer_table values (1, 'a'), (2, 'b'); insert into plain values (1)`,
      `update customer_table set v = 'c' where id = 1; insert into order_table values (2, 2)`,
      'delete from customer_table where id = 2; delete from order_table where id = 2',
    ],
    found: {
      'select * from "CUSTOMERS"': [{ id: 1, v: 'c' }],
      'select * from "ORDERS"': [{ id: 1, customer: 1 }],
      'select * from plain': [{ id: 1 }],
    },
  },
  'computed-columns.ts': {
    source: 'create table order_lines (id text primary key, price text, qty text)',
    target: 'create table order_lines (id text primary key, price text, qty text, total numeric(10,2))',
    steps: [
      `insert into order_lines values ('a', '2.5', '3'), ('b', '1', null)`,
      `update order_lines set qty = '4' where id = 'a'`,
    ],
    found: {
      'select * from order_lines order by id': [
        { id: 'a', price: '2.5', qty: '4', total: '10.00' },
        { id: 'b', price: '1', qty: null, total: '0.00' },
      ],
    },
  },
  'combined.ts': {
    source:
      'create table customers (id text primary key, name text, is_deleted text, ssn text, credit_card_number text); create table plain (id int primary key)',
    target:
      'create table customers (id text primary key, name text, is_deleted text); create table plain (id int primary key)',
    steps: [
      `insert into customers values ('a', 'Ann', '0', '123', '4111'), ('b', 'Bob', '1', '124', '4112'); insert into plain values (1)`,
      `update customers set name = 'Anna' where id = 'a'; update customers set name = 'Bo' where id = 'b'`,
    ],
    found: {
      'select * from customers': [{ id: 'a', name: 'Anna', is_deleted: '0' }],
      'select * from plain': [{ id: 1 }],
    },
  },
  'dead-letters.ts': {
    source: 'create table orders (id int primary key, total numeric)',
    target:
      'create table orders (id int primary key, total numeric not null); create table row_dlq (id int8 generated by default as identity primary key, stmt text, err text)',
    steps: [
      'insert into orders values (1, 10), (2, null), (3, 30)',
      'update orders set total = 31 where id = 3; delete from orders where id = 1',
      'insert into orders values (4, null); insert into orders values (5, 50)',
    ],
    found: {
      'select * from orders order by id': [
        { id: 3, total: '31' },
        { id: 5, total: '50' },
      ],
      "select stmt::jsonb->'pk'->>0 as pk, stmt::jsonb->>'action' as action, err like '%SQLSTATE 23502%' as told from row_dlq order by id":
        [
          { pk: '2', action: 'upsert', told: true },
          { pk: '4', action: 'upsert', told: true },
        ],
    },
  },
};

test('every example that is shipped is a recipe here', () => {
  assert.deepEqual(readdirSync(EXAMPLES).sort(), Object.keys(RECIPES).sort());
});

async function cook(t: TestContext, name: string, recipe: Recipe, flags: readonly string[]): Promise<void> {
  const replica = await Replica.create(t, source.server, target.server, {
    sourceSchema: recipe.source,
    targetSchema: recipe.target,
  });
  const script = exampleFor(t, name, replica);
  const engine = await replica.start(['--userscript', script, ...flags]);
  for (const step of recipe.steps) await replica.source.query(`begin; ${step}; commit`);
  await replica.settle();
  for (const [sql, rows] of Object.entries(recipe.found)) {
    assert.deepEqual((await replica.target.query(sql)).rows, rows, sql);
  }
  assert.deepEqual(await engine.stop(), { code: 0, signal: null });
}

for (const [name, recipe] of Object.entries(RECIPES)) {
  test(`${name}, from a real source to a real target`, (t) => cook(t, name, recipe, []));
  test(`${name}, change by change and on lanes`, (t) =>
    cook(t, name, recipe, ['--collapseMutations=false', '--enableParallelApplies']));
}
