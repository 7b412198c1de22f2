import type { TupleWriter } from '../../../changes/tuple-writer.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const SHORT: Readonly<Record<number, string>> = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  12: '\\f',
  13: '\\r',
  [QUOTE]: '\\"',
  [BACKSLASH]: '\\\\',
};

/** The UTF-8 bytes [at, end) as a JSON string within an open value, escaped as the server does. */
export function writeJsonString(input: Buffer, at: number, end: number, out: TupleWriter): void {
  out.writeByte(QUOTE);
  let plain = at;
  for (; at < end; at++) {
    const byte = input[at];
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) continue;
    out.writeBytes(input, plain, at);
    out.writeAscii(SHORT[byte] ?? `\\u${byte.toString(16).padStart(4, '0')}`);
    plain = at + 1;
  }
  out.writeBytes(input, plain, end);
  out.writeByte(QUOTE);
}
