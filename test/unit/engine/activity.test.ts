import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Activity } from '../../../src/engine/activity.ts';
import { Stopwatch } from '../../../src/engine/stopwatch.ts';

test('shares are those of the last ten seconds', () => {
  const activity = new Activity();
  assert.deepEqual(activity.shares, { targetBusy: undefined, sourceBlocked: undefined });
  activity.sample(0, 0, 1000);
  assert.deepEqual(activity.shares, { targetBusy: undefined, sourceBlocked: undefined }, 'one reading says nothing');
  activity.sample(500, 0, 2000);
  assert.deepEqual(activity.shares, { targetBusy: 0.5, sourceBlocked: 0 });
  for (let second = 3; second <= 30; second++) activity.sample(500, (second - 2) * 250, second * 1000);
  assert.deepEqual(activity.shares, { targetBusy: 0, sourceBlocked: 0.25 });
});

test('the age of what was applied, and when; nothing while nothing was', () => {
  const activity = new Activity();
  assert.deepEqual(activity.lag, { p50: undefined, p99: undefined });
  assert.equal(activity.lastEvent, undefined);
  const before = Date.now();
  activity.committed(99, 0.5);
  activity.committed(2, 20);
  const { p50, p99 } = activity.lag;
  assert.ok(Math.abs(p50! - 0.5) < 0.03 && Math.abs(p99! - 20) < 1, `${p50} ${p99}`);
  assert.ok(activity.lastEvent! >= before && activity.lastEvent! <= Date.now());
});

test('a stopwatch adds up what it is set for, and shows what is under way', async () => {
  const watch = new Stopwatch();
  watch.set(false);
  assert.equal(watch.milliseconds, 0);
  watch.set(true);
  watch.set(true);
  await sleep(20);
  const running = watch.milliseconds;
  assert.ok(running > 15, String(running));
  watch.set(false);
  const stopped = watch.milliseconds;
  assert.ok(stopped >= running);
  await sleep(20);
  assert.equal(watch.milliseconds, stopped);
});
