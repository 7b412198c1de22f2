import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HISTORY_LENGTH, History } from '../../../src/dashboard/history.ts';
import { CounterSeries, Series } from '../../../src/dashboard/series.ts';
import { trendOf } from '../../../src/dashboard/trend.ts';

test('a counter that starts anew at zero goes on counting', () => {
  const counter = new CounterSeries(60_000);
  counter.add(0, 1000);
  assert.equal(counter.perSecond(5000), undefined);
  counter.add(1000, 1100);
  assert.equal(counter.perSecond(5000), 100);
  counter.add(2000, 50);
  assert.equal(counter.perSecond(5000), 75, 'not -475: 100, then 50 since the restart');
  counter.restart();
  counter.add(3000, 60);
  assert.equal(counter.perSecond(5000), 70, 'a restart that was told of, though the number is not smaller');
});

test('a counter knows when it moved last', () => {
  const counter = new CounterSeries(60_000);
  counter.add(0, 5);
  assert.equal(counter.movedAt, undefined);
  counter.add(1000, 6);
  counter.add(2000, 6);
  counter.add(3000, undefined);
  counter.add(4000, Number.NaN);
  assert.equal(counter.movedAt, 1000);
});

test('a rate is that of the window, and of the last two looks where they are far apart', () => {
  const counter = new CounterSeries(60_000);
  for (let at = 0; at <= 10_000; at += 1000) counter.add(at, at < 6000 ? 0 : at - 5000);
  assert.equal(counter.perSecond(5000), 1000);
  const sparse = new CounterSeries(60_000);
  for (let at = 0; at <= 50_000; at += 10_000) sparse.add(at, at);
  assert.equal(sparse.perSecond(5000), 1000);
});

test('a series forgets what is older than its span, and what stands closer than its spacing', () => {
  const series = new Series(10_000, 1000);
  for (let at = 0; at <= 60_000; at += 100) series.add(at, at / 1000);
  assert.equal(series.newest, 60);
  const covered = series.covered();
  assert(covered >= 10_000 && covered <= 11_200, `${covered} ms`);
  assert(Math.abs(series.slope()! - 1) < 1e-9);
});

const backlog = (of: (second: number) => number, seconds = 30) => {
  const series = new Series(60_000);
  for (let second = 0; second <= seconds; second++) series.add(second * 1000, of(second));
  return series;
};

test('a backlog shrinks, holds or grows, and when it shrinks it is told when it will be gone', () => {
  assert.deepEqual(
    trendOf(
      backlog((s) => 400 - 10 * s),
      1,
    ),
    { direction: 'shrinks', gone: 10 },
  );
  assert.deepEqual(
    trendOf(
      backlog((s) => 20 + s),
      1,
    ),
    { direction: 'grows', gone: undefined },
  );
  assert.deepEqual(
    trendOf(
      backlog((s) => 100 + (s % 2)),
      1,
    ),
    { direction: 'holds', gone: undefined },
  );
  assert.deepEqual(
    trendOf(
      backlog((s) => s / 100),
      1,
    ),
    { direction: 'holds', gone: undefined },
    'noise',
  );
  assert.deepEqual(
    trendOf(
      backlog((s) => 100 * s, 4),
      1,
    ),
    { direction: undefined, gone: undefined },
    'too early',
  );
});

test('a history has a value for each second, and gaps where nothing was known', () => {
  const history = new History();
  history.add(10_000, 1, true);
  history.add(10_400, 2, true);
  history.add(11_000, 3, true);
  history.add(14_000, 4, true);
  assert.deepEqual(history.values, [2, 3, 4, 4, 4]);
  history.add(15_000, undefined, false);
  history.add(18_000, 5, false);
  assert.deepEqual(history.values.slice(-4), [Number.NaN, Number.NaN, Number.NaN, 5]);
  history.add(3_600_000, 6, false);
  assert.equal(history.values.length, HISTORY_LENGTH);
});
