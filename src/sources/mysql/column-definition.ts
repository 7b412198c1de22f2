import type { Flavour } from './flavour.ts';
import { type BinlogColumn, ColumnType } from './values/column.ts';

/** A column as the catalogue describes it. */
export interface ColumnDefinition {
  readonly name: string;
  /** COLUMN_TYPE: `decimal(10,2) unsigned`. */
  readonly type: string;
  readonly nullable: boolean;
  readonly charset: string | undefined;
  /** What a TABLE_MAP event with full metadata would say of it, the declared type included. */
  readonly column: BinlogColumn;
  /** Part of the primary key, or of the unique key that stands in for it. */
  readonly key: boolean;
  /** Computed by the source. */
  readonly generated: boolean;
  /** Computed when it is read, so that MariaDB does not log that it changed. */
  readonly virtual: boolean;
  readonly invisible: boolean;
  /**
   * What a row gets that does not name the column, in the text that the target takes; null for NULL. Undefined: the server
   * computes it for each row, or there is none.
   */
  readonly constantDefault: string | null | undefined;
}

/** A row of information_schema.COLUMNS. */
export interface ColumnRow {
  readonly name: string;
  /** COLUMN_TYPE. */
  readonly type: string;
  readonly nullable: string;
  readonly charset: string | null;
  /** CHARACTER_OCTET_LENGTH. */
  readonly octets: string | number | null;
  readonly extra: string;
  readonly preset: string | null;
}

const TYPES: Readonly<Record<string, number>> = {
  tinyint: ColumnType.tiny,
  smallint: ColumnType.short,
  mediumint: ColumnType.int24,
  int: ColumnType.long,
  bigint: ColumnType.longlong,
  float: ColumnType.float,
  double: ColumnType.double,
  decimal: ColumnType.newdecimal,
  bit: ColumnType.bit,
  year: ColumnType.year,
  date: ColumnType.date,
  datetime: ColumnType.datetime2,
  timestamp: ColumnType.timestamp2,
  time: ColumnType.time2,
  char: ColumnType.string,
  binary: ColumnType.string,
  varchar: ColumnType.varchar,
  varbinary: ColumnType.varchar,
  tinytext: ColumnType.blob,
  tinyblob: ColumnType.blob,
  text: ColumnType.blob,
  blob: ColumnType.blob,
  mediumtext: ColumnType.blob,
  mediumblob: ColumnType.blob,
  longtext: ColumnType.blob,
  longblob: ColumnType.blob,
  json: ColumnType.json,
  enum: ColumnType.enum,
  set: ColumnType.set,
  vector: ColumnType.vector,
  uuid: ColumnType.string,
  inet4: ColumnType.string,
  inet6: ColumnType.string,
};

const GEOMETRIES = [
  ...['geometry', 'point', 'linestring', 'polygon', 'geometrycollection', 'geomcollection'],
  ...['multipoint', 'multilinestring', 'multipolygon'],
];

/** Bytes of the number that tells a value's length. */
const LENGTH_BYTES: Readonly<Record<string, number>> = {
  tinytext: 1,
  tinyblob: 1,
  text: 2,
  blob: 2,
  mediumtext: 3,
  mediumblob: 3,
  longtext: 4,
  longblob: 4,
};

/** Types of MariaDB that the binary log shows as BINARY of this many bytes. */
const FIXED_BINARY: Readonly<Record<string, number>> = { uuid: 16, inet6: 16, inet4: 4 };

/** Before MySQL 5.6, and in MariaDB tables that are left as they were then. */
const OLD_TEMPORALS: Readonly<Record<string, number>> = {
  datetime: ColumnType.datetime,
  timestamp: ColumnType.timestamp,
  time: ColumnType.time,
};

/** Reads a row of the catalogue. */
export function columnDefinition(row: ColumnRow, key: boolean, flavour: Flavour): ColumnDefinition {
  const column = columnOf(row, flavour);
  return {
    name: row.name,
    type: row.type,
    nullable: column.nullable,
    charset: column.charset,
    column,
    key,
    virtual: /\bVIRTUAL\b/i.test(row.extra),
    generated: /\b(?:VIRTUAL|STORED|PERSISTENT)(?:\s+GENERATED|\b)/i.test(row.extra),
    invisible: /\bINVISIBLE\b/i.test(row.extra),
    constantDefault: defaultOf(row, column),
  };
}

