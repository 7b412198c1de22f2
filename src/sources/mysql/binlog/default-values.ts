import type { TargetColumnFacts } from '../../../changes/table.ts';
import type { Charsets } from '../charsets.ts';
import type { ColumnDefinition } from '../definitions.ts';
import { type BinlogColumn, ColumnType, type ValueOptions } from '../values/column.ts';
import { columnDecoder } from '../values/column-decoder.ts';
import { DECIMAL_BYTES, fractionBytes, valueLayout } from '../values/layout.ts';
import { TupleWriter } from '../../../changes/tuple-writer.ts';

/** Bytes of kind and length in front of a text value in a tuple. */
const VALUE_HEAD = 5;

const NUMBERS = new Set<number>([
  ColumnType.tiny,
  ColumnType.short,
  ColumnType.int24,
  ColumnType.long,
  ColumnType.longlong,
  ColumnType.float,
  ColumnType.double,
  ColumnType.newdecimal,
]);

/**
 * What a column takes that an INSERT left out of the log, as the target takes it; null for NULL, undefined when it cannot be
 * known. With binlog_row_image = MINIMAL the servers leave out the columns that the statement gave no value and whose
 * default is a constant; whatever they compute (AUTO_INCREMENT, CURRENT_TIMESTAMP, expressions, triggers) is logged.
 */
export function defaultValue(
  table: string,
  column: BinlogColumn,
  definition: ColumnDefinition | undefined,
  target: TargetColumnFacts | undefined,
  options: ValueOptions,
  charsets: Charsets,
): Buffer | null | undefined {
  if (definition?.constantDefault === null) return null;
  // Without strict mode the server fills in what is "zero" for the type of a column that may not be NULL.
  const none = definition?.nullable === false && !definition.hasDefault;
  const text = definition?.constantDefault ?? (none ? implicit(column) : undefined);
  if (text === undefined) return undefined;
  // MariaDB's addresses are bytes in the log, and text in the catalogue.
  if (/^(?:uuid|inet[46])\b/i.test(column.declared ?? ''))
    return target?.kind === 'bytes' ? undefined : Buffer.from(text);
  const encoded = encode(column, text, target);
  if (encoded === undefined) return undefined;
  const writer = new TupleWriter();
  columnDecoder(table, encoded.column, target, options, charsets)(encoded.bytes, 0, encoded.bytes.length, writer);
  return writer.length < VALUE_HEAD ? null : Buffer.from(writer.buffer.subarray(VALUE_HEAD, writer.length));
}

function implicit(column: BinlogColumn): string | undefined {
  switch (column.type) {
    case ColumnType.enum:
      return column.members?.[0];
    case ColumnType.date:
    case ColumnType.newdate:
      return '0000-00-00';
    case ColumnType.datetime2:
    case ColumnType.timestamp2:
      return '0000-00-00 00:00:00';
    case ColumnType.time2:
      return '00:00:00';
    case ColumnType.year:
      return '0000';
    case ColumnType.bit:
      return '0';
    default:
      return NUMBERS.has(column.type) ? '0' : column.charset === 'binary' ? '\\x' : '';
  }
}

/** A value in the form of the log, and the column that it is read as. */
interface Encoded {
  readonly column: BinlogColumn;
  readonly bytes: Buffer;
}

/** Undefined for types that have no constant defaults, and for texts that are none of the type. */
function encode(column: BinlogColumn, text: string, target: TargetColumnFacts | undefined): Encoded | undefined {
  const { type, meta } = column;
  if (column.charset !== undefined && column.members === undefined) return encodeText(column, text, target);
  const bytes = encodeFixed(column, text);
  if (bytes === undefined) return undefined;
  const { lengthBytes, size } = valueLayout(column.name, column);
  return lengthBytes === 0 && bytes.length === size ? { column: { ...column, type, meta }, bytes } : undefined;
}

/** Text comes from the catalogue in UTF-8, and bytes in hexadecimal. */
function encodeText(column: BinlogColumn, text: string, target: TargetColumnFacts | undefined): Encoded | undefined {
  const binary = column.charset === 'binary';
  if (binary && !/^\\x(?:[0-9a-f]{2})*$/i.test(text)) return undefined;
  const utf8 = binary || /^(?:utf8|ascii)/.test(column.charset ?? '');
  if (!utf8 && target?.kind === 'bytes' && Buffer.byteLength(text) !== text.length) return undefined;
  const value = binary ? Buffer.from(text.slice(2), 'hex') : Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  return {
    column: { ...column, type: ColumnType.blob, meta: 4, charset: binary ? 'binary' : 'utf8mb4' },
    bytes: Buffer.concat([length, value]),
  };
}

