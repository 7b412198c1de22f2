import type { SourceTable } from './table.ts';

/** The kinds of change, named by the message bytes of PostgreSQL's logical replication protocol. */
export const ChangeKind = { insert: 0x49, update: 0x55, delete: 0x44, truncate: 0x54 } as const;
export type ChangeKind = (typeof ChangeKind)[keyof typeof ChangeKind];

/** What the first of an entry's tuples is: nothing was sent, the old identity columns, or the whole old row. */
export const OldTuple = { none: 0, key: 0x4b, full: 0x4f } as const;
export type OldTuple = (typeof OldTuple)[keyof typeof OldTuple];

/** The kind byte of a value in a tuple: SQL NULL, text, or "not sent because it did not change". */
export const ValueKind = { null: 0x6e, text: 0x74, unchanged: 0x75 } as const;

/** Bytes in front of an entry's tuples. */
export const ENTRY_HEADER = 8;

const INITIAL_CAPACITY = 64 * 1024;

/**
 * Changes of one or more transactions, in source order, in one growing buffer: the shape in which a change travels from
 * a source to the target, whatever the source is. Nothing is allocated per row, memory is counted in bytes, and the
 * buffer can be written to a spill file as it is.
 *
 * An entry is
 *
 *     u32 length of the whole entry | u8 ChangeKind | u8 OldTuple | u16 index into `tables` | old tuple? | new tuple?
 *
 * and a tuple is the TupleData of PostgreSQL's logical replication protocol: an Int16 count of columns, then for each
 * column a ValueKind byte, followed for text by an Int32 length and the bytes in UTF-8. Every value is in the text form
 * that PostgreSQL and CockroachDB take as input for the column's type. All integers are big-endian.
 *
 * @see https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
export class ChangeLog {
  readonly tables: SourceTable[] = [];
  buffer: Buffer;
  /** Bytes in use. */
  length = 0;
  /** Entries. */
  count = 0;

  readonly #indexes = new Map<SourceTable, number>();
  #lastTable: SourceTable | undefined;
  #lastIndex = 0;

  constructor(capacity = INITIAL_CAPACITY) {
    this.buffer = Buffer.allocUnsafe(capacity);
  }

  /** Position of `table` in `tables`, added on first use. */
  tableIndex(table: SourceTable): number {
    if (table === this.#lastTable) return this.#lastIndex;
    let index = this.#indexes.get(table);
    if (index === undefined) {
      index = this.tables.push(table) - 1;
      this.#indexes.set(table, index);
    }
    this.#lastTable = table;
    this.#lastIndex = index;
    return index;
  }

  /**
   * Appends one change whose tuples stand in `source` as [oldStart, oldEnd) and [newStart, newEnd); an absent tuple is
   * an empty range. The bytes are copied once.
   */
  append(
    kind: ChangeKind,
    table: SourceTable,
    old: OldTuple,
    source: Buffer,
    oldStart: number,
    oldEnd: number,
    newStart: number,
    newEnd: number,
  ): void {
    const length = ENTRY_HEADER + (oldEnd - oldStart) + (newEnd - newStart);
    const at = this.#reserve(length);
    const buffer = this.buffer;
    const index = this.tableIndex(table);
    buffer[at] = length >>> 24;
    buffer[at + 1] = length >>> 16;
    buffer[at + 2] = length >>> 8;
    buffer[at + 3] = length;
    buffer[at + 4] = kind;
    buffer[at + 5] = old;
    buffer[at + 6] = index >>> 8;
    buffer[at + 7] = index;
    let to = at + ENTRY_HEADER;
    if (oldEnd > oldStart) to += source.copy(buffer, to, oldStart, oldEnd);
    if (newEnd > newStart) source.copy(buffer, to, newStart, newEnd);
    this.count++;
  }

  /** Appends a TRUNCATE of `table`; it stands in order with the rows around it. */
  appendTruncate(table: SourceTable): void {
    this.append(ChangeKind.truncate, table, OldTuple.none, this.buffer, 0, 0, 0, 0);
  }

  /** Empties the log for reuse; the buffer is kept. */
  clear(): void {
    this.length = 0;
    this.count = 0;
    this.tables.length = 0;
    this.#indexes.clear();
    this.#lastTable = undefined;
  }

  /** Appends entries [start, end) of another log, as after reading a spill file. */
  appendEntries(other: ChangeLog, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const length = other.buffer.readUInt32BE(at);
      const to = this.#reserve(length);
      other.buffer.copy(this.buffer, to, at, at + length);
      this.buffer.writeUInt16BE(this.tableIndex(other.tables[other.buffer.readUInt16BE(at + 6)]), to + 6);
      this.count++;
      at += length;
    }
  }

  #reserve(bytes: number): number {
    const at = this.length;
    const needed = at + bytes;
    if (needed > this.buffer.length) {
      let capacity = this.buffer.length * 2;
      while (capacity < needed) capacity *= 2;
      const grown = Buffer.allocUnsafe(capacity);
      this.buffer.copy(grown, 0, 0, at);
      this.buffer = grown;
    }
    this.length = needed;
    return at;
  }
}

/** Offset just past the tuple that starts at `at`. The tuple must be well-formed: sources check what they append. */
export function tupleEnd(buffer: Buffer, at: number): number {
  let columns = (buffer[at] << 8) | buffer[at + 1];
  at += 2;
  while (columns-- > 0) {
    at += buffer[at] === ValueKind.text ? 5 + buffer.readInt32BE(at + 1) : 1;
  }
  return at;
}

/** Builds tuples from JavaScript strings, for sources that decode values themselves, and for tests. */
export function encodeTuple(values: readonly (string | null | undefined)[]): Buffer {
  const parts: Buffer[] = [Buffer.from([values.length >> 8, values.length])];
  for (const value of values) {
    if (value === undefined) parts.push(Buffer.from([ValueKind.unchanged]));
    else if (value === null) parts.push(Buffer.from([ValueKind.null]));
    else {
      const text = Buffer.from(value);
      const head = Buffer.alloc(5);
      head[0] = ValueKind.text;
      head.writeInt32BE(text.length, 1);
      parts.push(head, text);
    }
  }
  return Buffer.concat(parts);
}

/** The values of a tuple as strings; null is SQL NULL, undefined is "unchanged, not sent". */
export function decodeTuple(buffer: Buffer, at: number): (string | null | undefined)[] {
  const columns = (buffer[at] << 8) | buffer[at + 1];
  const values: (string | null | undefined)[] = [];
  at += 2;
  for (let i = 0; i < columns; i++) {
    const kind = buffer[at];
    if (kind === ValueKind.text) {
      const length = buffer.readInt32BE(at + 1);
      values.push(buffer.toString('utf8', at + 5, at + 5 + length));
      at += 5 + length;
    } else {
      values.push(kind === ValueKind.null ? null : undefined);
      at += 1;
    }
  }
  return values;
}
