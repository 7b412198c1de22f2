/** Adds up the time during which something was the case. */
export class Stopwatch {
  #since: number | undefined;
  #total = 0;

  /** It is the case from now on, or no more. */
  set(on: boolean): void {
    if (on === (this.#since !== undefined)) return;
    const now = performance.now();
    if (this.#since !== undefined) this.#total += now - this.#since;
    this.#since = on ? now : undefined;
  }

  /** Milliseconds so far. */
  get milliseconds(): number {
    return this.#total + (this.#since === undefined ? 0 : performance.now() - this.#since);
  }
}
