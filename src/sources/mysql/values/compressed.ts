import { inflateRawSync, inflateSync } from 'node:zlib';
import type { ValueWriter } from './value-context.ts';
import { malformedValue } from './value-errors.ts';

/** The longest value that a server can keep. */
const LONGEST = 0xffffffff;

/**
 * A value of a MariaDB column with the attribute COMPRESSED: empty, or a byte of method and what it says. `write` sees the
 * value as it was before.
 */
export function compressedWriter(where: string, write: ValueWriter): ValueWriter {
  return (input, start, end, out) => {
    if (start === end || input[start] === 0) return write(input, Math.min(start + 1, end), end, out);
    const method = input[start];
    const lengthBytes = method & 7;
    const body = start + 1 + lengthBytes;
    if (method >>> 4 !== 8 || lengthBytes === 0 || lengthBytes > 4 || body > end) {
      throw malformedValue(where, `compressed by the method ${method}`);
    }
    const length = input.readUIntBE(start + 1, lengthBytes);
    const plain = inflated(where, input.subarray(body, end), (method & 8) !== 0, length);
    write(plain, 0, plain.length, out);
  };
}

function inflated(where: string, data: Buffer, raw: boolean, length: number): Buffer {
  const limits = { maxOutputLength: Math.min(Math.max(length, 1), LONGEST) };
  let plain: Buffer;
  try {
    plain = raw ? inflateRawSync(data, limits) : inflateSync(data, limits);
  } catch (error) {
    throw malformedValue(where, `a compressed value cannot be read (${(error as Error).message})`);
  }
  if (plain.length !== length) throw malformedValue(where, `${length} bytes were compressed, ${plain.length} came out`);
  return plain;
}
