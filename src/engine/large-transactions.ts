import type { ChangeLog } from '../changes/change-log.ts';
import type { SpilledTransaction } from '../changes/spill.ts';
import type { Logger } from '../log/logger.ts';
import type { Position } from '../sources/source.ts';
import type { Dialect } from '../target/dialect.ts';
import type { MessageBuffer } from '../target/messages.ts';
import { sqlState, verdict } from '../target/retry.ts';
import type { Session } from '../target/session.ts';
import { OperatorError } from '../errors.ts';
import { isScriptError } from '../userscript/script-error.ts';
import { checkpointMoved, isDrift, refusedTable, targetLost } from './apply-errors.ts';
import type { ApplierEvents, Written } from './apply-events.ts';
import type { Chunk, Spilled, Work, WorkQueue } from './batcher.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { CollapseOptions, Collapser } from './collapse.ts';
import type { Commits } from './commits.ts';
import { EarlyApply } from './early-apply.ts';
import type { Commit, Flight, Flights } from './flights.ts';
import { LARGE_MODES, type LargeMode, Rewind } from './large-mode.ts';
import type { DeadLetters } from './letters.ts';
import type { Pause } from './pause.ts';
import { EXACT, type Recovery, type RecoveryOptions, UPSERT } from './recovery.ts';
import type { Scripted } from './scripted.ts';
import type { Signal } from './signal.ts';
import type { TargetTables } from './target-tables.ts';
import type { TargetTransactions } from './target-transactions.ts';

export interface LargeTransactionsParts {
  readonly batcher: WorkQueue;
  readonly session: Session;
  readonly openSession: () => Promise<Session>;
  readonly dialect: Dialect;
  readonly tables: TargetTables;
  readonly checkpoint: Checkpoint;
  readonly collapser: Collapser;
  readonly options: Pick<RecoveryOptions, 'onApplyError'>;
  /** How changes are sent that nothing has refused yet. */
  readonly fast: CollapseOptions;
  readonly events: ApplierEvents;
  readonly deadLetters: DeadLetters;
  readonly log: Logger;
  readonly pause: Pause;
  readonly signal: Signal;
  readonly flights: Flights;
  readonly commits: Commits;
  readonly transactions: TargetTransactions;
  readonly recovery: Pick<Recovery, 'denied' | 'refusal'>;
  /** How the first one is applied, and why it was refused before. */
  readonly largeMode: LargeMode;
  readonly largeReason: Error | undefined;
  /** Where there is a userscript. */
  readonly scripted: Scripted | undefined;
  /** A transaction that was applied early is committed. */
  readonly committed: (commit: Commit) => void;
}

/**
 * Applies transactions that are larger than memory: in pieces as they come, from the disk, or ahead of their end. None of
 * them can be sent again from memory; when one is refused, the stream has to start again.
 */
export class LargeTransactions {
  readonly #parts: LargeTransactionsParts;
  readonly #reason: Error;
  #mode: LargeMode;
  #early: EarlyApply | undefined;
  #inPieces = false;
  /** What the pieces of the transaction have written so far. */
  #written: Written[] = [];
  /** Changes of it that were put into the dead-letter table. */
  #ordinal = 0;

  constructor(parts: LargeTransactionsParts) {
    this.#parts = parts;
    this.#mode = parts.largeMode;
    this.#reason = parts.largeReason ?? new Error('refused');
    parts.batcher.onSpill = (spilled) => this.#startEarly(spilled);
  }

  /** True while a transaction is open on the target whose next piece has not come: no other may begin, or it would commit. */
  get inPieces(): boolean {
    return this.#inPieces;
  }

  /** To be called when transactions in front of a large one have been committed. */
  wake(): void {
    this.#early?.wake();
  }

  /** Gives up what is applied ahead of its end, unless that has come. */
  releaseEarly(reason: string): void {
    this.#early?.release(reason);
  }

  /** Gives up what is under way for transactions that have not ended. */
  close(): void {
    this.#early?.abandon('the stream ends');
  }

