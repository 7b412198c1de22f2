import { FALSE, TRUE } from './booleans.ts';
import { ColumnType } from './column.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';

/** TINYINT to BIGINT: their digits; for a boolean target, whether they are not zero. */
export function integerWriter(context: ValueContext): ValueWriter {
  const { column, kind } = context;
  if (column.type === ColumnType.longlong) return kind === 'bool' ? wideBoolean(context) : wideWriter(column.unsigned);
  const read = integerReader(column.type, column.unsigned);
  return kind === 'bool' ? booleanWriter(context, read) : (input, start, _end, out) => out.integer(read(input, start));
}

/** YEAR: the year's number; as text the four digits that the server shows for the year zero. */
export function yearWriter({ kind }: ValueContext): ValueWriter {
  return (input, start, _end, out) => {
    const year = input[start];
    if (year === 0) out.ascii(kind === 'string' ? '0000' : '0');
    else out.integer(1900 + year);
  };
}

/** A number of 64 bits whose high half is signed, as digits. */
export function writeSigned(out: TupleWriter, high: number, low: number): void {
  // Within 53 bits the sum is exact.
  if (high >= -0x200000 && high < 0x200000) out.integer(high * 0x1_0000_0000 + low);
  else out.ascii(((BigInt(high) << 32n) | BigInt(low)).toString());
}

/** A number of 64 bits whose halves are both unsigned, as digits. */
export function writeUnsigned(out: TupleWriter, high: number, low: number): void {
  if (high < 0x200000) out.integer(high * 0x1_0000_0000 + low);
  else out.ascii(((BigInt(high) << 32n) | BigInt(low)).toString());
}

type IntegerReader = (input: Buffer, at: number) => number;

function integerReader(type: number, unsigned: boolean): IntegerReader {
  switch (type) {
    case ColumnType.tiny:
      return unsigned ? (input, at) => input[at] : (input, at) => (input[at] << 24) >> 24;
    case ColumnType.short:
      return unsigned
        ? (input, at) => input[at] | (input[at + 1] << 8)
        : (input, at) => ((input[at] << 16) | (input[at + 1] << 24)) >> 16;
    case ColumnType.int24:
      return unsigned
        ? (input, at) => input[at] | (input[at + 1] << 8) | (input[at + 2] << 16)
        : (input, at) => ((input[at] << 8) | (input[at + 1] << 16) | (input[at + 2] << 24)) >> 8;
    default:
      return unsigned ? (input, at) => readInt32(input, at) >>> 0 : readInt32;
  }
}

function readInt32(input: Buffer, at: number): number {
  return input[at] | (input[at + 1] << 8) | (input[at + 2] << 16) | (input[at + 3] << 24);
}

function wideWriter(unsigned: boolean): ValueWriter {
  return unsigned
    ? (input, start, _end, out) => writeUnsigned(out, readInt32(input, start + 4) >>> 0, readInt32(input, start) >>> 0)
    : (input, start, _end, out) => writeSigned(out, readInt32(input, start + 4), readInt32(input, start) >>> 0);
}

function booleanWriter({ options }: ValueContext, read: IntegerReader): ValueWriter {
  return (input, start, _end, out) => {
    const value = read(input, start);
    if (value !== 0 && value !== 1) options.onCounted?.('boolOutOfRange');
    out.ascii(value === 0 ? FALSE : TRUE);
  };
}

function wideBoolean(context: ValueContext): ValueWriter {
  // Only zero, one and "anything else" count, so the halves may be merged.
  return booleanWriter(context, (input, at) => readInt32(input, at) | (readInt32(input, at + 4) === 0 ? 0 : 2));
}
