import { ColumnType } from './column.ts';
import { doubleText, floatText } from './double-text.ts';
import type { TupleWriter } from './tuple-writer.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';

/** FLOAT and DOUBLE: the shortest text that reads back to the same number. */
export function floatWriter({ column, kind }: ValueContext): ValueWriter {
  const whole = kind === 'int';
  if (column.type === ColumnType.float) {
    return (input, start, _end, out) => {
      const value = input.readFloatLE(start);
      if (!writeWhole(out, value, whole)) out.ascii(floatText(value));
    };
  }
  return (input, start, _end, out) => {
    const value = input.readDoubleLE(start);
    if (!writeWhole(out, value, whole)) out.ascii(doubleText(value));
  };
}

/** Whole numbers have their digits, as far as they are exact; `signless` writes the negative zero as zero. */
function writeWhole(out: TupleWriter, value: number, signless: boolean): boolean {
  if (!Number.isInteger(value) || Math.abs(value) >= (signless ? 2 ** 53 : 1e6)) return false;
  if (Object.is(value, -0) && !signless) return false;
  out.integer(value);
  return true;
}
