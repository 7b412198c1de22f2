import { join } from 'node:path';
import { ChangeLog } from '../../changes/change-log.ts';
import { Ordinals } from '../../changes/ordinals.ts';
import { SpilledTransaction } from '../../changes/spill.ts';
import type { ChangeSink } from '../source.ts';
import { ScnPosition } from './position.ts';
import type { Scn } from './scn.ts';
import { UndoStack } from './undo-stack.ts';

/** A transaction whose changes take more than this is moved to disk: it is not handed on in one go. */
const SPILL_BYTES = 4 * 1024 * 1024;

/** Most transactions are small, and thousands may be open. */
const FIRST_CAPACITY = 512;

/** A transaction of which rows were read and no end. */
class OpenTransaction {
  readonly xid: string;
  /** Of its first row: mining has to begin before it as long as the transaction is not applied. */
  readonly firstScn: Scn;
  readonly undo = new UndoStack();
  readonly #log = new ChangeLog(FIRST_CAPACITY);
  #spilled: SpilledTransaction | undefined;
  /** Changes that were undone, by their ordinals; while the transaction is in memory. */
  #dropped: Ordinals | undefined;
  #undone = 0;
  /** Tables in which something was taken back that was not found, with the SCN of the first; undefined: none. */
  unmatched: Map<string, Scn> | undefined;
  /** Bytes of it that are in memory and not on disk. */
  memory = 0;

  constructor(xid: string, firstScn: Scn) {
    this.xid = xid;
    this.firstScn = firstScn;
  }

  get spilled(): SpilledTransaction | undefined {
    return this.#spilled;
  }

  get count(): number {
    return this.#spilled?.count ?? this.#log.count;
  }

  /** To append the next change to. */
  get changes(): ChangeLog {
    return this.#spilled?.changesOf(0) ?? this.#log;
  }

  /** Bytes appended in all. */
  get bytes(): number {
    return this.#spilled?.bytes ?? this.#log.length;
  }

