import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Facts, readFacts } from '../../../src/dashboard/facts.ts';
import { ReadingModel } from '../../../src/dashboard/model.ts';
import type { Reading } from '../../../src/dashboard/reading.ts';
import { type MoltState, moltScrape } from './molt-scrape.ts';

const START = 1_700_000_000_000;
const nothing = readFacts({ varz: '', diag: undefined, clockAhead: 0 }, START);

/** A model that is shown an engine second by second. */
function watch(
  engine: (second: number) => Partial<Facts>,
  seconds: number,
  model = new ReadingModel(),
  from = 0,
): Reading {
  let reading: Reading | undefined;
  for (let second = from; second <= from + seconds; second++) {
    const at = START + 1000 * second;
    reading = model.observe({
      ...nothing,
      startedAt: START - 60_000,
      engineState: 'streaming',
      sourceState: 'streaming',
      lastReceived: at - 1000,
      waiting: 0,
      bufferedBytes: 0,
      lagBytes: 0,
      ...engine(second),
      at,
    });
  }
  return reading!;
}

test('an idle source is caught up, for hours, though the last change is old', () => {
  const reading = watch(() => ({ newestLag: 0.4, rowsApplied: 500, commits: 50, lastEvent: START - 3_600_000 }), 8000);
  assert.equal(reading.lag.state, 'caught up');
  assert.equal(reading.lag.seconds, 0);
  assert.equal(reading.lag.lastEvent, START - 3_600_000);
  assert.equal(reading.rowsPerSecond, 0);
});

test('changes that are applied as they come: following, with rates', () => {
  const reading = watch(
    (second) => ({
      changesReceived: 100 * second,
      rowsApplied: 100 * second,
      commits: 10 * second,
      receivedBytes: 5000 * second,
      newestLag: 0.05,
      lastEvent: START + 1000 * second,
    }),
    20,
  );
  assert.equal(reading.lag.state, 'following');
  assert.equal(reading.lag.seconds, 0.05);
  assert.equal(reading.rowsPerSecond, 100);
  assert.equal(reading.bytesPerSecond, 5000);
  assert.equal(reading.history.rowsPerSecond.length, 21);
  assert.equal(reading.lag.trend, 'holds');
});

test('a target that is stuck: the lag grows though the gauge stands still', () => {
  const stuck = (second: number): Partial<Facts> => ({
    changesReceived: 100 * second,
    rowsApplied: second < 10 ? 100 * second : 900,
    commits: second < 10 ? second : 9,
    newestLag: 0.02,
    waiting: second < 10 ? 0 : 2,
    bufferedBytes: second < 10 ? 0 : 1000 * second,
  });
  assert.equal(watch(stuck, 15).lag.state, 'following');
  const reading = watch(stuck, 60);
  assert.equal(reading.lag.state, 'stalled');
  assert.match(reading.lag.reason!, /2 batches wait and the target has committed nothing for 50 s/);
  assert.equal(reading.lag.seconds, 50);
  assert.equal(reading.lag.trend, 'grows');
  assert.deepEqual(
    reading.stages.filter(({ bottleneck }) => bottleneck).map(({ name }) => name),
    ['target'],
  );
});

test('after an idle hour a waiting change is as old as it waits, not as old as the last one', () => {
  const reading = watch((second) => ({ commits: 9, newestLag: 45, waiting: second < 3600 ? 0 : 1 }), 3604);
  assert.equal(reading.lag.seconds, 4);
});

test('falling behind, then catching up, with the time that it takes', () => {
  const lagAt = (second: number) => (second <= 60 ? second : Math.max(0.2, 60 - 3 * (second - 60)));
  const engine = (second: number): Partial<Facts> => ({
    changesReceived: 1000 * second,
    rowsApplied: 900 * second,
    commits: second,
    newestLag: lagAt(second),
    waiting: 5,
    queueShare: 0.02,
    targetBusy: 0.95,
  });
  const model = new ReadingModel();
  const falling = watch(engine, 60, model);
  assert.equal(falling.lag.state, 'behind');
  assert.equal(falling.lag.trend, 'grows');
  assert.equal(falling.lag.caughtUpIn, undefined);
  assert.deepEqual(
    falling.stages.filter(({ bottleneck }) => bottleneck).map(({ name }) => name),
    ['target'],
  );
  const catching = watch(engine, 14, model, 61);
  assert.equal(catching.lag.state, 'behind');
  assert.equal(catching.lag.trend, 'shrinks');
  assert(catching.lag.caughtUpIn! > 2 && catching.lag.caughtUpIn! < 60, `${catching.lag.caughtUpIn}`);
  assert.equal(watch(engine, 20, model, 76).lag.state, 'following');
});

