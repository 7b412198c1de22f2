import type { ChangeLog } from '../changes/change-log.ts';
import type { SpilledTransaction } from '../changes/spill.ts';
import { OperatorError } from '../errors.ts';
import type { Logger } from '../log/logger.ts';
import type { Position } from '../sources/source.ts';
import type { Dialect } from '../target/dialect.ts';
import type { MessageBuffer } from '../target/messages.ts';
import { sqlState, verdict } from '../target/retry.ts';
import { type Session, statementsBefore } from '../target/session.ts';
import { checkpointMoved, isDrift, targetLost } from './apply-errors.ts';
import type { ApplierEvents, Written } from './apply-events.ts';
import type { Batch, Batcher, Chunk, Spilled, Transaction, Work } from './batcher.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type CollapseOptions, Collapser, type StatementSubject } from './collapse.ts';
import { EarlyApply } from './early-apply.ts';
import { Lanes } from './lanes.ts';
import { LARGE_MODES, type LargeMode, Rewind } from './large-mode.ts';
import type { Pause } from './pause.ts';
import { EXACT, Recovery, type RecoveryOptions, UPSERT } from './recovery.ts';
import { Signal } from './signal.ts';
import type { TableWork } from './table-work.ts';
import type { TargetTables } from './target-tables.ts';

/** Scripts that may be under way at once, and their bytes: enough to hide a round trip, little enough to bound memory. */
const WINDOW = 6;
const WINDOW_BYTES = 12 * 1024 * 1024;

/**
 * Commits that the target has not yet made durable are made so after this many milliseconds. The one that waits for the
 * disk is seen late, and so are those behind it: so it is not to be one in a hundred.
 */
const SYNC_AFTER = 1000;

/** A checkpoint that moves without data is written at most this often, milliseconds. */
const PROGRESS_EVERY = 1000;

export interface ApplierOptions extends RecoveryOptions {
  /** Milliseconds. */
  flushPeriod: number;
  /** False: write every change by itself, in source order. */
  collapse: boolean;
  /** Connections on which batches that share no row may run at the same time; 1 or less: one after the other. */
  lanes: number;
}

/** Writes a source transaction that the target refuses to the dead-letter table, inside the open target transaction. */
export interface DeadLetters {
  /** To be called before the first `write` and after a failed one. */
  prepare(): Promise<void>;
  /** `commitTime`: microseconds since the epoch; `ordinal`: place of the first change in its transaction, from 0. */
  write(
    session: Session,
    script: MessageBuffer,
    log: ChangeLog,
    start: number,
    end: number,
    commitTime: number,
    ordinal: number,
    error: Error,
  ): void;
}

/** A script on its way. */
interface Flight {
  readonly work: Work;
  readonly position: Position | undefined;
  /** True when the script ends the target transaction. */
  readonly commits: boolean;
  readonly bytes: number;
  readonly sync: boolean;
  readonly exact: boolean;
  /** False while the log is needed for further scripts. */
  readonly release?: boolean;
  readonly written: readonly Written[];
  readonly started: number;
  /** Tables to which rows were sent by COPY. */
  readonly touched: readonly TableWork[];
  error: Error | undefined;
  settled: boolean;
}

/**
 * Applies work in order on one pipelined connection. The checkpoint is moved inside each target transaction by a fence
 * that fails unless the stored checkpoint is the one that the transaction before has left: so a script that follows a
 * failed one can never commit, nor can a second process.
 */
