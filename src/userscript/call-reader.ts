import { isAscii } from 'node:buffer';
import { ChangeKind, ENTRY_HEADER, OldTuple, tupleEnd, ValueKind } from '../changes/change-log.ts';
import type { TablePlan } from './protocol.ts';
import { Call, Progress, type RealmIo, Shown } from './realm/io.ts';

/** Calls of a run at most: values are held as JavaScript values only for so many rows at a time. */
const RUN_LENGTH = 256;

/** Words of `progress`: those that are named, then the entry of each call of the present run. */
export const PROGRESS_WORDS = 8 + RUN_LENGTH + 2;
const CALL_ENTRIES = 8;

/** Where the entry of call `call` begins in its request. */
export function entryOfCall(progress: Int32Array, call: number): number {
  return progress[CALL_ENTRIES + call];
}

/** An entry of a run. */
export interface ReadEntry {
  readonly at: number;
  readonly end: number;
  /** Undefined when no handler names its table. */
  readonly plan: TablePlan | undefined;
  /** Its first call, and how many there are: none, one, or a deletion and an upsert when the key changed. */
  readonly call: number;
  readonly calls: number;
}

/**
 * Turns entries into calls of handlers. The values of a call begin in `io.values` at `at[call]`; where each stands in the
 * buffer is in `places`, from the same index on.
 */
export class CallReader {
  readonly entries: ReadEntry[] = [];
  readonly plans: number[] = [];
  readonly calls: number[] = [];
  readonly at: number[] = [];
  /** Where the values of the old row begin, or -1. Only filled in for onWrite. */
  readonly before: number[] = [];
  readonly places: number[] = [];
  length = 0;

  readonly #io: RealmIo;
  readonly #wantBefore: boolean;
  #buffer: Buffer = Buffer.alloc(0);
  #text: string | undefined;
  #textStart = 0;

  constructor(io: RealmIo, wantBefore: boolean) {
    this.#io = io;
    this.#wantBefore = wantBefore;
  }

  /** Reads entries from `at` on until a run is full; returns where the next begins. */
  read(
    buffer: Buffer,
    at: number,
    end: number,
    planOf: (table: number) => TablePlan | undefined,
    limit = RUN_LENGTH,
  ): number {
    this.#buffer = buffer;
    this.entries.length = 0;
    this.#io.values.length = 0;
    this.places.length = 0;
    this.before.length = 0;
    this.length = 0;
    this.#io.progress[Progress.at] = at;
    this.#readText(at, end, limit);
    while (at < end && this.length < limit) {
      const entryEnd = at + buffer.readUInt32BE(at);
      const plan = planOf(buffer.readUInt16BE(at + 6));
      const call = this.length;
      if (plan !== undefined) this.#readEntry(plan, at);
      this.entries.push({ at, end: entryEnd, plan, call, calls: this.length - call });
      at = entryEnd;
    }
    return at;
  }

