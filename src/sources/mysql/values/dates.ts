import { OperatorError } from '../../../errors.ts';
import { ColumnType } from './column.ts';
import { fractionBytes } from './layout.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';
import { malformedValue } from './value-errors.ts';

const DAY = 86_400;

/** DATE, DATETIME and TIMESTAMP, of all formats that servers have had. */
export function dateWriter(context: ValueContext): ValueWriter {
  const { type, meta } = context.column;
  const write = pointWriter(context);
  const decimals = fractionBytes(meta);
  switch (type) {
    case ColumnType.date:
    case ColumnType.newdate:
      return (input, start, _end, out) => {
        const packed = input[start] | (input[start + 1] << 8) | (input[start + 2] << 16);
        write(out, packed >>> 9, (packed >>> 5) & 15, packed & 31, 0, 0);
      };
    case ColumnType.datetime2:
      return (input, start, _end, out) => {
        // 40 bits, the first of which is the sign of a year that is never negative: 17 of year * 13 + month, 5 day | the time.
        const high = ((input[start] & 0x7f) << 15) | (input[start + 1] << 7) | (input[start + 2] >>> 1);
        const low = ((input[start + 2] & 1) << 16) | (input[start + 3] << 8) | input[start + 4];
        const month = high >>> 5;
        const year = (month / 13) | 0;
        const seconds = secondsOf(low >>> 12, (low >>> 6) & 63, low & 63);
        write(out, year, month - year * 13, high & 31, seconds, readFraction(input, start + 5, decimals, meta));
      };
    case ColumnType.datetime:
      return (input, start, _end, out) => {
        const packed = input.readUInt32LE(start) + input.readUInt32LE(start + 4) * 0x1_0000_0000;
        const date = Math.floor(packed / 1e6);
        const time = packed - date * 1e6;
        const seconds = secondsOf(Math.floor(time / 1e4), Math.floor(time / 100) % 100, time % 100);
        write(out, Math.floor(date / 1e4), Math.floor(date / 100) % 100, date % 100, seconds, 0);
      };
    case ColumnType.timestamp2:
      return (input, start, _end, out) =>
        writeInstant(out, write, input.readUInt32BE(start), readFraction(input, start + 4, decimals, meta));
    default:
      return (input, start, _end, out) => writeInstant(out, write, input.readUInt32LE(start), 0);
  }
}

/** Seconds since midnight, or of a duration; -1 when there is no such minute or second. */
export function secondsOf(hours: number, minutes: number, seconds: number): number {
  return minutes > 59 || seconds > 59 ? -1 : hours * 3600 + minutes * 60 + seconds;
}

/** The fraction of a second in `fsp` digits; its bytes hold one digit more when that is odd. */
export function readFraction(input: Buffer, at: number, bytes: number, fsp: number): number {
  if (bytes === 0) return 0;
  let value = input[at];
  for (let i = 1; i < bytes; i++) value = value * 256 + input[at + i];
  return (fsp & 1) === 1 ? (value / 10) | 0 : value;
}

/** `seconds` since midnight and the fraction in as many digits as the column keeps. */
type PointWriter = (
  out: TupleWriter,
  year: number,
  month: number,
  day: number,
  seconds: number,
  fraction: number,
) => void;

function pointWriter(context: ValueContext): PointWriter {
  const { type, meta } = context.column;
  const dateOnly = type === ColumnType.date || type === ColumnType.newdate;
  const fsp = type === ColumnType.datetime2 || type === ColumnType.timestamp2 ? meta : 0;
  const zone = zoneSuffix(context, dateOnly);
  const refuse = invalidDate(context);
  const fractions = 10 ** fsp;
  return (out, year, month, day, seconds, fraction) => {
    if (year > 9999 || month > 12 || seconds < 0 || seconds >= DAY || fraction >= fractions) {
      throw malformedValue(context.where, 'a date with parts that no date has');
    }
    if (refuse !== undefined && !exists(year, month, day) && refuse(out, year, month, day)) return;
    const at = out.open();
    out.ensure(32);
    writeTwo(out, (year / 100) | 0);
    writeTwo(out, year % 100);
    out.buffer[out.length++] = 0x2d;
    writeTwo(out, month);
    out.buffer[out.length++] = 0x2d;
    writeTwo(out, day);
    if (!dateOnly) {
      out.buffer[out.length++] = 0x20;
      writeClock(out, seconds, fraction, fsp);
    }
    if (zone) out.writeAscii('+00');
    out.close(at);
  };
}

