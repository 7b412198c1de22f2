import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Buckets, bucketsOf, quantile, SlidingHistogram } from '../../../src/dashboard/histogram.ts';
import { parseSamples } from '../../../src/dashboard/samples.ts';

const Inf = Number.POSITIVE_INFINITY;
const buckets = (counts: readonly number[], bounds = [0.1, 1, 10, Inf]): Buckets => ({
  bounds,
  counts,
  sum: 0,
  count: counts.at(-1)!,
});

test('quantiles are drawn straight between the bounds', () => {
  const cases: [counts: number[], q: number, expected: number | undefined][] = [
    [[0, 0, 0, 0], 0.5, undefined],
    [[10, 10, 10, 10], 0.5, 0.05],
    [[0, 10, 10, 10], 0.5, 0.55],
    [[0, 10, 10, 10], 1, 1],
    [[50, 100, 100, 100], 0.5, 0.1],
    [[50, 100, 100, 100], 0.99, 0.982],
    [[0, 0, 0, 7], 0.5, 10],
    [[1, 1, 1, 2], 0.99, 10],
  ];
  for (const [counts, q, expected] of cases) {
    const found = quantile(buckets(counts), q);
    if (expected === undefined) assert.equal(found, undefined);
    else assert(Math.abs(found! - expected) < 1e-9, `${counts} ${q}: ${found}, not ${expected}`);
  }
});

test('buckets are summed over labels, in the order of their bounds', () => {
  const text = `
h_bucket{le="+Inf",t="a"} 3
h_bucket{le="1",t="a"} 2
h_bucket{le="1",t="b"} 1
h_bucket{le="+Inf",t="b"} 1
h_sum{t="a"} 5
h_sum{t="b"} 0.5
h_count{t="a"} 3
h_count{t="b"} 1`;
  assert.deepEqual(bucketsOf(parseSamples(text), 'h'), { bounds: [1, Inf], counts: [3, 4], sum: 5.5, count: 4 });
  assert.equal(bucketsOf(parseSamples(text), 'other'), undefined);
});

test('a window holds what was observed within it, and starts anew with the process', () => {
  const sliding = new SlidingHistogram(60_000);
  sliding.add(0, buckets([100, 100, 100, 100]));
  assert.equal(sliding.window, undefined, 'what was before the first look is not of the last minute');
  sliding.add(1000, buckets([100, 110, 110, 110]));
  assert.deepEqual(sliding.window!.counts, [0, 10, 10, 10]);
  for (let at = 2000; at <= 70_000; at += 1000) sliding.add(at, buckets([100, 110, 110, 110]));
  assert.equal(sliding.window!.count, 0, 'what is older than a minute has left');
  sliding.add(71_000, buckets([0, 0, 4, 4]));
  sliding.add(72_000, buckets([0, 0, 9, 9]));
  assert.deepEqual(sliding.window!.counts, [0, 0, 5, 5]);
});
