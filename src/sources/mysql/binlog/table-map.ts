import type { Flavour } from '../flavour.ts';
import { ColumnType } from '../values/column.ts';
import type { EventBytes } from './event-bytes.ts';

/** A column as a TABLE_MAP event describes it; what is undefined is not in the event. */
export interface LoggedColumn {
  readonly type: number;
  readonly meta: number;
  readonly nullable: boolean;
  name: string | undefined;
  unsigned: boolean | undefined;
  /** Number of the collation, of columns that have one. */
  collation: number | undefined;
  /** Of ENUM and SET: the members' bytes, in the column's charset. */
  members: readonly Buffer[] | undefined;
  /** Dimensions of a MySQL VECTOR. */
  dimensions: number | undefined;
}

/** What a TABLE_MAP event says of its table. */
export interface TableMap {
  readonly database: string;
  readonly name: string;
  readonly columns: readonly LoggedColumn[];
  /** Positions of the columns by which rows are told; empty where the event names none. */
  readonly key: readonly number[];
  /** The event was written with binlog_row_metadata = FULL, so that a missing key means that there is none. */
  readonly full: boolean;
  /** The first column is a primary key that the server made because the table had none. */
  readonly generatedKey: boolean;
}

const GENERATED_KEY = 0x04;
/** Columns that a table can have at most: far more than any server allows, and far less than memory. */
const MOST_COLUMNS = 16_384;

/** Kinds of optional metadata. */
const Metadata = {
  signedness: 1,
  defaultCharset: 2,
  columnCharset: 3,
  columnName: 4,
  setValues: 5,
  enumValues: 6,
  simpleKey: 8,
  keyWithPrefix: 9,
  memberDefaultCharset: 10,
  memberCharset: 11,
  vectorDimensions: 13,
} as const;

const NUMERIC = new Set<number>([
  ColumnType.tiny,
  ColumnType.short,
  ColumnType.int24,
  ColumnType.long,
  ColumnType.longlong,
  ColumnType.float,
  ColumnType.double,
  ColumnType.newdecimal,
  ColumnType.year,
]);

const TEXT = new Set<number>([
  ColumnType.string,
  ColumnType.varchar,
  ColumnType.varString,
  ColumnType.tinyBlob,
  ColumnType.mediumBlob,
  ColumnType.longBlob,
  ColumnType.blob,
]);

/** Types that count as text for the charsets of one product alone. */
const TEXT_OF: Readonly<Record<Flavour, ReadonlySet<number>>> = {
  mysql: new Set([ColumnType.vector]),
  mariadb: new Set([ColumnType.geometry, ColumnType.blobCompressed, ColumnType.varcharCompressed]),
};

/**
 * Reads a TABLE_MAP event from its flags on, which stand behind the table's number. Raises OperatorError MYSQL_PROTOCOL.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html
 */
export function readTableMap(bytes: EventBytes, flavour: Flavour): TableMap {
  const flags = bytes.uint16();
  const database = bytes.text(bytes.uint8());
  bytes.skip(1);
  const name = bytes.text(bytes.uint8());
  bytes.skip(1);
  const columns = readColumns(bytes);
  let key: readonly number[] = [];
  while (bytes.left > 0) {
    const kind = bytes.uint8();
    const length = bytes.length();
    const end = bytes.skip(length) + length;
    key = readMetadata(kind, bytes.within(end - length, end), columns, flavour) ?? key;
  }
  const full = columns.length > 0 && columns[0].name !== undefined;
  return { database, name, columns, key, full, generatedKey: (flags & GENERATED_KEY) !== 0 };
}

function readColumns(bytes: EventBytes): LoggedColumn[] {
  const count = bytes.length();
  if (count > MOST_COLUMNS) throw bytes.malformed(`a table of ${count} columns`);
  const types = bytes.skip(count);
  const metaLength = bytes.length();
  const metaEnd = bytes.skip(metaLength) + metaLength;
  const metas = bytes.within(metaEnd - metaLength, metaEnd);
  const nullable = bytes.skip((count + 7) >>> 3);
  return Array.from({ length: count }, (_, i) => ({
    ...readType(metas, bytes.buffer[types + i]),
    nullable: (bytes.buffer[nullable + (i >>> 3)] & (1 << (i & 7))) !== 0,
    name: undefined,
    unsigned: undefined,
    collation: undefined,
    members: undefined,
    dimensions: undefined,
  }));
}

