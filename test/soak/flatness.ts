const MIB = 1024 * 1024;

/** How a measure has moved from the second quarter of a run to the last one. */
export interface Growth {
  readonly before: number;
  readonly after: number;
  /** What it may have grown by, in bytes. */
  readonly allowed: number;
  readonly flat: boolean;
}

/** How much a measure may grow by without being a leak: the larger one of the two. */
export interface Slack {
  readonly bytes: number;
  /** Of what it was. */
  readonly share: number;
}

/** Resident memory moves by this much without a leak: V8 collects when it likes, the C library gives pages back when it likes. */
export const RESIDENT: Slack = { bytes: 32 * MIB, share: 0.2 };
/** What is left after a collection moves by what happens to be under way. */
export const LIVE_HEAP: Slack = { bytes: 4 * MIB, share: 0.1 };

/**
 * Whether memory, in bytes at regular intervals, is flat. The first quarter does not count: code is compiled, buffers and pools
 * reach their size. Large transactions and restarts lift it for seconds, so no two samples can be compared: the medians of the
 * second and of the last quarter are, which a minority of high samples cannot move.
 */
export function growthOf(samples: readonly number[], slack: Slack): Growth {
  const quarter = Math.floor(samples.length / 4);
  if (quarter < 5) throw new Error(`${samples.length} samples are too few to judge by`);
  const before = median(samples.slice(quarter, 2 * quarter));
  const after = median(samples.slice(-quarter));
  const allowed = Math.max(slack.bytes, before * slack.share);
  return { before, after, allowed, flat: after - before <= allowed };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