function encodeFixed(column: BinlogColumn, text: string): Buffer | undefined {
  const { type, meta, members = [] } = column;
  switch (type) {
    case ColumnType.tiny:
    case ColumnType.short:
    case ColumnType.int24:
    case ColumnType.long:
    case ColumnType.longlong:
      return /^-?\d+$/.test(text) ? littleEndian(BigInt(text), valueLayout(column.name, column).size) : undefined;
    case ColumnType.year:
      return /^\d{1,4}$/.test(text) ? littleEndian(BigInt(Math.max(Number(text) - 1900, 0)), 1) : undefined;
    case ColumnType.float:
    case ColumnType.double: {
      const bytes = Buffer.alloc(type === ColumnType.float ? 4 : 8);
      if (type === ColumnType.float) bytes.writeFloatLE(Number(text));
      else bytes.writeDoubleLE(Number(text));
      return bytes;
    }
    case ColumnType.newdecimal:
      return encodeDecimal(text, meta >>> 8, meta & 0xff);
    case ColumnType.bit:
      return /^[01]+$/.test(text) ? littleEndian(BigInt(`0b${text}`), (meta + 7) >>> 3)?.reverse() : undefined;
    case ColumnType.enum: {
      const index = text === '' ? 0 : members.indexOf(text) + 1;
      return text !== '' && index === 0 ? undefined : littleEndian(BigInt(index), meta);
    }
    case ColumnType.set: {
      const indexes = text === '' ? [] : text.split(',').map((name) => members.indexOf(name));
      if (indexes.includes(-1)) return undefined;
      return littleEndian(
        indexes.reduce((mask, index) => mask | (1n << BigInt(index)), 0n),
        meta,
      );
    }
    default:
      return encodeTime(type, meta, text);
  }
}

function littleEndian(value: bigint, bytes: number): Buffer | undefined {
  const buffer = Buffer.alloc(bytes);
  let rest = BigInt.asUintN(bytes * 8, value);
  for (let i = 0; i < bytes; i++, rest >>= 8n) buffer[i] = Number(rest & 0xffn);
  return buffer;
}

function bigEndian(value: bigint, bytes: number): Buffer {
  return (littleEndian(value, bytes) as Buffer).reverse();
}

function encodeDecimal(text: string, precision: number, scale: number): Buffer | undefined {
  const match = /^(-?)0*(\d*)(?:\.(\d*))?$/.exec(text);
  if (match === null || match[2].length > precision - scale) return undefined;
  const groups = [
    ...digitGroups(match[2].padStart(precision - scale, '0'), true),
    ...digitGroups((match[3] ?? '').slice(0, scale).padEnd(scale, '0'), false),
  ];
  const bytes = Buffer.concat(groups.map((digits) => bigEndian(BigInt(digits), DECIMAL_BYTES[digits.length])));
  const positive = match[1] === '' || bytes.every((byte) => byte === 0);
  if (!positive) for (let i = 0; i < bytes.length; i++) bytes[i] ^= 0xff;
  bytes[0] ^= 0x80;
  return bytes;
}

/** Groups of nine digits, and one of fewer at the far end from the point. */
function digitGroups(digits: string, whole: boolean): string[] {
  const odd = whole ? digits.length % 9 : 0;
  const groups = odd > 0 ? [digits.slice(0, odd)] : [];
  for (let at = odd; at < digits.length; at += 9) groups.push(digits.slice(at, at + 9));
  return groups;
}

function encodeTime(type: number, fsp: number, text: string): Buffer | undefined {
  const match = /^(?:(\d{4})-(\d\d)-(\d\d))?(?: ?(-?)(\d{1,3}):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?$/.exec(text);
  if (match === null) return undefined;
  const [year, month, day, , hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  const digits = (match[8] ?? '').padEnd(6, '0').slice(0, fsp);
  const fraction = fractionBytes(fsp);
  const hundredths = BigInt(digits.padEnd(fraction * 2, '0') || '0');
  switch (type) {
    case ColumnType.date:
    case ColumnType.newdate:
      return littleEndian(BigInt(year * 512 + month * 32 + day), 3);
    case ColumnType.datetime2: {
      const date = (BigInt(year * 13 + month) << 5n) | BigInt(day);
      const packed = (date << 17n) | BigInt((hour << 12) | (minute << 6) | second);
      return Buffer.concat([bigEndian(packed + 0x8000000000n, 5), bigEndian(hundredths, fraction)]);
    }
    case ColumnType.timestamp2: {
      const seconds = year === 0 ? 0 : Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
      return Buffer.concat([bigEndian(BigInt(seconds), 4), bigEndian(hundredths, fraction)]);
    }
    case ColumnType.time2: {
      const whole = (BigInt((hour << 12) | (minute << 6) | second) << BigInt(8 * fraction)) | hundredths;
      const zero = 0x800000n << BigInt(8 * fraction);
      return bigEndian(match[4] === '-' ? zero - whole : zero + whole, 3 + fraction);
    }
    default:
      return undefined;
  }
}
