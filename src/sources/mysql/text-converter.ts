import { isUtf8 } from 'node:buffer';
import type { TupleWriter } from '../../changes/tuple-writer.ts';

/**
 * Writes the characters that stand in [at, end) of `input`, in UTF-8, into the value that is open in `out`. Returns -1, or the
 * offset of the first bytes that are no character of the charset.
 */
export type TextConverter = (input: Buffer, at: number, end: number, out: TupleWriter) => number;

/** In tables of code points: no character. */
export const NO_CHARACTER = 0xffffffff;

/** Which code point each byte or pair of bytes stands for; NO_CHARACTER where none. */
export interface CodeTable {
  /** By byte. */
  readonly single: Uint32Array;
  /** By first byte << 8 | second byte; absent in charsets of single bytes. */
  readonly pair?: Uint32Array;
  /** Of three bytes that start with 0x8f, by the other two. */
  readonly triple?: Uint32Array;
  /** Of four bytes whose second one is a digit; for gb18030. */
  readonly quadruple?: (input: Buffer, at: number) => number;
}

/** Up to this many bytes a loop is quicker than a call of the runtime. */
const LOOP_BYTES = 64;

/** `utf8mb4`, `utf8mb3`: the bytes as they are, once they are known to be valid. */
export function convertUtf8(input: Buffer, at: number, end: number, out: TupleWriter): number {
  if (end - at <= LOOP_BYTES && copyAscii(input, at, end, out)) return -1;
  if (!isUtf8(input.subarray(at, end))) return firstInvalid(input, at, end);
  out.writeBytes(input, at, end);
  return -1;
}

/** `ascii`: bytes below 0x80. */
export function convertAscii(input: Buffer, at: number, end: number, out: TupleWriter): number {
  if (copyAscii(input, at, end, out)) return -1;
  while (input[at] < 0x80) at++;
  return at;
}

/** `utf16`, and `ucs2` which has no characters beyond U+FFFF. */
export function convertUtf16(input: Buffer, at: number, end: number, out: TupleWriter): number {
  return fromUtf16(input, at, end, out, 0);
}

/** `utf16le`: the same, low byte first. */
export function convertUtf16le(input: Buffer, at: number, end: number, out: TupleWriter): number {
  return fromUtf16(input, at, end, out, 1);
}

/** `utf32`: four bytes a character, high byte first. */
export function convertUtf32(input: Buffer, at: number, end: number, out: TupleWriter): number {
  for (; at < end; at += 4) {
    if (at + 4 > end) return at;
    const point = input.readUInt32BE(at);
    if (point > 0x10ffff || isSurrogate(point)) return at;
    writePoint(out, point);
  }
  return -1;
}

/** A converter for a charset that is known by its table. */
export function tableConverter({ single, pair, triple, quadruple }: CodeTable): TextConverter {
  return (input, at, end, out) => {
    while (at < end) {
      const byte = input[at];
      let point = single[byte];
      let length = 1;
      if (point === NO_CHARACTER && pair !== undefined && at + 1 < end) {
        point = pair[(byte << 8) | input[at + 1]];
        length = 2;
        if (point === NO_CHARACTER && triple !== undefined && byte === 0x8f && at + 2 < end) {
          point = triple[(input[at + 1] << 8) | input[at + 2]];
          length = 3;
        } else if (point === NO_CHARACTER && quadruple !== undefined && at + 3 < end) {
          point = quadruple(input, at);
          length = 4;
        }
      }
      if (point === NO_CHARACTER) return at;
      writePoint(out, point);
      at += length;
    }
    return -1;
  };
}

/**
 * `latin1`, which is Windows-1252 with the five bytes that it leaves open standing for the control characters of their
 * number. The one charset of a single byte that needs no server to ask, because so many tables have it.
 */
export const convertLatin1 = tableConverter({ single: latin1Table() });

function latin1Table(): Uint32Array {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => byte);
  const between = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';
  for (let i = 0; i < between.length; i++) table[0x80 + i] = between.charCodeAt(i);
  return table;
}

function fromUtf16(input: Buffer, at: number, end: number, out: TupleWriter, littleEndian: 0 | 1): number {
  for (; at < end; at += 2) {
    if (at + 2 > end) return at;
    const unit = (input[at + littleEndian] << 8) | input[at + 1 - littleEndian];
    if (!isSurrogate(unit)) {
      writePoint(out, unit);
      continue;
    }
    if (at + 4 > end || unit >= 0xdc00) return at;
    const low = (input[at + 2 + littleEndian] << 8) | input[at + 3 - littleEndian];
    if (low < 0xdc00 || low > 0xdfff) return at;
    writePoint(out, 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff));
    at += 2;
  }
  return -1;
}

function isSurrogate(point: number): boolean {
  return point >= 0xd800 && point <= 0xdfff;
}

/** True when all of the bytes are below 0x80, and then they are copied; else nothing is. */
function copyAscii(input: Buffer, at: number, end: number, out: TupleWriter): boolean {
  out.ensure(end - at);
  const { buffer, length } = out;
  let to = length;
  let bits = 0;
  while (at < end) {
    const byte = input[at++];
    bits |= byte;
    buffer[to++] = byte;
  }
  if (bits >= 0x80) return false;
  out.length = to;
  return true;
}

function writePoint(out: TupleWriter, point: number): void {
  out.ensure(4);
  const buffer = out.buffer;
  let at = out.length;
  if (point < 0x80) buffer[at++] = point;
  else if (point < 0x800) {
    buffer[at++] = 0xc0 | (point >> 6);
    buffer[at++] = 0x80 | (point & 0x3f);
  } else if (point < 0x10000) {
    buffer[at++] = 0xe0 | (point >> 12);
    buffer[at++] = 0x80 | ((point >> 6) & 0x3f);
    buffer[at++] = 0x80 | (point & 0x3f);
  } else {
    buffer[at++] = 0xf0 | (point >> 18);
    buffer[at++] = 0x80 | ((point >> 12) & 0x3f);
    buffer[at++] = 0x80 | ((point >> 6) & 0x3f);
    buffer[at++] = 0x80 | (point & 0x3f);
  }
  out.length = at;
}

/** Offset of the first bytes that are not UTF-8; there must be some. */
function firstInvalid(input: Buffer, at: number, end: number): number {
  while (at < end) {
    const byte = input[at];
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (at + length > end || !isUtf8(input.subarray(at, at + length))) return at;
    at += length;
  }
  return at;
}
