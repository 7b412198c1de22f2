import type { Series } from './series.ts';

export interface Trend {
  readonly direction: 'shrinks' | 'holds' | 'grows' | undefined;
  /** Seconds until nothing is left at this rate, while it shrinks. */
  readonly gone: number | undefined;
}

/** What is looked back on, milliseconds, and how much of it is needed to say anything. */
const WINDOW = 30_000;
const ENOUGH = 5000;
/** A change within the window of less than this share of what is there is none. */
const STEADY = 0.1;

/**
 * Whether a backlog shrinks, holds or grows: the line that fits its last 30 seconds best, against a tenth of the backlog or
 * `noise`, whichever is more. Nothing is said before there are five seconds to judge by.
 */
export function trendOf(backlog: Series, noise: number): Trend {
  const { newest } = backlog;
  const covered = backlog.covered(WINDOW);
  const slope = backlog.slope(WINDOW);
  if (newest === undefined || slope === undefined || covered < ENOUGH) return { direction: undefined, gone: undefined };
  const change = slope * (covered / 1000);
  if (Math.abs(change) <= Math.max(noise, STEADY * newest)) return { direction: 'holds', gone: undefined };
  if (slope > 0) return { direction: 'grows', gone: undefined };
  return { direction: 'shrinks', gone: newest / -slope };
}
