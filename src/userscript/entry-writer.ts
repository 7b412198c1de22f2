import { type ChangeKind, ENTRY_HEADER, type OldTuple, ValueKind } from '../changes/change-log.ts';

/** Writes entries of a ChangeLog (see there for their form) into a growing buffer of the thread. */
export class EntryWriter {
  buffer = Buffer.allocUnsafeSlow(64 * 1024);
  length = 0;
  count = 0;
  #start = 0;

  /** Whole entries as they stand in another buffer. */
  copy(source: Buffer, start: number, end: number, count: number): void {
    this.#reserve(end - start);
    source.copy(this.buffer, this.length, start, end);
    this.length += end - start;
    this.count += count;
  }

  /** Begins an entry; tuples follow, then `end`. */
  begin(kind: ChangeKind, old: OldTuple, table: number): void {
    this.#reserve(ENTRY_HEADER);
    this.#start = this.length;
    this.buffer[this.length + 4] = kind;
    this.buffer[this.length + 5] = old;
    this.buffer.writeUInt16BE(table, this.length + 6);
    this.length += ENTRY_HEADER;
  }

  end(): void {
    this.buffer.writeUInt32BE(this.length - this.#start, this.#start);
    this.count++;
  }

  tuple(columns: number): void {
    this.#reserve(2);
    this.length = this.buffer.writeUInt16BE(columns, this.length);
  }

  text(value: string | null): void {
    if (value === null) {
      this.#kind(ValueKind.null);
      return;
    }
    this.#reserve(5 + value.length * 3);
    this.buffer[this.length] = ValueKind.text;
    const bytes = this.buffer.write(value, this.length + 5);
    this.buffer.writeInt32BE(bytes, this.length + 1);
    this.length += 5 + bytes;
  }

  unchanged(): void {
    this.#kind(ValueKind.unchanged);
  }

  /** A value as it stands in a tuple. */
  value(source: Buffer, at: number): void {
    if (source[at] !== ValueKind.text) {
      this.#kind(source[at]);
      return;
    }
    const bytes = 5 + source.readInt32BE(at + 1);
    this.#reserve(bytes);
    source.copy(this.buffer, this.length, at, at + bytes);
    this.length += bytes;
  }

  /** Takes back what was written behind `length`, where `count` entries had been written. */
  truncate(length: number, count: number): void {
    this.length = length;
    this.count = count;
  }

  #kind(kind: number): void {
    this.#reserve(1);
    this.buffer[this.length++] = kind;
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    let capacity = this.buffer.length * 2;
    while (capacity < needed) capacity *= 2;
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}
