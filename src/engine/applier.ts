import { OperatorError } from '../errors.ts';
import type { Logger } from '../log/logger.ts';
import type { Dialect } from '../target/dialect.ts';
import { verdict } from '../target/retry.ts';
import type { Session } from '../target/session.ts';
import { isDrift, targetLost } from './apply-errors.ts';
import type { ApplierEvents } from './apply-events.ts';
import type { Batch, Work, WorkQueue } from './batcher.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type CollapseOptions, Collapser } from './collapse.ts';
import { Commits } from './commits.ts';
import { type Commit, type Flight, Flights, WINDOW } from './flights.ts';
import { LaneApply } from './lane-apply.ts';
import type { LargeMode } from './large-mode.ts';
import { LargeTransactions } from './large-transactions.ts';
import type { DeadLetters } from './letters.ts';
import type { Pause } from './pause.ts';
import { EXACT, Recovery, type RecoveryOptions } from './recovery.ts';
import type { Scripted } from './scripted.ts';
import type { ScriptStage } from './script-stage.ts';
import { type ScriptParts, ScriptedWrites } from './scripted-writes.ts';
import { Signal } from './signal.ts';
import { Stopwatch } from './stopwatch.ts';
import type { TargetTables } from './target-tables.ts';
import { TargetTransactions } from './target-transactions.ts';

/** A checkpoint that moves without data is written at most this often, milliseconds. */
const PROGRESS_EVERY = 1000;

export interface ApplierOptions extends RecoveryOptions {
  /** Milliseconds. */
  flushPeriod: number;
  /** False: write every change by itself, in source order. */
  collapse: boolean;
  /** What the source's foreign keys change by themselves is in its log. */
  cascadesLogged?: boolean;
  /** Connections on which batches that share no row may run at the same time; 1 or less: one after the other. */
  lanes: number;
}

export interface ApplierParts {
  readonly batcher: WorkQueue;
  /** Where there is a userscript: what stands in front of this applier, and how rows are written by it. */
  readonly script?: ScriptParts & { readonly stage: ScriptStage };
  readonly session: Session;
  readonly openSession: () => Promise<Session>;
  readonly dialect: Dialect;
  readonly tables: TargetTables;
  readonly checkpoint: Checkpoint;
  readonly options: ApplierOptions;
  readonly events: ApplierEvents;
  readonly deadLetters: DeadLetters;
  readonly log: Logger;
  readonly pause: Pause;
  /** How the first large transaction is applied, and why it was refused before. */
  readonly largeMode: LargeMode;
  readonly largeReason: Error | undefined;
  /** Runs while the target has something to do. */
  readonly busy?: Stopwatch;
}

/**
 * Applies work in order on one pipelined connection. The checkpoint is moved inside each target transaction by a fence
 * that fails unless the stored checkpoint is the one that the transaction before has left: so a script that follows a
 * failed one can never commit, nor can a second process.
 */
export class Applier {
  readonly #parts: ApplierParts;
  readonly #fast: CollapseOptions;
  readonly #signal = new Signal();
  readonly #busy: Stopwatch;
  readonly #flights: Flights;
  readonly #commits: Commits;
  readonly #transactions: TargetTransactions;
  readonly #scripted: Scripted | undefined;
  readonly #recovery: Recovery;
  readonly #large: LargeTransactions;
  readonly #lanes: LaneApply | undefined;
  readonly #forgetPause: () => void;
  /** Work to be sent again, in front of what the batcher holds. */
  #again: Work[] = [];
  /** The last batch that was put back because its tables had changed. */
  #drifted: Batch | undefined;
  #draining = false;

