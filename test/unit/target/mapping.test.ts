import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapTable } from '../../../src/target/mapping.ts';
import { mergeTuples } from '../../../src/target/table-writer.ts';
import { decodeTuple, encodeTuple } from '../../../src/changes/change-log.ts';
import { sourceTable } from '../../harness/apply-rig.ts';
import { POSTGRESQL, targetColumn, targetTable } from '../../harness/target-model.ts';

const int = (name: string, more = {}) => targetColumn(name, 'pg_catalog."int4"', more);

function map(source: ReturnType<typeof sourceTable>, columns: ReturnType<typeof int>[], key: string[]) {
  const mapping = mapTable(source, targetTable(POSTGRESQL, 't', columns, key));
  return {
    columns: mapping.columns.map(({ source: from, target }) => `${from}>${target.name}`),
    key: mapping.key.map((from, i) => `${from}>${mapping.keyColumns[i].name}`),
  };
}

test('columns go by their names, whatever their order, and what the target computes or has by itself is left out', () => {
  const source = sourceTable('t', ['a', 'b', 'sum'], ['a']);
  const columns = [int('own'), int('sum', { generated: true }), int('b'), int('a')];
  assert.deepEqual(map(source, columns, ['a']), { columns: ['0>a', '1>b'], key: ['0>a'] });
});

test('names may differ in case, and the exact one comes first', () => {
  const source = sourceTable('t', ['ID', 'Name', 'name'], ['ID']);
  const columns = [int('id'), int('name'), int('Name')];
  assert.deepEqual(map(source, columns, ['id']), { columns: ['0>id', '1>Name', '2>name'], key: ['0>id'] });
});

test('rows are known by what the source calls their identity, in the order of its columns', () => {
  const source = sourceTable('t', ['x', 'a', 'y'], ['y', 'x']);
  assert.deepEqual(map(source, [int('y'), int('x'), int('a')], ['y', 'x']).key, ['0>x', '2>y']);
  // A unique index stands in for the primary key there.
  assert.deepEqual(map(source, [int('id'), int('y'), int('x'), int('a')], ['id']).key, ['0>x', '2>y']);
});

test('with whole old rows they are known by the primary key of the target, if the source has all of it', () => {
  const source = sourceTable('t', ['x', 'a', 'y'], []);
  const columns = [int('y'), int('x'), int('a')];
  assert.deepEqual(map(source, columns, ['y', 'x']).key, ['0>x', '2>y']);
  assert.deepEqual(map(source, [int('id'), ...columns], ['x', 'id']).key, []);
  assert.deepEqual(map(source, columns, []).key, []);
});

test('values that were not sent are taken from an older tuple, its NULLs only where they mean something', () => {
  const merge = (newer: (string | null | undefined)[], older: (string | null | undefined)[], full: boolean) =>
    decodeTuple(mergeTuples(encodeTuple(newer), 0, encodeTuple(older), 0, full), 0);
  const newer = ['n', null, undefined, undefined, undefined, undefined];
  const older = ['o', 'o', 'o', '', null, undefined];
  assert.deepEqual(merge(newer, older, true), ['n', null, 'o', '', null, undefined]);
  assert.deepEqual(merge(newer, older, false), ['n', null, 'o', '', undefined, undefined]);
});
