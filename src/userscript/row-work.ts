import { ChangeKind } from '../changes/change-log.ts';
import { CallReader, type ReadEntry } from './call-reader.ts';
import type { RowsDone, TablePlan, ToWorker } from './protocol.ts';
import { Call, Outcome, type ThrownText } from './realm/io.ts';
import { RowEncoder } from './row-encoder.ts';
import { problem, type Sandbox, ScriptFailure } from './sandbox.ts';
import type { Shapes } from './shapes.ts';

type RowsRequest = Extract<ToWorker, { kind: 'rows' }>;

/** A request is answered in part, at the end of a transaction, when this many bytes were written for it. */
const ENOUGH = 4 * 1024 * 1024;
/** More than this is never written for one transaction. */
const TOO_MUCH = 256 * 1024 * 1024;

/** What is known of where a table's rows went, for a TRUNCATE of it. */
interface Whereabouts {
  own: boolean;
  elsewhere: boolean;
  dropped: boolean;
}

/** Takes the rows of transactions through the handlers. */
export class RowWork {
  readonly #sandbox: Sandbox;
  readonly #shapes: Shapes;
  readonly #reader: CallReader;
  readonly #encoder: RowEncoder;
  readonly #whereabouts = new Map<number, Whereabouts>();

  constructor(sandbox: Sandbox, shapes: Shapes) {
    this.#sandbox = sandbox;
    this.#shapes = shapes;
    this.#reader = new CallReader(sandbox.io, false);
    this.#encoder = new RowEncoder(sandbox.io, shapes);
  }

  do(request: RowsRequest, planOf: (id: number) => TablePlan | undefined): RowsDone {
    const buffer = Buffer.from(request.buffer.buffer, request.buffer.byteOffset, request.buffer.byteLength);
    const encoder = this.#encoder;
    const { writer } = encoder;
    encoder.begin(request.plans.length);
    const progress: Progress = { buffer, ends: [], counts: [], same: 0, sameCount: 0, changed: false, count: 0 };
    let at = 0;
    while (at < buffer.length) {
      at = this.#reader.read(buffer, at, buffer.length, (table) => planOf(request.plans[table]));
      const { done, error } = this.#call();
      const failed = this.#encode(request, progress, done, error);
      const written = progress.ends.at(-1) ?? 0;
      if (failed !== undefined) {
        writer.truncate(written, 0);
        return this.#answer(request, progress, failed);
      }
      if (written > ENOUGH && progress.ends.length < request.ends.length) {
        writer.truncate(written, 0);
        return this.#answer(request, progress, { error: undefined, at: 0 });
      }
    }
    return this.#answer(request, progress, { error: undefined, at: 0 });
  }

