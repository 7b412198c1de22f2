import { catalogueDefault } from './constant-default.ts';
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
  /** Computed by the source, whether it keeps the value or not. */
  readonly generated: boolean;
  /** Computed when it is read, so that MariaDB does not log that it changed. */
  readonly virtual: boolean;
  readonly invisible: boolean;
  /** The table says what a row gets that does not name the column: something else than NULL. */
  readonly hasDefault: boolean;
  /**
   * What a row gets that does not name the column; null for NULL. As the server prints it in UTC, bytes as `\\x61`, and all
   * digits of a BIT. Undefined: the server computes it for each row, or there is none, or the catalogue does not tell it exactly.
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

const GENERATED = /\b(?:VIRTUAL|STORED|PERSISTENT)\b/i;

/** Character sets with characters beyond the first 65,536, in place of which the catalogue has a question mark. */
const WIDE = new Set(['utf8mb4', 'utf16', 'utf16le', 'utf32', 'gb18030']);

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
    generated: GENERATED.test(row.extra),
    virtual: /\bVIRTUAL\b/i.test(row.extra),
    invisible: /\bINVISIBLE\b/i.test(row.extra),
    ...(GENERATED.test(row.extra) ? NO_DEFAULT : defaultOf(row, column)),
  };
}

const NO_DEFAULT = { hasDefault: false, constantDefault: undefined };

function defaultOf(row: ColumnRow, column: BinlogColumn): Pick<ColumnDefinition, 'hasDefault' | 'constantDefault'> {
  const { text, exists } = catalogueDefault(row, column);
  return { hasDefault: exists, constantDefault: text };
}

function columnOf({ name, type: declared, nullable, charset, octets }: ColumnRow, flavour: Flavour): BinlogColumn {
  const [, base, parameters = ''] = /^(\w+)(?:\s*\(((?:[^()']|'(?:[^']|'')*')*)\))?/.exec(declared) ?? ['', declared];
  const word = base.toLowerCase();
  const numbers = (parameters.match(/\d+/g) ?? []).map(Number);
  const listed = word === 'enum' || word === 'set' ? memberNames(parameters) : undefined;
  const exact = !WIDE.has(charset ?? '') || listed?.some((member) => member.includes('?')) !== true;
  const old = /mariadb-5\.3/.test(declared) ? OLD_TEMPORALS[word] : undefined;
  const compressed = /\bCOMPRESSED\b/.test(declared);
  // A compressed VARCHAR has a byte more, which tells how it is compressed.
  const prefix = compressed && word.startsWith('var') ? 1 : 0;
  const type = old ?? (GEOMETRIES.includes(word) ? ColumnType.geometry : (TYPES[word] ?? -1));
  const binary = /^(?:tiny|medium|long|var)?(?:blob|binary)$/.test(word) || Object.hasOwn(FIXED_BINARY, word);
  return {
    name,
    type: compressed ? compressedType(type) : flavour === 'mariadb' && word === 'vector' ? ColumnType.varchar : type,
    meta: metaOf(word, numbers, listed, Number(octets ?? 0) + prefix, old !== undefined, flavour),
    unsigned: /\bunsigned\b/i.test(declared) || word === 'year',
    charset: binary || word === 'vector' ? 'binary' : (charset ?? undefined),
    members: exact ? listed : undefined,
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
  flavour: Flavour,
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
    // MySQL's is a BLOB in the log, MariaDB's a VARBINARY.
    case 'vector':
      return flavour === 'mysql' ? LENGTH_BYTES.longblob : octets;
    default:
      return 0;
  }
}

/** What the catalogue writes in place of some characters of a member, whatever the session's sql_mode says. */
const ESCAPES: Readonly<Record<string, string>> = {
  "''": "'",
  '\\\\': '\\',
  '\\n': '\n',
  '\\r': '\r',
  '\\0': '\0',
};

/** `'a','it''s','back\\slash'` as names. */
function memberNames(list: string): string[] {
  return Array.from(list.matchAll(/'((?:[^']|'')*)'/g), ([, name]) =>
    name.replace(/''|\\./g, (code) => ESCAPES[code] ?? code),
  );
}
