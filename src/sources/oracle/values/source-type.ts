import type { OracleColumnType } from '../column-type.ts';

/** The longest VARCHAR2 of a server that has not made them longer; a longer column is a text. */
const LONGEST_VARCHAR = 4000;

/**
 * The column's type in PostgreSQL's words, as DDL proposals take it: the narrowest type that takes every value of the column. So a
 * DATE, which has a time of day, is a timestamp, and a NUMBER of unknown size a decimal.
 */
export function sourceTypeText({ type, length, precision, scale }: OracleColumnType): string {
  switch (type) {
    case 'NUMBER':
      return numberText(precision, scale);
    case 'FLOAT':
      return 'numeric';
    case 'BINARY_FLOAT':
      return 'real';
    case 'BINARY_DOUBLE':
      return 'double precision';
    case 'VARCHAR2':
    case 'NVARCHAR2':
      return length <= LONGEST_VARCHAR ? `character varying(${length})` : 'text';
    case 'CHAR':
    case 'NCHAR':
      return `character(${length})`;
    case 'DATE':
      return 'timestamp(0) without time zone';
    case 'RAW':
      return length === 16 ? 'uuid' : 'bytea';
    case 'BLOB':
    case 'LONG RAW':
      return 'bytea';
    case 'BOOLEAN':
      return 'boolean';
    default:
      if (type.startsWith('INTERVAL')) return 'interval';
      if (!type.startsWith('TIMESTAMP')) return 'text';
      return `timestamp${fraction(type)} ${type.includes('TIME ZONE') ? 'with' : 'without'} time zone`;
  }
}

function numberText(precision: number | undefined, scale: number | undefined): string {
  if (precision === undefined) return scale === 0 ? 'numeric(38,0)' : 'numeric';
  const decimals = scale ?? 0;
  // A negative scale stands for zeros behind the digits.
  const digits = decimals < 0 ? precision - decimals : precision;
  if (decimals <= 0 && digits <= 18) return digits <= 9 ? 'integer' : 'bigint';
  return `numeric(${Math.max(digits, decimals)},${Math.max(decimals, 0)})`;
}

/** Targets keep microseconds. */
function fraction(type: string): string {
  const digits = Number(/\((\d)\)/.exec(type)?.[1] ?? 6);
  return digits < 6 ? `(${digits})` : '';
}
