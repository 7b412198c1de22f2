import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { ValueWriter } from './value-context.ts';

const DIGITS = Buffer.from('0123456789abcdef');

/** Bytes as two lower-case digits each, within an open value. */
export function writeHex(out: TupleWriter, input: Buffer, start: number, end: number): void {
  out.ensure((end - start) * 2);
  const buffer = out.buffer;
  let to = out.length;
  for (let at = start; at < end; at++) {
    const byte = input[at];
    buffer[to] = DIGITS[byte >>> 4];
    buffer[to + 1] = DIGITS[byte & 15];
    to += 2;
  }
  out.length = to;
}

/** A value for a bytes column: `\x` and the digits of its bytes. */
export const writeBytea: ValueWriter = (input, start, end, out) => {
  const at = out.open();
  out.writeByte(0x5c);
  out.writeByte(0x78);
  writeHex(out, input, start, end);
  out.close(at);
};
