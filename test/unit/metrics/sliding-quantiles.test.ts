import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SlidingQuantiles } from '../../../src/metrics/sliding-quantiles.ts';

const close = (actual: number | undefined, expected: number) => {
  assert.ok(actual !== undefined && Math.abs(actual / expected - 1) < 0.05, `${actual} is not near ${expected}`);
};

test('nothing was added: there is no quantile, and not a zero', () => {
  assert.deepEqual(new SlidingQuantiles().quantiles([0.5, 0.99], 5000), [undefined, undefined]);
});

test('quantiles by the number of values, from a millisecond to days', () => {
  const ages = new SlidingQuantiles();
  ages.add(0.02, 98, 1000);
  ages.add(3, 1, 1000);
  ages.add(200_000, 1, 2000);
  const [p50, p98, p99, p100] = ages.quantiles([0.5, 0.98, 0.99, 1], 2000);
  close(p50, 0.02);
  close(p98, 0.02);
  close(p99, 3);
  close(p100, 200_000);
});

test('what is older than a minute counts no more', () => {
  const ages = new SlidingQuantiles();
  ages.add(10, 1000, 500);
  ages.add(1, 1, 30_000);
  close(ages.quantiles([0.5], 59_900)[0], 10);
  close(ages.quantiles([0.5], 60_500)[0], 1);
  assert.deepEqual(ages.quantiles([0.5], 90_000), [undefined]);
  // The second at which a slot is used again.
  ages.add(2, 1, 90_500);
  close(ages.quantiles([0.5], 90_900)[0], 2);
});

test('values below a millisecond and beyond all bounds are kept at the ends', () => {
  const ages = new SlidingQuantiles();
  ages.add(0, 1, 0);
  assert.ok(ages.quantiles([1], 0)[0]! < 0.0011);
  ages.add(Number.MAX_VALUE, 5, 0);
  assert.ok(ages.quantiles([1], 0)[0]! > 400_000);
});

test('each quantile is within a twentieth of one of the values', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.001, max: 100_000, noNaN: true }), { minLength: 1 }), (values) => {
      const ages = new SlidingQuantiles();
      for (const value of values) ages.add(value, 1, 7000);
      const sorted = values.toSorted((a, b) => a - b);
      for (const share of [0.01, 0.5, 0.99]) {
        close(ages.quantiles([share], 7000)[0], sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]);
      }
    }),
    { verbose: 1 },
  );
});
