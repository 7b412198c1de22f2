import { ColumnType } from './column.ts';
import { doubleText, floatText } from './double-text.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';
import { malformedValue } from './value-errors.ts';

/** FLOAT and DOUBLE: the shortest text that reads back to the same number. */
export function floatWriter({ column, kind, where }: ValueContext): ValueWriter {
  const whole = kind === 'int';
  if (column.type === ColumnType.float) {
    return (input, start, _end, out) => {
      const value = input.readFloatLE(start);
      if (!writeWhole(out, value, whole)) out.ascii(floatText(finite(where, value)));
    };
  }
  return (input, start, _end, out) => {
    const value = input.readDoubleLE(start);
    if (!writeWhole(out, value, whole)) out.ascii(doubleText(finite(where, value)));
  };
}

/** Whole numbers have their digits, as far as they are exact; `signless` writes the negative zero as zero. */
function writeWhole(out: TupleWriter, value: number, signless: boolean): boolean {
  if (!Number.isInteger(value) || Math.abs(value) >= (signless ? 2 ** 53 : 1e6)) return false;
  if (Object.is(value, -0) && !signless) return false;
  out.integer(value);
  return true;
}

/** Servers keep neither infinities nor "not a number". */
function finite(where: string, value: number): number {
  if (!Number.isFinite(value)) throw malformedValue(where, `the number ${value}`);
  return value;
}
