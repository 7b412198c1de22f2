import { ChangeLog } from '../changes/change-log.ts';
import type { SpilledTransaction } from '../changes/spill.ts';
import type { OperatorError } from '../errors.ts';
import type { ChangeSink, Position } from '../sources/source.ts';
import { Stopwatch } from './stopwatch.ts';

/** A source transaction inside a batch: its entries end at `end`. */
export interface Transaction {
  readonly end: number;
  /** Changes in it. */
  readonly count: number;
  readonly position: Position;
  /** Microseconds since the Unix epoch, by the source's clock. */
  readonly commitTime: number;
}

/** Whole transactions, applied in one target transaction. */
export interface Batch {
  readonly kind: 'batch';
  readonly log: ChangeLog;
  readonly transactions: readonly Transaction[];
  /** Why it must not be applied: a userscript failed on it. It is one transaction then, as the source sent it. */
  readonly refusal?: OperatorError;
  /** True when a userscript writes some of its rows. */
  readonly writes?: boolean;
}

/** A piece of a transaction that is too large to be held in memory; the last piece carries its end. */
export interface Chunk {
  readonly kind: 'chunk';
  readonly log: ChangeLog;
  readonly first: boolean;
  /** Microseconds since the Unix epoch, by the source's clock. */
  readonly commitTime: number;
  readonly last: Transaction | undefined;
  /** Why its transaction must not be applied: a userscript failed on it. */
  readonly refusal?: OperatorError;
  /** True when a userscript writes some of its rows. */
  readonly writes?: boolean;
}

/** A transaction that was gathered on disk while it was open at the source. */
export interface Spilled {
  readonly kind: 'spilled';
  readonly spilled: SpilledTransaction;
  readonly position: Position;
  readonly commitTime: number;
}

/** Nothing to apply, but the checkpoint may move. */
export interface Progress {
  readonly kind: 'progress';
  readonly position: Position;
}

export type Work = Batch | Chunk | Spilled | Progress;

/** Where the applier takes its work from. */
export type WorkQueue = Pick<
  Batcher,
  'take' | 'release' | 'hasChanges' | 'hasProgress' | 'received' | 'onWork' | 'onSpill'
>;

export interface BatcherOptions {
  /** Changes after which a batch is closed. */
  flushSize: number;
  /** Source transactions after which a batch is closed. */
  transactionLimit: number;
  /** Bytes received and not yet released after which the source has to wait. */
  memoryLimit: number;
  /** Works that may stand ready before the source has to wait. */
  queueSize: number;
}

/** What the buffer of a log grows to before a batch is closed or a large transaction is cut; buffers grow by doubling. */
const LOG_CAPACITY = 1024 * 1024;

/** Bytes at which that is done: the row that crosses them should not double the buffer. */
const CHUNK_BYTES = LOG_CAPACITY - 64 * 1024;

/** Logs kept for reuse. */
const POOLED_LOGS = 16;

/** Gathers what a source delivers into work for the applier, and counts the bytes between the two. */
export class Batcher implements ChangeSink {
  changes: ChangeLog;
  /** Called when there may be something to take. */
  onWork: () => void = () => {};
  /** Called when a large transaction begins to be gathered on disk. */
  onSpill: (spilled: SpilledTransaction) => void = () => {};
  /** Transactions with changes that were delivered so far. */
  received = 0;

  readonly #options: BatcherOptions;
  readonly #ready: Work[] = [];
  readonly #pool: ChangeLog[] = [];
  #transactions: Transaction[] = [];
  #openedAt = 0;
  #commitTime = 0;
  /** Offset and count at which the open transaction starts in `changes`. */
  #start = 0;
  #startCount = 0;
  /** True when earlier pieces of the open transaction were cut off. */
  #cut = false;
  #progress: Position | undefined;
  /** Taken, and not known to be applied. */
  #spills: SpilledTransaction[] = [];
  /** Bytes handed out and not yet released. */
  #taken = 0;
  #waiting: (() => void)[] = [];
  #scheduled = false;
  #closed = false;
  readonly #blocked: Stopwatch;
  readonly targetColumns: ChangeSink['targetColumns'];

  /** `blocked` runs while the source has to wait; `targetColumns` knows the target. */
  constructor(
    options: BatcherOptions,
    blocked = new Stopwatch(),
    targetColumns: ChangeSink['targetColumns'] = () => [],
  ) {
    this.#options = options;
    this.#blocked = blocked;
    this.targetColumns = targetColumns;
    this.changes = new ChangeLog();
  }

  /** The entries [start, end) of a log as a log of their own. */
  static logOf(log: ChangeLog, start: number, end: number): ChangeLog {
    const own = new ChangeLog(Math.max(1, end - start));
    own.appendEntries(log, start, end);
    return own;
  }

  /** Bytes received and not yet applied. */
  get buffered(): number {
    return this.#taken + this.changes.length;
  }

  /** Works that stand ready, the open batch not counted. */
  get queued(): number {
    return this.#ready.length;
  }

  get full(): boolean {
    return this.#closed || this.buffered >= this.#options.memoryLimit || this.#ready.length >= this.#options.queueSize;
  }

