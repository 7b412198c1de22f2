import { SlidingQuantiles } from '../metrics/sliding-quantiles.ts';

/** Milliseconds over which the shares of time are taken. */
const WINDOW = 10_000;

/** What the engine has been doing lately: how old changes were when they were applied, and who waited for whom. */
export class Activity {
  readonly #ages = new SlidingQuantiles();
  /** Readings of the two stopwatches, oldest first. */
  #samples: { at: number; busy: number; blocked: number }[] = [];
  #lastEvent: number | undefined;
  #newestLag = 0;

  /** Transactions were committed of which the newest was `lag` seconds old. */
  committed(transactions: number, lag: number): void {
    this.#ages.add(lag, transactions, performance.now());
    this.#lastEvent = Date.now();
    this.#newestLag = lag;
  }

  /** Takes how long the target was busy and the source was held back so far, milliseconds; once a second. */
  sample(busy: number, blocked: number, at = performance.now()): void {
    this.#samples.push({ at, busy, blocked });
    // One that is older than the window is kept to look back at.
    while (this.#samples.length > 2 && this.#samples[1].at <= at - WINDOW) this.#samples.shift();
  }

  /** Seconds, of the last minute; undefined when nothing was applied in it. */
  get lag(): { p50: number | undefined; p99: number | undefined } {
    const [p50, p99] = this.#ages.quantiles([0.5, 0.99], performance.now());
    return { p50, p99 };
  }

  /** When changes were last applied, milliseconds since the epoch. */
  get lastEvent(): number | undefined {
    return this.#lastEvent;
  }

  /** How old they were then, seconds; 0 while nothing was applied. */
  get newestLag(): number {
    return this.#newestLag;
  }

  /** Shares of the last ten seconds, 0 to 1, in which the target had something to do, and the source was not read. */
  get shares(): { targetBusy: number | undefined; sourceBlocked: number | undefined } {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || first === last) {
      return { targetBusy: undefined, sourceBlocked: undefined };
    }
    const share = (time: number) => Math.min(1, time / (last.at - first.at));
    return { targetBusy: share(last.busy - first.busy), sourceBlocked: share(last.blocked - first.blocked) };
  }
}
