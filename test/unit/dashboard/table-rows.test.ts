import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableReading } from '../../../src/dashboard/reading.ts';
import { arrangeTables, commonPrefix, type SortKey, tableCells } from '../../../src/dashboard/table-rows.ts';

const table = (name: string, over: Partial<TableReading> = {}): TableReading => ({
  name,
  upserts: 0,
  deletes: 0,
  errors: 0,
  rowsPerSecond: 0,
  lagSeconds: undefined,
  ...over,
});
const tables = [
  table('db.public.b', { upserts: 5, errors: 1, lagSeconds: 0 }),
  table('db.public.a', { upserts: 5, rowsPerSecond: 2 }),
  table('db.public.Orders', { upserts: 9, deletes: 3, lagSeconds: 7 }),
];
const names = (filter: string, key: SortKey, reversed = false) =>
  arrangeTables(tables, filter, { key, reversed }).map(({ name }) => name.replace('db.public.', ''));

test('names from A on, numbers from the greatest on, equal ones by name in either direction', () => {
  assert.deepEqual(names('', 'name'), ['Orders', 'a', 'b']);
  assert.deepEqual(names('', 'name', true), ['b', 'a', 'Orders']);
  assert.deepEqual(names('', 'upserts'), ['Orders', 'a', 'b']);
  assert.deepEqual(names('', 'upserts', true), ['a', 'b', 'Orders']);
  assert.deepEqual(names('', 'deletes'), ['Orders', 'a', 'b']);
  assert.deepEqual(names('', 'errors'), ['b', 'Orders', 'a']);
  assert.deepEqual(names('', 'rows/s'), ['a', 'Orders', 'b']);
  assert.deepEqual(names('', 'lag'), ['Orders', 'b', 'a'], 'no lag is less than a lag of 0');
});

test('a filter has words, and words with ! in front for what is not wanted', () => {
  assert.deepEqual(names('ORD', 'name'), ['Orders']);
  assert.deepEqual(names('public !ord', 'name'), ['a', 'b']);
  assert.deepEqual(names('!', 'name'), ['Orders', 'a', 'b']);
  assert.deepEqual(names('ord zzz', 'name'), []);
});

test('what all names begin with is said once', () => {
  assert.equal(commonPrefix(tables), 'db.public.');
  assert.equal(commonPrefix([...tables, table('db.other.x')]), 'db.');
  assert.equal(commonPrefix([...tables, table('x')]), '');
  assert.equal(commonPrefix([table('public.only')]), 'public.');
  assert.equal(commonPrefix([]), '');
  assert.deepEqual(tableCells(tables[2], 'db.public.'), ['Orders', '9', '3', '0', '0/s', '7.0 s']);
  assert.equal(tableCells(table('x'), 'db.')[5], '-');
});
