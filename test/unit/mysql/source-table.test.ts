import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnDefinition } from '../../../src/sources/mysql/column-definition.ts';
import type { TableDefinition } from '../../../src/sources/mysql/definitions.ts';
import { parseMysqlPosition } from '../../../src/sources/mysql/positions.ts';
import { hasGeneratedKey, sourceTable } from '../../../src/sources/mysql/source-table.ts';

function table(columns: Readonly<Record<string, string>>, primaryKey: readonly string[]): TableDefinition {
  return {
    database: 'shop',
    name: 'item',
    columns: Object.entries(columns).map(([name, type]) => {
      const extra = name === 'my_row_id' ? 'auto_increment INVISIBLE' : '';
      const row = { name, type, nullable: 'NO', charset: null, octets: null, extra, preset: null };
      return columnDefinition(row, primaryKey.includes(name), 'mysql');
    }),
    primaryKey,
    asOf: parseMysqlPosition(''),
    altered: undefined,
  };
}

test('the primary key tells rows apart, and without one the whole row does', () => {
  const keyed = sourceTable(table({ id: 'bigint unsigned', n: 'int' }, ['id']));
  assert.deepEqual(keyed, {
    schema: 'shop',
    name: 'item',
    identity: 'key',
    columns: [
      { name: 'id', identity: true, type: 'numeric(20,0)' },
      { name: 'n', identity: false, type: 'integer' },
    ],
  });
  const keyless = sourceTable(table({ id: 'int', n: 'int' }, []));
  assert.equal(keyless.identity, 'full');
  assert.deepEqual(
    keyless.columns.map(({ identity }) => identity),
    [true, true],
  );
});

test('a key that the server made is known by its name and that it is invisible', () => {
  assert.equal(hasGeneratedKey(table({ my_row_id: 'bigint unsigned', n: 'int' }, ['my_row_id'])), true);
  assert.equal(hasGeneratedKey(table({ id: 'int' }, ['id'])), false);
});
