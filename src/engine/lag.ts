import type { Position } from '../sources/source.ts';

/** Heads that are remembered; of more, every other one is forgotten. */
const HEADS = 512;

/** A commit this long ago, milliseconds, is of the present. */
const PRESENT = 2000;

/** What is known at one moment. Times in milliseconds since the epoch. */
export interface LagEvidence {
  readonly now: number;
  /** The source's newest position; undefined while the source is not heard. */
  readonly head: Position | undefined;
  /** Everything up to it is on the target. */
  readonly applied: Position | undefined;
  /** When changes were last committed on the target, and how old they were then, seconds. */
  readonly lastCommit: number | undefined;
  readonly lastCommitAge: number;
}

/**
 * For how long the target has lacked something that the source may have had. Unlike the age of what was applied last it grows
 * while nothing is applied, and while the source is not heard; unlike the age of the last change it is zero on an idle source.
 */
export class Lag {
  readonly #every: number;
  /** Heads that the target has not reached, oldest first, and when the source was known to be there and no further. */
  #heads: { at: number; position: Position }[] = [];
  /** The newest moment of which the target is known to have everything; at first that when this one began to look. */
  #complete: number;

  /** @param every milliseconds between two looks: what is younger than that is not told from nothing */
  constructor(now: number, every: number) {
    this.#complete = now;
    this.#every = every;
  }

  /** Seconds. To be called regularly. */
  look({ now, head, applied, lastCommit, lastCommitAge }: LagEvidence): number {
    while (applied !== undefined && this.#heads.length > 0 && applied.covers(this.#heads[0].position)) {
      this.#complete = this.#heads.shift()!.at;
    }
    if (head !== undefined) this.#remember(now, head);
    const missing = now - this.#complete;
    if (missing < 2 * this.#every) {
      return lastCommit !== undefined && now - lastCommit < PRESENT ? lastCommitAge : 0;
    }
    // While it catches up, what it applies is older than this process.
    const catchesUp = lastCommit !== undefined && lastCommit > this.#complete;
    const oldest = catchesUp ? lastCommit - lastCommitAge * 1000 : this.#complete;
    return Math.max(0, now - Math.min(oldest, this.#complete)) / 1000;
  }

  #remember(at: number, position: Position): void {
    const last = this.#heads.at(-1);
    // Where the source has been for a while, the target lacks nothing more than before.
    if (last?.position.covers(position)) last.at = at;
    else this.#heads.push({ at, position });
    if (this.#heads.length > HEADS) this.#heads = this.#heads.filter((_, i) => i % 2 === 1);
  }
}
