import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Windows } from '../../../src/sources/oracle/windows.ts';

test('windows that are read quickly and hold little grow, up to a limit of their own', () => {
  const windows = new Windows(undefined);
  assert.equal(windows.size, 3250n);
  windows.done(10, 100);
  assert.equal(windows.size, 6500n);
  for (let i = 0; i < 1000; i++) windows.done(0, 5);
  assert.equal(windows.size, 10n ** 12n, 'idle for hours');
});

test('windows that hold much or take long shrink, and those that the server cannot hold shrink more', () => {
  const windows = new Windows(undefined);
  windows.done(60_000, 100);
  assert.equal(windows.size, 1625n);
  windows.done(10, 6000);
  assert.equal(windows.size, 812n);
  windows.failed();
  assert.equal(windows.size, 101n);
  windows.failed();
  assert.equal(windows.size, 100n, 'but not to nothing');
  windows.done(20_000, 2000);
  assert.equal(windows.size, 100n, 'what is neither much nor little stays');
});

test('the limit of the operator is never exceeded, and a window ends at the newest SCN', () => {
  const windows = new Windows(500n);
  for (let i = 0; i < 5; i++) windows.done(0, 5);
  assert.equal(windows.size, 500n);
  assert.equal(windows.end(1000n, 10_000n), 1500n);
  assert.equal(windows.end(1000n, 1200n), 1200n);
  assert.equal(new Windows(50n).size, 50n);
  assert.equal(new Windows(1n).size, 2n, 'a range of one SCN is none for LogMiner');
});
