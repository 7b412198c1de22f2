import { writeHex } from './hex.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { ValueWriter } from './value-context.ts';

/** A UUID's text from the 16 bytes at `start`. */
export function writeUuid(input: Buffer, start: number, out: TupleWriter): void {
  const at = out.open();
  writeHex(out, input, start, start + 4);
  for (let i = 4; i < 10; i += 2) {
    out.writeByte(0x2d);
    writeHex(out, input, start + i, start + i + 2);
  }
  out.writeByte(0x2d);
  writeHex(out, input, start + 10, start + 16);
  out.close(at);
}

/** The text of an IPv4 address of 4 bytes or an IPv6 address of 16; undefined for other lengths. */
export function inetText(input: Buffer, start: number, end: number): string | undefined {
  if (end - start === 4) return inet4Text(input, start);
  return end - start === 16 ? inet6Text(input, start) : undefined;
}

/** MariaDB's INET4 and INET6. */
export const writeInet: ValueWriter = (input, start, end, out) => {
  const text = inetText(input, start, end);
  if (text !== undefined) out.ascii(text);
};

function inet4Text(input: Buffer, at: number): string {
  return `${input[at]}.${input[at + 1]}.${input[at + 2]}.${input[at + 3]}`;
}

/** As MariaDB prints it: the longest run of zero groups is `::`, and addresses that hold an IPv4 one end in its dots. */
function inet6Text(input: Buffer, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => (input[at + i * 2] << 8) | input[at + i * 2 + 1]);
  let gap = 0;
  let gapLength = 0;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > gapLength) [gap, gapLength] = [i, length];
    i += length;
  }
  const compatible = gap === 0 && gapLength === 6;
  const mapped = gap === 0 && gapLength === 5 && groups[5] === 0xffff;
  const dotted = compatible || mapped ? inet4Text(input, at + 12) : undefined;
  const parts = groups.slice(0, dotted === undefined ? 8 : 6).map((group) => group.toString(16));
  const print = (list: readonly string[]): string => list.join(':');
  if (gapLength === 0) return print(parts);
  const tail = parts.slice(gap + gapLength);
  if (dotted !== undefined) tail.push(dotted);
  return `${print(parts.slice(0, gap))}::${print(tail)}`;
}
