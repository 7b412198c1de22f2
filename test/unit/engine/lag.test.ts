import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lag } from '../../../src/engine/lag.ts';
import { Lsn } from '../../../src/sources/postgres/lsn.ts';

/** What is known in a second: the source's end, what is applied, and a commit in that second, with its age. */
interface Second {
  readonly head?: number;
  readonly applied?: number;
  readonly committed?: number;
}

/** The lag at the end of each second, rounded. */
function lags(seconds: number, at: (second: number) => Second): number[] {
  const lag = new Lag(0, 1000);
  const lsn = (value: number | undefined) => (value === undefined ? undefined : new Lsn(BigInt(value)));
  let commit = { lastCommit: undefined as number | undefined, lastCommitAge: 0 };
  return Array.from({ length: seconds }, (_, i) => {
    const now = (i + 1) * 1000;
    const { head, applied, committed } = at(i + 1);
    if (committed !== undefined) commit = { lastCommit: now - 10, lastCommitAge: committed };
    return Math.round(lag.look({ now, head: lsn(head), applied: lsn(applied), ...commit }) * 10) / 10;
  });
}

test('an idle source: no lag, however old the last change is', () => {
  assert.deepEqual(new Set(lags(3600, () => ({ head: 7, applied: 7 }))), new Set([0]));
});

test('a busy stream has the age of what was applied last, for however long it lasts', () => {
  const found = lags(4000, (second) => ({ head: second * 100, applied: second * 100 - 40, committed: 0.3 }));
  assert.deepEqual(new Set(found), new Set([0.3]));
});

test('while nothing is applied it grows, second by second, also when the source has nothing new', () => {
  const found = lags(100, (second) => ({ head: Math.min(second, 20) * 100, applied: Math.min(second, 10) * 100 }));
  assert.equal(found[9], 0);
  assert.deepEqual([found[29], found[99]], [20, 90]);
});

test('while the source is not heard it grows; once heard again, and at the same place, it is gone', () => {
  const found = lags(60, (second) => (second > 10 && second < 50 ? { applied: 5 } : { head: 5, applied: 5 }));
  assert.equal(found[9], 0);
  assert.equal(found[40], 31);
  assert.equal(found[59], 0);
});

test('what is caught up with is older than the process: the age of what is applied counts', () => {
  const found = lags(100, (second) => ({ head: 1_000_000, applied: second * 1000, committed: 7200 }));
  assert(found[10] >= 7200 && found[10] < 7202, String(found[10]));
});

test('a change after a quiet day is not a day late', () => {
  const found = lags(90_000, (second) => ({
    head: second < 89_990 ? 1 : 2,
    applied: second < 89_995 ? 1 : 2,
    committed: second === 5 ? 0.1 : undefined,
  }));
  assert(Math.max(...found) < 10, String(Math.max(...found)));
});

test('a day without a commit is told to the second of what is remembered, and in bounded memory', () => {
  const found = lags(86_400, (second) => ({ head: second, applied: 0 }));
  assert.equal(found.at(-1), 86_400);
  const back = lags(5000, (second) => ({ head: second, applied: second < 4000 ? 0 : second - 1 }));
  assert.equal(back.at(-1), 0);
});
