import { protocolError } from '../protocol-error.ts';
import { readLength, type ValueLayout } from '../values/layout.ts';

/** What a row image of an event holds: its columns, in what order, and which of them are not there. */
export class RowImage {
  /** By column: which bit of the null bitmap is its; -1 for columns that are not in the image. */
  readonly bits: Int16Array;
  /** Columns that are in the image. */
  readonly count: number;
  /** Bytes of the null bitmap. */
  readonly nullBytes: number;

  /** @param present one bit for each column, the first one lowest */
  constructor(present: Buffer, columns: number) {
    const bits = new Int16Array(columns);
    let count = 0;
    for (let i = 0; i < columns; i++) bits[i] = (present[i >>> 3] >>> (i & 7)) & 1 ? count++ : -1;
    this.bits = bits;
    this.count = count;
    this.nullBytes = (count + 7) >>> 3;
  }

  has(column: number): boolean {
    return this.bits[column] >= 0;
  }

  isNull(buffer: Buffer, nulls: number, column: number): boolean {
    const bit = this.bits[column];
    return ((buffer[nulls + (bit >>> 3)] >>> (bit & 7)) & 1) === 1;
  }
}

/** Where the values of one row stand. Reused for every row. */
export class ValuePlaces {
  /** By column; -1 for NULL and for columns that are not there. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly #lengthBytes: Int8Array;
  readonly #sizes: Int32Array;
  readonly #table: string;

  constructor(table: string, layouts: readonly ValueLayout[]) {
    this.#table = table;
    this.starts = new Int32Array(layouts.length);
    this.ends = new Int32Array(layouts.length);
    this.#lengthBytes = Int8Array.from(layouts, ({ lengthBytes }) => lengthBytes);
    this.#sizes = Int32Array.from(layouts, ({ size }) => size);
  }

  /** Passes over the row at `at`, keeping where its values are; returns the offset past it. */
  locate(image: RowImage, buffer: Buffer, at: number, end: number): number {
    const { starts, ends } = this;
    const { bits } = image;
    const lengthBytes = this.#lengthBytes;
    const sizes = this.#sizes;
    const nulls = at;
    at += image.nullBytes;
    if (at > end) throw cutRow(this.#table);
    for (let i = 0; i < bits.length; i++) {
      const bit = bits[i];
      if (bit < 0 || ((buffer[nulls + (bit >>> 3)] >>> (bit & 7)) & 1) === 1) {
        starts[i] = -1;
        continue;
      }
      starts[i] = at;
      const prefix = lengthBytes[i];
      if (at + prefix > end) throw cutRow(this.#table);
      at += prefix === 0 ? sizes[i] : prefix + readLength(buffer, at, prefix);
      if (at > end) throw cutRow(this.#table);
      ends[i] = at;
    }
    return at;
  }
}

/** A row whose values do not all stand within its event. */
export function cutRow(table: string): Error {
  return protocolError(`a row of ${table}`, 'it is cut short');
}
