import { ChangeKind, OldTuple } from '../changes/change-log.ts';
import type { CallReader, ReadEntry } from './call-reader.ts';
import { EntryWriter } from './entry-writer.ts';
import type { OutTable, TablePlan } from './protocol.ts';
import { Call, Outcome, type RealmIo } from './realm/io.ts';
import { noKey, OutTables, positionOf, type Shape, type Shapes } from './shapes.ts';

/** A row as a handler has made it: a piece of `io.out`. */
interface Made {
  readonly target: string;
  readonly names: readonly string[];
  /** Where its texts and source columns stand in `io.out`: three places apart. */
  readonly at: number;
  /** Where the values of the source's row begin. */
  readonly values: number;
}

const EMPTY: readonly Made[] = [];

/** Writes entries of what handlers have made of rows. */
export class RowEncoder {
  readonly writer = new EntryWriter();
  tables = new OutTables(0);
  readonly #io: RealmIo;
  readonly #shapes: Shapes;
  /** Place in `io.out` that was read last. */
  #read = 0;
  #buffer: Buffer = Buffer.alloc(0);
  #places: readonly number[] = [];

  constructor(io: RealmIo, shapes: Shapes) {
    this.#io = io;
    this.#shapes = shapes;
  }

  /** Begins a request with this many tables. */
  begin(tables: number): void {
    this.tables = new OutTables(tables);
    this.writer.truncate(0, 0);
  }

  /** To be called before the entries of a run. */
  beginRun(buffer: Buffer, reader: CallReader): void {
    this.#read = 0;
    this.#buffer = buffer;
    this.#places = reader.places;
  }

  /** Writes what became of an entry that does not go on as it is; returns the target tables of its rows. @throws ScriptFailure */
  encode(entry: ReadEntry, reader: CallReader, index: number): string[] {
    const plan = entry.plan!;
    const last = entry.call + entry.calls - 1;
    const moved = entry.calls === 2;
    const gone =
      moved || reader.calls[entry.call] === Call.delete ? this.#made(entry.call, plan, reader.at[entry.call]) : EMPTY;
    const rows = reader.calls[last] === Call.upsert ? this.#made(last, plan, reader.at[last]) : EMPTY;
    const kind = this.#buffer[entry.at + 4] as ChangeKind;
    const targets = [...gone, ...rows].map((made) => made.target);
    const [one] = gone;
    if (gone.length === 1 && rows.length === 1 && one.target === rows[0].target) {
      this.#move(plan, one, rows[0], index);
      return targets;
    }
    for (const made of gone) this.#delete(plan, made, index);
    for (const made of rows) {
      const fresh = kind === ChangeKind.insert && rows.length === 1;
      this.#upsert(plan, made, fresh ? ChangeKind.insert : ChangeKind.update, index);
    }
    return targets;
  }

  /** Writes a TRUNCATE of the target table that bare rows go to; there must be one. */
  truncate(plan: TablePlan, index: number): void {
    const table = this.tables.indexOf(this.#shapes.truncation(plan)!, plan, index);
    this.writer.begin(ChangeKind.truncate, OldTuple.none, table);
    this.writer.end();
  }

  /** The tables of the entries that were written, renumbered to them: nothing is asked of the target for any other. */
  usedTables(): OutTable[] {
    const { buffer, length } = this.writer;
    const numbers = new Map<number, number>();
    for (let at = 0; at < length; at += buffer.readUInt32BE(at)) {
      const table = buffer.readUInt16BE(at + 6);
      let number = numbers.get(table);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(table, number);
      }
      if (number !== table) buffer.writeUInt16BE(number, at + 6);
    }
    return Array.from(numbers.keys(), (table) => this.tables.list[table]);
  }

  /** Writes rows that an onWrite has made, as they stand in `out`. */
  encodeWritten(out: readonly unknown[]): void {
    this.begin(0);
    this.#io.out.length = 0;
    for (const item of out) this.#io.out.push(item);
    this.#read = 0;
    while (this.#read < this.#io.out.length) {
      const call = this.#io.out[this.#read];
      const made = this.#next(-1);
      if (call === Call.delete) this.#delete(undefined, made, -1);
      else this.#upsert(undefined, made, ChangeKind.update, -1);
    }
    this.#io.out.length = 0;
  }