  /** Forgets one change. */
  drop(ordinal: number): void {
    this.#undone++;
    if (this.#spilled !== undefined) this.#spilled.drop(ordinal);
    else {
      this.#dropped ??= new Ordinals();
      this.#dropped.add(ordinal);
    }
  }

  /** Moves what is in memory to a file in `directory`. */
  spill(directory: string): void {
    if (this.#spilled === undefined) {
      this.#spilled = new SpilledTransaction(directory, `oracle-${this.xid}`);
      this.#spilled.changesOf(0).appendEntries(this.#log, 0, this.#log.length);
      for (let ordinal = 0; ordinal < this.#log.count; ordinal++) {
        if (this.#dropped?.has(ordinal) === true) this.#spilled.drop(ordinal);
      }
      this.#dropped = undefined;
      this.#log.clear();
      this.#log.buffer = Buffer.alloc(0);
    }
    this.#spilled.settle();
    this.memory = 0;
  }

  /** Hands the changes in memory to the sink. */
  deliver(sink: ChangeSink): void {
    const log = this.#log;
    for (let at = 0, ordinal = 0; at < log.length; ordinal++) {
      const end = at + log.buffer.readUInt32BE(at);
      if (this.#dropped?.has(ordinal) !== true) {
        sink.changes.appendEntries(log, at, end);
        sink.entryAppended();
      }
      at = end;
    }
  }

  /** True when everything in it was undone. */
  get empty(): boolean {
    return this.count === this.#undone;
  }
}

/**
 * The transactions that are open at a point of the redo, each with the changes that were read so far, and the order in which they are handed
 * on: that of their commits. Together they keep to a budget of memory; beyond it the largest move to disk.
 *
 * The servers of a parallel statement change rows in transactions of their own, with numbers and commits of their own, and are handed on as
 * such. LogMiner tells the number of a parent (PXID), but that does not make one transaction of them for certain. It is told of
 * recursive transactions too, which end by themselves, whatever becomes of their parent. And the commits of the servers are several records, between which others commit:
 * waiting for the last would let those overtake that changed the same rows after the first; handing all on with the first
 * would rely on commits that were not read. So nothing is lost, doubled or out of order; between the commits of its
 * servers a parallel statement is there in part, at the target as in the redo.
 */
export class Transactions {
  readonly #open = new Map<string, OpenTransaction>();
  readonly #directory: string;
  readonly #budget: number;
  #memory = 0;
  #current: OpenTransaction | undefined;
  #start: ScnPosition;
  /** SCN of the newest commit, and who committed there. */
  #applied: Scn;
  #xids: string[];

  /**
   * @param start what the target has already, which is not handed on again
   * @param dataDir its directory `spill` holds what goes over the budget
   * @param budget bytes
   */
  constructor(start: ScnPosition, dataDir: string, budget: number) {
    this.#start = start;
    this.#applied = start.applied;
    this.#xids = [...start.xids];
    this.#directory = join(dataDir, 'spill');
    this.#budget = budget;
  }

  /** Transactions that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** True for a transaction of which something was read. */
  has(xid: string): boolean {
    return this.#find(xid) !== undefined;
  }

  /** Bytes of changes in memory. */
  get memory(): number {
    return this.#memory;
  }

  /** The transaction of that number. */
  #find(xid: string): OpenTransaction | undefined {
    const found = this.#open.get(xid);
    if (found !== undefined || !xid.endsWith('FFFFFFFF')) return found;
    // Undo of a transaction that began before the redo that is read does not tell the sequence.
    const prefix = xid.slice(0, 8);
    let only: OpenTransaction | undefined;
    for (const [key, each] of this.#open) {
      if (!key.startsWith(prefix)) continue;
      if (only !== undefined) return undefined;
      only = each;
    }
    return only;
  }

  /** A transaction does something whose change follows later, as a large object is written piece by piece: it is needed from here on. */
  begins(xid: string, scn: Scn): void {
    this.changesOf(xid, scn);
  }

  /** The log for the next change of a transaction, which begins with it when it is not known. `changed` has to follow. */
  changesOf(xid: string, scn: Scn): ChangeLog {
    let transaction = this.#find(xid);
    if (transaction === undefined) {
      transaction = new OpenTransaction(xid, scn);
      this.#open.set(xid, transaction);
    }
    this.#current = transaction;
    return transaction.changes;
  }

  /**
   * A row was changed in the transaction that `changesOf` was last called for; `bytes` is what was appended for it, 0 where nothing of the change is
   * replicated.
   */
  changed(row: number, bytes: number): void {
    const transaction = this.#current;
    if (transaction === undefined) return;
    transaction.undo.push(row, bytes > 0 ? transaction.count - 1 : -1);
    transaction.memory += bytes;
    this.#memory += bytes;
    if (transaction.memory > SPILL_BYTES) this.#spill(transaction);
    else if (this.#memory > this.#budget) this.#shrink();
  }

  /** The last change of that row in a transaction was taken back. False when there is none. */
  undone(xid: string, row: number): boolean {
    const transaction = this.#find(xid);
    return transaction?.undo.undo(row, (ordinal) => transaction.drop(ordinal)) ?? false;
  }

  /** An undo of that transaction found nothing in a table: its `commit` tells. */
  unmatched(xid: string, table: string, scn: Scn): void {
    const transaction = this.#find(xid);
    if (transaction === undefined) return;
    transaction.unmatched ??= new Map();
    if (!transaction.unmatched.has(table)) transaction.unmatched.set(table, scn);
  }

  /**
   * Hands a transaction on unless the target has it; what is not known had no change of ours.
   * @param time microseconds since the Unix epoch, by the source's clock
   * @returns of a transaction that was handed on, the tables in which an undo of it found nothing, with their SCNs; undefined: none
   */
  commit(xid: string, scn: Scn, time: number, sink: ChangeSink): ReadonlyMap<string, Scn> | undefined {
    const transaction = this.#find(xid);
    if (transaction === undefined) return undefined;
    this.#open.delete(transaction.xid);
    this.#memory -= transaction.memory;
    if (transaction.empty || this.#start.includes(transaction.xid, scn)) {
      transaction.spilled?.discard();
      return undefined;
    }
    if (scn === this.#applied && this.#xids.length > 0) this.#xids.push(transaction.xid);
    else this.#xids = [transaction.xid];
    this.#applied = scn;
    const position = new ScnPosition(this.#lowWatermark(scn - 1n), scn, [...this.#xids]);
    if (transaction.spilled === undefined) {
      sink.begin(time);
      transaction.deliver(sink);
      sink.commit(position);
    } else sink.commitSpilled(transaction.spilled, time, position);
    return transaction.unmatched;
  }

  rollback(xid: string): void {
    const transaction = this.#find(xid);
    if (transaction === undefined) return;
    this.#open.delete(transaction.xid);
    this.#memory -= transaction.memory;
    transaction.spilled?.discard();
  }

  /** Where things stand once all redo up to `scn` was read; undefined while the target has more than that already. */
  positionAt(scn: Scn): ScnPosition | undefined {
    if (scn < this.#start.applied) return undefined;
    return new ScnPosition(this.#lowWatermark(scn), scn);
  }

  /** SCN of the first row of the transaction that has been open longest; undefined when none is. */
  get oldest(): Scn | undefined {
    // In the order of their first rows, as a Map keeps it.
    const first = this.#open.values().next();
    return first.done ? undefined : first.value.firstScn;
  }

  /** Closes and deletes what is on disk. */
  discard(): void {
    for (const { spilled } of this.#open.values()) spilled?.discard();
    this.#open.clear();
    this.#memory = 0;
  }

  #lowWatermark(scn: Scn): Scn {
    const { oldest } = this;
    return oldest === undefined || oldest > scn ? scn : oldest - 1n;
  }

  #spill(transaction: OpenTransaction): void {
    this.#memory -= transaction.memory;
    transaction.spill(this.#directory);
  }

  /** The largest first, until there is room for some time: it should not be done for every row. */
  #shrink(): void {
    const bySize = [...this.#open.values()].sort((a, b) => b.memory - a.memory);
    for (const transaction of bySize) {
      if (this.#memory <= this.#budget * 0.75) return;
      this.#spill(transaction);
    }
  }
}