/** `hh:mm:ss.ffffff` within an open value; hours may have three digits. */
export function writeClock(out: TupleWriter, seconds: number, fraction: number, fsp: number): void {
  out.ensure(17);
  const minutes = (seconds / 60) | 0;
  const hours = (minutes / 60) | 0;
  if (hours < 100) writeTwo(out, hours);
  else out.writePadded(hours, 3);
  out.buffer[out.length++] = 0x3a;
  writeTwo(out, minutes - hours * 60);
  out.buffer[out.length++] = 0x3a;
  writeTwo(out, seconds - minutes * 60);
  if (fsp > 0) {
    out.buffer[out.length++] = 0x2e;
    out.writePadded(fraction, fsp);
  }
}

/** Room for them must have been made. */
function writeTwo(out: TupleWriter, value: number): void {
  const tens = (value / 10) | 0;
  const at = out.length;
  out.buffer[at] = 0x30 + tens;
  out.buffer[at + 1] = 0x30 + value - tens * 10;
  out.length = at + 2;
}

/** A TIMESTAMP is UTC; a DATETIME has no zone, but a target that wants one must not take its session's. */
function zoneSuffix({ column, kind, target }: ValueContext, dateOnly: boolean): boolean {
  if (dateOnly) return false;
  if (target !== undefined) return kind === 'timestamptz';
  return column.type === ColumnType.timestamp2 || column.type === ColumnType.timestamp;
}

/** Proleptic Gregorian, by the days since 1970-03-01 less 719,468: years that begin in March have their odd day at the end. */
function writeInstant(out: TupleWriter, write: PointWriter, seconds: number, fraction: number): void {
  // The server's zero timestamp; the type has no room for the first second of 1970.
  if (seconds === 0) {
    write(out, 0, 0, 0, 0, 0);
    return;
  }
  const days = Math.floor(seconds / DAY);
  const sinceYearZero = days + 719_468;
  const era = (sinceYearZero / 146_097) | 0;
  const dayOfEra = sinceYearZero - era * 146_097;
  const yearOfEra =
    ((dayOfEra - ((dayOfEra / 1460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0));
  const march = ((5 * dayOfYear + 2) / 153) | 0;
  const day = dayOfYear - (((153 * march + 2) / 5) | 0) + 1;
  const month = march < 10 ? march + 3 : march - 9;
  write(out, yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day, seconds - days * DAY, fraction);
}

const DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Whether there is such a day. The year zero is none: targets count 1 BC before 1 AD. */
function exists(year: number, month: number, day: number): boolean {
  if (year === 0 || month === 0 || month > 12 || day === 0) return false;
  if (day <= 28) return true;
  if (month === 2) return day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= DAYS[month];
}

/**
 * What becomes of a date that does not exist: true when it was dealt with, false when its text is to be written. Undefined where the
 * target takes every text.
 */
function invalidDate(
  context: ValueContext,
): ((out: TupleWriter, year: number, month: number, day: number) => boolean) | undefined {
  const { kind, target, options } = context;
  const takesDates = target === undefined || kind === 'date' || kind === 'timestamp' || kind === 'timestamptz';
  if (!takesDates || options.zeroDates === 'keep') return undefined;
  return (out, year, month, day) => {
    if (options.zeroDates === 'error' || target?.nullable === false) throw zeroDate(context, year, month, day);
    options.onCounted?.('zeroDate');
    out.null();
    return true;
  };
}

function zeroDate({ where, options }: ValueContext, year: number, month: number, day: number): OperatorError {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  const refused =
    options.zeroDates === 'error'
      ? 'and --zeroDates=error refuses it'
      : 'and cannot become NULL, because the target column is NOT NULL';
  return new OperatorError(
    'MYSQL_ZERO_DATE',
    `${where} holds the date ${date}, which the target does not have, ${refused}; nothing of its transaction was applied`,
    {
      fix:
        options.zeroDates === 'error'
          ? 'Start again with --zeroDates=null to write NULL instead, or change the target column to text.'
          : 'ALTER TABLE … ALTER COLUMN … DROP NOT NULL on the target, or change the target column to text; then start again.',
    },
  );
}