/** A type with its metadata in the form of `BinlogColumn`. */
function readType(metas: EventBytes, type: number): { type: number; meta: number } {
  switch (type) {
    case ColumnType.float:
    case ColumnType.double:
    case ColumnType.tinyBlob:
    case ColumnType.mediumBlob:
    case ColumnType.longBlob:
    case ColumnType.blob:
    case ColumnType.blobCompressed:
    case ColumnType.json:
    case ColumnType.geometry:
    case ColumnType.vector:
    case ColumnType.timestamp2:
    case ColumnType.datetime2:
    case ColumnType.time2:
      return { type, meta: metas.uint8() };
    case ColumnType.newdecimal: {
      const precision = metas.uint8();
      return { type, meta: (precision << 8) | metas.uint8() };
    }
    case ColumnType.bit: {
      const odd = metas.uint8();
      return { type, meta: metas.uint8() * 8 + odd };
    }
    case ColumnType.varchar:
    case ColumnType.varString:
    case ColumnType.varcharCompressed:
      return { type, meta: metas.uint16() };
    case ColumnType.enum:
    case ColumnType.set:
    case ColumnType.string:
      return readStringType(metas);
    default:
      return { type, meta: 0 };
  }
}

/** CHAR, BINARY, ENUM and SET share a type: two bytes tell them apart and hold lengths of up to 1023, in a code of their own. */
function readStringType(metas: EventBytes): { type: number; meta: number } {
  const first = metas.uint8();
  const second = metas.uint8();
  if ((first & 0x30) === 0x30) return { type: first, meta: second };
  return { type: first | 0x30, meta: second | (((first & 0x30) ^ 0x30) << 4) };
}

/** Adds one kind of metadata to the columns; returns the key's columns when it tells them. Unknown kinds are passed over. */
function readMetadata(
  kind: number,
  field: EventBytes,
  columns: readonly LoggedColumn[],
  flavour: Flavour,
): number[] | undefined {
  switch (kind) {
    case Metadata.signedness:
      readSignedness(
        field,
        columns.filter(({ type }) => NUMERIC.has(type)),
      );
      break;
    case Metadata.defaultCharset:
      readDefaultCharset(field, textColumns(columns, flavour));
      break;
    case Metadata.columnCharset:
      for (const column of textColumns(columns, flavour)) column.collation = field.length();
      break;
    case Metadata.memberDefaultCharset:
      readDefaultCharset(field, memberColumns(columns));
      break;
    case Metadata.memberCharset:
      for (const column of memberColumns(columns)) column.collation = field.length();
      break;
    case Metadata.columnName:
      for (const column of columns) column.name = field.text(field.length());
      break;
    case Metadata.setValues:
      readMembers(field, columns, ColumnType.set);
      break;
    case Metadata.enumValues:
      readMembers(field, columns, ColumnType.enum);
      break;
    case Metadata.simpleKey:
      return readKey(field, columns.length, false);
    case Metadata.keyWithPrefix:
      return readKey(field, columns.length, true);
    case Metadata.vectorDimensions:
      for (const column of columns) if (column.type === ColumnType.vector) column.dimensions = field.length();
      break;
  }
  return undefined;
}

function readSignedness(field: EventBytes, columns: readonly LoggedColumn[]): void {
  const at = field.skip((columns.length + 7) >>> 3);
  columns.forEach((column, i) => {
    column.unsigned = (field.buffer[at + (i >>> 3)] & (0x80 >>> (i & 7))) !== 0;
  });
}

/** One collation for all of the columns, and then those that have another. */
function readDefaultCharset(field: EventBytes, columns: readonly LoggedColumn[]): void {
  const collation = field.length();
  for (const column of columns) column.collation = collation;
  while (field.left > 0) {
    const index = field.length();
    if (index >= columns.length) throw field.malformed(`a charset for the text column ${index} of ${columns.length}`);
    columns[index].collation = field.length();
  }
}

function readMembers(field: EventBytes, columns: readonly LoggedColumn[], type: number): void {
  for (const column of columns) {
    if (column.type !== type) continue;
    const count = field.length();
    if (count > field.left) throw field.malformed(`${count} members in ${field.left} bytes`);
    column.members = Array.from({ length: count }, () => field.copy(field.length()));
  }
}

function readKey(field: EventBytes, columns: number, prefixes: boolean): number[] {
  const key: number[] = [];
  while (field.left > 0) {
    const index = field.length();
    if (index >= columns) throw field.malformed(`a key over the column ${index} of ${columns}`);
    if (prefixes) field.length();
    key.push(index);
  }
  return key;
}

function textColumns(columns: readonly LoggedColumn[], flavour: Flavour): LoggedColumn[] {
  return columns.filter(({ type }) => TEXT.has(type) || TEXT_OF[flavour].has(type));
}

function memberColumns(columns: readonly LoggedColumn[]): LoggedColumn[] {
  return columns.filter(({ type }) => type === ColumnType.enum || type === ColumnType.set);
}