  constructor(parts: ApplierParts) {
    const { batcher, session, dialect, tables, checkpoint, options, pause } = parts;
    this.#parts = parts;
    this.#fast = options.collapse ? { exact: false, copy: true } : EXACT;
    this.#busy = parts.busy ?? new Stopwatch();
    this.#flights = new Flights(session, this.#signal, (flight) => this.#landed(flight));
    this.#commits = new Commits(checkpoint, parts.events);
    const collapser = new Collapser(dialect, (table) => tables.resolve(table), options.cascadesLogged);
    const shared = { ...parts, collapser, flights: this.#flights, commits: this.#commits, signal: this.#signal };
    this.#transactions = new TargetTransactions(shared);
    const senders = {
      ...shared,
      transactions: this.#transactions,
      committed: (commit: Commit) => this.#committed(commit),
    };
    const { script } = parts;
    this.#scripted = script && { stage: script.stage, writes: new ScriptedWrites({ ...senders, ...script }) };
    this.#recovery = this.#openRecovery();
    this.#large = new LargeTransactions({
      ...senders,
      fast: this.#fast,
      recovery: this.#recovery,
      scripted: this.#scripted,
    });
    if (options.lanes > 1) this.#lanes = new LaneApply({ ...senders, limit: options.lanes, options: this.#fast });
    batcher.onWork = () => this.#signal.wake();
    this.#forgetPause = pause.onChange((active) => {
      // Whoever pauses wants the target to himself: no transaction may keep locks until the source ends it.
      if (active) this.#large.releaseEarly('applying is paused');
      this.#signal.wake();
    });
  }

  /** Scripts on their way to the target. */
  get inFlight(): number {
    return this.#flights.count + (this.#lanes?.size ?? 0);
  }

  /** Asks `run` to apply what is in hand and then return. */
  drain(): void {
    this.#draining = true;
    this.#signal.wake();
  }

  /**
   * Applies until `drain` was called and nothing is left, or nothing is under way on a pause. Throws a Rewind when the
   * stream must start again, a transient OperatorError when the target was lost, any other OperatorError when somebody has
   * to act.
   */
  async run(): Promise<void> {
    const { batcher } = this.#parts;
    for (;;) {
      if (this.#flights.failed) {
        await this.#recover();
        continue;
      }
      if (this.#lanes?.troubled) {
        await this.#recoverLanes(this.#lanes);
        continue;
      }
      const idle = this.inFlight === 0;
      this.#busy.set(!idle);
      if (this.#flights.hasRoom(this.#window)) {
        const work = this.#held ? undefined : (this.#again.shift() ?? this.#take(idle));
        if (work !== undefined) {
          await this.#start(work);
          continue;
        }
        if (idle && !this.#large.inPieces && this.#commits.syncDue) {
          this.#sendMarker();
          continue;
        }
      }
      if (idle && this.#draining && (this.#held || !batcher.hasChanges)) {
        // What is not known to be durable is acknowledged after the next start.
        if (this.#commits.unsynced === undefined || this.#large.inPieces) return;
        this.#sendMarker();
        continue;
      }
      await this.#signal.wait(this.#sleep(idle));
    }
  }

  /** Gives up what is under way for transactions that have not ended. */
  close(): void {
    this.#busy.set(false);
    this.#forgetPause();
    this.#large.close();
    this.#lanes?.close();
  }

  /** On a pause nothing is begun; a transaction whose first pieces are on the target is finished, except by a stop. */
  get #held(): boolean {
    return this.#parts.pause.active && (!this.#large.inPieces || this.#draining);
  }

  /** Without the fence nothing but waiting keeps a transaction from being committed behind one that failed. */
  get #window(): number {
    return this.#parts.checkpoint.transactional || this.#large.inPieces ? WINDOW : 1;
  }

  /** How long to sleep at most: until a sync, a progress write or a flush is due. */
  #sleep(idle: boolean): number | undefined {
    const { batcher, options } = this.#parts;
    if (!idle) return batcher.hasChanges ? options.flushPeriod : undefined;
    if (this.#large.inPieces) return undefined;
    const sync = this.#commits.syncDueIn;
    if (sync !== undefined) return Math.max(1, sync);
    return batcher.hasProgress && !this.#held ? PROGRESS_EVERY : undefined;
  }

  /** While scripts are on their way, changes are left to gather; a progress by itself is written now and then. */
  #take(idle: boolean): Work | undefined {
    const { batcher, options } = this.#parts;
    const progress = idle && (this.#draining || this.#commits.age >= PROGRESS_EVERY);
    return batcher.take(idle || this.#draining, options.flushPeriod, progress);
  }

  async #start(work: Work): Promise<void> {
    const { session, tables } = this.#parts;
    try {
      const place = (await this.#lanes?.place(work)) ?? 'alone';
      if (place === 'taken') return;
      if (place === 'later' || !(await this.#send(work))) this.#again.unshift(work);
    } catch (error) {
      session.forgetStatements();
      if (!isDrift(error)) throw error;
      await this.#flights.settled();
      await tables.refresh();
      if (work.kind === 'batch') {
        if (this.#drifted === work) throw error;
        this.#drifted = work;
        // It takes its turn again: batches in front of it may still be on lanes.
        this.#again.unshift(work);
        return;
      }
      if (work.kind === 'chunk') for (const table of work.log.tables) tables.resolve(table);
      throw this.#large.rewind(error as Error);
    }
  }

  /** False when the work could not be sent and has to wait for a recovery. */
  async #send(work: Work): Promise<boolean> {
    if (work.kind === 'chunk' || work.kind === 'spilled') return await this.#large.send(work);
    if (work.kind === 'batch' && (work.refusal !== undefined || work.writes)) return await this.#sendScripted(work);
    if (work.kind === 'batch') this.#transactions.sendBatch(work, this.#fast);
    else this.#transactions.sendProgress(work.position);
    return true;
  }

  /** A batch that a userscript failed on, or that it writes rows of: with nothing beside it. */
  async #sendScripted(batch: Batch): Promise<boolean> {
    await this.#flights.settled();
    if (this.#flights.failed) return false;
    if (batch.refusal !== undefined) {
      await this.#recovery.refuse(batch, batch.refusal);
      return true;
    }
    const { position } = batch.transactions[batch.transactions.length - 1];
    const failure = await this.#scripted!.writes.send(batch, 0, batch.log.length, position, this.#fast, true);
    if (failure !== undefined) await this.#recovery.resend(batch, failure, this.#fast, []);
    return true;
  }

  /** Makes what was committed durable by committing the same checkpoint once more, and waiting for the disk. */
  #sendMarker(): void {
    this.#transactions.sendProgress(this.#commits.unsynced!, true);
  }

  #landed(flight: Flight): void {
    const { work } = flight;
    if ((work.kind === 'chunk' || work.kind === 'batch') && flight.release !== false) {
      this.#parts.batcher.release(work.log);
    }
    if (flight.position !== undefined) this.#committed({ ...flight, position: flight.position });
    else this.#large.landed(flight);
  }

  #committed({ work, position, sync, exact, started, written }: Commit): void {
    if (work.kind !== 'progress') {
      this.#commits.changes(work, started, [...this.#large.takeWritten(), ...written], exact);
      this.#large.wake();
    }
    this.#large.ended(work, position);
    this.#commits.reached(position, sync);
  }

  /** What is refused beside others mostly passes alone. */
  async #recoverLanes(lanes: LaneApply): Promise<void> {
    const [first, ...rest] = await lanes.recover();
    this.#again.unshift(...rest);
    if (first === undefined) return;
    const failure = await this.#transactions.alone(() => this.#transactions.sendBatch(first, this.#fast));
    const touched = first.log.tables.map((table) => this.#parts.tables.resolve(table));
    if (failure !== undefined) await this.#recovery.resend(first, failure, this.#fast, touched);
  }

  /** Deals with the first script that failed; those behind it failed at the fence. */
  async #recover(): Promise<void> {
    const { session, checkpoint } = this.#parts;
    await this.#flights.settled();
    const [head, ...rest] = this.#flights.takeAll();
    const error = head.error!;
    // When nobody knows whether it was committed, those behind it may well be: the checkpoint tells after the next start.
    if (verdict(error) === 'reconnect') throw targetLost(error);
    const broken = rest.find((flight) => flight.error instanceof OperatorError);
    if (broken !== undefined) throw broken.error;
    await session.run('ROLLBACK').catch((failure: Error) => {
      throw targetLost(failure);
    });
    checkpoint.rollback();
    this.#large.rolledBack();
    if (head.work.kind === 'chunk' || head.work.kind === 'spilled') await this.#large.refused(head, error);
    this.#again.unshift(...rest.flatMap((flight) => (flight.work.kind === 'batch' ? [flight.work] : [])));
    if (head.work.kind === 'batch') {
      await this.#recovery.resend(head.work, error, head.exact ? EXACT : this.#fast, head.touched);
    }
    const large = rest.find((flight) => flight.work.kind === 'chunk' || flight.work.kind === 'spilled');
    if (large !== undefined) throw this.#large.rewind(large.error ?? error);
    if (head.work.kind === 'progress') await this.#recovery.judge(error, 1);
  }

  #openRecovery(): Recovery {
    const transactions = this.#transactions;
    return new Recovery({
      ...this.#parts,
      sender: {
        send: (batch, options) => {
          const { position } = batch.transactions[batch.transactions.length - 1];
          if (batch.writes) return this.#scripted!.writes.send(batch, 0, batch.log.length, position, options, true);
          return transactions.alone(() => transactions.sendBatch(batch, options));
        },
        sendOne: (batch, start, transaction, options) => {
          const { end, position } = transaction;
          if (batch.writes) return this.#scripted!.writes.send(batch, start, end, position, options, false);
          return transactions.alone(() => {
            const part: Batch = { kind: 'batch', log: batch.log, transactions: [transaction] };
            transactions.sendEntries(part, start, end, position, options, false);
          });
        },
        bury: async (batch, start, transaction, reason) => {
          await this.#parts.deadLetters.prepare();
          const failure = await transactions.alone(() => transactions.sendLetters(batch, start, transaction, reason));
          if (failure === undefined) this.#commits.buried();
          return failure;
        },
        release: (batch) => this.#parts.batcher.release(batch.log),
      },
    });
  }
}
