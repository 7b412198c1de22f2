import type { Position } from '../sources/source.ts';
import type { Session } from '../target/session.ts';
import { targetLost } from './apply-errors.ts';
import type { Written } from './apply-events.ts';
import type { Batch, Work, WorkQueue } from './batcher.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { CollapseOptions, Collapser } from './collapse.ts';
import type { Commits } from './commits.ts';
import type { Commit, Flights } from './flights.ts';
import { Lanes } from './lanes.ts';
import type { Signal } from './signal.ts';
import type { TargetTables } from './target-tables.ts';
import type { TargetTransactions } from './target-transactions.ts';

export interface LaneApplyParts {
  /** Most connections. */
  readonly limit: number;
  readonly openSession: () => Promise<Session>;
  readonly batcher: WorkQueue;
  readonly tables: TargetTables;
  readonly checkpoint: Checkpoint;
  readonly collapser: Collapser;
  readonly options: CollapseOptions;
  readonly signal: Signal;
  readonly flights: Flights;
  readonly commits: Commits;
  readonly transactions: TargetTransactions;
  readonly committed: (commit: Commit) => void;
}

/** Applies batches on lanes, and everything else when no lane is in use. */
export class LaneApply {
  readonly #parts: LaneApplyParts;
  readonly #lanes: Lanes;
  /** What each batch on a lane writes. */
  readonly #written = new Map<Batch, readonly Written[]>();
  /** Whether the commit under way waits for the disk. */
  #sync = false;

  constructor(parts: LaneApplyParts) {
    this.#parts = parts;
    this.#lanes = new Lanes({
      limit: parts.limit,
      openSession: parts.openSession,
      tables: parts.tables,
      write: (batch, session, script) => {
        script.query(parts.transactions.beginning(false, parts.options.exact).join('; '));
        parts.collapser.write(batch.log, 0, batch.log.length, session, script, parts.options);
        this.#written.set(batch, parts.transactions.takeWritten().written);
      },
      seal: (batch, session, script) => {
        this.#sync = parts.commits.syncWanted;
        if (this.#sync && parts.checkpoint.deferred) script.query('SET LOCAL synchronous_commit TO on');
        parts.checkpoint.fence(session, script, endOf(batch));
        script.query('COMMIT');
        parts.checkpoint.advance(endOf(batch));
      },
      committed: (batch, started) => {
        const written = this.#written.get(batch) ?? [];
        this.#written.delete(batch);
        parts.batcher.release(batch.log);
        parts.committed({ work: batch, position: endOf(batch), sync: this.#sync, exact: false, started, written });
      },
      wake: () => parts.signal.wake(),
    });
  }

  /** Batches under way. */
  get size(): number {
    return this.#lanes.size;
  }

  /** True when `recover` has something to do. */
  get troubled(): boolean {
    return this.#lanes.troubled;
  }

  /**
   * Gives work to a lane (`taken`), or waits until nothing is under way beside which it may not run: `alone` then, or
   * `later` when there is trouble to recover from first.
   */
  async place(work: Work): Promise<'taken' | 'alone' | 'later'> {
    const { flights } = this.#parts;
    await flights.settled();
    const beside = work.kind === 'batch' && work.refusal === undefined && !work.writes;
    if (!flights.failed && beside && (await this.#lanes.accept(work))) return 'taken';
    await this.#lanes.drained();
    return flights.failed || this.#lanes.troubled ? 'later' : 'alone';
  }

  /** Rolls back what could not be applied beside others, and returns it in order. */
  async recover(): Promise<readonly Batch[]> {
    const { batches } = await this.#lanes.recover().catch((error: Error) => {
      throw targetLost(error);
    });
    for (const batch of batches) this.#written.delete(batch);
    this.#parts.checkpoint.rollback();
    return batches;
  }

  close(): void {
    this.#lanes.close();
  }
}

function endOf(batch: Batch): Position {
  return batch.transactions[batch.transactions.length - 1].position;
}
