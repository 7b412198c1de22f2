import type { ChangeLog } from '../changes/change-log.ts';
import type { SpilledTransaction } from '../changes/spill.ts';
import type { Logger } from '../log/logger.ts';
import type { Dialect } from '../target/dialect.ts';
import type { MessageBuffer } from '../target/messages.ts';
import { verdict } from '../target/retry.ts';
import type { Session } from '../target/session.ts';
import type { Written } from './apply-events.ts';
import { Collapser, type CollapseOptions } from './collapse.ts';
import { Signal } from './signal.ts';
import type { TargetTables } from './target-tables.ts';

/** Scripts that may be under way at once. */
const WINDOW = 4;

/** A script of the main connection that takes longer than this, milliseconds, is taken to wait for our locks. */
const PATIENCE = 2000;

/** How often that is looked at, milliseconds. */
const LOOK_EVERY = 250;

export interface EarlyApplyParts {
  readonly spilled: SpilledTransaction;
  readonly openSession: () => Promise<Session>;
  readonly dialect: Dialect;
  readonly tables: TargetTables;
  readonly options: CollapseOptions;
  readonly cascadesLogged: boolean;
  /** Whether a log has only rows that no userscript wants. */
  readonly plain: (log: ChangeLog) => boolean;
  readonly log: Logger;
  /** Transactions delivered so far by the source, and transactions committed so far on the target. */
  readonly received: () => number;
  readonly applied: () => number;
  /** Milliseconds for which the oldest script of the main connection has been under way. */
  readonly waiting: () => number;
}

/**
 * Applies a large transaction while it is still open at the source, on a connection of its own, so that at its end only a
 * commit is left to do. Nobody sees anything of it before.
 *
 * It is a bet: the transaction stays on disk, and is applied from there when the bet is lost, which is when part of it is
 * rolled back, when the target refuses something, or when others wait for its locks. Before each block, everything that
 * the source had delivered in front of it must be committed; rows then have the same order as at the source, where the
 * transaction's own locks kept others out.
 */
export class EarlyApply {
  readonly spilled: SpilledTransaction;
  readonly #parts: EarlyApplyParts;
  readonly #collapser: Collapser;
  readonly #signal = new Signal();
  readonly #running: Promise<void>;
  readonly #written = new Map<string, Written>();
  #session: Session | undefined;
  #inFlight = 0;
  #lost = false;
  #finishing = false;

  constructor(parts: EarlyApplyParts) {
    this.#parts = parts;
    this.spilled = parts.spilled;
    this.#collapser = new Collapser(parts.dialect, (table) => parts.tables.resolve(table), parts.cascadesLogged);
    parts.spilled.follower = {
      grown: () => this.#signal.wake(),
      rolledBack: () => this.abandon('a part of it was rolled back'),
      discarded: () => this.abandon('it was rolled back'),
    };
    this.#running = this.#run().catch((error: Error) => this.abandon(error.message));
  }

  /** True when the bet is lost. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Rows so far, by table. */
  get written(): readonly Written[] {
    return [...this.#written.values()];
  }

  /** To be called when the main connection has made progress. */
  wake(): void {
    this.#signal.wake();
  }

  /** Gives up unless the end of the transaction has come. */
  release(reason: string): void {
    if (!this.#finishing) this.abandon(reason);
  }

  /** Gives up; the target rolls back what was sent. */
  abandon(reason: string): void {
    if (this.#lost) return;
    this.#parts.log.debug('a large transaction will be applied at its end', { reason });
    this.#lost = true;
    this.spilled.follower = undefined;
    this.#session?.destroy();
    this.#signal.wake();
  }

  /**
   * The transaction is complete: sends the rest, what `seal` writes, and the commit. Resolves to false when it has to be
   * applied from disk instead; rejects when the connection was lost and nobody knows whether the commit took place.
   */
  async finish(seal: (session: Session, script: MessageBuffer) => void): Promise<boolean> {
    this.spilled.settle();
    this.#finishing = true;
    this.#signal.wake();
    await this.#running;
    const session = this.#session;
    if (this.#lost || session === undefined) return false;
    const script = session.script();
    seal(session, script);
    script.query('COMMIT');
    try {
      await session.send(script);
      this.spilled.follower = undefined;
      await session.close();
      return true;
    } catch (error) {
      this.abandon((error as Error).message);
      if (verdict(error) === 'reconnect') throw error;
      return false;
    }
  }

  async #run(): Promise<void> {
    const session = await this.#parts.openSession();
    this.#session = session;
    if (this.#lost) session.destroy();
    await session.run('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL synchronous_commit TO on');
    for (let block = 0; !this.#lost; ) {
      if (block < this.spilled.blocks) {
        await this.#apply(session, block++);
      } else if (!this.#finishing) {
        await this.#pause();
      } else if (this.#inFlight > 0) {
        await this.#pause();
      } else {
        return;
      }
    }
  }

  async #apply(session: Session, block: number): Promise<void> {
    const before = this.#parts.received();
    const log = await this.spilled.readBlock(block);
    const { applied } = this.#parts;
    // At the end everything in front of the transaction is committed, and what is behind it has to wait for it.
    while (!this.#lost && ((!this.#finishing && applied() < before) || this.#inFlight >= WINDOW)) await this.#pause();
    if (!this.#lost && !this.#parts.plain(log)) this.abandon('a userscript wants its rows');
    if (this.#lost) return;
    const script = session.script();
    this.#collapser.write(log, 0, log.length, session, script, this.#parts.options);
    for (const { table, upserts, deletes } of this.#collapser.takeWritten().written) {
      const total = this.#written.get(table);
      this.#written.set(table, {
        table,
        upserts: (total?.upserts ?? 0) + upserts,
        deletes: (total?.deletes ?? 0) + deletes,
      });
    }
    this.#inFlight++;
    session.send(script).then(
      () => {
        this.#inFlight--;
        this.#signal.wake();
      },
      (error: Error) => this.abandon(error.message),
    );
  }

  /** Waits for news, and gives up when the main connection seems to wait for us. */
  async #pause(): Promise<void> {
    await this.#signal.wait(LOOK_EVERY);
    if (this.#parts.waiting() > PATIENCE) this.abandon('other transactions wait for its locks');
  }
}