test('40 GB to catch up by: behind from the first look, and the end is foreseen by bytes', () => {
  const engine = (second: number): Partial<Facts> => {
    const applied = second * 10e6;
    return {
      head: `${Math.floor((40e9 + applied / 10) / 2 ** 32).toString(16)}/0`,
      applied: `${Math.floor(applied / 2 ** 32).toString(16)}/${Math.floor(applied % 2 ** 32).toString(16)}`,
      lagBytes: 40e9 - 9e6 * second,
      changesReceived: second * 1000,
      rowsApplied: second * 1000,
      commits: second,
    };
  };
  assert.equal(watch(engine, 0).lag.state, 'behind');
  const reading = watch(engine, 600);
  assert.equal(reading.lag.state, 'behind');
  assert.match(reading.lag.reason!, /34\.6 GB of log are left/);
  // 9 MB/s less; within half a minute that is less than a tenth of what is left.
  assert.equal(reading.lag.trend, 'holds');
  const faster = watch((second) => ({ ...engine(second), lagBytes: 40e9 - 200e6 * second }), 100);
  assert.equal(faster.lag.trend, 'shrinks');
  assert(Math.abs(faster.lag.caughtUpIn! - 100) < 1, `${faster.lag.caughtUpIn}`);
});

test('a source that is gone: stalled, and behind by at least the time that nothing was heard', () => {
  const reading = watch(
    (second) =>
      second < 10 ? {} : { sourceState: 'connecting', lastReceived: START + 10_000, engineReason: 'refused' },
    50,
  );
  assert.equal(reading.lag.state, 'stalled');
  assert.match(reading.lag.reason!, /connecting to the source: refused/);
  assert.equal(reading.lag.seconds, 40);
});

test('paused is stalled, with the reason', () => {
  const reading = watch((second) => ({ paused: second > 5, lagBytes: second * 1e6 }), 20);
  assert.equal(reading.lag.state, 'stalled');
  assert.match(reading.lag.reason!, /paused on request/);
  assert.equal(reading.paused, true);
  assert(reading.stages.every(({ bottleneck }) => !bottleneck));
});

test('a silent endpoint leaves old numbers, marked with their age, and no word that could be taken for live', () => {
  const model = new ReadingModel();
  assert.equal(model.silent(START, 'refused'), undefined, 'without an answer there is nothing to show');
  watch((second) => ({ rowsApplied: 100 * second, commits: second, newestLag: 0.1 }), 10, model);
  const reading = model.silent(START + 22_000, 'nobody listens')!;
  assert.equal(reading.staleFor, 12_000);
  assert.equal(reading.at, START + 10_000);
  assert.equal(reading.silence, 'nobody listens');
  assert.equal(reading.lag.state, 'stalled');
  assert.equal(reading.lag.caughtUpIn, undefined);
  assert.equal(reading.history.rowsPerSecond.at(-1), Number.NaN, 'a gap, not a level line');
  const back = watch((second) => ({ rowsApplied: 100 * second, commits: second, newestLag: 0.1 }), 1, model, 30);
  assert.equal(back.silence, undefined);
  assert.equal(back.staleFor, 0);
  assert.equal(back.history.rowsPerSecond.length, 32);
  assert.equal(
    back.history.rowsPerSecond.filter(Number.isNaN).length,
    20,
    'the first look has no rate, 19 s are a gap',
  );
});

test('an engine that starts anew: no negative rates, quantiles of its own', () => {
  const model = new ReadingModel();
  watch((second) => ({ rowsApplied: 1000 * second, commits: second, tables: table(1000 * second) }), 30, model);
  const reading = watch(
    (second) => ({
      startedAt: START + 31_000,
      rowsApplied: 100_000 + 100 * (second - 31),
      commits: second - 31,
      tables: table(100_000 + 100 * (second - 31)),
    }),
    12,
    model,
    31,
  );
  assert.equal(reading.rowsPerSecond, 100);
  assert.equal(reading.tables[0].rowsPerSecond, 100);
  assert(reading.history.rowsPerSecond.every((rate) => Number.isNaN(rate) || rate >= 0));
});

