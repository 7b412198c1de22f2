import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { buildCatalogue } from '../../../src/target/catalogue.ts';
import {
  type CatalogueRows,
  catalogueQueries,
  type ColumnRow,
  type ForeignKeyRow,
  type KeyRow,
  readCatalogueRows,
} from '../../../src/target/catalogue-rows.ts';
import type { TypeRow } from '../../../src/target/column-types.ts';
import type { Queryable } from '../../../src/target/dialect.ts';
import { targetSchemaName } from '../../../src/target/identifiers.ts';

/*
 * No CockroachDB server can be had here: the rows below have the shape in which its catalogue answers, after its documentation
 * and public test data. What this does not imitate: whether the server accepts the queries, and their order of rows.
 */

const dialect = { product: 'cockroachdb', version: 26.02 } as const;
const schema = targetSchemaName('shop.public', { dialect, database: 'defaultdb', schemas: ['public'] });

function column(table: string, position: number, name: string, type: string, more: Partial<ColumnRow> = {}): ColumnRow {
  return {
    table,
    position: String(position),
    name,
    type: '0',
    type_text: type,
    generated: 'NO',
    identity_always: 'false',
    hidden: 'NO',
    has_default: 'false',
    nullable: 'YES',
    ...more,
  };
}

function key(table: string, index: string, names: string[], primary: boolean, implicit: string[] = []): KeyRow[] {
  return names.map((name) => ({
    table,
    index,
    column: name,
    primary: String(primary),
    implicit: implicit.includes(name) ? 'YES' : 'NO',
  }));
}

function userType(oid: string, name: string, kind: string, element?: [string, string]): TypeRow {
  return {
    oid,
    schema: 'public',
    name,
    kind,
    category: element === undefined ? 'E' : 'A',
    delimiter: ',',
    has_array: 'true',
    base: '0',
    not_null: 'false',
    has_default: 'false',
    element_schema: element === undefined ? null : 'public',
    element_name: element?.[0] ?? null,
    element_kind: element?.[1] ?? null,
  };
}

function build(rows: Partial<CatalogueRows>) {
  const tables = [...new Set((rows.columns ?? []).map((row) => row.table))];
  return buildCatalogue(
    {
      tables: tables.map((table) => ({ table, triggers: 'f' })),
      columns: [],
      types: [],
      keys: [],
      foreignKeys: [],
      ...rows,
    },
    dialect,
    schema,
  );
}

