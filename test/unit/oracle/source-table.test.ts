import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OracleColumnType } from '../../../src/sources/oracle/column-type.ts';
import { sourceTable } from '../../../src/sources/oracle/source-table.ts';
import type { OracleColumn } from '../../../src/sources/oracle/tables.ts';
import { sourceTypeText } from '../../../src/sources/oracle/values/source-type.ts';
import { Catalogue } from '../../../src/target/catalogue.ts';
import { fitTable, fixText } from '../../../src/target/drift.ts';
import type { Dialect } from '../../../src/target/dialect.ts';

const column = (name: string, type: string, more: Partial<OracleColumn> = {}): OracleColumn => ({
  name,
  type,
  length: 22,
  precision: undefined,
  scale: undefined,
  nullable: true,
  virtual: false,
  ...more,
});

test("a column's type is proposed in words that the target's DDL is made from", () => {
  const cases: readonly (readonly [Partial<OracleColumnType> & { readonly type: string }, string])[] = [
    [{ type: 'NUMBER' }, 'numeric'],
    [{ type: 'NUMBER', scale: 0 }, 'numeric(38,0)'],
    [{ type: 'NUMBER', precision: 9, scale: 0 }, 'integer'],
    [{ type: 'NUMBER', precision: 18, scale: 0 }, 'bigint'],
    [{ type: 'NUMBER', precision: 19, scale: 0 }, 'numeric(19,0)'],
    [{ type: 'NUMBER', precision: 10, scale: 2 }, 'numeric(10,2)'],
    [{ type: 'NUMBER', precision: 3, scale: 5 }, 'numeric(5,5)'],
    [{ type: 'NUMBER', precision: 5, scale: -2 }, 'integer'],
    [{ type: 'VARCHAR2', length: 100 }, 'character varying(100)'],
    [{ type: 'VARCHAR2', length: 32_767 }, 'text'],
    [{ type: 'CHAR', length: 3 }, 'character(3)'],
    [{ type: 'DATE' }, 'timestamp(0) without time zone'],
    [{ type: 'TIMESTAMP(3)' }, 'timestamp(3) without time zone'],
    [{ type: 'TIMESTAMP(9) WITH TIME ZONE' }, 'timestamp with time zone'],
    [{ type: 'TIMESTAMP(6) WITH LOCAL TIME ZONE' }, 'timestamp with time zone'],
    [{ type: 'INTERVAL DAY(2) TO SECOND(6)' }, 'interval'],
    [{ type: 'RAW', length: 16 }, 'uuid'],
    [{ type: 'RAW', length: 20 }, 'bytea'],
    [{ type: 'CLOB' }, 'text'],
  ];
  for (const [more, expected] of cases) assert.equal(sourceTypeText(column('C', more.type, more)), expected, more.type);
});

test('a table that the target lacks is proposed with plain names in lower case, and without what redo does not tell', () => {
  const source = sourceTable({
    owner: 'APP',
    name: 'ORDERS',
    objectIds: ['1'],
    uniqueKeys: 0,
    columns: [
      column('ID', 'NUMBER', { precision: 10, scale: 0, nullable: false }),
      column('Mixed', 'VARCHAR2', { length: 20 }),
      column('TOTAL', 'NUMBER', { virtual: true }),
      column('DOC', 'XMLTYPE'),
    ],
    key: ['ID'],
    rows: 0,
    problem: undefined,
  });
  const schema = { raw: 'shop.public', text: 'shop.public', database: 'shop', schema: 'public', sql: '"public"' };
  const ddl = (product: Dialect['product']) =>
    fitTable(source, new Catalogue([]), schema, { product } as Dialect)
      .findings.map(fixText)
      .join();
  assert.match(
    ddl('postgresql'),
    /\."?orders"? \(\n {2}"id" bigint,\n {2}"Mixed" character varying\(20\),\n {2}PRIMARY KEY \("id"\)/,
  );
  assert.match(ddl('cockroachdb'), /"id" INT8,\n {2}"Mixed" VARCHAR\(20\)/);
});
