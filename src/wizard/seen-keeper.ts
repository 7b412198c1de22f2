import type { Poller } from '../dashboard/poller.ts';
import type { Reading } from '../dashboard/reading.ts';
import type { Seen } from '../sessions/replication.ts';
import type { ReplicationStore } from '../sessions/store.ts';
import { Lsn } from '../sources/postgres/lsn.ts';

/** Milliseconds between two savings: what was seen is worth little more often, and each is a file. */
const SAVE_EVERY = 10_000;
/** The rate is measured over at least this time, milliseconds. */
const MEASURE = 2000;
/** Below this lag the engine waits for the source: its rate then says nothing of how fast it can be. */
const CATCHING_UP = 1_000_000;

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
    const seen = seenOf(last, rate.bytesPerSecond);
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
function seenOf(reading: Reading, rate: number | undefined): Seen {
  return {
    at: new Date(reading.at).toISOString(),
    checkpoint: reading.position.applied,
    lagBytes: reading.lag.bytes ?? reading.position.distance,
    ...(rate !== undefined && { bytesPerSecond: rate }),
  };
}

/** Bytes of source log applied per second, measured while there was a backlog. */
class CatchUpRate {
  bytesPerSecond: number | undefined;
  #since: { at: number; applied: bigint } | undefined;

  observe({ at, position, lag }: Reading): void {
    const applied = positionOf(position.applied);
    if (applied === undefined || (lag.bytes ?? position.distance ?? 0) < CATCHING_UP) {
      this.#since = undefined;
      return;
    }
    if (this.#since === undefined) {
      this.#since = { at, applied };
    } else if (at - this.#since.at >= MEASURE) {
      const rate = (Number(applied - this.#since.applied) * 1000) / (at - this.#since.at);
      // A stalled engine is no measure of how fast it can be.
      if (rate > 0) this.bytesPerSecond = Math.round(rate);
      this.#since = { at, applied };
    }
  }
}

function positionOf(text: string | undefined): bigint | undefined {
  try {
    return text === undefined ? undefined : Lsn.parse(text).value;
  } catch {
    return undefined;
  }
}
