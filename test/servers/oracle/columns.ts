import type { AnswerColumn, AnswerValue, BindValue } from './answer.ts';
import { readBinary, readDate, readNumber, writeDate, writeNumber } from './scalars.ts';
import type { Reader, Writer } from './wire.ts';

/** Numbers of types on the wire. */
const VARCHAR = 1;
const NUMBER = 2;
const BINARY_INTEGER = 3;
const LONG = 8;
const DATE = 12;
const RAW = 23;
const LONG_RAW = 24;
const CHAR = 96;
const BINARY_FLOAT = 100;
const BINARY_DOUBLE = 101;
const CLOB = 112;
const TIMESTAMP = 180;
const TIMESTAMP_TZ = 181;
const TIMESTAMP_LTZ = 231;

const UTF8 = 873;
const NATIONAL = 2;

/** MAX_STRING_SIZE = STANDARD: what is wider than this is sent and read as LONG is. */
const WIDEST = 4000;

const TYPES = {
  VARCHAR2: { code: VARCHAR, size: 4000, text: true },
  NUMBER: { code: NUMBER, size: 22, text: false },
  DATE: { code: DATE, size: 7, text: false },
  RAW: { code: RAW, size: 4000, text: false },
  CLOB: { code: CLOB, size: 4000, text: true },
} as const;

const sizeOf = ({ type, size }: AnswerColumn) =>
  type === 'VARCHAR2' || type === 'RAW' ? (size ?? TYPES[type].size) : TYPES[type].size;

/** The body of a DESCRIBE message. */
export function describe(w: Writer, columns: readonly AnswerColumn[], fieldVersion: number): void {
  w.bytes(Buffer.alloc(16, 1)).integers(WIDEST, columns.length).u8(0);
  for (const [at, column] of columns.entries()) {
    const { code, text } = TYPES[column.type];
    const size = sizeOf(column);
    // A NUMBER without precision has the scale -127.
    w.u8(code)
      .u8(0x80)
      .u8(0)
      .u8(column.type === 'NUMBER' ? 0x81 : 0);
    w.integers(size, 0, 0, 0, 0, text ? UTF8 : 0)
      .u8(text ? 1 : 0)
      .integer(text ? size : 0);
    if (fieldVersion >= 8) w.integer(0);
    w.u8(1).u8(column.name.length).countedText(column.name);
    w.integers(0, 0, at + 1, 0);
    if (fieldVersion >= 17) w.integers(0, 0);
    if (fieldVersion >= 20) w.integer(0);
    if (fieldVersion >= 24) w.integer(0).zeros(2);
  }
  w.integers(0, 0, 0, 0, 0, 0);
}

function writeScalar(w: Writer, code: number, value: AnswerValue): number {
  if (value === null) {
    w.u8(0);
    return 0;
  }
  if (typeof value !== 'string') {
    if (code !== RAW && code !== LONG_RAW) throw new TypeError('bytes are for a RAW only');
    w.bytes(value);
    return value.length;
  }
  if (code === RAW || code === LONG_RAW) throw new TypeError('a RAW is given as bytes');
  if (code === NUMBER || code === BINARY_INTEGER) writeNumber(w, value);
  else if (code === DATE) writeDate(w, value);
  else return w.text(value);
  return 0;
}

/** A value of a row; a TypeError when it is none of the column's. */
export function writeValue(w: Writer, column: AnswerColumn, value: AnswerValue): void {
  const size = sizeOf(column);
  const length = writeScalar(w, TYPES[column.type].code, value);
  if (length > size && column.type !== 'CLOB') {
    throw new TypeError(`a value of ${column.name} has ${length} bytes, its column ${size}`);
  }
  if (column.type === 'CLOB' || size > WIDEST) w.integers(value === null ? -1 : 0, value === null ? 1405 : 0);
}

/** How the driver declared a bind. */
export interface BindType {
  readonly code: number;
  readonly size: number;
}

/** How the driver declared binds, or the types in which it wants columns. */
export function readTypes(r: Reader, count: number, fieldVersion: number): BindType[] {
  const types: BindType[] = [];
  for (let at = 0; at < count; at++) {
    const code = r.u8();
    const array = (r.u8() & 0x40) !== 0;
    r.skip(2);
    const size = r.integer();
    r.skipIntegers(2);
    r.countedText();
    r.skipIntegers(2);
    const form = r.u8();
    r.integer();
    if (fieldVersion >= 8) r.integer();
    if (array) throw new TypeError('binds of arrays are not imitated');
    if (form === NATIONAL) throw new TypeError('binds of NVARCHAR2 are not imitated');
    types.push({ code, size });
  }
  return types;
}

function readScalar(r: Reader, code: number): BindValue {
  const bytes = r.bytes();
  if (bytes === null) return null;
  switch (code) {
    case NUMBER:
    case BINARY_INTEGER: {
      const text = readNumber(bytes);
      return /^-?\d+$/.test(text) ? BigInt(text) : text;
    }
    case DATE:
    case TIMESTAMP:
    case TIMESTAMP_TZ:
    case TIMESTAMP_LTZ:
      return readDate(bytes);
    case RAW:
    case LONG_RAW:
      return Buffer.from(bytes);
    case BINARY_DOUBLE:
    case BINARY_FLOAT:
      return readBinary(bytes);
    case VARCHAR:
    case CHAR:
    case LONG:
      return bytes.toString('utf8');
    default:
      throw new TypeError(`binds of the type ${code} are not imitated`);
  }
}

/** A row of binds. Outside of PL/SQL, those that are wider than a VARCHAR2 come after all others. */
export function readBinds(r: Reader, types: readonly BindType[], plsql: boolean): BindValue[] {
  const late = (type: BindType) => !plsql && type.size > WIDEST;
  const values = types.map((type) => (late(type) ? null : readScalar(r, type.code)));
  for (const [at, type] of types.entries()) if (late(type)) values[at] = readScalar(r, type.code);
  return values;
}

/** The value of an OUT bind. */
export function writeOut(w: Writer, { code }: BindType, value: AnswerValue): void {
  if (![VARCHAR, CHAR, LONG, NUMBER, BINARY_INTEGER, DATE, RAW, LONG_RAW].includes(code)) {
    throw new TypeError(`OUT binds of the type ${code} are not imitated`);
  }
  writeScalar(w, code, value);
  w.integer(0);
}

/** Whether the driver wants this column's text at once, and no locator of a LOB. */
export function isFetchedAsText({ code }: BindType): boolean {
  return code !== CLOB;
}