  drained(): Promise<void> {
    if (!this.full) return Promise.resolve();
    this.#blocked.set(true);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  begin(commitTime: number): void {
    this.#commitTime = commitTime;
  }

  entryAppended(): void {
    if (this.changes.length < CHUNK_BYTES) return;
    if (this.#transactions.length > 0) this.#close();
    if (this.changes.length < CHUNK_BYTES) return;
    this.#push({ kind: 'chunk', log: this.changes, first: !this.#cut, commitTime: this.#commitTime, last: undefined });
    this.#renew();
    this.#cut = true;
  }

  commit(position: Position): void {
    const log = this.changes;
    const transaction = {
      end: log.length,
      count: log.count - this.#startCount,
      position,
      commitTime: this.#commitTime,
    };
    if (this.#cut || transaction.count > 0) this.received++;
    if (this.#cut) {
      this.#cut = false;
      this.#push({ kind: 'chunk', log, first: false, commitTime: this.#commitTime, last: transaction });
      this.#renew();
      return;
    }
    if (transaction.count === 0) {
      this.progress(position);
      return;
    }
    if (this.#transactions.length === 0) this.#openedAt = performance.now();
    this.#transactions.push(transaction);
    this.#start = log.length;
    this.#startCount = log.count;
    this.#progress = undefined;
    if (log.count >= this.#options.flushSize || this.#transactions.length >= this.#options.transactionLimit)
      this.#close();
    this.#announce();
  }

  spillStarted(spilled: SpilledTransaction): void {
    this.onSpill(spilled);
  }

  commitSpilled(spilled: SpilledTransaction, commitTime: number, position: Position): void {
    this.received++;
    this.#close();
    this.#push({ kind: 'spilled', spilled, commitTime, position });
  }

  progress(position: Position): void {
    this.#progress = position;
    this.#announce();
  }

  /**
   * The next work in order, if there is any. With `hurry` the open batch is given out as it stands, else only when it has
   * been open for `flushPeriod` milliseconds. A mere progress is given out only with `progress`.
   */
  take(hurry: boolean, flushPeriod: number, progress: boolean): Work | undefined {
    const work = this.#ready.shift();
    if (work !== undefined) {
      if (work.kind === 'spilled') {
        this.#spills = this.#spills.filter((spilled) => !spilled.discarded);
        this.#spills.push(work.spilled);
      }
      this.#wakeSource();
      return work;
    }
    if (this.#transactions.length > 0) {
      if (!hurry && performance.now() - this.#openedAt < flushPeriod) return undefined;
      this.#close();
      return this.#ready.shift();
    }
    if (progress && !this.#cut && this.#progress !== undefined) {
      const position = this.#progress;
      this.#progress = undefined;
      return { kind: 'progress', position };
    }
    return undefined;
  }

  /** True when `take(true)` would give something that changes data. */
  get hasChanges(): boolean {
    return this.#ready.length > 0 || this.#transactions.length > 0;
  }

  /** True when the checkpoint could move without data. */
  get hasProgress(): boolean {
    return this.#progress !== undefined;
  }

  /** Gives a log back once its changes are committed or no longer wanted. */
  release(log: ChangeLog): void {
    this.#taken -= log.length;
    if (this.#pool.length < POOLED_LOGS && log.buffer.length <= 2 * LOG_CAPACITY) {
      log.clear();
      this.#pool.push(log);
    }
    this.#wakeSource();
  }

  /** Takes no more: the source stands at back-pressure until it is told to stop. */
  close(): void {
    this.#closed = true;
  }

  /** Forgets everything that was not applied: the source will deliver it again. */
  discard(): void {
    for (const work of this.#ready.splice(0)) {
      if (work.kind === 'spilled') work.spilled.discard();
      else if (work.kind !== 'progress') this.#taken -= work.log.length;
    }
    for (const spilled of this.#spills.splice(0)) spilled.discard();
    this.#transactions = [];
    this.#progress = undefined;
    this.changes = new ChangeLog();
    this.#letSourceGo();
  }

  /** Closes the open batch; what belongs to the open transaction moves to a new log. */
  #close(): void {
    if (this.#transactions.length === 0) return;
    const log = this.changes;
    const transactions = this.#transactions;
    const start = this.#start;
    this.#renew();
    if (start < log.length) {
      this.changes.appendEntries(log, start, log.length);
      log.count -= this.changes.count;
      log.length = start;
    }
    this.#push({ kind: 'batch', log, transactions });
  }

  #renew(): void {
    this.changes = this.#pool.pop() ?? new ChangeLog();
    this.#transactions = [];
    this.#start = 0;
    this.#startCount = 0;
  }

  #push(work: Batch | Chunk | Spilled): void {
    if (work.kind !== 'spilled') this.#taken += work.log.length;
    // What was reported behind a batch holds once the batch is applied.
    if (work.kind !== 'batch') this.#progress = undefined;
    this.#ready.push(work);
    this.#announce();
  }

  /** Tells the applier after everything that arrived in the same turn is in. */
  #announce(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.onWork();
    });
  }

  #wakeSource(): void {
    if (this.#waiting.length > 0 && !this.full) this.#letSourceGo();
  }

  #letSourceGo(): void {
    this.#blocked.set(false);
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
