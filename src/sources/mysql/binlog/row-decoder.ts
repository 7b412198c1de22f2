import { ChangeKind, type ChangeLog, OldTuple } from '../../../changes/change-log.ts';
import type { SourceTable } from '../../../changes/table.ts';
import { protocolError } from '../protocol-error.ts';
import type { ColumnDecoder } from '../values/column.ts';
import type { PartialJsonDecoder } from '../values/column-decoder.ts';
import type { ValueLayout } from '../values/layout.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { RowBody } from './row-events.ts';
import { cutRow, RowImage, ValuePlaces } from './row-image.ts';

/** Where the changes of a transaction go. */
export interface Destination {
  /** The log to append to now; to be asked anew for each change. */
  readonly changes: ChangeLog;
  /** A change was appended. */
  appended(): void;
}

/** One column of a table, as far as its rows are decoded. */
export interface ColumnPlan {
  readonly decode: ColumnDecoder;
  /** Of JSON columns. */
  readonly decodePartial: PartialJsonDecoder | undefined;
  readonly layout: ValueLayout;
  /** False for what is in the log and not in the table that the target knows. */
  readonly written: boolean;
  readonly key: boolean;
}

/** What an image may lack, and what takes its place. */
export interface AbsentColumns {
  /** What an INSERT gave a column that is not in the log; null for NULL. Throws an OperatorError when it cannot be known. */
  onInsert(column: number): Buffer | null;
  /** Throws an OperatorError unless the column kept its value when an UPDATE does not log it in the new row. */
  onUpdate(column: number, inOldRow: boolean): void;
  /** Throws an OperatorError unless the target can do without the column's old value. */
  inOldRow(column: number): void;
  /** The JSON column's new value cannot be made, as only what changed in it is in the log. */
  partialWithoutOld(column: number): Error;
}

/** Images that differ only by their columns are few, but they come from statements, and so there is no end to them. */
const KEPT_IMAGES = 256;

/** Turns the rows of one version of a table into changes. Nothing is allocated per row. */
export class RowDecoder {
  readonly table: SourceTable;
  readonly #name: string;
  readonly #columns: readonly ColumnPlan[];
  readonly #decoders: readonly ColumnDecoder[];
  readonly #key: readonly number[];
  readonly #isKey: readonly boolean[];
  readonly #absent: AbsentColumns;
  readonly #jsonColumns: readonly number[];
  readonly #width: number;
  readonly #old: ValuePlaces;
  readonly #images = new Map<string, RowImage>();
  readonly #defaults = new Map<RowImage, readonly (Buffer | null | undefined)[]>();
  /** By the image of the new row: the old row's with which it came last. */
  readonly #checked = new Map<RowImage, RowImage>();