function table(upserts: number, ageSum = 0, ageCount = 0): Facts['tables'] {
  return new Map([['s.t', { upserts, deletes: 0, errors: 0, ageSum, ageCount }]]);
}

test('the lag of a table is that of its newest changes, and of none when they are long past', () => {
  const model = new ReadingModel();
  watch(
    (second) => ({
      tables: table(second, second < 5 ? 100 : 100 + 3 * (second - 4), second < 5 ? 10 : 10 + second - 4),
    }),
    10,
    model,
  );
  const during = watch(() => ({ tables: table(10, 118, 16) }), 30, model, 11);
  assert.equal(during.tables[0].lagSeconds, 3);
  assert.equal(watch(() => ({ tables: table(10, 118, 16) }), 40, model, 42).tables[0].lagSeconds, undefined);
});

test("MOLT Replicator's numbers: idle, busy, stuck, and what it does not tell", () => {
  const model = new ReadingModel();
  const show = (second: number, state: MoltState) =>
    model.observe(readFacts({ varz: moltScrape(state), diag: undefined, clockAhead: 0 }, START + 1000 * second));
  let reading = show(0, { received: 50, upserts: 50, queue: 0, lags: [[50, 400]] });
  for (let second = 1; second <= 10; second++)
    reading = show(second, { received: 50, upserts: 50, queue: 0, lags: [[50, 400]] });
  assert.equal(reading.lag.state, 'caught up');
  assert.match(reading.lag.reason!, /does not tell whether the source is connected/);
  assert.equal(reading.lag.seconds, 0, 'the histogram of the past is no lag');
  assert.equal(reading.lag.p50, undefined);
  for (let second = 11; second <= 40; second++) {
    const done = 50 + 10 * (second - 10);
    reading = show(second, {
      received: done,
      upserts: done,
      queue: 0,
      lags: [
        [50, 400],
        [done - 50, 1.5],
      ],
    });
  }
  assert.equal(reading.lag.state, 'following');
  assert.equal(reading.lag.seconds, 1.5);
  assert.equal(reading.lag.p50, 1.5);
  assert.equal(reading.rowsPerSecond, 10);
  assert.equal(reading.bytesPerSecond, undefined);
  assert.equal(reading.position.source, undefined);
  assert.equal(reading.retained.bytes, undefined);
  assert.equal(reading.tables[0].lagSeconds, 1.5);
  for (let second = 41; second <= 60; second++) {
    reading = show(second, {
      received: 350 + second,
      upserts: 350,
      queue: 8,
      lags: [
        [50, 400],
        [300, 1.5],
      ],
    });
  }
  assert.equal(reading.lag.state, 'stalled');
  assert.match(reading.lag.reason!, /8 batches wait/);
  reading = show(61, {
    received: 420,
    upserts: 420,
    queue: 0,
    lags: [
      [50, 400],
      [370, 1.5],
    ],
  });
  assert.equal(reading.lag.state, 'following');
  for (let second = 62; second <= 75; second++) {
    reading = show(second, {
      received: 420,
      upserts: 420,
      queue: 0,
      dialFailures: second - 61,
      lags: [
        [50, 400],
        [370, 1.5],
      ],
    });
  }
  assert.equal(reading.lag.state, 'stalled');
  assert.match(reading.lag.reason!, /connections to the source fail/);
});

test('ten thousand looks take no more memory than a thousand', { timeout: 60_000 }, () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const model = new ReadingModel();
  const tables = new Map(
    Array.from({ length: 50 }, (_, n) => [`s.t${n}`, { upserts: 0, deletes: 0, errors: 0, ageSum: 0, ageCount: 0 }]),
  );
  const used = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const run = (from: number, count: number) =>
    watch(
      (second) => ({
        changesReceived: 100 * second,
        rowsApplied: 100 * second,
        commits: second,
        newestLag: Math.random(),
        retainedBytes: second * 1e6,
        ages: {
          bounds: [1, 10, Number.POSITIVE_INFINITY],
          counts: [second, second, second],
          sum: second,
          count: second,
        },
        tables: new Map(
          [...tables].map(([name, facts]) => [name, { ...facts, upserts: second, ageSum: second, ageCount: second }]),
        ),
      }),
      count,
      model,
      from,
    );
  run(0, 1000);
  const before = used();
  const reading = run(1001, 10_000);
  const grown = used() - before;
  assert(reading.history.lagSeconds.length <= 120);
  assert(grown < 1e6, `${(grown / 1e6).toFixed(1)} MB more after 10,000 looks`);
});
