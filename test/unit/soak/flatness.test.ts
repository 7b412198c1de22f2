import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomNumbers } from '../../faults/chaos.ts';
import { growthOf, LIVE_HEAP, RESIDENT } from '../../soak/flatness.ts';

const MIB = 1024 * 1024;

/** Resident memory as it is: warm after a tenth, sawteeth, high for a while every so often; `leak` in MB over the run. */
function resident(leak: number, seed = 1): number[] {
  const random = randomNumbers(seed);
  return Array.from({ length: 150 }, (_, n) => {
    const warm = 40 * Math.min(1, n / 15);
    const garbage = (n % 7) * 3 + random() * 5;
    const spike = n % 25 < 8 ? 60 : 0;
    return (80 + warm + garbage + spike + (leak * n) / 150) * MIB;
  });
}

test('warming up, sawteeth and spikes are no growth', () => {
  for (let seed = 1; seed <= 20; seed++) assert.equal(growthOf(resident(0, seed), RESIDENT).flat, true);
});

test('what is held for ever is growth, by what was before and after', () => {
  const { flat, before, after, allowed } = growthOf(resident(90), RESIDENT);
  assert.equal(flat, false);
  assert.ok(after - before > allowed && allowed >= 32 * MIB);
});

test('a step up in the second half is growth, one in the first quarter is not', () => {
  const step = (from: number) => Array.from({ length: 40 }, (_, n) => (20 + (n < from ? 0 : 5)) * MIB);
  assert.equal(growthOf(step(25), LIVE_HEAP).flat, false);
  assert.equal(growthOf(step(8), LIVE_HEAP).flat, true);
});

test('of much memory a share may come and go', () => {
  const step = (up: number) => Array.from({ length: 40 }, (_, n) => (1000 + (n < 20 ? 0 : up)) * MIB);
  assert.equal(growthOf(step(90), LIVE_HEAP).flat, true);
  assert.equal(growthOf(step(110), LIVE_HEAP).flat, false);
});

test('few samples are no verdict', () => {
  assert.throws(() => growthOf(resident(0).slice(0, 19), RESIDENT), /too few/);
});
