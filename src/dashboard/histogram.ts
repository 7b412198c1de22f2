import type { Samples } from './samples.ts';

/** A histogram as it is sent: for each upper bound, how many observations were not above it. */
export interface Buckets {
  /** Ascending; the last is infinite. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

/** A histogram summed over all its labels; undefined when the scrape has none of that name. */
export function bucketsOf(samples: Samples, name: string): Buckets | undefined {
  const byBound = new Map<number, number>();
  for (const { labels, value } of samples.get(`${name}_bucket`) ?? []) {
    const bound = labels.le === '+Inf' || labels.le === 'Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
    if (labels.le === undefined || Number.isNaN(bound) || !Number.isFinite(value)) continue;
    byBound.set(bound, (byBound.get(bound) ?? 0) + value);
  }
  if (byBound.size === 0) return undefined;
  const bounds = [...byBound.keys()].sort((a, b) => a - b);
  const add = (part: string) => (samples.get(`${name}_${part}`) ?? []).reduce((sum, { value }) => sum + value, 0);
  return { bounds, counts: bounds.map((bound) => byBound.get(bound)!), sum: add('sum'), count: add('count') };
}

/** What was observed between two scrapes; `later` as it is when the process has started anew in between. */
export function between(earlier: Buckets | undefined, later: Buckets): Buckets {
  if (earlier === undefined || later.count < earlier.count || earlier.bounds.length !== later.bounds.length)
    return later;
  return {
    bounds: later.bounds,
    counts: later.counts.map((count, index) => Math.max(0, count - earlier.counts[index])),
    sum: later.sum - earlier.sum,
    count: later.count - earlier.count,
  };
}

/**
 * The value that a share `q` (0 to 1) of the observations does not exceed, by straight lines between the bounds as
 * Prometheus' `histogram_quantile` draws them. Undefined without observations; the greatest finite bound when it lies above all.
 */
export function quantile({ bounds, counts }: Buckets, q: number): number | undefined {
  const all = counts.at(-1) ?? 0;
  if (all <= 0) return undefined;
  const rank = q * all;
  const index = counts.findIndex((count) => count >= rank && count > 0);
  if (!Number.isFinite(bounds[index])) return bounds.findLast((bound) => Number.isFinite(bound));
  const lower = index === 0 ? Math.min(0, bounds[0]) : bounds[index - 1];
  const below = index === 0 ? 0 : counts[index - 1];
  const share = counts[index] === below ? 1 : (rank - below) / (counts[index] - below);
  return lower + (bounds[index] - lower) * Math.max(0, share);
}

/** The observations of the newest `span` milliseconds of a histogram that only ever grows. */
export class SlidingHistogram {
  readonly #span: number;
  #scrapes: { readonly at: number; readonly buckets: Buckets }[] = [];

  constructor(span: number) {
    this.#span = span;
  }

  add(at: number, buckets: Buckets): void {
    const newest = this.#scrapes.at(-1)?.buckets;
    // A count that has become smaller is that of another process.
    if (newest !== undefined && buckets.count < newest.count) this.#scrapes = [];
    this.#scrapes.push({ at, buckets });
    // One that is older than the span stays: what came since then is counted from it.
    while (this.#scrapes.length > 2 && this.#scrapes[1].at <= at - this.#span) this.#scrapes.shift();
  }

  /** The process started anew: its counts begin at zero. */
  restart(): void {
    this.#scrapes = [];
  }

  /** Undefined until there were two scrapes. */
  get window(): Buckets | undefined {
    const [oldest, newest] = [this.#scrapes[0], this.#scrapes.at(-1)];
    return oldest === undefined || newest === undefined || oldest === newest
      ? undefined
      : between(oldest.buckets, newest.buckets);
  }
}
