import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { type HeapGroup, heapByConstructor } from './heap-constructors.ts';

/** Bytes. */
export interface HeapSummary {
  readonly used: number;
  readonly limit: number;
  /** What the whole process has of the machine's memory, and buffers outside of the heap. */
  readonly resident: number;
  readonly external: number;
  readonly buffers: number;
  readonly spaces: readonly { readonly name: string; readonly used: number; readonly size: number }[];
  /** The largest kinds of objects; undefined where they were not counted. */
  readonly constructors?: readonly HeapGroup[];
  readonly note?: string;
}

/** A heap that is larger than this is not looked through unless that is asked for, bytes: everything stands still meanwhile. */
const LARGE = 256 * 2 ** 20;
/** Bytes that are looked through in a second. */
const PACE = 100 * 2 ** 20;
/** Kinds of objects that are told. */
const SHOWN = 100;

/**
 * What the heap of this process holds: its spaces, and its objects by constructor with counts and bytes; never a value.
 * @param constructors `auto` counts objects where that takes less than a few seconds, in which nothing is replicated
 */
export async function heapSummary(constructors: 'auto' | 'yes' | 'no', signal: AbortSignal): Promise<HeapSummary> {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  const { rss: resident, external, arrayBuffers: buffers } = process.memoryUsage();
  const spaces = getHeapSpaceStatistics().map((space) => ({
    name: space.space_name,
    used: space.space_used_size,
    size: space.space_size,
  }));
  const summary = { used, limit, resident, external, buffers, spaces };
  if (constructors === 'no') return summary;
  if (constructors === 'auto' && used > LARGE) {
    const seconds = Math.ceil(used / PACE);
    const note =
      `objects were not counted: the engine would stand still for about ${seconds} s and need as much memory again; ` +
      'ask for /debug/heap?constructors=yes if it may';
    return { ...summary, note };
  }
  return { ...summary, constructors: (await heapByConstructor(signal)).slice(0, SHOWN) };
}
