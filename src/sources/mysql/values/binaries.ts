import { convertUtf8 } from '../text-converter.ts';
import { inetText, writeUuid } from './addresses.ts';
import { FALSE, TRUE } from './booleans.ts';
import { writeBytea, writeHex } from './hex.ts';
import { invalidText } from './texts.ts';
import { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';

const UUID_BYTES = 16;

/**
 * BINARY, VARBINARY and BLOB: `\x` and hex digits, unless the target takes something else that bytes may be: text, a UUID, an
 * address, a boolean, a geometry.
 */
export function binaryWriter(context: ValueContext): ValueWriter {
  switch (context.kind) {
    case 'string':
    case 'json':
    case 'enum':
      return binaryText(context);
    case 'uuid':
      return (input, start, end, out) => {
        if (end - start === UUID_BYTES) writeUuid(input, start, out);
        else writeTextOrBytea(input, start, end, out);
      };
    case 'inet':
      return (input, start, end, out) => {
        const text = inetText(input, start, end);
        if (text !== undefined) out.ascii(text);
        else writeTextOrBytea(input, start, end, out);
      };
    case 'bool':
      return writeBoolean;
    case 'geometry':
    case 'geography':
      return (input, start, end, out) => {
        const at = out.open();
        writeHex(out, input, start, end);
        out.close(at);
      };
    default:
      return writeBytea;
  }
}

/** BINARY(n): the binlog leaves zero bytes at the end out; they are put back before `write` sees the value. */
export function padded(length: number, write: ValueWriter): ValueWriter {
  const whole = Buffer.alloc(length);
  return (input, start, end, out) => {
    if (end - start >= length) return write(input, start, end, out);
    whole.fill(0, input.copy(whole, 0, start, end));
    write(whole, 0, length, out);
  };
}

/** What `write` writes, as the hex digits of its UTF-8: text that goes to a bytes column, where a backslash would mean something else. */
export function convertedToBytes(write: ValueWriter): ValueWriter {
  const text = new TupleWriter();
  return (input, start, end, out) => {
    text.clear();
    write(input, start, end, text);
    writeBytea(text.buffer, 5, text.length, out);
  };
}

function binaryText({ where }: ValueContext): ValueWriter {
  return (input, start, end, out) => {
    const at = out.open();
    const invalid = convertUtf8(input, start, end, out);
    if (invalid >= 0) throw invalidText(where, 'UTF-8', input, start, invalid, end);
    out.close(at);
  };
}

/** Text that the target may read or refuse; bytes that are none are shown as hex, which it will refuse by name. */
function writeTextOrBytea(input: Buffer, start: number, end: number, out: TupleWriter): void {
  for (let at = start; at < end; at++) {
    if (input[at] < 0x20 || input[at] > 0x7e) {
      writeBytea(input, start, end, out);
      return;
    }
  }
  out.bytes(input, start, end);
}

/** One byte, 0 or 1, or the digit for it. */
function writeBoolean(input: Buffer, start: number, end: number, out: TupleWriter): void {
  const byte = end - start === 1 ? input[start] : -1;
  if (byte === 0 || byte === 0x30) out.ascii(FALSE);
  else if (byte === 1 || byte === 0x31) out.ascii(TRUE);
  else writeTextOrBytea(input, start, end, out);
}
