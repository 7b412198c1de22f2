import type { Poller } from '../dashboard/poller.ts';
import { type Distance, distanceOf } from '../dashboard/position.ts';
import type { Reading } from '../dashboard/reading.ts';
import type { Seen } from '../sessions/replication.ts';
import type { ReplicationStore } from '../sessions/store.ts';

/** Milliseconds between two savings: what was seen is worth little more often, and each is a file. */
const SAVE_EVERY = 10_000;
/** The rate is measured over at least this time, milliseconds. */
const MEASURE = 2000;
/** Below this lag the engine waits for the source: its rate then says nothing of how fast it can be. */
const CATCHING_UP: Readonly<Record<Distance['unit'], number>> = { bytes: 1_000_000, transactions: 1000 };

/**
 * Keeps, while a replication is watched, what is seen of it: its checkpoint, its lag, and how fast it catches up when it is
 * behind. The home screen and the next resume tell of it. Returns how to end; the last reading is saved then.
 */
export function keepSeen(
  name: string,
  poller: Pick<Poller, 'subscribe' | 'reading'>,
  store: Pick<ReplicationStore, 'update'>,
): () => void {
  const rate = new CatchUpRate();
  let savedAt = 0;
  let last: Reading | undefined;
  const save = () => {
    if (last === undefined) return;
    savedAt = last.at;
    const seen = seenOf(last, rate.found);
    last = undefined;
    try {
      store.update(name, (saved) => ({ ...saved, seen: { ...saved.seen, ...seen } }));
    } catch {
      // It was removed meanwhile, or the disk is full: watching goes on without.
    }
  };
  const unsubscribe = poller.subscribe(() => {
    const { reading } = poller;
    if (reading === undefined || reading.silence !== undefined || reading.position.applied === undefined) return;
    rate.observe(reading);
    last = reading;
    if (reading.at - savedAt >= SAVE_EVERY) save();
  });
  return () => {
    unsubscribe();
    save();
  };
}

/** What is worth keeping of a reading. `rate` is undefined while it was never behind. */
function seenOf(reading: Reading, rate: Distance | undefined): Seen {
  const { bytes, transactions } = reading.lag;
  return {
    at: new Date(reading.at).toISOString(),
    checkpoint: reading.position.applied,
    lagBytes: bytes ?? reading.position.distance,
    ...(transactions !== undefined && { lagTransactions: transactions }),
    ...(rate?.unit === 'bytes' && { bytesPerSecond: rate.value }),
    ...(rate?.unit === 'transactions' && { transactionsPerSecond: rate.value }),
  };
}

/** Bytes of source log, or source transactions, applied per second, measured while there was a backlog. */
class CatchUpRate {
  found: Distance | undefined;
  #since: { at: number; applied: Distance } | undefined;

  observe({ at, position, lag }: Reading): void {
    const applied = distanceOf(position.applied);
    const behind = lag.bytes ?? lag.transactions ?? position.distance ?? 0;
    if (applied === undefined || behind < CATCHING_UP[applied.unit]) {
      this.#since = undefined;
      return;
    }
    if (this.#since === undefined) {
      this.#since = { at, applied };
    } else if (at - this.#since.at >= MEASURE) {
      const rate = ((applied.value - this.#since.applied.value) * 1000) / (at - this.#since.at);
      // A stalled engine is no measure of how fast it can be.
      if (rate > 0) this.found = { unit: applied.unit, value: Math.round(rate) };
      this.#since = { at, applied };
    }
  }
}
