import { OperatorError } from '../../../errors.ts';
import { ColumnType } from './column.ts';
import { secondsOf, writeClock } from './dates.ts';
import { fractionBytes } from './layout.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';
import { malformedValue } from './value-errors.ts';

const DAY = 86_400;

/** Seconds of 838:59:59. */
const LONGEST = 3_020_399;

/**
 * TIME, which runs from -838:59:59 to 838:59:59. The text is one that intervals and text columns take, and a time of day where
 * it is one; a TIME column of the target gets nothing else.
 */
export function timeWriter(context: ValueContext): ValueWriter {
  const write = durationWriter(context);
  const { type, meta } = context.column;
  if (type === ColumnType.time) {
    return (input, start, _end, out) => {
      const packed = (input[start] << 8) | (input[start + 1] << 16) | (input[start + 2] << 24);
      const value = Math.abs(packed >> 8);
      const seconds = secondsOf(Math.floor(value / 1e4), Math.floor(value / 100) % 100, value % 100);
      write(out, packed < 0, seconds, 0);
    };
  }
  const bytes = fractionBytes(meta);
  const unit = 256 ** bytes;
  return (input, start, _end, out) => {
    // Whole and fraction are one number with one sign: only then do the times between -1 and 0 come out right.
    const signed = input.readUIntBE(start, 3 + bytes) - 0x800000 * unit;
    const size = Math.abs(signed);
    const packed = Math.floor(size / unit);
    const digits = size - packed * unit;
    const seconds = secondsOf((packed >>> 12) & 0x3ff, (packed >>> 6) & 63, packed & 63);
    write(out, signed < 0, seconds, (meta & 1) === 1 ? Math.floor(digits / 10) : digits);
  };
}

function durationWriter({
  column,
  kind,
  where,
}: ValueContext): (out: TupleWriter, negative: boolean, seconds: number, fraction: number) => void {
  const fsp = column.type === ColumnType.time2 ? column.meta : 0;
  const timeOfDay = kind === 'time' || kind === 'timetz';
  const fractions = 10 ** fsp;
  return (out, negative, seconds, fraction) => {
    if (seconds < 0 || seconds > LONGEST || fraction >= fractions) {
      throw malformedValue(where, 'a time with parts that no time has');
    }
    if (timeOfDay && (negative || seconds > DAY || (seconds === DAY && fraction > 0))) throw noTimeOfDay(where);
    const at = out.open();
    if (negative) out.writeByte(0x2d);
    writeClock(out, seconds, fraction, fsp);
    if (kind === 'timetz') out.writeAscii('+00');
    out.close(at);
  };
}

function noTimeOfDay(where: string): OperatorError {
  return new OperatorError(
    'MYSQL_TIME_RANGE',
    `${where} holds a TIME that is negative or beyond 24 hours, which the target's TIME cannot keep; nothing of its transaction was applied`,
    {
      fix: 'ALTER TABLE … ALTER COLUMN … TYPE INTERVAL on the target, then start again.',
    },
  );
}
