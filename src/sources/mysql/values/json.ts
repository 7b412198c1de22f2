import { doubleText } from './double-text.ts';
import {
  DEEPEST,
  isContainer,
  JsonType,
  keyLength,
  keyOffset,
  readContainer,
  valueOffset,
  valueType,
} from './json-document.ts';
import { writeOpaque } from './json-opaque.ts';
import { writeJsonString } from './json-string.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { ValueWriter } from './value-context.ts';
import { malformedValue } from './value-errors.ts';

const LITERALS = ['null', 'true', 'false'] as const;

/** JSON: the text that the server itself shows, to the byte, so that numbers keep all of their digits. */
export function jsonWriter(where: string): ValueWriter {
  const printer = new JsonPrinter(where);
  return (input, start, end, out) => {
    const at = out.open();
    printer.document(input, start, end, out);
    out.close(at);
  };
}

/**
 * Prints MySQL's binary JSON within an open value. Offsets in it are not to be trusted: parts that several containers share
 * would make a small document print for ever, so no more bytes are read than the document has.
 */
export class JsonPrinter {
  readonly #where: string;
  #left = 0;
  /** Of the string or opaque value that #variable found last. */
  #length = 0;

  constructor(where: string) {
    this.#where = where;
  }

  /** A whole document, its type byte in front. No bytes at all are the server's way to keep a null. */
  document(input: Buffer, start: number, end: number, out: TupleWriter): void {
    if (start === end) out.writeAscii('null');
    else this.value(input, input[start], start + 1, end, out, 0);
  }

  /** One value of a document. */
  value(input: Buffer, type: number, at: number, end: number, out: TupleWriter, depth: number): void {
    this.#left = end - at;
    this.#value(input, type, at, end, out, depth);
  }

  #value(input: Buffer, type: number, at: number, end: number, out: TupleWriter, depth: number): void {
    if (isContainer(type)) this.#container(input, type, at, end, out, depth);
    else this.#scalar(input, type, at, end, out);
  }

  #container(input: Buffer, type: number, at: number, end: number, out: TupleWriter, depth: number): void {
    if (depth > DEEPEST) throw malformedValue(this.#where, 'JSON of too many levels');
    const container = readContainer(this.#where, input, type, at, end);
    this.#spend(container.values - at + container.count * (container.width + 1));
    out.writeByte(container.object ? 0x7b : 0x5b);
    for (let i = 0; i < container.count; i++) {
      if (i > 0) out.writeAscii(', ');
      if (container.object) {
        const key = keyOffset(this.#where, input, container, i);
        const length = keyLength(input, container, i);
        this.#spend(length);
        writeJsonString(input, key, key + length, out);
        out.writeAscii(': ');
      }
      const value = valueOffset(this.#where, input, container, i);
      this.#value(input, valueType(input, container, i), value, container.end, out, depth + 1);
    }
    out.writeByte(container.object ? 0x7d : 0x5d);
  }

  #scalar(input: Buffer, type: number, at: number, end: number, out: TupleWriter): void {
    switch (type) {
      case JsonType.literal: {
        this.#need(at, 1, end);
        const literal = LITERALS[input[at]];
        if (literal === undefined) throw malformedValue(this.#where, `the JSON literal ${input[at]}`);
        out.writeAscii(literal);
        return;
      }
      case JsonType.int16:
        this.#need(at, 2, end);
        out.writeInteger(input.readInt16LE(at));
        return;
      case JsonType.uint16:
        this.#need(at, 2, end);
        out.writeInteger(input.readUInt16LE(at));
        return;
      case JsonType.int32:
        this.#need(at, 4, end);
        out.writeInteger(input.readInt32LE(at));
        return;
      case JsonType.uint32:
        this.#need(at, 4, end);
        out.writeInteger(input.readUInt32LE(at));
        return;
      case JsonType.int64:
        this.#need(at, 8, end);
        out.writeAscii(String(input.readBigInt64LE(at)));
        return;
      case JsonType.uint64:
        this.#need(at, 8, end);
        out.writeAscii(String(input.readBigUInt64LE(at)));
        return;
      case JsonType.double:
        this.#need(at, 8, end);
        this.#double(input.readDoubleLE(at), out);
        return;
      case JsonType.string: {
        const start = this.#variable(input, at, end);
        writeJsonString(input, start, start + this.#length, out);
        return;
      }
      case JsonType.opaque: {
        this.#need(at, 1, end);
        const start = this.#variable(input, at + 1, end);
        writeOpaque(this.#where, input, input[at], start, start + this.#length, out);
        return;
      }
      default:
        throw malformedValue(this.#where, `a JSON value of type ${type}`);
    }
  }

  /** A whole number keeps its point, which tells it from an integer. */
  #double(value: number, out: TupleWriter): void {
    if (!Number.isFinite(value)) throw malformedValue(this.#where, `the JSON number ${value}`);
    const text = doubleText(value);
    out.writeAscii(/[.e]/.test(text) ? text : `${text}.0`);
  }

  /** Reads a length of 7 bits a byte into #length, checks it, and returns where its bytes start. */
  #variable(input: Buffer, at: number, end: number): number {
    let length = 0;
    let factor = 1;
    for (let i = 0; i < 5; i++) {
      this.#need(at, 1, end);
      const byte = input[at++];
      length += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        this.#need(at, length, end);
        this.#spend(length);
        this.#length = length;
        return at;
      }
      factor *= 128;
    }
    throw malformedValue(this.#where, 'a JSON string without a length');
  }

  #need(at: number, bytes: number, end: number): void {
    if (at + bytes > end) throw malformedValue(this.#where, 'a JSON value beyond its document');
  }

  #spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw malformedValue(this.#where, 'JSON whose parts overlap');
  }
}
