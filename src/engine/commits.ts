import type { Position } from '../sources/source.ts';
import type { ApplierEvents, Written } from './apply-events.ts';
import type { Batch, Chunk, Spilled } from './batcher.ts';
import type { Checkpoint } from './checkpoint.ts';

/**
 * Commits that the target has not yet made durable are made so after this many milliseconds. The one that waits for the
 * disk is seen late, and so are those behind it: so it is not to be one in a hundred.
 */
const SYNC_AFTER = 1000;

/** Keeps what was committed on the target, and what of it is known to be durable. */
export class Commits {
  readonly #checkpoint: Checkpoint;
  readonly #events: ApplierEvents;
  #applied = 0;
  #last = 0;
  /** Newest committed position that is not known to be durable, and since when there is one. */
  #unsynced: Position | undefined;
  #unsyncedSince = 0;

  constructor(checkpoint: Checkpoint, events: ApplierEvents) {
    this.#checkpoint = checkpoint;
    this.#events = events;
  }

  /** Source transactions with changes that are through, dead letters included. */
  get applied(): number {
    return this.#applied;
  }

  /** Milliseconds since the last commit. */
  get age(): number {
    return performance.now() - this.#last;
  }

  /** Newest committed position that is not known to be durable. */
  get unsynced(): Position | undefined {
    return this.#unsynced;
  }

  /** Milliseconds until what is committed should be made durable; undefined when all of it is. */
  get syncDueIn(): number | undefined {
    return this.#unsynced === undefined ? undefined : this.#unsyncedSince + SYNC_AFTER - performance.now();
  }

  /** Whether what is committed should be made durable now. */
  get syncDue(): boolean {
    return (this.syncDueIn ?? 1) <= 0;
  }

  /** Whether the next commit is to wait for the target's disk. */
  get syncWanted(): boolean {
    return !this.#checkpoint.deferred || this.syncDue;
  }

  /** Changes were committed that were sent at `started`. */
  changes(work: Batch | Chunk | Spilled, started: number, written: readonly Written[], exact: boolean): void {
    this.#last = performance.now();
    const [count, commitTime] =
      work.kind === 'batch'
        ? [work.transactions.length, work.transactions[work.transactions.length - 1].commitTime]
        : work.kind === 'chunk'
          ? [1, work.last!.commitTime]
          : [1, work.commitTime];
    this.#applied += count;
    this.#events.committed(count, commitTime, this.#last - started, written, exact);
  }

  /** A transaction was put into the dead-letter table. */
  buried(): void {
    this.#applied++;
  }

  /** The checkpoint stands at `position`; with `sync` on the target's disk. */
  reached(position: Position, sync: boolean): void {
    this.#last = performance.now();
    this.#checkpoint.committed(position);
    if (sync) {
      this.#unsynced = undefined;
      this.#checkpoint.publish(position, () => this.#events.durable(position));
    } else {
      if (this.#unsynced === undefined) this.#unsyncedSince = this.#last;
      this.#unsynced = position;
    }
  }
}
