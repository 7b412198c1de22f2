import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetentionClock, retentionSentence } from '../../../src/dashboard/retention.ts';

const GB = 1e9;
const held = (over: Partial<Parameters<typeof retentionSentence>[0]>) =>
  retentionSentence({
    bytes: 41 * GB,
    limit: 64 * GB,
    bytesPerHour: 2.1 * GB,
    secondsLeft: (23 / 2.1) * 3600,
    walStatus: 'extended',
    ...over,
  });

test('the countdown in one sentence', () => {
  assert.equal(held({}), '41 GB held; at 2.1 GB/h the 64 GB limit is reached in 11 h');
  assert.equal(held({ secondsLeft: 75 * 60 }), '41 GB held; at 2.1 GB/h the 64 GB limit is reached in 1 h 15 min');
  assert.equal(held({ secondsLeft: 300_000 }), '41 GB held; at 2.1 GB/h the 64 GB limit is reached in 3 d');
  assert.equal(held({ secondsLeft: 42 * 60 + 10 }), '41 GB held; at 2.1 GB/h the 64 GB limit is reached in 42 min');
  assert.equal(held({ secondsLeft: 0 }), '41 GB held; the 64 GB limit is reached');
  assert.equal(held({ bytesPerHour: 0, secondsLeft: undefined }), '41 GB held of 64 GB allowed, not growing');
  assert.equal(held({ bytesPerHour: -GB, secondsLeft: undefined }), '41 GB held of 64 GB allowed, not growing');
  assert.equal(held({ bytesPerHour: undefined, secondsLeft: undefined, limit: undefined }), '41 GB held');
  assert.match(
    held({ limit: undefined, secondsLeft: undefined })!,
    /growing by 2\.1 GB\/h; no limit is known, so it may fill/,
  );
  assert.match(held({ walStatus: 'unreserved' })!, /the source is about to remove it$/);
  assert.match(held({ walStatus: 'lost' })!, /has removed log that the slot needs/);
  assert.equal(held({ bytes: undefined }), undefined);
});

test('the rate is that of the last ten minutes, and the rest of the way that to the limit', () => {
  const clock = new RetentionClock();
  let last = clock.look(0, 40 * GB, 64 * GB, 'extended');
  assert.equal(last.bytesPerHour, undefined);
  for (let second = 1; second <= 7200; second++) {
    // An hour without growth, then 2.1 GB an hour.
    const bytes = 40 * GB + Math.max(0, second - 3600) * ((2.1 * GB) / 3600);
    last = clock.look(second * 1000, bytes, 64 * GB, 'extended');
    if (second === 3600) assert.equal(last.secondsLeft, undefined);
  }
  assert(Math.abs(last.bytesPerHour! - 2.1 * GB) < 0.01 * GB, `${last.bytesPerHour}`);
  assert.equal(retentionSentence(last), '42.1 GB held; at 2.1 GB/h the 64 GB limit is reached in 10 h');
});

test('what the server says is left counts more than what is left to the setting', () => {
  const clock = new RetentionClock();
  for (let second = 0; second < 60; second++) clock.look(second * 1000, second * 1e6, GB, 'reserved', 180e6);
  const { secondsLeft } = clock.look(60_000, 60e6, GB, 'reserved', 180e6);
  assert(Math.abs(secondsLeft! - 180) < 1, `${secondsLeft}`);
});
