import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BinlogColumn, ColumnType } from '../../../../src/sources/mysql/values/column.ts';
import { sourceTypeText } from '../../../../src/sources/mysql/values/source-type.ts';
import { proposeType } from '../../../../src/target/proposed-types.ts';
import { column } from './decode.ts';

const TYPES: readonly [of: BinlogColumn, postgres: string, cockroach: string][] = [
  [column(ColumnType.tiny, { declared: 'tinyint(1)' }), 'smallint', 'INT2'],
  [column(ColumnType.short), 'smallint', 'INT2'],
  [column(ColumnType.short, { unsigned: true }), 'integer', 'INT4'],
  [column(ColumnType.int24, { unsigned: true }), 'integer', 'INT4'],
  [column(ColumnType.long), 'integer', 'INT4'],
  [column(ColumnType.long, { unsigned: true }), 'bigint', 'INT8'],
  [column(ColumnType.longlong), 'bigint', 'INT8'],
  [column(ColumnType.longlong, { unsigned: true }), 'numeric(20,0)', 'DECIMAL(20,0)'],
  [column(ColumnType.float), 'real', 'FLOAT4'],
  [column(ColumnType.double), 'double precision', 'FLOAT8'],
  [column(ColumnType.newdecimal, { meta: (12 << 8) | 2 }), 'numeric(12,2)', 'DECIMAL(12,2)'],
  [column(ColumnType.bit, { meta: 13 }), 'bit(13)', 'BIT(13)'],
  [column(ColumnType.year), 'smallint', 'INT2'],
  [column(ColumnType.date), 'date', 'DATE'],
  [column(ColumnType.datetime2, { meta: 6 }), 'timestamp(6) without time zone', 'TIMESTAMP(6)'],
  [column(ColumnType.timestamp2, { meta: 0 }), 'timestamp(0) with time zone', 'TIMESTAMPTZ(0)'],
  [column(ColumnType.datetime), 'timestamp without time zone', 'TIMESTAMP'],
  [column(ColumnType.time2, { meta: 3 }), 'interval', 'INTERVAL'],
  [column(ColumnType.varchar, { meta: 80, charset: 'utf8mb4' }), 'character varying(20)', 'VARCHAR(20)'],
  [column(ColumnType.string, { meta: 20, charset: 'latin1' }), 'character varying(20)', 'VARCHAR(20)'],
  [column(ColumnType.blob, { meta: 2, charset: 'utf8mb4' }), 'text', 'STRING'],
  [column(ColumnType.blob, { meta: 2, charset: 'binary' }), 'bytea', 'BYTES'],
  [column(ColumnType.string, { meta: 16, charset: 'binary', declared: 'uuid' }), 'uuid', 'UUID'],
  [column(ColumnType.string, { meta: 16, charset: 'binary', declared: 'inet6' }), 'inet', 'INET'],
  [column(ColumnType.enum, { meta: 1, charset: 'utf8mb4' }), 'text', 'STRING'],
  [column(ColumnType.set, { meta: 1, charset: 'utf8mb4' }), 'text', 'STRING'],
  [column(ColumnType.json, { meta: 4 }), 'jsonb', 'JSONB'],
  [column(ColumnType.geometry, { meta: 4 }), 'geometry', 'GEOMETRY'],
  [column(ColumnType.vector, { meta: 4, declared: 'vector(3)' }), 'vector(3)', 'VECTOR(3)'],
];

test('a type is proposed that takes every value of the column', () => {
  for (const [of, postgres, cockroach] of TYPES) {
    assert.equal(sourceTypeText(of), postgres);
    assert.deepEqual(proposeType(postgres, { product: 'cockroachdb', version: 26.02 }), {
      type: cockroach,
      note: undefined,
    });
    assert.equal(proposeType(postgres, { product: 'postgresql', version: 18 }).type, postgres);
  }
});