export class Applier {
  readonly #batcher: Batcher;
  readonly #session: Session;
  readonly #dialect: Dialect;
  readonly #tables: TargetTables;
  readonly #checkpoint: Checkpoint;
  readonly #options: ApplierOptions;
  readonly #events: ApplierEvents;
  readonly #log: Logger;
  readonly #deadLetters: DeadLetters;
  readonly #collapser: Collapser;
  readonly #fast: CollapseOptions;
  readonly #recovery: Recovery;
  readonly #openSession: () => Promise<Session>;
  #early: EarlyApply | undefined;
  readonly #lanes: Lanes | undefined;
  /** What each batch on a lane writes, and whether the commit under way waits for the disk. */
  readonly #laneWritten = new Map<Batch, readonly Written[]>();
  #laneSync = false;
  /** What the pieces of the large transaction have written so far. */
  #largeWritten: Written[] = [];
  /** Transactions with changes that were committed so far. */
  #applied = 0;
  readonly #signal = new Signal();
  readonly #flights: Flight[] = [];
  /** Work to be sent again, in front of what the batcher holds. */
  #again: Work[] = [];
  #bytes = 0;
  /** True while a transaction is open on the target whose next piece has not come: no other may begin, or it would commit. */
  #inPieces = false;
  #largeMode: LargeMode;
  /** Why the large transaction was refused before. */
  readonly #largeReason: Error;
  /** Changes of the large transaction that were put into the dead-letter table. */
  #largeOrdinal = 0;
  /** Newest committed position that is not known to be durable, and since when there is one. */
  #unsynced: Position | undefined;
  #unsyncedSince = 0;
  #lastWrite = 0;
  #draining = false;
  readonly #pause: Pause;
  readonly #forgetPause: () => void;