  constructor(table: SourceTable, columns: readonly ColumnPlan[], absent: AbsentColumns) {
    this.table = table;
    this.#name = `${table.schema}.${table.name}`;
    this.#columns = columns;
    this.#decoders = columns.map(({ decode }) => decode);
    this.#isKey = columns.map(({ key }) => key);
    this.#key = columns.flatMap(({ key }, i) => (key ? [i] : []));
    this.#absent = absent;
    this.#jsonColumns = columns.flatMap(({ decodePartial }, i) => (decodePartial === undefined ? [] : [i]));
    this.#width = columns.filter(({ written }) => written).length;
    this.#old = new ValuePlaces(
      this.#name,
      columns.map(({ layout }) => layout),
    );
  }

  /** True when rows of this event lack columns that are written. */
  lacks({ present, presentAfter }: RowBody): boolean {
    const image = this.#image(presentAfter ?? present);
    return this.#columns.some(({ written }, i) => written && !image.has(i));
  }

  /** Decodes all rows of an event; returns how many there were. Throws OperatorErrors. */
  decode(kind: ChangeKind, partial: boolean, body: RowBody, out: TupleWriter, to: Destination): number {
    const { buffer, start, end } = body;
    if (body.columns !== this.#columns.length) {
      throw protocolError(
        `a row of ${this.#name}`,
        `it has ${body.columns} columns, and the table ${this.#columns.length}`,
      );
    }
    const image = this.#image(body.present);
    const after = body.presentAfter === undefined ? undefined : this.#image(body.presentAfter);
    let rows = 0;
    let at = start;
    // A row of no columns takes no bytes; then there is only one.
    while (at < end || (rows === 0 && image.count === 0)) {
      const begin = at;
      out.clear();
      if (kind === ChangeKind.insert) at = this.#insert(image, buffer, at, end, out, to);
      else if (after === undefined) at = this.#delete(image, buffer, at, end, out, to);
      else at = this.#update(image, after, partial, buffer, at, end, out, to);
      to.appended();
      rows++;
      if (at === begin && at < end) throw protocolError(`a row of ${this.#name}`, `${end - at} bytes too many`);
    }
    return rows;
  }

  #image(present: Buffer): RowImage {
    const key = present.toString('latin1', 0, present.length);
    let image = this.#images.get(key);
    if (image === undefined) {
      if (this.#images.size >= KEPT_IMAGES) {
        this.#images.clear();
        this.#defaults.clear();
        this.#checked.clear();
      }
      image = new RowImage(present, this.#columns.length);
      this.#images.set(key, image);
    }
    return image;
  }

  #insert(image: RowImage, buffer: Buffer, at: number, end: number, out: TupleWriter, to: Destination): number {
    const defaults = this.#defaultsOf(image);
    const { bits } = image;
    const decoders = this.#decoders;
    const nulls = at;
    at += image.nullBytes;
    if (at > end) throw cutRow(this.#name);
    const start = out.begin(this.#width);
    for (let i = 0; i < bits.length; i++) {
      const bit = bits[i];
      if (bit < 0) {
        const value = defaults[i];
        if (value === null) out.null();
        else if (value !== undefined) out.bytes(value, 0, value.length);
      } else if (((buffer[nulls + (bit >>> 3)] >>> (bit & 7)) & 1) === 1) {
        if (this.#columns[i].written) out.null();
      } else {
        at = decoders[i](buffer, at, end, out);
      }
    }
    to.changes.append(ChangeKind.insert, this.table, OldTuple.none, out.buffer, 0, 0, start, out.length);
    return at;
  }

  #delete(image: RowImage, buffer: Buffer, at: number, end: number, out: TupleWriter, to: Destination): number {
    this.#checkOld(image);
    const next = this.#old.locate(image, buffer, at, end);
    const full = this.table.identity === 'full';
    const start = this.#oldTuple(full, buffer, end, out);
    const old = full ? OldTuple.full : OldTuple.key;
    to.changes.append(ChangeKind.delete, this.table, old, out.buffer, start, out.length, 0, 0);
    return next;
  }

  #update(
    before: RowImage,
    after: RowImage,
    partial: boolean,
    buffer: Buffer,
    at: number,
    end: number,
    out: TupleWriter,
    to: Destination,
  ): number {
    this.#checkOld(before);
    this.#checkNew(before, after);
    const { starts, ends } = this.#old;
    const decoders = this.#decoders;
    const isKey = this.#isKey;
    const full = this.table.identity === 'full';
    at = this.#old.locate(before, buffer, at, end);

    let diffs = -1;
    if (partial) {
      const head = this.#readOptions(buffer, at, end);
      diffs = head.diffs;
      at = head.at;
    }
    const { bits } = after;
    const nulls = at;
    at += after.nullBytes;
    if (at > end) throw cutRow(this.#name);
    let sameKey = true;
    const start = out.begin(this.#width);
    for (let i = 0; i < bits.length; i++) {
      const bit = bits[i];
      if (bit < 0) {
        this.#keep(before, full || isKey[i], i, buffer, end, out);
      } else if (((buffer[nulls + (bit >>> 3)] >>> (bit & 7)) & 1) === 1) {
        if (this.#columns[i].written) out.null();
        if (isKey[i] && starts[i] >= 0) sameKey = false;
      } else if (diffs >= 0 && this.#isDiff(buffer, diffs, i)) {
        at = this.#applyDiff(before, full, i, buffer, at, end, out);
      } else {
        const from = at;
        at = decoders[i](buffer, at, end, out);
        if (isKey[i] && sameKey) sameKey = sameBytes(buffer, starts[i], ends[i], from, at);
      }
    }
    const stop = out.length;
    let oldStart = 0;
    let oldEnd = 0;
    let old: OldTuple = OldTuple.none;
    if (full || !sameKey) {
      old = full ? OldTuple.full : OldTuple.key;
      oldStart = this.#oldTuple(full, buffer, end, out);
      oldEnd = out.length;
    }
    to.changes.append(ChangeKind.update, this.table, old, out.buffer, oldStart, oldEnd, start, stop);
    return at;
  }

  /** The located old row: its key alone, or all of it. Returns where the tuple starts. */
  #oldTuple(full: boolean, buffer: Buffer, end: number, out: TupleWriter): number {
    const { starts } = this.#old;
    const start = out.begin(this.#width);
    for (let i = 0; i < this.#columns.length; i++) {
      const { written, key } = this.#columns[i];
      if (!written) continue;
      if (starts[i] >= 0 && (full || key)) this.#decoders[i](buffer, starts[i], end, out);
      else out.null();
    }
    return start;
  }

  /** A column that the new row does not have: as in the old row, where that is needed and there, else not changed. */
  #keep(before: RowImage, needed: boolean, column: number, buffer: Buffer, end: number, out: TupleWriter): void {
    if (!this.#columns[column].written) return;
    const start = this.#old.starts[column];
    if (!needed || !before.has(column)) out.unchanged();
    else if (start < 0) out.null();
    else this.#decoders[column](buffer, start, end, out);
  }

  /** Which JSON columns are told by their differences: the offset of the bitmap, or -1. */
  #readOptions(buffer: Buffer, at: number, end: number): { at: number; diffs: number } {
    if (at >= end) throw cutRow(this.#name);
    const options = buffer[at++];
    if (options > 1) throw protocolError(`a row of ${this.#name}`, `the options ${options} of its values`);
    if (options === 0) return { at, diffs: -1 };
    const next = at + ((this.#jsonColumns.length + 7) >>> 3);
    if (next > end) throw cutRow(this.#name);
    return { at: next, diffs: at };
  }

  #isDiff(buffer: Buffer, diffs: number, column: number): boolean {
    if (this.#columns[column].decodePartial === undefined) return false;
    const bit = this.#jsonColumns.indexOf(column);
    return ((buffer[diffs + (bit >>> 3)] >>> (bit & 7)) & 1) === 1;
  }

  #applyDiff(
    before: RowImage,
    full: boolean,
    column: number,
    buffer: Buffer,
    at: number,
    end: number,
    out: TupleWriter,
  ): number {
    if (at + 4 > end) throw cutRow(this.#name);
    if (buffer.readUInt32LE(at) === 0) {
      this.#keep(before, full, column, buffer, end, out);
      return at + 4;
    }
    if (!before.has(column)) throw this.#absent.partialWithoutOld(column);
    const start = this.#old.starts[column];
    const { decodePartial } = this.#columns[column];
    if (start < 0 || decodePartial === undefined) {
      throw protocolError(`a row of ${this.#name}`, 'differences to a JSON value that is NULL');
    }
    return decodePartial(buffer, start, this.#old.ends[column], buffer, at, end, out);
  }

  /** By column: what it takes when it is not in the image; undefined for those that are, and for what is not written. */
  #defaultsOf(image: RowImage): readonly (Buffer | null | undefined)[] {
    let defaults = this.#defaults.get(image);
    if (defaults === undefined) {
      defaults = this.#columns.map(({ written }, i) =>
        image.has(i) || !written ? undefined : this.#absent.onInsert(i),
      );
      this.#defaults.set(image, defaults);
    }
    return defaults;
  }

  #checkNew(before: RowImage, after: RowImage): void {
    if (this.#checked.get(after) === before) return;
    this.#columns.forEach(({ written }, i) => {
      if (written && !after.has(i)) this.#absent.onUpdate(i, before.has(i));
    });
    this.#checked.set(after, before);
  }

  /** The old row must tell which row is meant. */
  #checkOld(image: RowImage): void {
    if (this.table.identity === 'key') {
      for (const column of this.#key) if (!image.has(column)) this.#absent.inOldRow(column);
    } else if (image.count < this.#columns.length) {
      this.#columns.forEach(({ written }, i) => {
        if (written && !image.has(i)) this.#absent.inOldRow(i);
      });
    }
  }
}

function sameBytes(buffer: Buffer, start: number, end: number, from: number, until: number): boolean {
  if (start < 0 || end - start !== until - from) return false;
  for (let i = start, j = from; i < end; i++, j++) if (buffer[i] !== buffer[j]) return false;
  return true;
}
