import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../errors.ts';
import type { Logger } from '../log/logger.ts';
import type { Position } from '../sources/source.ts';
import type { Dialect } from '../target/dialect.ts';
import { sqlState, verdict } from '../target/retry.ts';
import type { Session } from '../target/session.ts';
import { isScriptError } from '../userscript/script-error.ts';
import { applyFailed, checkpointMoved, refusedTable, targetDenied, targetLost } from './apply-errors.ts';
import type { ApplierEvents } from './apply-events.ts';
import type { Batch, Transaction } from './batcher.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { CollapseOptions } from './collapse.ts';
import type { TableWork } from './table-work.ts';
import type { TargetTables } from './target-tables.ts';

export interface RecoveryOptions {
  maxRetries: number;
  /** Milliseconds. */
  retryInitialBackoff: number;
  retryMaxBackoff: number;
  retryMultiplier: number;
  onApplyError: 'stop' | 'dlq';
}

/** Ways of sending a batch; each returns the error of its target transaction, which is over then. */
export interface Sender {
  send(batch: Batch, options: CollapseOptions): Promise<Error | undefined>;
  /** One transaction of a batch, which begins at `start`. */
  sendOne(batch: Batch, start: number, transaction: Transaction, options: CollapseOptions): Promise<Error | undefined>;
  /** Puts the transaction into the dead-letter table and moves the checkpoint past it. */
  bury(batch: Batch, start: number, transaction: Transaction, reason: Error): Promise<Error | undefined>;
  /** The batch is through, transaction by transaction. */
  release(batch: Batch): void;
}

export const UPSERT: CollapseOptions = { exact: false, copy: false };
export const EXACT: CollapseOptions = { exact: true, copy: false };

/** Gets a batch through that the target has not taken as it was sent, or tells why that cannot be. */
export class Recovery {
  readonly #sender: Sender;
  readonly #session: Pick<Session, 'user'>;
  readonly #dialect: Dialect;
  readonly #tables: TargetTables;
  readonly #checkpoint: Checkpoint;
  readonly #options: RecoveryOptions;
  readonly #events: ApplierEvents;
  readonly #log: Logger;

  constructor(parts: {
    sender: Sender;
    session: Pick<Session, 'user'>;
    dialect: Dialect;
    tables: TargetTables;
    checkpoint: Checkpoint;
    options: RecoveryOptions;
    events: ApplierEvents;
    log: Logger;
  }) {
    this.#sender = parts.sender;
    this.#session = parts.session;
    this.#dialect = parts.dialect;
    this.#tables = parts.tables;
    this.#checkpoint = parts.checkpoint;
    this.#options = parts.options;
    this.#events = parts.events;
    this.#log = parts.log;
  }

  /**
   * Sends a batch that failed with `error` again until it is through. `touched`: the tables whose rows were sent by COPY.
   * @throws OperatorError when somebody has to act, or when the connection was lost.
   */
  async resend(batch: Batch, error: Error, first: CollapseOptions, touched: readonly TableWork[]): Promise<void> {
    let failure: Error | undefined = error;
    let options = first;
    for (let attempt = 1; failure !== undefined; attempt++) {
      if (options.copy && sqlState(failure) === '42501') {
        // CockroachDB may want an administrator for COPY alone.
        for (const work of touched) work.forbidCopy();
        options = UPSERT;
        failure = await this.#sender.send(batch, options);
        continue;
      }
      if ((await this.judge(failure, attempt)) === 'refused') {
        if (!options.copy || sqlState(failure) !== '23505') {
          await this.#replay(batch);
          return;
        }
        for (const work of touched) work.pauseCopy();
        options = UPSERT;
      }
      failure = await this.#sender.send(batch, options);
    }
  }

