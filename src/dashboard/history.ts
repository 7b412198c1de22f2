/** Values kept for a sparkline, one a second. */
export const HISTORY_LENGTH = 120;

/** One value for each of the last 120 seconds; NaN for seconds that nothing is known of. */
export class History {
  #values: readonly number[] = [];
  #second: number | undefined;

  /** `value` is that of the second of `at` (milliseconds since the epoch), and of those before it that `carry` is true for. */
  add(at: number, value: number | undefined, carry: boolean): void {
    const second = Math.floor(at / 1000);
    const known = value ?? Number.NaN;
    const missed = this.#second === undefined ? 0 : second - this.#second - 1;
    if (missed < -1) return;
    const kept = missed === -1 ? this.#values.slice(0, -1) : this.#values;
    const gap = new Array<number>(Math.min(Math.max(0, missed), HISTORY_LENGTH)).fill(carry ? known : Number.NaN);
    this.#values = [...kept, ...gap, known].slice(-HISTORY_LENGTH);
    this.#second = second;
  }

  /** Newest last. A new array after each `add`. */
  get values(): readonly number[] {
    return this.#values;
  }
}