describe('the catalogue of CockroachDB', () => {
  test('a table without primary key: its hidden rowid is no key', () => {
    const table = build({
      columns: [
        column('logs', 1, 'line', 'STRING'),
        column('logs', 2, 'rowid', 'INT8', { hidden: 'YES', has_default: 'true', nullable: 'NO' }),
      ],
      keys: key('logs', 'logs_pkey', ['rowid'], true),
    }).find('logs');
    assert.deepEqual(table?.primaryKey, []);
    assert.deepEqual(table?.uniqueKeys, []);
    assert.equal(table?.columns[1].hidden, true);
    assert.equal(table?.qualified, '"shop"."public"."logs"');
  });

  test('a hash-sharded primary key is known by its logical columns, whether or not the shard is called implicit', () => {
    for (const implicit of [['crdb_internal_id_shard_16'], []]) {
      const table = build({
        columns: [
          column('events', 1, 'crdb_internal_id_shard_16', 'INT8', {
            hidden: 'YES',
            generated: 'ALWAYS',
            nullable: 'NO',
          }),
          column('events', 2, 'id', 'INT8', { nullable: 'NO' }),
        ],
        keys: key('events', 'events_pkey', ['crdb_internal_id_shard_16', 'id'], true, implicit),
      }).find('events');
      assert.deepEqual(table?.primaryKey, ['id']);
      assert.equal(table?.columns[0].generated, true);
    }
  });

  test('a REGIONAL BY ROW table: crdb_region leads the indexes and belongs to no key', () => {
    const table = build({
      columns: [
        column('users', 1, 'id', 'UUID', { nullable: 'NO' }),
        column('users', 2, 'email', 'STRING'),
        column('users', 3, 'crdb_region', 'public.crdb_internal_region', {
          type: '100108',
          hidden: 'YES',
          has_default: 'true',
          nullable: 'NO',
        }),
      ],
      types: [userType('100108', 'crdb_internal_region', 'e')],
      keys: [
        ...key('users', 'users_pkey', ['crdb_region', 'id'], true, ['crdb_region']),
        ...key('users', 'users_email_key', ['crdb_region', 'email', 'id'], false, ['crdb_region', 'id']),
      ],
    }).find('users');
    assert.deepEqual(table?.primaryKey, ['id']);
    assert.deepEqual(table?.uniqueKeys, [['email']]);
  });

  test('an index over an expression has a hidden column and cannot be named by ON CONFLICT', () => {
    const table = build({
      columns: [
        column('users', 1, 'id', 'INT8'),
        column('users', 2, 'crdb_internal_idx_expr', 'STRING', { hidden: 'YES', generated: 'ALWAYS' }),
      ],
      keys: [
        ...key('users', 'users_pkey', ['id'], true),
        ...key('users', 'users_expr_key', ['crdb_internal_idx_expr', 'id'], false, ['id']),
      ],
    }).find('users');
    assert.deepEqual(table?.uniqueKeys, []);
  });

  test('computed columns are told as YES by some versions and as ALWAYS by others; identity', () => {
    const table = build({
      columns: [
        column('t', 1, 'stored', 'INT8', { generated: 'YES' }),
        column('t', 2, 'virtual', 'INT8', { generated: 'ALWAYS' }),
        column('t', 3, 'plain', 'INT8', { generated: 'NEVER' }),
        column('t', 4, 'id', 'INT8', { identity_always: 'true', has_default: 'true', nullable: 'NO' }),
      ],
    }).find('t');
    assert.deepEqual(
      table?.columns.map((c) => [c.name, c.generated, c.identityAlways]),
      [
        ['stored', true, false],
        ['virtual', true, false],
        ['plain', false, false],
        ['id', false, true],
      ],
    );
  });

  test('casts carry no length: CHAR and BIT alone would mean length one', () => {
    const expected: [string, string, boolean, boolean][] = [
      ['INT8', 'INT8', true, true],
      ['DECIMAL(10,2)', 'DECIMAL', true, true],
      ['VARCHAR(20)', 'VARCHAR', true, false],
      ['STRING', 'STRING', true, false],
      ['CHAR', 'STRING', true, false],
      ['CHAR(5)', 'STRING', true, false],
      ['BIT(3)', 'VARBIT', false, false],
      ['BIT', 'VARBIT', false, false],
      ['VARBIT(5)', 'VARBIT', false, false],
      ['"char"', '"char"', false, false],
      ['TIMESTAMPTZ(3)', 'TIMESTAMPTZ', true, false],
      ['JSONB', 'JSONB', false, false],
      ['BYTES', 'BYTES', false, false],
      ['UUID', 'UUID', true, true],
      ['BOOL', 'BOOL', true, true],
      ['INT8[]', 'INT8[]', false, false],
      ['VARCHAR(10)[]', 'VARCHAR[]', false, false],
      ['CHAR(3)[]', 'STRING[]', false, false],
      ['STRING COLLATE de', 'STRING COLLATE de', false, false],
      ['VARCHAR(9) COLLATE en_u_ks_level2', 'VARCHAR COLLATE en_u_ks_level2', false, false],
      ['GEOMETRY(POINT,4326)', 'GEOMETRY', false, false],
      ['VECTOR(3)', 'VECTOR', false, false],
    ];
    const table = build({ columns: expected.map(([type], i) => column('t', i + 1, `c${i}`, type)) }).find('t');
    assert.deepEqual(
      table?.columns.map((c) => [c.typeName, c.castType, c.arrayBindable, c.unquoted]),
      expected,
    );
  });

  test('what a column takes is told in words that sources know', () => {
    const types = [
      'INT8',
      'DECIMAL(10,2)',
      'VARCHAR(20)',
      'CHAR',
      'VARBIT(5)',
      '"char"',
      'TIMESTAMPTZ(3)',
      'JSONB',
      'BYTES',
    ];
    types.push('UUID[]', 'STRING COLLATE de', 'GEOMETRY(POINT,4326)', 'VECTOR(3)', 'TIME(6)', 'TSVECTOR');
    const table = build({ columns: types.map((type, i) => column('t', i + 1, `c${i}`, type)) }).find('t');
    assert.deepEqual(
      table?.columns.map(({ kind, array }) => `${kind}${array ? '[]' : ''}`).join(' '),
      'int decimal string string bit string timestamptz json bytes uuid[] string geometry vector time other',
    );
  });

  test('enums, composites and arrays of them go by three-part names', () => {
    const table = build({
      columns: [
        column('t', 1, 'a', 'public.mood', { type: '100110' }),
        column('t', 2, 'b', 'public.mood[]', { type: '100111' }),
        column('t', 3, 'c', 'public."Odd"', { type: '100112' }),
      ],
      types: [
        userType('100110', 'mood', 'e'),
        userType('100111', '_mood', 'b', ['mood', 'e']),
        userType('100112', 'Odd', 'c'),
      ],
    }).find('t');
    assert.deepEqual(
      table?.columns.map((c) => c.castType),
      ['"shop"."public"."mood"', '"shop"."public"."mood"[]', '"shop"."public"."Odd"'],
    );
    assert.ok(table?.columns.every((c) => !c.arrayBindable));
    assert.deepEqual(
      table?.columns.map(({ kind, array }) => `${kind}${array ? '[]' : ''}`),
      ['enum', 'enum[]', 'other'],
    );
  });

  test('foreign keys name columns by position', () => {
    const foreignKey: ForeignKeyRow = {
      name: 'fk',
      table: 'child',
      referenced: 'parent',
      columns: '{3,1}',
      referenced_columns: '{2,4}',
      on_delete: 'c',
      on_update: 'a',
      deferrable: 'false',
    };
    const table = build({
      columns: [
        column('parent', 2, 'x', 'INT8'),
        column('parent', 4, 'y', 'INT8'),
        column('child', 1, 'py', 'INT8'),
        column('child', 3, 'px', 'INT8'),
      ],
      foreignKeys: [foreignKey],
    }).find('child');
    assert.deepEqual(table?.foreignKeys[0].columns, ['px', 'py']);
    assert.deepEqual(table?.foreignKeys[0].referencedColumns, ['x', 'y']);
    assert.equal(table?.foreignKeys[0].onDelete, 'cascade');
  });
});

test('the queries read the database that was meant, cast what they bind and stay out of crdb_internal', () => {
  for (const sql of Object.values(catalogueQueries('cockroachdb', 'my"db'))) {
    assert.doesNotMatch(sql, /crdb_internal\./);
    assert.doesNotMatch(sql, /\$1(?!::STRING)/);
    assert.match(sql, /(FROM|JOIN) "my""db"\./);
    assert.doesNotMatch(sql, /(FROM|JOIN) (?!"my""db"\.)/);
  }
});

test('a failing query ends the transaction', async () => {
  const sent: string[] = [];
  const query = async (text: string) => {
    sent.push(text);
    if (text.includes('FROM')) throw new Error('refused');
    return { rows: [] };
  };
  await assert.rejects(readCatalogueRows({ query } as unknown as Queryable, 'cockroachdb', schema), /refused/);
  assert.equal(sent.at(-1), 'ROLLBACK');
});
