/** Values kept for a sparkline. */
export const HISTORY_LENGTH = 120;

/** One value for each of the last 120 steps, mostly seconds; NaN for those that nothing is known of. */
export class History {
  readonly #step: number;
  #values: readonly number[] = [];
  #last: number | undefined;

  /** @param step milliseconds that a value stands for */
  constructor(step = 1000) {
    this.#step = step;
  }

  /** `value` is that of the step of `at` (milliseconds since the epoch), and of those before it that `carry` is true for. */
  add(at: number, value: number | undefined, carry: boolean): void {
    const step = Math.floor(at / this.#step);
    const known = value ?? Number.NaN;
    const missed = this.#last === undefined ? 0 : step - this.#last - 1;
    if (missed < -1) return;
    const kept = missed === -1 ? this.#values.slice(0, -1) : this.#values;
    const gap = new Array<number>(Math.min(Math.max(0, missed), HISTORY_LENGTH)).fill(carry ? known : Number.NaN);
    this.#values = [...kept, ...gap, known].slice(-HISTORY_LENGTH);
    this.#last = step;
  }

  /** Newest last. A new array after each `add`. */
  get values(): readonly number[] {
    return this.#values;
  }
}
