import { ValueKind } from './change-log.ts';

const INITIAL_CAPACITY = 16 * 1024;

/** A buffer that one extraordinary row has made larger than this is not kept. */
const KEPT_CAPACITY = 4 * 1024 * 1024;

/** Up to this many bytes a loop is quicker than a call of the runtime. */
const LOOP_BYTES = 24;

/**
 * Builds tuples (the TupleData of `ChangeLog`) in one buffer that is reused for every row. A tuple is `begin(columns)` and then
 * one value per column: `null`, `unchanged`, `ascii`, `utf8`, `bytes`, `integer`, or `open`, raw writes, `close`.
 */
export class TupleWriter {
  buffer: Buffer = Buffer.allocUnsafeSlow(INITIAL_CAPACITY);
  /** Bytes in use. */
  length = 0;

  /** Forgets all tuples; the buffer is kept. */
  clear(): void {
    this.length = 0;
    if (this.buffer.length > KEPT_CAPACITY) this.buffer = Buffer.allocUnsafeSlow(INITIAL_CAPACITY);
  }

  /** Starts a tuple of `columns` values, at most 65,535; returns the offset at which it starts. */
  begin(columns: number): number {
    this.ensure(2);
    const at = this.length;
    this.buffer[at] = columns >>> 8;
    this.buffer[at + 1] = columns;
    this.length = at + 2;
    return at;
  }

  /** A value: SQL NULL. */
  null(): void {
    this.ensure(1);
    this.buffer[this.length++] = ValueKind.null;
  }

  /** A value: not known, because it did not change. */
  unchanged(): void {
    this.ensure(1);
    this.buffer[this.length++] = ValueKind.unchanged;
  }

  /** A value whose characters are all below U+0080. */
  ascii(text: string): void {
    const at = this.#text(text.length);
    this.#latin1(text, at);
  }

  /** A value of any characters; a lone surrogate becomes U+FFFD. */
  utf8(text: string): void {
    const at = this.open();
    this.writeUtf8(text);
    this.close(at);
  }

  /** A value that stands as UTF-8 in [start, end) of `source`. */
  bytes(source: Buffer, start: number, end: number): void {
    const at = this.#text(end - start);
    this.#copy(source, start, end, at);
  }

  /** A value: the digits of an integer whose absolute value is at most 2^53 - 1. */
  integer(value: number): void {
    const at = this.open();
    this.writeInteger(value);
    this.close(at);
  }

  /** Starts a text value that is written piecemeal; returns what `close` takes. */
  open(): number {
    this.ensure(5);
    const at = this.length;
    this.buffer[at] = ValueKind.text;
    this.length = at + 5;
    return at;
  }

  /** Ends the text value that `open` started. */
  close(at: number): void {
    const length = this.length - at - 5;
    const buffer = this.buffer;
    buffer[at + 1] = length >>> 24;
    buffer[at + 2] = length >>> 16;
    buffer[at + 3] = length >>> 8;
    buffer[at + 4] = length;
  }

  /** Appends a whole value, kind byte included, that stands in [start, end) of this writer's own buffer. */
  copyValue(start: number, end: number): void {
    this.ensure(end - start);
    this.buffer.copyWithin(this.length, start, end);
    this.length += end - start;
  }

  /** Makes room for `bytes` more: after it they may be put into `buffer` at `length`, and `length` moved on. */
  ensure(bytes: number): void {
    if (this.length + bytes > this.buffer.length) this.#grow(bytes);
  }

  /** One byte within an open value. */
  writeByte(byte: number): void {
    this.ensure(1);
    this.buffer[this.length++] = byte;
  }

  /** Characters below U+0080 within an open value. */
  writeAscii(text: string): void {
    this.ensure(text.length);
    const at = this.length;
    this.length = at + text.length;
    this.#latin1(text, at);
  }

  /** Characters within an open value. */
  writeUtf8(text: string): void {
    this.ensure(text.length * 3);
    this.length += this.buffer.write(text, this.length, 'utf8');
  }

  /** Bytes [start, end) of `source` within an open value. */
  writeBytes(source: Buffer, start: number, end: number): void {
    this.ensure(end - start);
    const at = this.length;
    this.length = at + end - start;
    this.#copy(source, start, end, at);
  }

  /** The digits of an integer within an open value; its absolute value is at most 2^53 - 1. */
  writeInteger(value: number): void {
    this.ensure(17);
    if (value < 0) {
      this.buffer[this.length++] = 0x2d;
      value = -value;
    }
    if (value < 1e9) {
      this.#digits(value, digitCount(value));
      return;
    }
    const high = Math.floor(value / 1e9);
    this.#digits(high, digitCount(high));
    this.#digits(value - high * 1e9, 9);
  }

  /** `value` with leading zeros in `width` digits (at most 9) within an open value. */
  writePadded(value: number, width: number): void {
    this.ensure(width);
    this.#digits(value, width);
  }

  #digits(value: number, width: number): void {
    const buffer = this.buffer;
    const at = this.length;
    // All values are below 2^31, where these are integer operations.
    let rest = value | 0;
    for (let i = at + width - 1; i >= at; i--) {
      const next = (rest / 10) | 0;
      buffer[i] = 0x30 + rest - next * 10;
      rest = next;
    }
    this.length = at + width;
  }

  /** Kind byte and length of a value of known length; returns where its bytes go. */
  #text(length: number): number {
    this.ensure(length + 5);
    const buffer = this.buffer;
    const at = this.length;
    buffer[at] = ValueKind.text;
    buffer[at + 1] = length >>> 24;
    buffer[at + 2] = length >>> 16;
    buffer[at + 3] = length >>> 8;
    buffer[at + 4] = length;
    this.length = at + 5 + length;
    return at + 5;
  }

  #latin1(text: string, at: number): void {
    const buffer = this.buffer;
    if (text.length > LOOP_BYTES) buffer.write(text, at, 'latin1');
    else for (let i = 0; i < text.length; i++) buffer[at + i] = text.charCodeAt(i);
  }

  #copy(source: Buffer, start: number, end: number, at: number): void {
    const buffer = this.buffer;
    if (end - start > LOOP_BYTES) source.copy(buffer, at, start, end);
    else for (let i = start; i < end; i++) buffer[at++] = source[i];
  }

  #grow(bytes: number): void {
    let capacity = this.buffer.length * 2;
    while (capacity < this.length + bytes) capacity *= 2;
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}

/** Decimal digits of an integer from 0 to 2^31 - 1. */
function digitCount(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  return value < 1_000_000_000 ? 9 : 10;
}