  /** The rows that a call has made; where it left the row as it was, that row. */
  #made(call: number, plan: TablePlan, at: number): readonly Made[] {
    const { outcomes, out, values, missing } = this.#io;
    if (outcomes[call] === Outcome.filtered) return EMPTY;
    if (outcomes[call] === Outcome.same) {
      const sent = plan.columns.map((_, i) => i).filter((i) => values[at + i] !== missing);
      const start = out.length;
      for (const i of sent) out.push(plan.columns[i], null, i);
      return [{ target: plan.target, names: sent.map((i) => plan.columns[i]), at: start, values: at }];
    }
    const rows: Made[] = [];
    while (this.#read < out.length && out[this.#read] === call) rows.push(this.#next(at));
    return rows;
  }

  #next(values: number): Made {
    const { out } = this.#io;
    const target = out[this.#read + 1] as string;
    const columns = out[this.#read + 2] as number;
    const at = this.#read + 3;
    const names: string[] = [];
    for (let i = 0; i < columns; i++) names.push(out[at + 3 * i] as string);
    this.#read = at + 3 * columns;
    return { target, names, at, values };
  }

  #upsert(plan: TablePlan | undefined, made: Made, kind: ChangeKind, index: number): void {
    const absent = plan === undefined ? [] : this.#absent(plan, made);
    const shape = this.#shapes.upsert(plan, made.target, absent.length === 0 ? made.names : [...made.names, ...absent]);
    const table = this.tables.indexOf(shape, plan, index);
    // What nothing tells apart can only be added.
    this.writer.begin(shape.key.length === 0 ? ChangeKind.insert : kind, OldTuple.none, table);
    this.#tuple(shape, made);
    this.writer.end();
  }

  #delete(plan: TablePlan | undefined, made: Made, index: number): void {
    const shape = this.#shapes.deletion(plan, made.target, made.names);
    const whole = this.#isWhole(plan, shape, made);
    this.writer.begin(ChangeKind.delete, whole ? OldTuple.full : OldTuple.key, this.tables.indexOf(shape, plan, index));
    this.#oldTuple(shape, made, whole);
    this.writer.end();
  }

  /** A row whose key was changed, or any changed row of a table without key. */
  #move(plan: TablePlan, gone: Made, made: Made, index: number): void {
    const absent = this.#absent(plan, made);
    const shape = this.#shapes.upsert(plan, made.target, absent.length === 0 ? made.names : [...made.names, ...absent]);
    const whole = this.#isWhole(plan, shape, gone);
    this.writer.begin(ChangeKind.update, whole ? OldTuple.full : OldTuple.key, this.tables.indexOf(shape, plan, index));
    this.#oldTuple(shape, gone, whole);
    this.#tuple(shape, made);
    this.writer.end();
  }

  /** Whether an old row is told by all of its columns: without key it is, and where the source tells it so. */
  #isWhole(plan: TablePlan | undefined, shape: Shape, gone: Made): boolean {
    if (shape.key.length === 0) return true;
    return plan?.identity === 'full' && shape.own && gone.names.length === shape.columns.length;
  }

  #oldTuple(shape: Shape, gone: Made, whole: boolean): void {
    if (whole) this.#tuple(shape, gone);
    else this.#keyTuple(shape, gone);
  }

  /** Columns that the source did not send and the script did not set: they stay as they are on the target. */
  #absent(plan: TablePlan, made: Made): string[] {
    const { values, missing } = this.#io;
    const absent: string[] = [];
    for (let i = 0; i < plan.columns.length; i++) {
      if (values[made.values + i] !== missing || made.names.includes(plan.columns[i])) continue;
      const target = this.#shapes.target(made.target);
      if (target === undefined || positionOf(target.columns, plan.columns[i]) >= 0) absent.push(plan.columns[i]);
    }
    return absent;
  }

  #tuple(shape: Shape, made: Made): void {
    const { columns } = shape;
    this.writer.tuple(columns.length);
    for (let i = 0; i < columns.length; i++) {
      const position = made.names[i] === columns[i] ? i : made.names.indexOf(columns[i]);
      if (position < 0) this.writer.unchanged();
      else this.#value(made, position);
    }
  }

  #keyTuple(shape: Shape, made: Made): void {
    const { columns, key } = shape;
    this.writer.tuple(columns.length);
    for (let i = 0; i < columns.length; i++) {
      if (!key.includes(i)) {
        this.writer.text(null);
        continue;
      }
      const position = positionOf(made.names, columns[i]);
      if (position < 0) throw noKey(made.target, [columns[i]]);
      this.#value(made, position);
    }
  }

  #value(made: Made, position: number): void {
    const { out } = this.#io;
    const from = out[made.at + 3 * position + 2] as number;
    if (from >= 0) this.writer.value(this.#buffer, this.#places[made.values + from]);
    else this.writer.text(out[made.at + 3 * position + 1] as string | null);
  }
}
