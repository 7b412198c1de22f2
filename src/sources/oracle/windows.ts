import type { Scn } from './scn.ts';

/** SCNs that the first window takes. */
const FIRST_SIZE = 3250n;
/** A window is never made larger than that: SCNs jump, and idle servers have nothing in them. */
const LARGEST = 10n ** 12n;
/** A window is never made smaller than that. */
const SMALLEST = 100n;
/** SCNs that a window has at the very least: LogMiner refuses a range that ends where it begins (ORA-01281). */
export const LEAST_SCNS = 2n;
/** Rows in a window above which the next one is smaller. */
const MANY_ROWS = 50_000;
/** Rows in a window below which the next one may be larger. */
const FEW_ROWS = 10_000;
/** Milliseconds that a window should not take much longer than. */
const LONG = 5000;
/** Milliseconds below which the next one may be larger. */
const SHORT = 1500;

/**
 * How many SCNs are mined at a time. SCNs say little of rows: a quiet server passes thousands in an hour and a busy one in a tenth of a
 * second, and each window costs the server a start of LogMiner. So the size follows what the last windows held, up to
 * a limit that was set.
 */
export class Windows {
  readonly #limit: Scn | undefined;
  #size: Scn;

  /** @param limit undefined: none */
  constructor(limit: Scn | undefined) {
    this.#limit = limit !== undefined && limit < LEAST_SCNS ? LEAST_SCNS : limit;
    this.#size = this.#bounded(FIRST_SIZE);
  }

  /** SCNs. */
  get size(): Scn {
    return this.#size;
  }

  /** The last SCN of the window behind `after`, at most `head`. */
  end(after: Scn, head: Scn): Scn {
    const end = after + this.#size;
    return end < head ? end : head;
  }

  /** A window was read whole: `rows` of redo in `elapsed` milliseconds. */
  done(rows: number, elapsed: number): void {
    if (rows > MANY_ROWS || elapsed > LONG) this.#size = this.#bounded(this.#size / 2n);
    else if (rows < FEW_ROWS && elapsed < SHORT) this.#size = this.#bounded(this.#size * 2n);
  }

  /** The server could not hold a window. */
  failed(): void {
    this.#size = this.#bounded(this.#size / 8n);
  }

  #bounded(size: Scn): Scn {
    const limit = this.#limit ?? LARGEST;
    const atLeast = size < SMALLEST ? SMALLEST : size;
    return atLeast > limit ? limit : atLeast;
  }
}
