import { FALSE, TRUE } from './booleans.ts';
import { writeBytea } from './hex.ts';
import { writeUnsigned } from './integers.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';

/** BIT: its digits `0101`; a number, a boolean or bytes where the target takes those. */
export function bitWriter({ column, kind, options }: ValueContext): ValueWriter {
  const bits = column.meta;
  switch (kind) {
    case 'bool':
      return (input, start, end, out) => {
        const low = readLow(input, start, end);
        const high = readHigh(input, start, end);
        if (high !== 0 || low > 1) options.onCounted?.('boolOutOfRange');
        out.ascii(high === 0 && low === 0 ? FALSE : TRUE);
      };
    case 'int':
    case 'decimal':
    case 'float':
      return (input, start, end, out) => writeUnsigned(out, readHigh(input, start, end), readLow(input, start, end));
    case 'bytes':
      return writeBytea;
    default:
      return (input, _start, end, out) => {
        const at = out.open();
        out.ensure(bits);
        for (let bit = bits - 1; bit >= 0; bit--) {
          out.buffer[out.length++] = 0x30 + ((input[end - 1 - (bit >>> 3)] >>> (bit & 7)) & 1);
        }
        out.close(at);
      };
  }
}

function readLow(input: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = Math.max(start, end - 4); at < end; at++) value = value * 256 + input[at];
  return value;
}

function readHigh(input: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end - 4; at++) value = value * 256 + input[at];
  return value;
}
