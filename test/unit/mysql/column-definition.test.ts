import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ColumnRow, columnDefinition } from '../../../src/sources/mysql/column-definition.ts';
import { catalogueDefault } from '../../../src/sources/mysql/constant-default.ts';
import { isNewerThan, type TableDefinition } from '../../../src/sources/mysql/definitions.ts';
import type { Flavour } from '../../../src/sources/mysql/flavour.ts';

function row(type: string, more: Partial<ColumnRow> = {}): ColumnRow {
  return { name: 'c', type, nullable: 'YES', charset: null, octets: null, extra: '', preset: null, ...more };
}

function defaultOf(type: string, preset: string | null, more: Partial<ColumnRow> = {}, flavour: Flavour = 'mysql') {
  const { hasDefault, constantDefault } = columnDefinition(row(type, { preset, ...more }), false, flavour);
  return [hasDefault, constantDefault];
}

// Real servers are asked in test/integration/mysql-definitions.test.ts; these are the forms of servers that are not there.
describe('columns of the catalogue', () => {
  test('MySQL 5.7 does not mark the current time, and prints it for text as well', () => {
    assert.deepEqual(defaultOf('datetime(3)', 'CURRENT_TIMESTAMP(3)'), [true, undefined]);
    assert.deepEqual(defaultOf('timestamp', 'CURRENT_TIMESTAMP', { extra: 'on update CURRENT_TIMESTAMP' }), [
      true,
      undefined,
    ]);
    assert.deepEqual(defaultOf('varchar(30)', 'CURRENT_TIMESTAMP', { charset: 'utf8' }), [true, 'CURRENT_TIMESTAMP']);
    assert.deepEqual(defaultOf('datetime', '2024-01-01 00:00:00'), [true, '2024-01-01 00:00:00']);
  });

  test('whatever may be printed otherwise than it is, is not taken from there', () => {
    const doubtful = (type: string, preset: string, flavour: Flavour, charset: string | null = null) => {
      const source = row(type, { preset, charset });
      const { column, constantDefault } = columnDefinition(source, false, flavour);
      const { doubtful: found } = catalogueDefault(source, column);
      if (found) assert.equal(constantDefault, undefined);
      return found;
    };
    assert.ok(doubtful('binary(2)', '0x61', 'mysql'));
    assert.ok(doubtful('varbinary(2)', 'a', 'mysql'));
    assert.ok(doubtful('varbinary(2)', "'a?'", 'mariadb'));
    assert.ok(doubtful('varchar(9)', 'what?', 'mysql', 'utf8mb4'));
    assert.ok(doubtful("enum('?')", "'?'", 'mariadb', 'utf8mb4'));
    assert.ok(doubtful('timestamp', '2024-01-01 00:00:00', 'mysql'));
    assert.ok(!doubtful('timestamp', '0000-00-00 00:00:00', 'mysql'));
    assert.ok(!doubtful('timestamp', "'2024-01-01 00:00:00'", 'mariadb'));
    assert.ok(!doubtful('datetime', '2024-01-01 00:00:00', 'mysql'));
    assert.ok(!doubtful('varchar(9)', 'plain', 'mysql', 'utf8mb4'));
    assert.ok(!doubtful('uuid', "'6ccd780c-baba-1026-9564-5b8c656024db'", 'mariadb'));
  });

  test('what MariaDB prints is SQL', () => {
    const mariadb = (type: string, preset: string | null, more?: Partial<ColumnRow>) =>
      defaultOf(type, preset, more, 'mariadb');
    assert.deepEqual(mariadb('int(11)', 'NULL'), [false, null]);
    assert.deepEqual(mariadb('varchar(9)', "'NULL'", { charset: 'utf8mb4' }), [true, 'NULL']);
    assert.deepEqual(mariadb('varchar(9)', `'it''s \\\\ \\n\\0'`, { charset: 'utf8mb4' }), [true, "it's \\ \n\0"]);
    assert.deepEqual(mariadb('varchar(9)', "concat('a','b')", { charset: 'utf8mb4' }), [true, undefined]);
    assert.deepEqual(mariadb('int(11)', '`a`'), [true, undefined]);
    assert.deepEqual(mariadb('int(11)', null, { nullable: 'NO' }), [false, undefined]);
    assert.deepEqual(mariadb('bit(5)', "b'101'"), [true, '00101']);
    assert.deepEqual(mariadb('int(11)', null, { nullable: 'NO', extra: 'auto_increment' }), [true, undefined]);
    assert.deepEqual(mariadb('int(11)', 'NULL', { extra: 'STORED GENERATED' }), [false, undefined]);
  });

  test('types with whatever stands in their members', () => {
    const members = (type: string, charset = 'utf8mb4') =>
      columnDefinition(row(type, { charset }), false, 'mysql').column.members;
    assert.deepEqual(members("enum('a','b''c','d,e','(f)','int unsigned')"), [
      'a',
      "b'c",
      'd,e',
      '(f)',
      'int unsigned',
    ]);
    assert.deepEqual(members("set('')"), ['']);
    assert.equal(members("enum('a','?')"), undefined);
    assert.deepEqual(members("enum('a','?')", 'latin1'), ['a', '?']);
    assert.equal(columnDefinition(row("enum('unsigned')", { charset: 'latin1' }), false, 'mysql').column.type, 247);
  });

  test('a definition is newer than what was committed in an earlier second', () => {
    const definition = (altered: number | undefined) => ({ altered }) as TableDefinition;
    assert.ok(isNewerThan(definition(100), 99_999_999));
    assert.ok(!isNewerThan(definition(100), 100_000_000));
    assert.ok(!isNewerThan(definition(undefined), 0));
  });
});
