/** Seconds that are looked back upon. */
const SPAN = 60;

/** Values are told apart by their place between two powers of two, from a millisecond to some days. */
const SMALLEST = 0.001;
const PER_OCTAVE = 8;
const BUCKETS = 29 * PER_OCTAVE;

/** Quantiles of the values of the last minute, exact to a twentieth; memory and work do not grow with the number of values. */
export class SlidingQuantiles {
  /** Counts by bucket for each second; a slot is used again a minute later. */
  readonly #slots = Array.from({ length: SPAN }, () => ({ second: -SPAN, counts: new Uint32Array(BUCKETS) }));

  /** Adds `count` values of `value` seconds, at `now` milliseconds of any clock that goes on evenly. */
  add(value: number, count: number, now: number): void {
    const second = Math.floor(now / 1000);
    const slot = this.#slots[second % SPAN];
    if (slot.second !== second) {
      slot.second = second;
      slot.counts.fill(0);
    }
    const bucket = Math.floor(PER_OCTAVE * Math.log2(Math.max(value, SMALLEST) / SMALLEST));
    slot.counts[Math.min(bucket, BUCKETS - 1)] += count;
  }

  /** The value below which a share of `shares` of all values is, for each of them; undefined when there are none. */
  quantiles(shares: readonly number[], now: number): (number | undefined)[] {
    const since = Math.floor(now / 1000) - SPAN;
    const totals = new Float64Array(BUCKETS);
    let all = 0;
    for (const { second, counts } of this.#slots) {
      if (second <= since) continue;
      for (let i = 0; i < BUCKETS; i++) {
        totals[i] += counts[i];
        all += counts[i];
      }
    }
    return shares.map((share) => {
      if (all === 0) return undefined;
      let below = 0;
      const bucket = totals.findIndex((count) => {
        below += count;
        return count > 0 && below >= share * all;
      });
      return SMALLEST * 2 ** ((bucket + 0.5) / PER_OCTAVE);
    });
  }
}
