import { ColumnType } from './column.ts';
import { secondsOf, writeClock } from './dates.ts';
import { writeDecimal } from './decimals.ts';
import { decimalBytes } from './layout.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import { malformedValue } from './value-errors.ts';

/** The server breaks base64 into lines of 76 characters. */
const LINE_BYTES = 57;

/** A value [at, end) in a JSON document that has an SQL type which JSON does not have, as the server prints it. */
export function writeOpaque(
  where: string,
  input: Buffer,
  type: number,
  at: number,
  end: number,
  out: TupleWriter,
): void {
  switch (type) {
    case ColumnType.newdecimal:
      writeNumber(where, input, at, end, out);
      return;
    case ColumnType.date:
    case ColumnType.datetime:
    case ColumnType.timestamp:
    case ColumnType.time:
      if (end - at !== 8) throw malformedValue(where, `a JSON date of ${end - at} bytes`);
      out.writeByte(0x22);
      if (!writePacked(input, type, at, out)) throw malformedValue(where, 'a JSON date with parts that no date has');
      out.writeByte(0x22);
      return;
    default:
      out.writeAscii(`"base64:type${type}:`);
      for (let line = at; line < end; line += LINE_BYTES) {
        if (line > at) out.writeAscii('\\n');
        out.writeAscii(input.toString('base64', line, Math.min(line + LINE_BYTES, end)));
      }
      out.writeByte(0x22);
  }
}

/** A decimal is a number of JSON, with all of its digits; its precision and scale stand in front of it. */
function writeNumber(where: string, input: Buffer, at: number, end: number, out: TupleWriter): void {
  const precision = end - at >= 2 ? input[at] : 0;
  const scale = input[at + 1];
  const fits = precision > 0 && scale <= precision && decimalBytes(precision, scale) === end - at - 2;
  if (!fits || !writeDecimal(input, at + 2, precision, scale, out)) throw malformedValue(where, 'a wrong JSON decimal');
}

/**
 * Dates and times in 64 bits: 24 for microseconds, 17 or more for the time, the rest for year * 13 + month and day. Returns false
 * when there is no such time.
 */
function writePacked(input: Buffer, type: number, at: number, out: TupleWriter): boolean {
  const packed = input.readBigInt64LE(at);
  const size = packed < 0n ? -packed : packed;
  const micros = Number(size & 0xffffffn);
  const clock = Number((size >> 24n) & 0x3fffffn);
  const hours = type === ColumnType.time ? clock >>> 12 : (clock >>> 12) & 31;
  const seconds = secondsOf(hours, (clock >>> 6) & 63, clock & 63);
  const days = Number(size >> 41n);
  const months = Math.floor(days / 32);
  const year = Math.floor(months / 13);
  if (seconds < 0 || micros > 999_999 || (type !== ColumnType.time && (packed < 0n || year > 9999))) return false;
  if (type === ColumnType.time) {
    if (packed < 0n) out.writeByte(0x2d);
    writeClock(out, seconds, micros, 6);
    return true;
  }
  out.writePadded(year, 4);
  out.writeByte(0x2d);
  out.writePadded(months % 13, 2);
  out.writeByte(0x2d);
  out.writePadded(days % 32, 2);
  if (type !== ColumnType.date) {
    out.writeByte(0x20);
    writeClock(out, seconds, micros, 6);
  }
  return true;
}