  /** Sends a piece, or a whole transaction from the disk. False when it has to wait for a recovery. */
  async send(work: Chunk | Spilled): Promise<boolean> {
    if (this.#mode === 'deadLetter' && this.#ordinal === 0) await this.#parts.deadLetters.prepare();
    if (work.kind === 'spilled') return await this.#sendSpilled(work);
    if (work.refusal !== undefined || work.writes) return await this.#sendScripted(work);
    this.#sendChunk(work);
    return true;
  }

  /** A piece was carried out. */
  landed(flight: Flight): void {
    this.#written.push(...flight.written);
  }

  /** What the pieces of the transaction that is being committed have written. */
  takeWritten(): Written[] {
    return this.#written.splice(0);
  }

  /** `work` is committed, and the checkpoint at `position`. */
  ended(work: Work, position: Position): void {
    if (work.kind === 'spilled') {
      work.spilled.discard();
      this.#parts.scripted?.stage.spilledEnded();
    }
    if (work.kind !== 'spilled' && work.kind !== 'chunk') return;
    if (this.#mode === 'deadLetter') this.#parts.events.deadLettered(position, this.#ordinal);
    this.#mode = 'copy';
  }

  /** What was open on the target is gone. */
  rolledBack(): void {
    this.#inPieces = false;
    this.#written = [];
  }

  /** The stream has to start again; the transaction is then applied as it was to be now. */
  rewind(reason: Error): Rewind {
    return new Rewind(this.#mode, reason);
  }

  /**
   * The transaction was refused or has to be tried again: in either case the source must send it again.
   * @throws Rewind, or OperatorError when no other way is left to apply it.
   */
  async refused(head: Flight, error: Error): Promise<never> {
    return await this.#judge(error, head.position);
  }

  async #judge(error: Error, position: Position | undefined): Promise<never> {
    const { checkpoint, events, tables, options, recovery, log } = this.#parts;
    const what = verdict(error);
    if (what === 'fenced' && (await checkpoint.moved())) throw checkpointMoved(error);
    if (what === 'retry') {
      events.retried(sqlState(error) ?? '');
      throw this.rewind(error);
    }
    // The first way may need the right to COPY, which the others do not.
    if (what === 'denied' && this.#mode !== 'copy') throw recovery.denied(error);
    if (what === 'schema') await tables.refresh();
    const next = LARGE_MODES[LARGE_MODES.indexOf(this.#mode) + 1];
    if (next === undefined || (next === 'deadLetter' && options.onApplyError === 'stop')) {
      throw recovery.refusal(error, position);
    }
    log.warn('a large transaction was refused; the source is asked for it again', {
      mode: next,
      code: 'LARGE_TRANSACTION_AGAIN',
      sqlState: sqlState(error),
      table: refusedTable(error),
    });
    throw new Rewind(next, error);
  }

  /** Begins to apply a transaction before its end; one at a time, and only where it can be rolled back for nothing. */
  #startEarly(spilled: SpilledTransaction): void {
    const { dialect, checkpoint, pause, openSession, tables, collapser, fast, log, batcher, commits, flights } =
      this.#parts;
    if (dialect.product !== 'postgresql' || !checkpoint.transactional || pause.active) return;
    if (this.#mode !== 'copy' || (this.#early !== undefined && !this.#early.lost)) return;
    this.#early = new EarlyApply({
      spilled,
      openSession,
      dialect,
      tables,
      options: fast,
      cascadesLogged: collapser.cascadesLogged,
      plain: (log) => this.#parts.scripted?.stage.plain(log) ?? true,
      log,
      received: () => batcher.received,
      applied: () => commits.applied,
      waiting: () => flights.waiting,
    });
  }

  /** Commits a transaction that was applied early. False when it must be applied from disk. */
  async #finishEarly(work: Spilled): Promise<boolean> {
    const { checkpoint, committed } = this.#parts;
    const early = this.#early;
    if (early === undefined || early.spilled !== work.spilled || early.lost) return false;
    const started = performance.now();
    const done = await early
      .finish((session, script) => checkpoint.fence(session, script, work.position))
      .catch((error: Error) => {
        throw targetLost(error);
      });
    this.#early = undefined;
    if (!done) return false;
    checkpoint.advance(work.position);
    committed({ work, position: work.position, sync: true, exact: false, started, written: early.written });
    return true;
  }

  #sendChunk(chunk: Chunk): void {
    const { session, checkpoint, transactions } = this.#parts;
    const { exact } = this.#options;
    const script = chunk.first ? transactions.begin(true, exact) : session.script();
    this.#inPieces = chunk.last === undefined;
    this.#write(chunk.log, script, chunk.commitTime);
    if (chunk.last === undefined) {
      transactions.send(script, { work: chunk, position: undefined, sync: false, exact });
      return;
    }
    checkpoint.fence(session, script, chunk.last.position);
    transactions.commit(script, { work: chunk, sync: true, exact }, chunk.last.position);
  }

  async #sendSpilled(work: Spilled): Promise<boolean> {
    const { session, signal, flights, transactions } = this.#parts;
    await flights.settled();
    if (flights.failed) return false;
    if (await this.#finishEarly(work)) return true;
    const { exact } = this.#options;
    let script = transactions.begin(true, exact, work.position);
    for await (const sent of work.spilled.read()) {
      const log = await this.#transformed(sent);
      if (this.#mode !== 'deadLetter' && this.#parts.scripted?.writes.concerns(log)) {
        transactions.send(script, { work, position: undefined, sync: true, exact }, 0);
        if (!(await this.#writeScripted(log, work.position))) return true;
        script = session.script();
        continue;
      }
      this.#write(log, script, work.commitTime);
      transactions.send(script, { work, position: undefined, sync: true, exact }, log.length);
      while (!flights.hasRoom()) {
        await signal.wait();
        // What stands behind this one is not sent: the recovery asks for the whole of it.
        if (flights.failed) return true;
      }
      script = session.script();
    }
    transactions.commit(script, { work, sync: true, exact }, work.position);
    return true;
  }

  /** A piece that handlers have failed on, or of which some rows are written by the userscript. */
  async #sendScripted(chunk: Chunk): Promise<boolean> {
    const { session, flights, transactions, checkpoint } = this.#parts;
    await flights.settled();
    if (flights.failed) return false;
    if (chunk.refusal !== undefined) throw this.#scriptFailed(chunk.refusal);
    if (this.#mode === 'deadLetter') {
      this.#sendChunk(chunk);
      return true;
    }
    const { exact } = this.#options;
    this.#inPieces = chunk.last === undefined;
    if (chunk.first)
      transactions.send(transactions.begin(true, exact), {
        work: chunk,
        position: undefined,
        sync: false,
        exact,
        release: false,
      });
    if (!(await this.#writeScripted(chunk.log, chunk.last?.position))) return true;
    const script = session.script();
    if (chunk.last === undefined) {
      transactions.send(script, { work: chunk, position: undefined, sync: false, exact });
      return true;
    }
    checkpoint.fence(session, script, chunk.last.position);
    transactions.commit(script, { work: chunk, sync: true, exact }, chunk.last.position);
    return true;
  }

  async #transformed(log: ChangeLog): Promise<ChangeLog> {
    const { scripted } = this.#parts;
    if (scripted === undefined) return log;
    return await scripted.stage.transform(log).catch((error: Error) => {
      throw isScriptError(error) ? this.#scriptFailed(error) : error;
    });
  }

  /** Writes rows of which some are the userscript's into the open transaction. False when what is in front of them failed. */
  async #writeScripted(log: ChangeLog, position: Position | undefined): Promise<boolean> {
    const { flights, scripted, recovery } = this.#parts;
    await flights.settled();
    if (flights.failed) return false;
    try {
      await scripted!.writes.apply(log, 0, log.length, this.#options);
      return true;
    } catch (error) {
      if (isDrift(error)) throw error;
      if (isScriptError(error)) throw this.#scriptFailed(error);
      if (error instanceof OperatorError) throw error;
      if (verdict(error) === 'reconnect') throw targetLost(error as Error);
      if (verdict(error) === 'denied') throw recovery.denied(error as Error);
      return await this.#judge(error as Error, position);
    }
  }

  /** A userscript failed on the transaction: it is put aside, or nothing goes on. */
  #scriptFailed(error: OperatorError): Error {
    return this.#parts.options.onApplyError === 'stop' ? error : new Rewind('deadLetter', error);
  }

  #write(log: ChangeLog, script: MessageBuffer, commitTime: number): void {
    const { collapser, session, deadLetters } = this.#parts;
    if (this.#mode !== 'deadLetter') {
      collapser.write(log, 0, log.length, session, script, this.#options);
      return;
    }
    const ordinal = this.#ordinal;
    this.#ordinal += log.count;
    deadLetters.write(session, script, log, 0, log.length, commitTime, ordinal, this.#reason);
  }

  get #options(): CollapseOptions {
    return this.#mode === 'copy' ? this.#parts.fast : this.#mode === 'upsert' ? UPSERT : EXACT;
  }
}
