import { type BinlogColumn, ColumnType } from './values/column.ts';

/** What a row of information_schema.COLUMNS says of a column's default. */
export interface DefaultRow {
  readonly nullable: string;
  readonly extra: string;
  /** COLUMN_DEFAULT. */
  readonly preset: string | null;
}

/** A default as far as the catalogue tells it. */
export interface CatalogueDefault {
  /** Null for NULL; undefined: the server computes it for each row, or there is none, or it has to be asked for. */
  readonly text: string | null | undefined;
  /** There is one, and it is not NULL. */
  readonly exists: boolean;
  /** It is a constant that the catalogue may print otherwise than it is: `DEFAULT(column)` tells it. */
  readonly doubtful: boolean;
}

const NONE: CatalogueDefault = { text: undefined, exists: false, doubtful: false };
const NULL: CatalogueDefault = { text: null, exists: false, doubtful: false };
const COMPUTED: CatalogueDefault = { text: undefined, exists: true, doubtful: false };
const DOUBTFUL: CatalogueDefault = { text: undefined, exists: true, doubtful: true };

/**
 * Reads a default. The catalogue has question marks for characters beyond the first 65,536 and, in MariaDB, for bytes that are
 * no text; in MySQL it ends bytes at the first zero, and has TIMESTAMPs in the time zone of whoever made the table.
 */
export function catalogueDefault({ preset, extra, nullable }: DefaultRow, column: BinlogColumn): CatalogueDefault {
  if (/\bauto_increment\b/i.test(extra)) return COMPUTED;
  if (preset === null) return nullable === 'YES' ? NULL : NONE;
  const constant = column.flavour === 'mariadb' ? mariadbConstant(preset) : mysqlConstant(preset, extra, column);
  if (constant === null) return NULL;
  if (constant === undefined) return COMPUTED;
  if (isAddress(column)) return { text: constant, exists: true, doubtful: false };
  if (column.charset === 'binary') return DOUBTFUL;
  if (column.charset !== undefined && constant.includes('?')) return DOUBTFUL;
  const zoned = column.flavour === 'mysql' && isTimestamp(column) && !constant.startsWith('0000-');
  if (zoned) return DOUBTFUL;
  const text = column.type === ColumnType.bit ? bits(constant, column.meta) : constant;
  return { text, exists: true, doubtful: false };
}

/** A default that the server was asked for: text, or hexadecimal where `isBytes`. */
export function askedDefault(answer: string | null, column: BinlogColumn): string | null {
  return answer !== null && isBytes(column) ? `\\x${answer.toLowerCase()}` : answer;
}

/** True when the column's default is to be asked for in hexadecimal. */
export function isBytes(column: BinlogColumn): boolean {
  return column.charset === 'binary';
}

/** MySQL prints constants plainly, and marks what is computed, before version 8.0 all but the current time. */
function mysqlConstant(preset: string, extra: string, { type }: BinlogColumn): string | undefined {
  const temporal = type === ColumnType.datetime2 || type === ColumnType.timestamp2;
  const computed = /\bDEFAULT_GENERATED\b/i.test(extra) || (temporal && /^CURRENT_TIMESTAMP/i.test(preset));
  return computed ? undefined : preset;
}

/** MariaDB prints SQL: a literal, or an expression. */
function mariadbConstant(preset: string): string | null | undefined {
  if (/^NULL$/i.test(preset)) return null;
  const quoted = /^'((?:[^'\\]|''|\\.)*)'$/s.exec(preset)?.[1];
  if (quoted !== undefined) return unescaped(quoted);
  return /^(?:-?\d[\d.e+-]*|[bx]'[0-9a-f]*'|0x[0-9a-f]+)$/i.test(preset) ? preset : undefined;
}

function unescaped(text: string): string {
  const special: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', 0: '\0', Z: '\x1a' };
  return text.replaceAll(/''|\\(.)/gs, (_, letter: string | undefined) =>
    letter === undefined ? "'" : (special[letter] ?? letter),
  );
}

/** All digits of `b'101'` or of a number. */
function bits(text: string, digits: number): string {
  return (/^b'([01]*)'$/i.exec(text)?.[1] ?? BigInt(text).toString(2)).padStart(digits, '0');
}

/** MariaDB's types that are bytes in the log, and text in SQL. */
function isAddress({ declared }: BinlogColumn): boolean {
  return /^(?:uuid|inet[46])\b/i.test(declared ?? '');
}

function isTimestamp({ type }: BinlogColumn): boolean {
  return type === ColumnType.timestamp2 || type === ColumnType.timestamp;
}
