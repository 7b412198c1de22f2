import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceColumn, SourceTable } from '../../../src/changes/table.ts';
import { OperatorError } from '../../../src/errors.ts';
import { Catalogue, type TargetColumn, type TargetTable } from '../../../src/target/catalogue.ts';
import type { Dialect } from '../../../src/target/dialect.ts';
import { checkTable, checkTables } from '../../../src/target/drift.ts';
import { targetSchemaName } from '../../../src/target/identifiers.ts';
import { proposeType } from '../../../src/target/proposed-types.ts';

const postgres: Dialect = { product: 'postgresql', version: 18.01 };
const cockroach: Dialect = { product: 'cockroachdb', version: 26.02 };

const inPostgres = targetSchemaName('shop.public', { dialect: postgres, database: 'shop', schemas: ['public'] });
const inCockroach = targetSchemaName('shop.public', { dialect: cockroach, database: 'shop', schemas: ['public'] });

function source(columns: readonly SourceColumn[], more: Partial<SourceTable> = {}): SourceTable {
  return { schema: 'public', name: 'orders', identity: 'key', columns, ...more };
}

function id(name = 'id'): SourceColumn {
  return { name, identity: true, type: 'bigint' };
}

function plain(name: string, type?: string): SourceColumn {
  return { name, identity: false, type };
}

function column(name: string, more: Partial<TargetColumn> = {}): TargetColumn {
  return {
    name,
    castType: 'pg_catalog."text"',
    arrayBindable: true,
    unquoted: false,
    kind: 'other',
    array: false,
    typeName: 'text',
    generated: false,
    identityAlways: false,
    hidden: false,
    hasDefault: false,
    nullable: true,
    ...more,
  };
}

function target(columns: readonly TargetColumn[], more: Partial<TargetTable> = {}): Catalogue {
  return new Catalogue([
    {
      name: 'orders',
      qualified: '"public"."orders"',
      columns,
      primaryKey: ['id'],
      uniqueKeys: [],
      foreignKeys: [],
      triggers: false,
      ...more,
    },
  ]);
}