  /** Where it is ASCII, a value of the run is a slice of one string, which costs far less than to decode each by itself. */
  #readText(start: number, end: number, limit: number): void {
    let until = start;
    for (let i = 0; i < limit && until < end; i++) until += this.#buffer.readUInt32BE(until);
    this.#textStart = start;
    this.#text = isAscii(this.#buffer.subarray(start, until))
      ? this.#buffer.toString('latin1', start, until)
      : undefined;
  }

  #readEntry(plan: TablePlan, at: number): void {
    const buffer = this.#buffer;
    const kind = buffer[at + 4];
    const old = buffer[at + 5];
    const first = at + ENTRY_HEADER;
    if (kind === ChangeKind.truncate) return;
    if (kind === ChangeKind.delete) {
      this.#call(plan, Call.delete, at, first, old, -1);
      return;
    }
    if (old === OldTuple.none) {
      this.#call(plan, Call.upsert, at, first, old, -1);
      return;
    }
    const row = tupleEnd(buffer, first);
    if (this.#moved(plan, first, row)) {
      this.#call(plan, Call.delete, at, first, old, -1);
      this.#call(plan, Call.upsert, at, row, old, first);
    } else {
      this.#call(plan, Call.upsert, at, row, old, first);
    }
  }

  #call(plan: TablePlan, kind: Call, entry: number, tuple: number, old: number, oldTuple: number): void {
    const call = this.length++;
    this.plans[call] = plan.id;
    this.calls[call] = kind;
    this.at[call] = this.#io.values.length;
    this.#io.progress[CALL_ENTRIES + call] = entry;
    const key = kind === Call.delete && old === OldTuple.key ? plan.sentKey : undefined;
    this.#values(plan, tuple, key);
    if (old === OldTuple.full && oldTuple >= 0) this.#complete(plan, call, oldTuple);
    if (!this.#wantBefore) return;
    const before = oldTuple >= 0 ? oldTuple : kind === Call.delete ? tuple : -1;
    this.before[call] = before < 0 ? -1 : this.#io.values.length;
    if (before >= 0) this.#values(plan, before, old === OldTuple.key ? plan.sentKey : undefined);
  }

  /** Adds the values of a tuple; with `key` those of other columns are taken as not sent. */
  #values(plan: TablePlan, at: number, key: readonly number[] | undefined): void {
    const { values, missing } = this.#io;
    const { shown } = plan;
    const buffer = this.#buffer;
    const count = buffer.readUInt16BE(at);
    let to = values.length;
    at += 2;
    for (let i = 0; i < count; i++) {
      this.places[to] = at;
      if (key !== undefined && !key.includes(i)) values[to] = missing;
      else values[to] = this.#value(at, shown[i]);
      to++;
      at += buffer[at] === ValueKind.text ? 5 + buffer.readInt32BE(at + 1) : 1;
    }
  }

  #value(at: number, shown: Shown): unknown {
    const buffer = this.#buffer;
    if (buffer[at] !== ValueKind.text) return buffer[at] === ValueKind.null ? null : this.#io.missing;
    const start = at + 5;
    const end = start + buffer.readInt32BE(at + 1);
    const text =
      this.#text === undefined
        ? buffer.toString('utf8', start, end)
        : this.#text.substring(start - this.#textStart, end - this.#textStart);
    if (shown !== Shown.bool) return text;
    return text === 't' || text === 'true' ? true : text === 'f' || text === 'false' ? false : text;
  }

  /** What an update did not send is in the old row, where that was sent whole. */
  #complete(plan: TablePlan, call: number, at: number): void {
    const { values, missing } = this.#io;
    const buffer = this.#buffer;
    const from = this.at[call];
    at += 2;
    for (let i = 0; i < plan.columns.length; i++) {
      if (values[from + i] === missing) {
        values[from + i] = this.#value(at, plan.shown[i]);
        this.places[from + i] = at;
      }
      at += buffer[at] === ValueKind.text ? 5 + buffer.readInt32BE(at + 1) : 1;
    }
  }

  /** Whether an update gave its row another key. Without a key every update does. */
  #moved(plan: TablePlan, old: number, row: number): boolean {
    if (plan.key.length === 0) return true;
    const buffer = this.#buffer;
    let column = 0;
    let part = 0;
    old += 2;
    row += 2;
    while (part < plan.key.length) {
      const oldEnd = old + (buffer[old] === ValueKind.text ? 5 + buffer.readInt32BE(old + 1) : 1);
      const rowEnd = row + (buffer[row] === ValueKind.text ? 5 + buffer.readInt32BE(row + 1) : 1);
      if (column === plan.key[part]) {
        part++;
        if (buffer[row] !== ValueKind.unchanged && buffer.compare(buffer, row, rowEnd, old, oldEnd) !== 0) return true;
      }
      column++;
      old = oldEnd;
      row = rowEnd;
    }
    return false;
  }
}