function columnOf({ name, type: declared, nullable, charset, octets }: ColumnRow, flavour: Flavour): BinlogColumn {
  const [, base, parameters = ''] = /^(\w+)(?:\s*\(((?:[^()']|'(?:[^']|'')*')*)\))?/.exec(declared) ?? ['', declared];
  const word = base.toLowerCase();
  const numbers = (parameters.match(/\d+/g) ?? []).map(Number);
  const members = word === 'enum' || word === 'set' ? memberNames(parameters) : undefined;
  const old = /mariadb-5\.3/.test(declared) ? OLD_TEMPORALS[word] : undefined;
  const compressed = /\bCOMPRESSED\b/.test(declared);
  const type = old ?? (GEOMETRIES.includes(word) ? ColumnType.geometry : (TYPES[word] ?? -1));
  const binary = /^(?:tiny|medium|long|var)?(?:blob|binary)$/.test(word) || Object.hasOwn(FIXED_BINARY, word);
  return {
    name,
    type: compressed ? compressedType(type) : flavour === 'mariadb' && word === 'vector' ? ColumnType.varchar : type,
    meta: metaOf(word, numbers, members, Number(octets ?? 0), old !== undefined),
    unsigned: /\bunsigned\b/i.test(declared) || word === 'year',
    charset: binary || word === 'vector' ? 'binary' : (charset ?? undefined),
    members,
    nullable: nullable === 'YES',
    declared,
    flavour,
  };
}

function compressedType(type: number): number {
  return type === ColumnType.blob ? ColumnType.blobCompressed : ColumnType.varcharCompressed;
}

/** The metadata that the binary log has beside the type. */
function metaOf(
  word: string,
  numbers: readonly number[],
  members: readonly string[] | undefined,
  octets: number,
  old: boolean,
): number {
  if (members !== undefined) {
    if (word === 'enum') return members.length > 255 ? 2 : 1;
    const bytes = Math.ceil(members.length / 8);
    return bytes > 4 ? 8 : bytes;
  }
  if (Object.hasOwn(FIXED_BINARY, word)) return FIXED_BINARY[word];
  if (Object.hasOwn(LENGTH_BYTES, word)) return LENGTH_BYTES[word];
  if (GEOMETRIES.includes(word)) return 4;
  switch (word) {
    case 'decimal':
      return ((numbers[0] ?? 10) << 8) | (numbers[1] ?? 0);
    case 'bit':
      return numbers[0] ?? 1;
    case 'float':
    case 'json':
      return 4;
    case 'double':
      return 8;
    case 'datetime':
    case 'timestamp':
    case 'time':
      return old ? 0 : (numbers[0] ?? 0);
    case 'char':
    case 'varchar':
    case 'binary':
    case 'varbinary':
      return octets;
    case 'vector':
      return octets > 0 ? octets : 4;
    default:
      return 0;
  }
}

/** `'a','it''s'` as names. */
function memberNames(list: string): string[] {
  return Array.from(list.matchAll(/'((?:[^']|'')*)'/g), ([, name]) => name.replaceAll("''", "'"));
}

/** Constants are printed plainly by MySQL, which marks what is computed; and as SQL by MariaDB. */
function defaultOf({ preset, extra, nullable }: ColumnRow, column: BinlogColumn): string | null | undefined {
  if (/\bauto_increment\b/i.test(extra)) return undefined;
  if (preset === null) return nullable === 'YES' ? null : undefined;
  let text = preset;
  if (column.flavour === 'mariadb') {
    if (/^NULL$/i.test(preset)) return null;
    const quoted = /^'((?:[^'\\]|''|\\.)*)'$/s.exec(preset);
    if (quoted === null && !/^(?:-?\d[\d.e+-]*|[bx]'[0-9a-f]*'|0x[0-9a-f]+)$/i.test(preset)) return undefined;
    if (quoted !== null) text = unescaped(quoted[1]);
  } else if (/\bDEFAULT_GENERATED\b/i.test(extra) || /^CURRENT_TIMESTAMP/i.test(preset)) return undefined;
  return literalText(text, column);
}

function unescaped(text: string): string {
  const special: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', 0: '\0', Z: '\x1a' };
  return text.replaceAll(/''|\\(.)/gs, (_, letter: string | undefined) =>
    letter === undefined ? "'" : (special[letter] ?? letter),
  );
}

/** In the form in which the values of the column travel. */
function literalText(text: string, { type, meta, charset }: BinlogColumn): string {
  if (type === ColumnType.bit) {
    const digits = /^b'([01]*)'$/i.exec(text)?.[1];
    return (digits ?? BigInt(text).toString(2)).padStart(meta, '0');
  }
  if (charset !== 'binary') return text;
  const hex = /^(?:0x|x')([0-9a-f]*)'?$/i.exec(text)?.[1];
  const bytes = hex?.toLowerCase() ?? Buffer.from(text).toString('hex');
  return `\\x${type === ColumnType.string ? bytes.padEnd(2 * meta, '0') : bytes}`;
}