function drift(table: SourceTable, catalogue: Catalogue, dialect = postgres): OperatorError {
  const schema = dialect === postgres ? inPostgres : inCockroach;
  try {
    checkTable(table, catalogue, schema, dialect);
  } catch (error) {
    assert.ok(error instanceof OperatorError);
    assert.equal(error.code, 'TARGET_SCHEMA_DRIFT');
    assert.match(error.message, /^schema drift detected in "shop"\."public"\."/);
    return error;
  }
  assert.fail('no drift was found');
}

test('a table that fits is returned, also when only the case of names differs or the target has more', () => {
  const catalogue = target([
    column('id'),
    column('Note'),
    column('extra'),
    column('stamp', { nullable: false, hasDefault: true }),
  ]);
  assert.equal(checkTable(source([id('ID'), plain('note')]), catalogue, inPostgres, postgres).name, 'orders');
});

test('a missing table: the DDL has all columns, types and the key', () => {
  const error = drift(source([id(), id('at "x"'), plain('note', 'character varying(20)')]), new Catalogue([]));
  assert.equal(
    error.fix,
    'CREATE TABLE "public"."orders" (\n  "id" bigint,\n  "at ""x""" bigint,\n  "note" character varying(20),\n' +
      '  PRIMARY KEY ("id", "at ""x""")\n);',
  );
});

test('a missing table without replica identity gets no key that the source does not have', () => {
  const error = drift(source([id()], { identity: 'full' }), new Catalogue([]), cockroach);
  assert.equal(error.fix, 'CREATE TABLE "shop"."public"."orders" (\n  "id" INT8\n);');
});

test('missing columns are named and added with the type of the source', () => {
  const error = drift(source([id(), plain('a', 'jsonb'), plain('b', 'mood'), plain('c')]), target([column('id')]));
  assert.match(error.message, /unexpected columns: a, b, c \(/);
  assert.equal(
    error.fix,
    [
      '-- "b": the type mood must exist on the target first',
      '-- "c": the source does not tell the type; text takes every value',
      'ALTER TABLE "public"."orders" ADD COLUMN "a" jsonb;',
      'ALTER TABLE "public"."orders" ADD COLUMN "b" mood;',
      'ALTER TABLE "public"."orders" ADD COLUMN "c" text;',
    ].join('\n'),
  );
});

test('two source columns are never written to one target column', () => {
  const error = drift(source([id(), plain('note'), plain('NOTE')]), target([column('id'), column('note')]));
  assert.match(error.message, /unexpected columns: NOTE/);
});

test('columns that the target demands and the source lacks', () => {
  const strict = { nullable: false };
  const error = drift(
    source([id()]),
    target([
      column('id', strict),
      column('must', strict),
      column('given', { ...strict, hasDefault: true }),
      column('computed', { ...strict, generated: true }),
    ]),
  );
  assert.match(error.message, /not in the source: must\./);
  assert.equal(error.fix, 'ALTER TABLE "public"."orders" ALTER COLUMN "must" DROP NOT NULL;');
});

test('a computed column that the source sends is no drift: the target computes it', () => {
  checkTable(
    source([id(), plain('c')]),
    target([column('id'), column('c', { generated: true })]),
    inPostgres,
    postgres,
  );
});

test('identity ALWAYS: written with OVERRIDING on PostgreSQL, impossible on CockroachDB', () => {
  const catalogue = target([column('id', { identityAlways: true, nullable: false, hasDefault: true })]);
  checkTable(source([id()]), catalogue, inPostgres, postgres);
  const error = drift(source([id()]), catalogue, cockroach);
  assert.match(error.fix ?? '', /ALTER COLUMN "id" SET GENERATED BY DEFAULT;/);
});

test('the key of the source must be unique on the target, in whatever order', () => {
  const columns = [column('id'), column('line'), column('note')];
  const two = source([id(), id('line'), plain('note')]);
  const check = (more: Partial<TargetTable>) => checkTable(two, target(columns, more), inPostgres, postgres);
  check({ primaryKey: ['line', 'id'] });
  check({ primaryKey: ['note'], uniqueKeys: [['id', 'line']] });
  for (const more of [{ primaryKey: ['id'] }, { primaryKey: ['id', 'line', 'note'] }, { primaryKey: [] }]) {
    const error = drift(two, target(columns, more));
    assert.equal(error.fix, 'CREATE UNIQUE INDEX ON "public"."orders" ("id", "line");');
  }
});

test('defect 7: a table without key needs none on the target either', () => {
  const columns = [column('id'), column('note')];
  for (const identity of ['full', 'nothing'] as const) {
    checkTable(source([id(), plain('note')], { identity }), target(columns, { primaryKey: [] }), inPostgres, postgres);
  }
});

test('one error tells of all tables', () => {
  const second = source([id()], { name: 'customers' });
  assert.throws(
    () => checkTables([source([id(), plain('a', 'text')]), second], target([column('id')]), inPostgres, postgres),
    (error) =>
      error instanceof OperatorError &&
      /"orders": unexpected columns: a.*"customers": the table does not exist/.test(error.message) &&
      /ADD COLUMN "a" text;\nCREATE TABLE "public"."customers"/.test(error.fix ?? ''),
  );
});

test('types on CockroachDB: the one with the same OID, else STRING with a note', () => {
  const expected: Record<string, string> = {
    integer: 'INT4',
    bigint: 'INT8',
    'numeric(10,2)': 'DECIMAL(10,2)',
    'numeric(3,-2)': 'DECIMAL',
    'character varying(20)': 'VARCHAR(20)',
    'character(5)': 'CHAR(5)',
    'timestamp(3) with time zone': 'TIMESTAMPTZ(3)',
    'timestamp without time zone': 'TIMESTAMP',
    'time(0) without time zone': 'TIME(0)',
    'interval day to second': 'INTERVAL',
    'interval(3)': 'INTERVAL(3)',
    'bit varying(7)': 'VARBIT(7)',
    json: 'JSONB',
    'integer[]': 'INT4[]',
    'character varying(9)[]': 'VARCHAR(9)[]',
  };
  for (const [type, wanted] of Object.entries(expected)) {
    assert.deepEqual(proposeType(type, cockroach), { type: wanted, note: undefined }, type);
  }
  for (const type of ['money', 'int4range', 'mood', 'shop.mood[]', '"odd""(type"']) {
    const proposed = proposeType(type, cockroach);
    assert.equal(proposed.type, 'STRING', type);
    assert.match(proposed.note ?? '', /no counterpart/);
  }
});

test('types of extensions are built in on CockroachDB; for PostgreSQL the extension is named', () => {
  for (const [type, cockroachType, extension] of [
    ['geometry', 'GEOMETRY', 'postgis'],
    ['geography', 'GEOGRAPHY', 'postgis'],
    ['vector(3)', 'VECTOR(3)', 'vector'],
  ]) {
    assert.deepEqual(proposeType(type, cockroach), { type: cockroachType, note: undefined });
    const proposed = proposeType(type, postgres);
    assert.equal(proposed.type, type);
    assert.match(proposed.note ?? '', new RegExp(`CREATE EXTENSION ${extension} `));
  }
});
