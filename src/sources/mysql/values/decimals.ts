import { DECIMAL_BYTES } from './layout.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';
import { malformedValue } from './value-errors.ts';

const DIGITS_PER_WORD = 9;

const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9] as const;

/** DECIMAL: all of its digits. For an integer target a fraction of zeros is left out. */
export function decimalWriter({ column, kind, where }: ValueContext): ValueWriter {
  const precision = column.meta >>> 8;
  const scale = column.meta & 0xff;
  const whole = kind === 'int';
  return (input, start, _end, out) => {
    const at = out.open();
    if (!writeDecimal(input, start, precision, scale, out)) throw malformedValue(where, 'a DECIMAL has wrong digits');
    if (whole && scale > 0) dropZeroFraction(out, scale);
    out.close(at);
  };
}

/**
 * Writes the digits of a packed decimal within an open value. A decimal is groups of nine digits in four bytes, counted from
 * the point, and what is left in as few bytes as will do; the first bit is turned, and all of a negative number's bytes
 * are. Returns false when a group is more than its digits can be.
 */
export function writeDecimal(input: Buffer, at: number, precision: number, scale: number, out: TupleWriter): boolean {
  const flip = (input[at] & 0x80) === 0 ? 0xff : 0;
  const first = at;
  if (flip !== 0) out.writeByte(0x2d);
  const before = out.length;
  let digits = precision - scale;
  let valid = true;
  let size = digits % DIGITS_PER_WORD;
  if (size === 0 && digits > 0) size = DIGITS_PER_WORD;
  while (digits > 0) {
    const bytes = DECIMAL_BYTES[size];
    const value = group(input, at, bytes, flip, at === first);
    valid &&= value < POWERS[size];
    // Leading zeros are not written, here or in the groups that follow nothing but zeros.
    if (out.length > before) out.writePadded(valid ? value : 0, size);
    else if (value > 0) out.writeInteger(valid ? value : 0);
    at += bytes;
    digits -= size;
    size = DIGITS_PER_WORD;
  }
  if (out.length === before) out.writeByte(0x30);
  if (scale > 0) out.writeByte(0x2e);
  for (digits = scale; digits > 0; digits -= size) {
    size = Math.min(digits, DIGITS_PER_WORD);
    const bytes = DECIMAL_BYTES[size];
    const value = group(input, at, bytes, flip, at === first);
    valid &&= value < POWERS[size];
    out.writePadded(valid ? value : 0, size);
    at += bytes;
  }
  return valid;
}

function group(input: Buffer, at: number, bytes: number, flip: number, first: boolean): number {
  let value = input[at] ^ flip ^ (first ? 0x80 : 0);
  for (let i = 1; i < bytes; i++) value = value * 256 + (input[at + i] ^ flip);
  return value;
}

function dropZeroFraction(out: TupleWriter, scale: number): void {
  for (let i = out.length - scale; i < out.length; i++) if (out.buffer[i] !== 0x30) return;
  out.length -= scale + 1;
}
