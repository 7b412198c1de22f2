import {
  constants,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two looks at how late the loop is. */
const RESOLUTION = 10;
/** Shares of the looks, in percent. */
const PERCENTILES = [50, 90, 99, 99.9];

/** Times in milliseconds. */
export interface EventLoopReport {
  readonly seconds: number;
  /** Share of the time in which the loop had work, 0 to 1: at 1 the process has no more of its core to give. */
  readonly utilization: number;
  /** How late timers came: what everything else has waited for. */
  readonly delay: {
    readonly mean: number;
    readonly max: number;
    readonly percentiles: Readonly<Record<string, number>>;
  };
  /** Collections of garbage by kind, with the time that they took. */
  readonly garbageCollection: Readonly<Record<string, { readonly count: number; readonly milliseconds: number }>>;
}

/** What is told of a collection; the types leave out its details. */
type Collection = PerformanceEntry & { readonly detail?: { readonly kind?: number } };

const KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak callbacks',
};

/** Watches the event loop of this process for `seconds`. @throws the signal's reason when it was cut off */
export async function eventLoopReport(seconds: number, signal: AbortSignal): Promise<EventLoopReport> {
  const collections: Record<string, { count: number; milliseconds: number }> = {};
  const observer = new PerformanceObserver((list) => {
    for (const { duration, detail } of list.getEntries() as Collection[]) {
      const kind = KINDS[detail?.kind ?? -1] ?? 'other';
      collections[kind] ??= { count: 0, milliseconds: 0 };
      collections[kind].count++;
      collections[kind].milliseconds += duration;
    }
  });
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  const began = performance.now();
  const before = performance.eventLoopUtilization();
  observer.observe({ entryTypes: ['gc'] });
  delay.enable();
  try {
    await sleep(1000 * seconds, undefined, { signal, ref: false });
    const { utilization } = performance.eventLoopUtilization(before);
    // The monitor counts its own interval in, which nobody has waited for.
    const late = (nanoseconds: number) => rounded(Math.max(0, (nanoseconds || 0) / 1e6 - RESOLUTION));
    return {
      seconds: rounded((performance.now() - began) / 1000),
      utilization: rounded(utilization),
      delay: {
        mean: late(delay.mean),
        max: late(delay.max),
        percentiles: Object.fromEntries(PERCENTILES.map((share) => [`p${share}`, late(delay.percentile(share))])),
      },
      garbageCollection: Object.fromEntries(
        Object.entries(collections).map(([kind, { count, milliseconds }]) => [
          kind,
          { count, milliseconds: rounded(milliseconds) },
        ]),
      ),
    };
  } finally {
    delay.disable();
    observer.disconnect();
  }
}

function rounded(value: number): number {
  return Math.round(1000 * value) / 1000;
}