  constructor(parts: {
    batcher: Batcher;
    session: Session;
    openSession: () => Promise<Session>;
    dialect: Dialect;
    tables: TargetTables;
    checkpoint: Checkpoint;
    options: ApplierOptions;
    events: ApplierEvents;
    deadLetters: DeadLetters;
    log: Logger;
    largeMode: LargeMode;
    largeReason: Error | undefined;
    pause: Pause;
  }) {
    this.#batcher = parts.batcher;
    this.#session = parts.session;
    this.#openSession = parts.openSession;
    this.#dialect = parts.dialect;
    this.#tables = parts.tables;
    this.#checkpoint = parts.checkpoint;
    this.#options = parts.options;
    this.#events = parts.events;
    this.#deadLetters = parts.deadLetters;
    this.#log = parts.log;
    this.#largeMode = parts.largeMode;
    this.#largeReason = parts.largeReason ?? new Error('refused');
    this.#recovery = this.#openRecovery(parts);
    this.#collapser = new Collapser(parts.dialect, (table) => parts.tables.resolve(table));
    this.#fast = parts.options.collapse ? { exact: false, copy: true } : EXACT;
    this.#lanes = parts.options.lanes > 1 ? this.#openLanes(parts.options.lanes) : undefined;
    this.#batcher.onWork = () => this.#signal.wake();
    this.#batcher.onSpill = (spilled) => this.#startEarly(spilled);
    this.#pause = parts.pause;
    this.#forgetPause = parts.pause.onChange((active) => {
      // Whoever pauses wants the target to himself: no transaction may keep locks until the source ends it.
      if (active) this.#early?.release('applying is paused');
      this.#signal.wake();
    });
  }

  /** Scripts on their way to the target. */
  get inFlight(): number {
    return this.#flights.length + (this.#lanes?.size ?? 0);
  }

  /** Asks `run` to apply what is in hand and then return. */
  drain(): void {
    this.#draining = true;
    this.#signal.wake();
  }

  /**
   * Applies until `drain` was called and nothing is left, or nothing is under way on a pause. Throws a Rewind when the stream must start again, a transient
   * OperatorError when the target was lost, any other OperatorError when somebody has to act.
   */
  async run(): Promise<void> {
    for (;;) {
      if (this.#flights.some((flight) => flight.error !== undefined)) {
        await this.#recover();
        continue;
      }
      if (this.#lanes?.troubled) {
        await this.#recoverLanes(this.#lanes);
        continue;
      }
      const idle = this.inFlight === 0;
      if (this.#flights.length < this.#window && this.#bytes < WINDOW_BYTES) {
        const work = this.#held ? undefined : (this.#again.shift() ?? this.#take(idle));
        if (work !== undefined) {
          await this.#start(work);
          continue;
        }
        if (idle && !this.#inPieces && this.#syncDue()) {
          this.#sendMarker();
          continue;
        }
      }
      if (idle && this.#draining && (this.#held || !this.#batcher.hasChanges)) {
        // What is not known to be durable is acknowledged after the next start.
        if (this.#unsynced === undefined || this.#inPieces) return;
        this.#sendMarker();
        continue;
      }
      await this.#signal.wait(this.#sleep(idle));
    }
  }

  /** Gives up what is under way for transactions that have not ended. */
  close(): void {
    this.#forgetPause();
    this.#early?.abandon('the stream ends');
    this.#lanes?.close();
  }

  /** Begins to apply a large transaction before its end; one at a time, and only where it can be rolled back for nothing. */
  #startEarly(spilled: SpilledTransaction): void {
    if (this.#dialect.product !== 'postgresql' || !this.#checkpoint.transactional || this.#pause.active) return;
    if (this.#largeMode !== 'copy' || (this.#early !== undefined && !this.#early.lost)) return;
    this.#early = new EarlyApply({
      spilled,
      openSession: this.#openSession,
      dialect: this.#dialect,
      tables: this.#tables,
      options: this.#fast,
      log: this.#log,
      received: () => this.#batcher.received,
      applied: () => this.#applied,
      waiting: () => (this.#flights.length === 0 ? 0 : performance.now() - this.#flights[0].started),
    });
  }

  /** Commits a transaction that was applied early. False when it must be applied from disk. */
  async #finishEarly(work: Spilled): Promise<boolean> {
    const early = this.#early;
    if (early === undefined || early.spilled !== work.spilled || early.lost) return false;
    const started = performance.now();
    const committed = await early
      .finish((session, script) => this.#checkpoint.fence(session, script, work.position))
      .catch((error: Error) => {
        throw targetLost(error);
      });
    this.#early = undefined;
    if (!committed) return false;
    this.#checkpoint.advance(work.position);
    this.#committed({
      work,
      position: work.position,
      sync: true,
      exact: false,
      started,
      written: Array.from(early.written, ([table, counts]) => ({ table, ...counts })),
    });
    return true;
  }

  /** On a pause nothing is begun; a transaction whose first pieces are on the target is finished, except by a stop. */
  get #held(): boolean {
    return this.#pause.active && (!this.#inPieces || this.#draining);
  }

  /** Without the fence nothing but waiting keeps a transaction from being committed behind one that failed. */
  get #window(): number {
    return this.#checkpoint.transactional || this.#inPieces ? WINDOW : 1;
  }

  /** How long to sleep at most: until a sync, a progress write or a flush is due. */
  #sleep(idle: boolean): number | undefined {
    if (!idle) return this.#batcher.hasChanges ? this.#options.flushPeriod : undefined;
    if (this.#inPieces) return undefined;
    if (this.#unsynced !== undefined) return Math.max(1, this.#unsyncedSince + SYNC_AFTER - performance.now());
    return this.#batcher.hasProgress && !this.#held ? PROGRESS_EVERY : undefined;
  }

  /** While scripts are on their way, changes are left to gather; a progress by itself is written now and then. */
  #take(idle: boolean): Work | undefined {
    const progress = idle && (this.#draining || performance.now() - this.#lastWrite >= PROGRESS_EVERY);
    return this.#batcher.take(idle || this.#draining, this.#options.flushPeriod, progress);
  }

  #syncDue(): boolean {
    return this.#unsynced !== undefined && performance.now() - this.#unsyncedSince >= SYNC_AFTER;
  }

  async #start(work: Work): Promise<void> {
    try {
      if (this.#lanes !== undefined && !(await this.#clearLanes(this.#lanes, work))) return;
      if (work.kind === 'batch') this.#sendBatch(work, this.#fast);
      else if (work.kind === 'progress') this.#sendProgress(work);
      else {
        if (this.#largeMode === 'deadLetter' && this.#largeOrdinal === 0) await this.#deadLetters.prepare();
        if (work.kind === 'chunk') this.#sendChunk(work);
        else await this.#sendSpilled(work);
      }
    } catch (error) {
      this.#session.forgetStatements();
      if (!isDrift(error)) throw error;
      await this.#settled();
      await this.#tables.refresh();
      if (work.kind !== 'batch') {
        if (work.kind === 'chunk') for (const table of work.log.tables) this.#tables.resolve(table);
        throw new Rewind(this.#largeMode, error as Error);
      }
      if (this.#failed) this.#again.unshift(work);
      else this.#sendBatch(work, this.#fast);
    }
  }

  #openLanes(limit: number): Lanes {
    return new Lanes({
      limit,
      openSession: this.#openSession,
      tables: this.#tables,
      write: (batch, session, script) => {
        script.query(this.#beginning(false, this.#fast.exact));
        this.#collapser.write(batch.log, 0, batch.log.length, session, script, this.#fast);
        this.#laneWritten.set(batch, this.#takeWritten().written);
      },
      seal: (batch, session, script) => {
        const position = batch.transactions[batch.transactions.length - 1].position;
        this.#laneSync = this.#syncWanted();
        if (this.#laneSync && this.#checkpoint.deferred) script.query('SET LOCAL synchronous_commit TO on');
        this.#checkpoint.fence(session, script, position);
        script.query('COMMIT');
        this.#checkpoint.advance(position);
      },
      committed: (batch, started) => {
        const written = this.#laneWritten.get(batch) ?? [];
        this.#laneWritten.delete(batch);
        this.#batcher.release(batch.log);
        const position = batch.transactions[batch.transactions.length - 1].position;
        this.#committed({ work: batch, position, sync: this.#laneSync, exact: false, started, written });
      },
      wake: () => this.#signal.wake(),
    });
  }

  /**
   * Gives work to a lane, or waits until nothing is under way beside which it may not run. False when it was given away,
   * or has to wait for a recovery.
   */
  async #clearLanes(lanes: Lanes, work: Work): Promise<boolean> {
    await this.#settled();
    if (!this.#failed && work.kind === 'batch' && (await lanes.accept(work))) return false;
    await lanes.drained();
    if (!this.#failed && !lanes.troubled) return true;
    this.#again.unshift(work);
    return false;
  }

  /** What is refused beside others mostly passes alone. */
  async #recoverLanes(lanes: Lanes): Promise<void> {
    const { batches } = await lanes.recover().catch((error: Error) => {
      throw targetLost(error);
    });
    this.#checkpoint.rollback();
    const [first, ...rest] = batches;
    this.#again.unshift(...rest);
    if (first === undefined) return;
    const failure = await this.#alone(() => this.#sendBatch(first, this.#fast));
    const touched = first.log.tables.map((table) => this.#tables.resolve(table));
    if (failure !== undefined) await this.#recovery.resend(first, failure, this.#fast, touched);
  }

  #sendBatch(batch: Batch, options: CollapseOptions): void {
    const last = batch.transactions[batch.transactions.length - 1];
    this.#sendTransactions(batch, 0, batch.log.length, last.position, options);
  }

  /** Sends the entries [start, end) as one target transaction that leaves the checkpoint at `position`. */
  #sendTransactions(
    work: Batch,
    start: number,
    end: number,
    position: Position,
    options: CollapseOptions,
    release = true,
  ): void {
    const sync = this.#syncWanted();
    const script = this.#begin(sync, options.exact);
    this.#checkpoint.fence(this.#session, script, position);
    this.#collapser.write(work.log, start, end, this.#session, script, options);
    script.query('COMMIT');
    this.#checkpoint.advance(position);
    this.#send(script, { work, position, commits: true, sync, exact: options.exact, release });
  }

  #sendProgress(work: { kind: 'progress'; position: Position }): void {
    const sync = this.#syncWanted();
    const script = this.#begin(sync, false);
    this.#checkpoint.fence(this.#session, script, work.position);
    script.query('COMMIT');
    this.#checkpoint.advance(work.position);
    this.#send(script, { work, position: work.position, commits: true, sync, exact: false });
  }

  /** Makes what was committed durable by committing the same checkpoint once more, and waiting for the disk. */
  #sendMarker(): void {
    const position = this.#unsynced!;
    const script = this.#begin(true, false);
    this.#checkpoint.fence(this.#session, script, position);
    script.query('COMMIT');
    this.#send(script, { work: { kind: 'progress', position }, position, commits: true, sync: true, exact: false });
  }

  #sendChunk(chunk: Chunk): void {
    const options = this.#largeOptions();
    const sync = chunk.last !== undefined;
    const script = chunk.first ? this.#begin(true, options.exact) : this.#session.script();
    this.#inPieces = chunk.last === undefined;
    this.#writeLarge(chunk.log, script, options, chunk.commitTime);
    if (chunk.last !== undefined) {
      this.#checkpoint.fence(this.#session, script, chunk.last.position);
      script.query('COMMIT');
      this.#checkpoint.advance(chunk.last.position);
    }
    this.#send(script, {
      work: chunk,
      position: chunk.last?.position,
      commits: chunk.last !== undefined,
      sync,
      exact: options.exact,
    });
  }

  async #sendSpilled(work: Spilled): Promise<void> {
    await this.#settled();
    if (this.#failed) {
      this.#again.unshift(work);
      return;
    }
    if (await this.#finishEarly(work)) return;
    const options = this.#largeOptions();
    let script = this.#begin(true, options.exact);
    this.#checkpoint.fence(this.#session, script, work.position);
    for await (const log of work.spilled.read()) {
      this.#writeLarge(log, script, options, work.commitTime);
      this.#send(script, { work, position: undefined, commits: false, sync: true, exact: options.exact }, log.length);
      while (this.#flights.length >= WINDOW || this.#bytes >= WINDOW_BYTES) {
        await this.#signal.wait();
        if (this.#failed) return;
      }
      script = this.#session.script();
    }
    script.query('COMMIT');
    this.#checkpoint.advance(work.position);
    this.#send(script, { work, position: work.position, commits: true, sync: true, exact: options.exact });
  }

  #writeLarge(log: ChangeLog, script: MessageBuffer, options: CollapseOptions, commitTime: number): void {
    if (this.#largeMode !== 'deadLetter') {
      this.#collapser.write(log, 0, log.length, this.#session, script, options);
      return;
    }
    const ordinal = this.#largeOrdinal;
    this.#largeOrdinal += log.count;
    this.#deadLetters.write(this.#session, script, log, 0, log.length, commitTime, ordinal, this.#largeReason);
  }

  #largeOptions(): CollapseOptions {
    return this.#largeMode === 'copy' ? this.#fast : this.#largeMode === 'upsert' ? UPSERT : EXACT;
  }

  get #failed(): boolean {
    return this.#flights.some((flight) => flight.error !== undefined);
  }

  #begin(sync: boolean, exact: boolean): MessageBuffer {
    const script = this.#session.script();
    script.query(this.#beginning(sync, exact));
    return script;
  }

  #beginning(sync: boolean, exact: boolean): string {
    if (this.#dialect.product === 'cockroachdb') return 'BEGIN READ WRITE';
    let begin = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';
    if (sync && this.#checkpoint.deferred) begin += '; SET LOCAL synchronous_commit TO on';
    if (exact) begin += '; SET CONSTRAINTS ALL DEFERRED';
    return begin;
  }

  /** Whether the next commit is to wait for the target's disk. */
  #syncWanted(): boolean {
    return !this.#checkpoint.deferred || this.#syncDue();
  }

  #send(
    script: MessageBuffer,
    facts: {
      work: Work;
      position: Position | undefined;
      commits: boolean;
      sync: boolean;
      exact: boolean;
      release?: boolean;
    },
    extraBytes = 0,
  ): void {
    const { touched, written } = this.#takeWritten();
    const bytes = script.length + extraBytes;
    const flight: Flight = {
      ...facts,
      bytes,
      written,
      touched,
      started: performance.now(),
      error: undefined,
      settled: false,
    };
    this.#bytes += bytes;
    this.#flights.push(flight);
    const failed = (error: Error) => {
      flight.error = error;
      flight.settled = true;
      this.#bytes -= bytes;
      this.#signal.wake();
    };
    this.#session.send(script).then(({ tags }) => {
      // The commit of a transaction that has failed before is answered by its rollback, and by no error.
      if (facts.commits && tags.at(-1) !== 'COMMIT') failed(new Error('rolled back'));
      else this.#landed(flight);
    }, failed);
  }

  /** The tables written since the last call, and how many rows of each. */
  #takeWritten(): { touched: TableWork[]; written: Written[] } {
    const touched = this.#collapser.takeTouched();
    const written = touched.map((work) => {
      const counts = { table: work.name, upserts: work.upserted, deletes: work.deleted };
      work.upserted = 0;
      work.deleted = 0;
      work.countBatch();
      return counts;
    });
    return { touched, written };
  }

  /** The server has carried out a script; scripts land in the order in which they were sent. */
  #landed(flight: Flight): void {
    flight.settled = true;
    this.#bytes -= flight.bytes;
    if (this.#flights[0] !== flight) {
      // A piece may well be carried out behind a failure: there is a transaction around it that will be rolled back, or none
      // that a bare COMMIT could end. What has the fence in it cannot.
      const piece = !flight.commits || flight.work.kind === 'spilled';
      flight.error = piece
        ? new Error('rolled back')
        : new OperatorError('FENCE_BROKEN', 'a transaction was committed although the one before it failed');
      this.#signal.wake();
      return;
    }
    this.#flights.shift();
    const { work } = flight;
    if ((work.kind === 'chunk' || work.kind === 'batch') && flight.release !== false) this.#batcher.release(work.log);
    if (flight.commits) this.#committed(flight);
    else this.#largeWritten.push(...flight.written);
    this.#signal.wake();
  }

  #committed(flight: Pick<Flight, 'work' | 'position' | 'sync' | 'exact' | 'started' | 'written'>): void {
    const position = flight.position!;
    const { work } = flight;
    this.#lastWrite = performance.now();
    if (work.kind !== 'progress') {
      const duration = this.#lastWrite - flight.started;
      const [count, commitTime] =
        work.kind === 'batch'
          ? [work.transactions.length, work.transactions[work.transactions.length - 1].commitTime]
          : work.kind === 'chunk'
            ? [1, work.last!.commitTime]
            : [1, work.commitTime];
      this.#applied += count;
      this.#early?.wake();
      const written = [...this.#largeWritten, ...flight.written];
      this.#largeWritten = [];
      this.#events.committed(count, commitTime, duration, written, flight.exact);
    }
    if (work.kind === 'spilled') work.spilled.discard();
    if (work.kind === 'spilled' || work.kind === 'chunk') {
      if (this.#largeMode === 'deadLetter') this.#events.deadLettered(position, this.#largeOrdinal);
      this.#largeMode = 'copy';
    }
    this.#checkpoint.committed(position);
    if (flight.sync) {
      this.#unsynced = undefined;
      this.#checkpoint.publish(position, () => this.#events.durable(position));
    } else {
      if (this.#unsynced === undefined) this.#unsyncedSince = this.#lastWrite;
      this.#unsynced = position;
    }
  }

  /** Waits until every script has been answered. */
  async #settled(): Promise<void> {
    while (this.#flights.some((flight) => !flight.settled)) await this.#signal.wait();
  }

  /** Deals with the first script that failed; those behind it failed at the fence. */
  async #recover(): Promise<void> {
    await this.#settled();
    const [head, ...rest] = this.#flights.splice(0);
    const error = head.error!;
    const broken = rest.find((flight) => flight.error instanceof OperatorError);
    if (broken !== undefined) throw broken.error;
    if (verdict(error) === 'reconnect') throw targetLost(error);
    await this.#session.run('ROLLBACK').catch((failure: Error) => {
      throw targetLost(failure);
    });
    this.#checkpoint.rollback();
    this.#inPieces = false;
    this.#largeWritten = [];
    if (head.work.kind === 'chunk' || head.work.kind === 'spilled') await this.#rewindLarge(head, error);
    this.#again.unshift(...rest.flatMap((flight) => (flight.work.kind === 'batch' ? [flight.work] : [])));
    if (head.work.kind === 'batch') {
      await this.#recovery.resend(head.work, error, head.exact ? EXACT : this.#fast, head.touched);
    }
    const large = rest.find((flight) => flight.work.kind === 'chunk' || flight.work.kind === 'spilled');
    if (large !== undefined) throw new Rewind(this.#largeMode, large.error ?? error);
    if (head.work.kind === 'progress') await this.#recovery.judge(error, 1);
  }

  /** A large transaction was refused or has to be tried again: in either case the source must send it again. */
  async #rewindLarge(head: Flight, error: Error): Promise<never> {
    const what = verdict(error);
    if (what === 'fenced' && (await this.#checkpoint.moved())) throw checkpointMoved(error);
    if (what === 'retry') {
      this.#events.retried(sqlState(error) ?? '');
      throw new Rewind(this.#largeMode, error);
    }
    if (what === 'schema') await this.#tables.refresh();
    const next = LARGE_MODES[LARGE_MODES.indexOf(this.#largeMode) + 1];
    if (next === undefined || (next === 'deadLetter' && this.#options.onApplyError === 'stop')) {
      throw this.#recovery.refusal(error, head.position);
    }
    this.#log.warn('a large transaction was refused; the source is asked for it again', {
      mode: next,
      code: sqlState(error),
    });
    throw new Rewind(next, error);
  }

  #openRecovery(parts: { log: Logger }): Recovery {
    return new Recovery({
      dialect: this.#dialect,
      tables: this.#tables,
      checkpoint: this.#checkpoint,
      options: this.#options,
      events: this.#events,
      log: parts.log,
      sender: {
        send: (batch, options) => this.#alone(() => this.#sendBatch(batch, options)),
        sendOne: (batch, start, transaction, options) =>
          this.#alone(() => {
            const part: Batch = { kind: 'batch', log: batch.log, transactions: [transaction] };
            this.#sendTransactions(part, start, transaction.end, transaction.position, options, false);
          }),
        bury: (batch, start, transaction, reason) => this.#bury(batch, start, transaction, reason),
        release: (batch) => this.#batcher.release(batch.log),
        subject: (error) => this.#subject(error),
      },
    });
  }

  /** What the statement was about that failed in the last script sent alone. */
  #subject(error: Error): StatementSubject | undefined {
    const before = statementsBefore(error);
    if (before === undefined) return undefined;
    const opening = this.#beginning(true, true).split(';').length + (this.#checkpoint.transactional ? 1 : 0);
    return this.#collapser.statement(before - opening);
  }

  async #bury(batch: Batch, start: number, transaction: Transaction, reason: Error): Promise<Error | undefined> {
    await this.#deadLetters.prepare();
    const { position, commitTime, end } = transaction;
    const failure = await this.#alone(() => {
      const script = this.#begin(true, false);
      this.#checkpoint.fence(this.#session, script, position);
      this.#deadLetters.write(this.#session, script, batch.log, start, end, commitTime, 0, reason);
      script.query('COMMIT');
      this.#checkpoint.advance(position);
      this.#send(script, { work: { kind: 'progress', position }, position, commits: true, sync: true, exact: true });
    });
    if (failure === undefined) this.#applied++;
    return failure;
  }

  /** Sends one script with nothing beside it; returns its error, after having closed the target transaction. */
  async #alone(send: () => void): Promise<Error | undefined> {
    try {
      send();
    } catch (error) {
      this.#session.forgetStatements();
      this.#checkpoint.rollback();
      throw error;
    }
    await this.#settled();
    const failed = this.#flights.shift();
    if (failed === undefined) return undefined;
    if (verdict(failed.error) === 'reconnect') throw targetLost(failed.error!);
    this.#checkpoint.rollback();
    return failed.error;
  }
}
