import type { Position } from '../sources/source.ts';
import type { Dialect } from '../target/dialect.ts';
import type { MessageBuffer } from '../target/messages.ts';
import { verdict } from '../target/retry.ts';
import type { Session } from '../target/session.ts';
import { targetLost } from './apply-errors.ts';
import type { Batch, Transaction } from './batcher.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { CollapseOptions, Collapser } from './collapse.ts';
import type { Commits } from './commits.ts';
import type { Flights, Script } from './flights.ts';
import type { DeadLetters } from './letters.ts';

export interface TargetTransactionsParts {
  readonly session: Session;
  readonly dialect: Dialect;
  readonly checkpoint: Checkpoint;
  readonly collapser: Collapser;
  readonly flights: Flights;
  readonly commits: Commits;
  readonly deadLetters: DeadLetters;
}

/** What is told of a script besides what the changes in it tell. */
type Facts = Omit<Script, 'written' | 'touched' | 'subjects' | 'opening'>;

/** Writes and sends target transactions, each with the fence that moves the checkpoint in it. */
export class TargetTransactions {
  readonly #parts: TargetTransactionsParts;
  /** The script begun last, until it is sent, and the statements in front of its first change. */
  #begun: { script: MessageBuffer; opening: number } | undefined;

  constructor(parts: TargetTransactionsParts) {
    this.#parts = parts;
  }

  /** The statements that open a transaction. `sync`: its commit waits for the target's disk. */
  beginning(sync: boolean, exact: boolean): string[] {
    const { dialect, checkpoint } = this.#parts;
    if (dialect.product === 'cockroachdb') return ['BEGIN READ WRITE'];
    const statements = ['BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE'];
    if (sync && checkpoint.deferred) statements.push('SET LOCAL synchronous_commit TO on');
    if (exact) statements.push('SET CONSTRAINTS ALL DEFERRED');
    return statements;
  }

  /** A script that opens a transaction; with the fence in it when the position is known. */
  begin(sync: boolean, exact: boolean, position?: Position): MessageBuffer {
    const { session, checkpoint } = this.#parts;
    const script = session.script();
    const statements = this.beginning(sync, exact);
    script.query(statements.join('; '));
    if (position !== undefined) checkpoint.fence(session, script, position);
    const fenced = position !== undefined && checkpoint.transactional;
    this.#begun = { script, opening: statements.length + (fenced ? 1 : 0) };
    return script;
  }

  /** Ends the transaction that leaves the checkpoint at `position`, and sends it. */
  commit(script: MessageBuffer, facts: Omit<Facts, 'position' | 'moves'>, position: Position): void {
    script.query('COMMIT');
    const moves = this.#parts.checkpoint.advance(position);
    this.send(script, { ...facts, position, moves });
  }

  /** Sends a script with what the collapser has written into it. `extraBytes`: what is held for it besides its own text. */
  send(script: MessageBuffer, facts: Facts, extraBytes = 0): void {
    const { flights } = this.#parts;
    const opening = this.#begun?.script === script ? this.#begun.opening : 0;
    this.#begun = undefined;
    flights.send(script, { ...facts, ...this.takeWritten(), opening }, extraBytes);
  }

  /** What the collapser has written, counted as a batch for each of its tables. */
  takeWritten(): ReturnType<Collapser['takeWritten']> {
    const taken = this.#parts.collapser.takeWritten();
    for (const work of taken.touched) work.countBatch();
    return taken;
  }

  sendBatch(batch: Batch, options: CollapseOptions): void {
    const last = batch.transactions[batch.transactions.length - 1];
    this.sendEntries(batch, 0, batch.log.length, last.position, options);
  }

  /** Sends the entries [start, end) as one target transaction. `release` false: the log is needed again. */
  sendEntries(
    work: Batch,
    start: number,
    end: number,
    position: Position,
    options: CollapseOptions,
    release = true,
  ): void {
    const { session, collapser, commits } = this.#parts;
    const sync = commits.syncWanted;
    const script = this.begin(sync, options.exact, position);
    collapser.write(work.log, start, end, session, script, options);
    this.commit(script, { work, sync, exact: options.exact, release }, position);
  }

  /** Moves the checkpoint without data. To where it is, it makes durable what was committed before, with `sync`. */
  sendProgress(position: Position, sync = this.#parts.commits.syncWanted): void {
    const script = this.begin(sync, false, position);
    this.commit(script, { work: { kind: 'progress', position }, sync, exact: false }, position);
  }

  /** Writes a transaction of `batch`, which begins at `start`, into the dead-letter table. */
  sendLetters(batch: Batch, start: number, transaction: Transaction, reason: Error): void {
    const { session, deadLetters } = this.#parts;
    const { position, commitTime, end } = transaction;
    const script = this.begin(true, false, position);
    deadLetters.write(session, script, batch.log, start, end, commitTime, 0, reason);
    this.commit(script, { work: { kind: 'progress', position }, sync: true, exact: true }, position);
  }

  /** Does `send`, with nothing beside it; returns the error of what was sent, after its target transaction has ended. */
  async alone(send: () => void): Promise<Error | undefined> {
    const { session, checkpoint, flights } = this.#parts;
    try {
      send();
    } catch (error) {
      session.forgetStatements();
      checkpoint.rollback();
      throw error;
    }
    await flights.settled();
    const failed = flights.take();
    if (failed === undefined) return undefined;
    if (verdict(failed.error) === 'reconnect') throw targetLost(failed.error!);
    checkpoint.rollback();
    return failed.error;
  }
}
