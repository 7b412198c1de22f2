import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableDefinition } from '../../../src/sources/mysql/definitions.ts';
import { sourceTable } from '../../../src/sources/mysql/source-table.ts';

const table = (types: readonly string[], primaryKey: readonly string[] = ['c0']) =>
  ({
    database: 'shop',
    name: 'item',
    columns: types.map((type, i) => ({ name: `c${i}`, type })),
    primaryKey,
  }) as unknown as TableDefinition;

test('the primary key tells rows apart, and without one the whole row does', () => {
  const keyed = sourceTable(table(['int', 'int']));
  assert.deepEqual([keyed.schema, keyed.name, keyed.identity], ['shop', 'item', 'key']);
  assert.deepEqual(
    keyed.columns.map(({ name, identity }) => [name, identity]),
    [
      ['c0', true],
      ['c1', false],
    ],
  );
  const keyless = sourceTable(table(['int', 'int'], []));
  assert.equal(keyless.identity, 'full');
  assert.deepEqual(
    keyless.columns.map(({ identity }) => identity),
    [true, true],
  );
});

test('every type of MySQL and MariaDB has one that takes all its values', () => {
  const expected: readonly [string, string][] = [
    ['tinyint(1)', 'smallint'],
    ['tinyint unsigned', 'smallint'],
    ['smallint unsigned zerofill', 'integer'],
    ['mediumint unsigned', 'integer'],
    ['int', 'integer'],
    ['int(10) unsigned', 'bigint'],
    ['bigint', 'bigint'],
    ['bigint(20) unsigned', 'numeric(20,0)'],
    ['decimal(10,2) unsigned', 'numeric(10,2)'],
    ['float', 'real'],
    ['double unsigned', 'double precision'],
    ['bit(7)', 'bit(7)'],
    ['year', 'smallint'],
    ['date', 'date'],
    ['time(3)', 'interval'],
    ['datetime', 'timestamp(0) without time zone'],
    ['datetime(6)', 'timestamp(6) without time zone'],
    ['datetime /* mariadb-5.3 */', 'timestamp(0) without time zone'],
    ['timestamp(3)', 'timestamp(3) with time zone'],
    ['char(4)', 'character varying(4)'],
    ['varchar(255)', 'character varying(255)'],
    ['longtext', 'text'],
    ["enum('a','int unsigned')", 'text'],
    ["set('x','y')", 'text'],
    ['varbinary(16)', 'bytea'],
    ['longblob', 'bytea'],
    ['json', 'jsonb'],
    ['point', 'geometry'],
    ['vector(3)', 'vector(3)'],
    ['uuid', 'uuid'],
    ['inet6', 'inet'],
  ];
  const { columns } = sourceTable(table(expected.map(([type]) => type)));
  assert.deepEqual(
    columns.map(({ type }, i) => [expected[i][0], type]),
    expected,
  );
});
