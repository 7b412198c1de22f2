/** So many small chunks in a row, within so many milliseconds, mean that the server sends faster than is worth a wake-up. */
const CHUNKS = 6;
const WITHIN = 2;

/** A chunk of this size, bytes, is worth reading by itself. */
const LARGE = 32 * 1024;

/** Milliseconds. */
const NAP = 1;

const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * A walsender makes one packet of each row. A reader that is as fast as the server is woken for each of them, which costs
 * both sides more than the row does; so while many come in a row, this sleeps a millisecond to let them gather. A stream
 * of less than some thousand rows per second is never held up.
 */
export class ReadPace {
  #since = 0;
  #chunks = 0;

  /** To be called before a chunk of `bytes` is read. */
  step(bytes: number): void {
    const now = performance.now();
    if (now - this.#since > WITHIN) {
      this.#since = now;
      this.#chunks = 0;
    }
    if (++this.#chunks <= CHUNKS || bytes >= LARGE) return;
    Atomics.wait(never, 0, 0, NAP);
    this.#since = performance.now();
    this.#chunks = 0;
  }
}
