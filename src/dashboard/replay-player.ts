import type { PollerState, ReadingSource } from './poller.ts';
import type { Replay, Skipped } from './replay.ts';

/** What a player shows; a new object whenever that has changed. */
export interface PlayerState extends PollerState {
  /** Place in the history, from 0. */
  readonly index: number;
  readonly count: number;
  /** When the snapshot that is shown was taken, milliseconds since the epoch. */
  readonly at: number;
  readonly playing: boolean;
  /** Snapshots per second. */
  readonly speed: number;
  readonly skipped: readonly Skipped[];
}

/** Snapshots per second that can be chosen. */
const SPEEDS = [1, 4, 16, 64, 256];
/** A whole history is over after about so many seconds, unless another speed is chosen. */
const WHOLE = 60;
/** Milliseconds between two pictures. */
const FRAME = 250;
/** A jump is this share of the history. */
const JUMP = 0.1;

/** Plays a history as a film: forward at a speed, or by hand to any place. For the dashboard in place of a poller. */
export class ReplayPlayer implements ReadingSource {
  readonly #replay: Replay;
  readonly #count: number;
  readonly #listeners = new Set<() => void>();
  #state: PlayerState;
  /** Where it is to be: the place shown follows as fast as files can be read. */
  #wanted = 0;
  #timer: NodeJS.Timeout | undefined;
  #working = false;

  constructor(replay: Replay) {
    const { entries, title } = replay.history;
    this.#replay = replay;
    this.#count = entries.length;
    this.#state = {
      endpoint: title,
      reading: undefined,
      problem: undefined,
      index: 0,
      count: this.#count,
      at: entries[0].at,
      playing: true,
      speed: SPEEDS.find((speed) => speed >= this.#count / WHOLE && speed > 1) ?? SPEEDS[SPEEDS.length - 1],
      skipped: [],
    };
  }

  readonly getState = (): PlayerState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  start(): void {
    if (this.#timer !== undefined) return;
    void this.#show();
    this.#timer = setInterval(() => this.#tick(), FRAME);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Plays, or stands still; at the end it begins anew. */
  toggle(): void {
    const ended = this.#wanted >= this.#count - 1;
    if (!this.#state.playing && ended) this.#wanted = 0;
    this.#publish({ playing: !this.#state.playing });
  }

  /** Stands still so many snapshots later, or earlier. */
  step(by: number): void {
    this.#publish({ playing: false });
    this.#goTo(Math.round(this.#wanted) + by);
  }

  /** A tenth of the history later (1) or earlier (-1); it goes on playing when it did. */
  jump(direction: 1 | -1): void {
    this.#goTo(Math.round(this.#wanted) + direction * Math.max(1, Math.round(JUMP * this.#count)));
  }

  /** The next speed (1) or the one before (-1). */
  faster(direction: 1 | -1): void {
    const next = SPEEDS[SPEEDS.indexOf(this.#state.speed) + direction];
    if (next !== undefined) this.#publish({ speed: next });
  }

  #goTo(index: number): void {
    this.#wanted = Math.min(this.#count - 1, Math.max(0, index));
    void this.#show();
  }

  #tick(): void {
    const { playing, speed } = this.#state;
    // Files that come slowly make it slower; none is left behind.
    if (!playing || this.#working) return;
    this.#wanted = Math.min(this.#count - 1, this.#wanted + (speed * FRAME) / 1000);
    void this.#show();
  }

  async #show(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      for (;;) {
        const index = Math.floor(this.#wanted);
        const { reading } = await this.#replay.frame(index);
        const { at } = this.#replay.history.entries[index];
        const { skipped } = this.#replay;
        const playing = this.#state.playing && index < this.#count - 1;
        const problem = reading === undefined ? `${skipped.at(-1)?.file}: ${skipped.at(-1)?.reason}` : undefined;
        this.#publish({ index, at, reading, problem, skipped, playing });
        // Keys may have asked for another place meanwhile.
        if (Math.floor(this.#wanted) === index) return;
      }
    } finally {
      this.#working = false;
    }
  }

  #publish(change: Partial<PlayerState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}
