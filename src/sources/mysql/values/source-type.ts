import { type BinlogColumn, ColumnType } from './column.ts';

/** The most bytes that a character takes. */
const CHARACTER_BYTES: Readonly<Record<string, number>> = {
  utf8mb4: 4,
  utf8mb3: 3,
  utf16: 4,
  utf16le: 4,
  utf32: 4,
  ucs2: 2,
  gb18030: 4,
  ujis: 3,
  eucjpms: 3,
  big5: 2,
  gb2312: 2,
  gbk: 2,
  sjis: 2,
  cp932: 2,
  euckr: 2,
};

/**
 * The column's type in PostgreSQL's words, as DDL proposals take it: the narrowest type that takes every value of the column,
 * so TINYINT(1) is a number, TIME an interval and BIGINT UNSIGNED a decimal.
 */
export function sourceTypeText(column: BinlogColumn): string {
  const { type, meta, unsigned } = column;
  switch (type) {
    case ColumnType.tiny:
    case ColumnType.year:
      return 'smallint';
    case ColumnType.short:
      return unsigned ? 'integer' : 'smallint';
    case ColumnType.int24:
      return 'integer';
    case ColumnType.long:
      return unsigned ? 'bigint' : 'integer';
    case ColumnType.longlong:
      return unsigned ? 'numeric(20,0)' : 'bigint';
    case ColumnType.float:
      return 'real';
    case ColumnType.double:
      return 'double precision';
    case ColumnType.newdecimal:
      return `numeric(${meta >>> 8},${meta & 0xff})`;
    case ColumnType.bit:
      return `bit(${meta})`;
    case ColumnType.date:
    case ColumnType.newdate:
      return 'date';
    case ColumnType.datetime:
    case ColumnType.datetime2:
      return `timestamp${fraction(column)} without time zone`;
    case ColumnType.timestamp:
    case ColumnType.timestamp2:
      return `timestamp${fraction(column)} with time zone`;
    case ColumnType.time:
    case ColumnType.time2:
      return 'interval';
    case ColumnType.json:
      return 'jsonb';
    case ColumnType.geometry:
      return 'geometry';
    case ColumnType.vector:
      return vectorType(column);
    default:
      return column.charset === 'binary' ? bytesType(column) : textType(column);
  }
}

function fraction({ type, meta }: BinlogColumn): string {
  return type === ColumnType.datetime2 || type === ColumnType.timestamp2 ? `(${meta})` : '';
}

function textType({ type, meta, charset }: BinlogColumn): string {
  const limited = type === ColumnType.string || type === ColumnType.varchar || type === ColumnType.varString;
  const characters = Math.floor(meta / (CHARACTER_BYTES[charset ?? ''] ?? 1));
  return limited && characters > 0 ? `character varying(${characters})` : 'text';
}

function bytesType(column: BinlogColumn): string {
  const name = /^\w+/.exec(column.declared ?? '')?.[0].toLowerCase();
  if (name === 'uuid') return 'uuid';
  if (name === 'inet4' || name === 'inet6') return 'inet';
  return name === 'vector' ? vectorType(column) : 'bytea';
}

function vectorType({ declared }: BinlogColumn): string {
  return `vector${/\(\d+\)/.exec(declared ?? '')?.[0] ?? ''}`;
}
