import { readFacts } from './facts.ts';
import { ReadingModel } from './model.ts';
import type { Reading } from './reading.ts';
import type { SnapshotEntry, SnapshotHistory } from './snapshot-history.ts';

/** A file that could not be read, and was passed over. */
export interface Skipped {
  readonly file: string;
  readonly reason: string;
}

/** One snapshot, as the dashboard would have shown it then. */
export interface Frame {
  /** Place in the history. */
  readonly index: number;
  /** The reading of this moment; of a file that cannot be read, that of the one before. */
  readonly reading: Reading | undefined;
  readonly skipped: Skipped | undefined;
  /** Milliseconds in front of it in which none was written, where that is longer than usual; else 0. */
  readonly gap: number;
}

/** A pause is one when it is longer than this many usual ones. */
const GAP = 3;
/** Snapshots before the wanted one that are looked at, so that there are rates and a history: at most, and at least. */
const MOST_BEFORE = 120;
const FEWEST_BEFORE = 5;
/** What looking at them may take, milliseconds. */
const PATIENCE = 250;

/** Plays a history of snapshots through the model of the live dashboard, at any place; one file is in memory at a time. */
export class Replay {
  readonly history: SnapshotHistory;
  /** Milliseconds that mostly lie between two snapshots. */
  readonly period: number;
  #model: ReadingModel;
  #reading: Reading | undefined;
  /** The snapshot that the model has seen last. */
  #at = -1;
  /** How long reading one takes, milliseconds. */
  #cost = 1;
  /** By the place in the history; a file that was damaged once is not read again. */
  readonly #skipped = new Map<number, Skipped>();

  constructor(history: SnapshotHistory) {
    this.history = history;
    this.period = usualPause(history.entries);
    this.#model = this.#fresh();
  }

  /** Files passed over so far. */
  get skipped(): readonly Skipped[] {
    return [...this.#skipped.values()];
  }

  /** The snapshot at a place of the history, from 0. One that follows the one before is told with what was known of those. */
  async frame(index: number): Promise<Frame> {
    const before = Math.min(MOST_BEFORE, Math.max(FEWEST_BEFORE, Math.floor(PATIENCE / this.#cost)));
    if (index < this.#at || index - this.#at > before) {
      this.#model = this.#fresh();
      this.#reading = undefined;
      this.#at = Math.max(-1, index - before - 1);
    }
    let frame: Frame | undefined;
    for (let at = this.#at + 1; at <= index; at++) frame = await this.#advance(at);
    return frame ?? { index, reading: this.#reading, skipped: this.#skipped.get(index), gap: 0 };
  }

  async #advance(index: number): Promise<Frame> {
    const entry = this.history.entries[index];
    const pause = index === 0 ? 0 : entry.at - this.history.entries[index - 1].at;
    const gap = pause > GAP * this.period ? pause : 0;
    if (!this.#skipped.has(index)) {
      try {
        const began = performance.now();
        const { varz, diag } = await entry.read();
        // Nothing is known of the time in which none was written; it is no time of steady rates.
        if (gap > 0) this.#model.silent(entry.at - 1, 'no snapshots were written');
        this.#reading = this.#model.observe(readFacts({ varz, diag, clockAhead: 0 }, entry.at));
        this.#cost = Math.max(0.1, performance.now() - began);
      } catch (error) {
        this.#skipped.set(index, { file: entry.file, reason: reasonOf(error) });
      }
    }
    this.#at = index;
    return { index, reading: this.#reading, skipped: this.#skipped.get(index), gap };
  }

  #fresh(): ReadingModel {
    return new ReadingModel({ step: Math.max(1000, this.period) });
  }
}

/** The median. */
function usualPause(entries: readonly SnapshotEntry[]): number {
  const pauses = entries.slice(1).map(({ at }, index) => at - entries[index].at);
  return pauses.sort((a, b) => a - b)[Math.floor(pauses.length / 2)] ?? 0;
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  // It may have become too old while the history is watched.
  return code === 'ENOENT' ? 'it is not there any more' : message;
}
