import { setTimeout as sleep } from 'node:timers/promises';
import { processorSeconds } from './process-usage.ts';

const WARM_UP_SECONDS = 2;
const SETTLE_MS = 2000;
/** A row that takes longer than this is not late but lost. */
const STALL_LIMIT_MS = 60_000;

/** Milliseconds from the source's answer to COMMIT until the target showed the row. */
export interface CommitToVisible {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Milliseconds that one look at the target takes: nothing shorter can be told apart. */
  readonly resolution: number;
  /** Transactions a second that were reached. */
  readonly rate: number;
}

/** What is done to the source and asked of the target. */
export interface Sides {
  /** Inserts and commits the row with this number. */
  insert(id: number): Promise<unknown>;
  /** The highest number that the target shows; 0 when there is none. */
  newest(): Promise<number>;
}

/** Single-row transactions, numbered from 1, at a steady rate, each looked for at the target. */
export async function commitToVisible(sides: Sides, rate: number, seconds: number): Promise<CommitToVisible> {
  const total = Math.round(rate * (WARM_UP_SECONDS + seconds));
  const measuredFrom = Math.round(rate * WARM_UP_SECONDS);
  const watcher = new Watcher(sides);
  const watching = watcher.watch(total);
  const committed: number[] = [];
  const begun = performance.now();
  for (let id = 1; id <= total; id++) {
    const wait = begun + (id * 1000) / rate - performance.now();
    if (wait > 0.5) await sleep(wait);
    await sides.insert(id);
    committed[id] = performance.now();
    watcher.committed(id);
  }
  const elapsed = performance.now() - begun;
  const seen = await Promise.race([watching, sleep(STALL_LIMIT_MS, undefined, { ref: false })]);
  if (seen === undefined) throw new Error(`rows are still missing ${STALL_LIMIT_MS / 1000} s after the last commit`);
  const { visible, looks } = seen;
  const latencies: number[] = [];
  // The target may show a row before the source's answer has reached us.
  for (let id = measuredFrom + 1; id <= total; id++) latencies.push(Math.max(0, visible[id] - committed[id]));
  return {
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    max: quantile(latencies, 1),
    resolution: quantile(looks, 0.5),
    rate: (total * 1000) / elapsed,
  };
}

/**
 * Looks at the target, without a pause, while a committed row has not been seen, and not at all otherwise: so the looking
 * costs the machine as little as can be, and every contender the same.
 */
class Watcher {
  readonly #sides: Sides;
  #newest = 0;
  #wake: (() => void) | undefined;

  constructor(sides: Sides) {
    this.#sides = sides;
  }

  committed(id: number): void {
    this.#newest = id;
    this.#wake?.();
  }

  /** When each row was first seen, by `performance.now`, and how many milliseconds each look took. */
  async watch(total: number): Promise<{ visible: number[]; looks: number[] }> {
    const visible: number[] = [];
    const looks: number[] = [];
    let seen = 0;
    while (seen < total) {
      if (seen >= this.#newest) await new Promise<void>((resolve) => (this.#wake = resolve));
      const begun = performance.now();
      const newest = await this.#sides.newest();
      const now = performance.now();
      looks.push(now - begun);
      while (seen < newest) visible[++seen] = now;
    }
    return { visible, looks };
  }
}

/** Share of a core, 0 to 1, that a process uses while nothing happens; undefined where that cannot be known. */
export async function idleProcessor(pid: number | undefined, seconds: number): Promise<number | undefined> {
  await sleep(SETTLE_MS);
  const before = processorSeconds(pid);
  await sleep(seconds * 1000);
  const after = processorSeconds(pid);
  return before === undefined || after === undefined ? undefined : (after - before) / seconds;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
