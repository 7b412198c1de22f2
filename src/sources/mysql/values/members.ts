import { convertedToBytes } from './binaries.ts';
import { writeUnsigned } from './integers.ts';
import { readLength } from './layout.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';
import { definitionMismatch, metadataMissing } from './value-errors.ts';

/** ENUM: the member's text, which is empty for the value that the server keeps for invalid ones; a number target gets the index. */
export function enumWriter(context: ValueContext): ValueWriter {
  const { column, kind, where } = context;
  const size = column.meta;
  if (isNumber(context)) return (input, start, _end, out) => out.integer(readLength(input, start, size));
  const members = membersOf(context);
  const texts = ['', ...members].map((text) => Buffer.from(text));
  const write: ValueWriter = (input, start, _end, out) => {
    const index = readLength(input, start, size);
    const text = texts[index];
    if (text === undefined) throw definitionMismatch(where, `ENUM member ${index} of ${members.length}`);
    out.bytes(text, 0, text.length);
  };
  return kind === 'bytes' ? convertedToBytes(write) : write;
}

/** SET: its members with commas between them, an array where the target has one, or the bit mask for a number target. */
export function setWriter(context: ValueContext): ValueWriter {
  const { column, kind, target, where } = context;
  const size = column.meta;
  if (isNumber(context)) {
    return (input, start, _end, out) => writeUnsigned(out, highMask(input, start, size), lowMask(input, start, size));
  }
  const members = membersOf(context);
  const array = target?.array === true;
  const texts = members.map((text) => Buffer.from(array ? arrayElement(text) : text));
  const write: ValueWriter = (input, start, _end, out) => {
    const at = out.open();
    if (array) out.writeByte(0x7b);
    const empty = out.length;
    const low = lowMask(input, start, size);
    const high = highMask(input, start, size);
    for (let bit = 0; bit < size * 8; bit++) {
      if ((((bit < 32 ? low : high) >>> (bit & 31)) & 1) === 0) continue;
      const text = texts[bit];
      if (text === undefined) throw definitionMismatch(where, `SET member ${bit + 1} of ${members.length}`);
      if (out.length > empty) out.writeByte(0x2c);
      out.writeBytes(text, 0, text.length);
    }
    if (array) out.writeByte(0x7d);
    out.close(at);
  };
  return kind === 'bytes' ? convertedToBytes(write) : write;
}

function isNumber({ kind }: ValueContext): boolean {
  return kind === 'int' || kind === 'decimal' || kind === 'float';
}

function membersOf({ column, where }: ValueContext): readonly string[] {
  if (column.members === undefined) throw metadataMissing(where, 'the members of its ENUM or SET');
  return column.members;
}

function lowMask(input: Buffer, start: number, size: number): number {
  return readLength(input, start, Math.min(size, 4));
}

function highMask(input: Buffer, start: number, size: number): number {
  return size > 4 ? readLength(input, start + 4, size - 4) : 0;
}

function arrayElement(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