  /**
   * What to do about an error: returns `retry` after having waited, `refused` when another order should be tried.
   * @throws OperatorError when nothing of the kind can help.
   */
  async judge(error: Error, attempt: number): Promise<'retry' | 'refused'> {
    const state = sqlState(error) ?? '';
    if (isScriptError(error)) return 'refused';
    switch (verdict(error)) {
      case 'reconnect':
        throw targetLost(error);
      case 'fenced':
        if (await this.#checkpoint.moved()) throw checkpointMoved(error);
        return 'refused';
      case 'denied':
        throw this.denied(error);
      case 'schema':
        await this.#tables.refresh();
        return attempt > 1 ? 'refused' : 'retry';
      case 'refused':
        this.#events.refused(refusedTable(error) ?? '', state);
        return 'refused';
      case 'retry':
        await this.#backOff(error, state, attempt);
        return 'retry';
    }
  }

  /** The error for what the user may not do. */
  denied(error: Error): OperatorError {
    return targetDenied(error, this.#dialect, this.#session.user);
  }

  /** Deals with a transaction that a userscript failed on before anything of it was sent. @throws OperatorError under `stop`. */
  async refuse(batch: Batch, reason: OperatorError): Promise<void> {
    if (this.#options.onApplyError === 'stop') throw reason;
    await this.#bury(batch, 0, batch.transactions[0], reason);
    this.#sender.release(batch);
  }

  /** The error for a transaction that the target, or a userscript, refuses for good. */
  refusal(error: Error, position: Position | undefined): OperatorError {
    if (isScriptError(error)) return error;
    return applyFailed(error, position, this.#dialect);
  }

  async #backOff(error: Error, state: string, attempt: number): Promise<void> {
    const { maxRetries, retryInitialBackoff, retryMultiplier, retryMaxBackoff } = this.#options;
    this.#events.retried(state);
    if (attempt > maxRetries) {
      throw new OperatorError(
        'APPLY_RETRIES',
        `maximum number of retries (${maxRetries}) exceeded: ${error.message}; nothing of the transaction was applied, the checkpoint stands before it`,
        { cause: error, fix: 'resume with the same command once the target accepts writes again' },
      );
    }
    const wait = Math.min(retryMaxBackoff, retryInitialBackoff * retryMultiplier ** (attempt - 1));
    await sleep(wait * (0.5 + Math.random() / 2));
  }

  /** Applies the transactions of a refused batch one by one; each folded first, then change by change. */
  async #replay(batch: Batch): Promise<void> {
    // A column whose type was changed refuses values by the type that the catalogue had.
    await this.#tables.refresh();
    let start = 0;
    for (const transaction of batch.transactions) {
      await this.#replayOne(batch, start, transaction);
      start = transaction.end;
    }
    this.#sender.release(batch);
  }

  async #replayOne(batch: Batch, start: number, transaction: Transaction): Promise<void> {
    let failure: Error | undefined;
    for (const options of [UPSERT, EXACT]) {
      for (let attempt = 1; ; attempt++) {
        failure = await this.#sender.sendOne(batch, start, transaction, options);
        if (failure === undefined) return;
        if ((await this.judge(failure, attempt)) === 'refused') break;
      }
      // Another order of the same changes is of no use to a userscript.
      if (isScriptError(failure)) break;
    }
    const reason = failure!;
    if (this.#options.onApplyError === 'stop') throw this.refusal(reason, transaction.position);
    await this.#bury(batch, start, transaction, reason);
  }

  async #bury(batch: Batch, start: number, transaction: Transaction, reason: Error): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const failure = await this.#sender.bury(batch, start, transaction, reason);
      if (failure === undefined) break;
      if ((await this.judge(failure, attempt)) === 'refused') throw this.refusal(failure, transaction.position);
    }
    this.#events.deadLettered(transaction.position, transaction.count);
    this.#log.error('a transaction was refused and put into the dead-letter table', {
      position: transaction.position.toString(),
      changes: transaction.count,
      table: refusedTable(reason),
      code: isScriptError(reason) ? reason.code : 'DEAD_LETTER',
      sqlState: sqlState(reason),
      error: reason.message,
    });
  }
}