  #call(): { done: number; error: ThrownText | undefined } {
    const sandbox = this.#sandbox;
    sandbox.io.out.length = 0;
    if (this.#reader.length === 0) return { done: 0, error: undefined };
    const before = sandbox.counters;
    const started = performance.now();
    const result = sandbox.realm.run(this.#reader);
    sandbox.addTime(before, performance.now() - started);
    return result;
  }

  /** Writes the entries of a run; returns the failure that ends it. */
  #encode(request: RowsRequest, progress: Progress, done: number, error: ThrownText | undefined): Failed | undefined {
    const { writer } = this.#encoder;
    this.#encoder.beginRun(progress.buffer, this.#reader);
    for (const entry of this.#reader.entries) {
      if (error !== undefined && entry.call + entry.calls > done) return { error, at: entry.at };
      try {
        if (this.#keep(entry, progress)) progress.sameCount++;
        else {
          // What is to be kept in front of it was written before it.
          progress.changed = true;
          progress.same = entry.end;
        }
      } catch (failure) {
        if (!(failure instanceof ScriptFailure)) throw failure;
        return { error: failure.thrown, at: entry.at };
      }
      if (writer.length > TOO_MUCH) {
        return {
          error: problem('SCRIPT_OUTPUT', `more than ${TOO_MUCH} bytes were returned for one transaction`),
          at: entry.at,
        };
      }
      if (entry.end !== request.ends[progress.ends.length]) continue;
      flush(progress, writer, entry.end);
      progress.ends.push(writer.length);
      progress.counts.push(writer.count - progress.count);
      progress.count = writer.count;
    }
    return undefined;
  }

  /** True when the entry goes on as it is; else what is to be in its place was written. */
  #keep(entry: ReadEntry, progress: Progress): boolean {
    const { plan } = entry;
    if (plan === undefined) return true;
    const index = progress.buffer.readUInt16BE(entry.at + 6);
    if (progress.buffer[entry.at + 4] === ChangeKind.truncate) {
      return this.#truncate(plan, progress, entry.at, index);
    }
    const places = this.#placesOf(plan);
    const { outcomes } = this.#sandbox.io;
    const filtered = outcomes[entry.call] === Outcome.filtered;
    if (filtered) places.dropped = true;
    else if (outcomes[entry.call] === Outcome.same) places.own = true;
    const last = outcomes[entry.call + entry.calls - 1];
    const same = outcomes[entry.call] === Outcome.same && last === Outcome.same;
    if (same && !this.#mustReshape(entry, plan)) return true;
    flush(progress, this.#encoder.writer, entry.at);
    const tables = this.#encoder.encode(entry, this.#reader, index);
    for (const table of tables) {
      if (table === plan.target) places.own = true;
      else places.elsewhere = true;
    }
    return false;
  }

  /** A deletion that is left as it is goes by the columns of the rows that are written, or of those that there are. */
  #mustReshape(entry: ReadEntry, plan: TablePlan): boolean {
    const { calls } = this.#reader;
    if (calls[entry.call] !== Call.delete || entry.calls > 1) return false;
    return this.#shapes.reshaped(plan) || (!plan.fits && this.#shapes.target(plan.target) !== undefined);
  }

  /** A TRUNCATE of the source's table is one of the target's table of that name, or of none. */
  #truncate(plan: TablePlan, progress: Progress, at: number, index: number): boolean {
    if (plan.handlers < 0) return true;
    const { own, elsewhere, dropped } = this.#placesOf(plan);
    const there = this.#shapes.target(plan.target) !== undefined;
    if (there && !elsewhere && plan.fits && !this.#shapes.reshaped(plan)) return true;
    flush(progress, this.#encoder.writer, at);
    if (there && !elsewhere) {
      this.#encoder.truncate(plan, index);
      return false;
    }
    if (elsewhere || own || !dropped) {
      const where = elsewhere ? 'its rows go to other tables' : 'it is not known where its rows go';
      throw new ScriptFailure(
        problem(
          'SCRIPT_TRUNCATE',
          `table ${plan.table} was truncated at the source, and ${where}: no handler tells what to empty`,
        ),
      );
    }
    return false;
  }

  #placesOf(plan: TablePlan): Whereabouts {
    let places = this.#whereabouts.get(plan.id);
    if (places === undefined) {
      places = { own: false, elsewhere: false, dropped: false };
      this.#whereabouts.set(plan.id, places);
    }
    return places;
  }

  #answer({ id }: RowsRequest, { ends, counts, changed }: Progress, failed: Failed): RowsDone {
    const { writer } = this.#encoder;
    const whole = !changed && failed.error === undefined;
    const tables = whole ? [] : this.#encoder.usedTables();
    return {
      kind: 'rows',
      id,
      buffer: whole ? undefined : Uint8Array.prototype.slice.call(writer.buffer, 0, writer.length),
      tables,
      ends,
      counts,
      error: failed.error,
      errorAt: failed.at,
    };
  }
}

interface Failed {
  readonly error: ThrownText | undefined;
  readonly at: number;
}

/** How far a request has come. */
interface Progress {
  readonly buffer: Buffer;
  readonly ends: number[];
  readonly counts: number[];
  /** Where entries that go on as they are begin that were not written yet, and how many they are. */
  same: number;
  sameCount: number;
  changed: boolean;
  /** Entries up to the end of the last transaction. */
  count: number;
}

/** Writes the entries that go on as they are, up to `end`. */
function flush(progress: Progress, writer: RowEncoder['writer'], end: number): void {
  if (end > progress.same) writer.copy(progress.buffer, progress.same, end, progress.sameCount);
  progress.same = end;
  progress.sameCount = 0;
}
