import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { ChangeLog } from '../../../src/changes/change-log.ts';
import { SpilledTransaction } from '../../../src/changes/spill.ts';
import { Batcher, type BatcherOptions, type Work } from '../../../src/engine/batcher.ts';
import { Stopwatch } from '../../../src/engine/stopwatch.ts';
import { append, sourceTable } from '../../harness/apply-rig.ts';
import { readChanges } from '../../harness/collecting-sink.ts';
import { Feed, NumberPosition } from '../../harness/feed.ts';
import { seeded } from '../../harness/seed.ts';
import { scratchDirectory } from '../../servers/scratch.ts';

const MEBIBYTE = 1024 * 1024;
const AMPLE: BatcherOptions = { flushSize: 1000, transactionLimit: 1000, memoryLimit: 64 * MEBIBYTE, queueSize: 100 };
const tables = ['a', 'b', 'c'].map((name) => sourceTable(name, ['id', 'body'], ['id']));
const spillDirectory = scratchDirectory('batcher');

/** Ids of the changes in a log, with the tables they are for. */
function idsOf(log: ChangeLog): string[] {
  return readChanges(log).map(({ table, new: row }) => `${table.name}${row?.[0]}`);
}

/** Takes the place of the applier: checks the order of what it is given, and gives logs back when told. */
class Taker {
  readonly batcher: Batcher;
  readonly transactions: string[][] = [];
  position = 0;
  /** Changes of the chunks of a transaction whose last chunk has not come. */
  #open: string[] | undefined;
  readonly #held: ChangeLog[] = [];

  constructor(batcher: Batcher) {
    this.batcher = batcher;
  }

  take(hurry: boolean, progress: boolean): Work | undefined {
    const work = this.batcher.take(hurry, 0, progress);
    if (work !== undefined) this.#look(work);
    return work;
  }

  releaseOne(): void {
    const log = this.#held.shift();
    if (log !== undefined) this.batcher.release(log);
  }

  drain(): void {
    while (this.take(true, true) !== undefined);
    while (this.#held.length > 0) this.releaseOne();
    assert.equal(this.#open, undefined, 'a transaction without its last chunk');
  }

  #look(work: Work): void {
    if (work.kind === 'batch') {
      assert.equal(this.#open, undefined, 'a batch between chunks');
      const ids = idsOf(work.log);
      assert.ok(work.transactions.length > 0);
      let start = 0;
      let entry = 0;
      for (const { end, count, position } of work.transactions) {
        this.transactions.push(ids.slice(entry, entry + count));
        let at = start;
        for (let i = 0; i < count; i++) at += work.log.buffer.readUInt32BE(at);
        assert.equal(at, end, 'a transaction ends where its last change ends');
        entry += count;
        start = end;
        this.#reach(position);
      }
      assert.deepEqual([start, entry], [work.log.length, work.log.count], 'nothing lies behind the last transaction');
      this.#held.push(work.log);
    } else if (work.kind === 'chunk') {
      assert.equal(work.first, this.#open === undefined, 'exactly the first chunk is called first');
      this.#open ??= [];
      this.#open.push(...idsOf(work.log));
      this.#held.push(work.log);
      if (work.last === undefined) return;
      this.transactions.push(this.#open);
      this.#open = undefined;
      this.#reach(work.last.position);
    } else {
      assert.equal(this.#open, undefined, `${work.kind} between chunks`);
      if (work.kind === 'spilled') this.transactions.push(['spilled']);
      this.#reach(work.position);
    }
  }

  #reach(position: { toString(): string }): void {
    const value = Number(position.toString());
    assert.ok(value > this.position, `position ${value} after ${this.position}`);
    this.position = value;
  }
}

type Step =
  | { do: 'change'; table: number; bytes: number }
  | { do: 'commit' | 'progress' | 'spill' | 'take' | 'linger' | 'release' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      table: fc.nat(2),
      bytes: fc.oneof(
        { weight: 6, arbitrary: fc.constant(10) },
        { weight: 1, arbitrary: fc.constantFrom(400_000, 1_200_000) },
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('commit' as const, 'commit', 'progress', 'spill', 'take', 'take', 'linger', 'release'),
    }),
  },
);

test('whatever is delivered comes out whole, once and in order', (t) => {
  const options = fc.record({
    flushSize: fc.constantFrom(1, 3, 1000),
    transactionLimit: fc.constantFrom(1, 2, 1000),
    memoryLimit: fc.constantFrom(2 * MEBIBYTE, 64 * MEBIBYTE),
    queueSize: fc.constantFrom(1, 100),
  });
  fc.assert(
    fc.property(options, fc.array(step, { size: 'max', maxLength: 60 }), fc.boolean(), (limits, steps, idle) => {
      const batcher = new Batcher(limits);
      const feed = new Feed(batcher);
      const taker = new Taker(batcher);
      const delivered: string[][] = [];
      let open: string[] | undefined;
      let id = 0;
      const commit = () => {
        if (open === undefined) feed.begin();
        if (open !== undefined && open.length > 0) delivered.push(open);
        feed.commit();
        open = undefined;
      };
      for (const each of steps) {
        switch (each.do) {
          case 'change': {
            if (open === undefined) feed.begin();
            open ??= [];
            feed.insert(tables[each.table], [String(++id), 'x'.repeat(each.bytes)]);
            open.push(`${tables[each.table].name}${id}`);
            break;
          }
          case 'commit':
            commit();
            break;
          case 'progress':
            if (open === undefined) feed.progress();
            break;
          case 'spill':
            if (open !== undefined) break;
            batcher.commitSpilled(
              new SpilledTransaction(spillDirectory, `t${id}`),
              0,
              new NumberPosition(++feed.position),
            );
            delivered.push(['spilled']);
            break;
          case 'take':
            taker.take(true, true);
            break;
          case 'linger':
            taker.take(false, false);
            break;
          case 'release':
            taker.releaseOne();
        }
        assert.ok(batcher.buffered >= batcher.changes.length);
      }
      if (open !== undefined) commit();
      if (idle) feed.progress();
      taker.drain();
      assert.deepEqual(taker.transactions, delivered);
      assert.equal(taker.position, feed.position, 'the last position is reached');
      assert.equal(batcher.buffered, 0);
      assert.equal(batcher.queued, 0);
      assert.deepEqual([batcher.hasChanges, batcher.hasProgress, batcher.full], [false, false, false]);
      assert.equal(batcher.received, delivered.length);
      batcher.discard();
    }),
    seeded(t, 300),
  );
});

test('a batch is closed at so many changes and at so many transactions', () => {
  const sizes = (options: Partial<BatcherOptions>) => {
    const batcher = new Batcher({ ...AMPLE, ...options });
    const feed = new Feed(batcher);
    for (let i = 0; i < 10; i++)
      feed.transaction(() => {
        feed.insert(tables[0], [`${i}`, '']);
        feed.insert(tables[1], [`${i}`, '']);
      });
    const found: number[] = [];
    for (let work = batcher.take(true, 0, false); work?.kind === 'batch'; work = batcher.take(true, 0, false)) {
      found.push(work.transactions.length);
    }
    return found;
  };
  assert.deepEqual(sizes({}), [10]);
  assert.deepEqual(sizes({ flushSize: 6 }), [3, 3, 3, 1]);
  assert.deepEqual(sizes({ transactionLimit: 4 }), [4, 4, 2]);
});

test('an open batch is given out after the flush period, or at once in a hurry', async () => {
  const batcher = new Batcher(AMPLE);
  const feed = new Feed(batcher);
  feed.transaction(() => feed.insert(tables[0], ['1', '']));
  assert.equal(batcher.take(false, 10_000, true), undefined);
  await new Promise((resolve) => setTimeout(resolve, 15));
  assert.equal(batcher.take(false, 10_000, true), undefined);
  assert.equal(batcher.take(false, 10, true)?.kind, 'batch');
  feed.transaction(() => feed.insert(tables[0], ['1', '']));
  assert.equal(batcher.take(true, 10_000, true)?.kind, 'batch');
});

test('a batch is closed at a mebibyte, and what is open moves on to the next', () => {
  const batcher = new Batcher(AMPLE);
  const feed = new Feed(batcher);
  feed.transaction(() => feed.insert(tables[0], ['1', '']));
  feed.begin();
  feed.insert(tables[1], ['2', '']);
  feed.insert(tables[2], ['3', 'x'.repeat(600_000)]);
  assert.equal(batcher.queued, 0);
  feed.insert(tables[1], ['4', 'x'.repeat(500_000)]);
  // The transaction by itself is over the limit, too.
  assert.equal(batcher.queued, 2);
  feed.insert(tables[0], ['5', '']);
  const first = batcher.take(true, 0, false);
  assert.ok(first?.kind === 'batch');
  assert.deepEqual(idsOf(first.log), ['a1']);
  const second = batcher.take(true, 0, false);
  assert.ok(second?.kind === 'chunk' && second.first);
  assert.deepEqual(idsOf(second.log), ['b2', 'c3', 'b4']);
  assert.equal(batcher.take(true, 0, true), undefined);
  feed.commit();
  const third = batcher.take(true, 0, false);
  assert.ok(third?.kind === 'chunk' && !third.first && third.last !== undefined);
  assert.deepEqual(idsOf(third.log), ['a5']);
  for (const { log } of [first, second, third]) batcher.release(log);
  assert.equal(batcher.buffered, 0);
});

test('an empty transaction moves the position and is no work', () => {
  const batcher = new Batcher(AMPLE);
  const feed = new Feed(batcher);
  feed.begin();
  feed.commit();
  assert.deepEqual([batcher.hasChanges, batcher.hasProgress], [false, true]);
  assert.equal(batcher.take(true, 0, false), undefined);
  assert.deepEqual(batcher.take(true, 0, true), { kind: 'progress', position: new NumberPosition(1) });
  assert.equal(batcher.take(true, 0, true), undefined);
});

test('a source waits while too many bytes are under way, until enough of them are released', async () => {
  const batcher = new Batcher({ ...AMPLE, memoryLimit: 3 * MEBIBYTE });
  const feed = new Feed(batcher);
  for (let i = 0; i < 4; i++) feed.transaction(() => feed.insert(tables[0], ['1', 'x'.repeat(900_000)]));
  assert.equal(batcher.full, true);
  let drained = false;
  const waiting = batcher.drained().then(() => {
    drained = true;
  });
  const first = batcher.take(true, 0, false);
  assert.ok(first?.kind === 'batch');
  await new Promise(setImmediate);
  assert.equal(drained, false, 'taken is not released');
  batcher.release(first.log);
  await waiting;
  assert.equal(batcher.full, false);
  await batcher.drained();
});

test('a source waits while too many works stand ready, until one is taken', async () => {
  const batcher = new Batcher({ ...AMPLE, flushSize: 1, queueSize: 2 });
  const feed = new Feed(batcher);
  for (let i = 0; i < 2; i++) feed.transaction(() => feed.insert(tables[0], ['1', '']));
  assert.equal(batcher.full, true);
  const waiting = batcher.drained();
  batcher.take(true, 0, false);
  await waiting;
  assert.equal(batcher.full, false);
});

test('the time is taken in which a source has to wait, discarding included', async () => {
  const blocked = new Stopwatch();
  const batcher = new Batcher({ ...AMPLE, flushSize: 1, queueSize: 1 }, blocked);
  const feed = new Feed(batcher);
  const wait = async (go: () => void) => {
    feed.transaction(() => feed.insert(tables[0], ['1', '']));
    const before = blocked.milliseconds;
    const waiting = batcher.drained();
    await sleep(10);
    assert.ok(blocked.milliseconds > before);
    go();
    await waiting;
    const after = blocked.milliseconds;
    await sleep(10);
    assert.equal(blocked.milliseconds, after);
  };
  assert.equal(blocked.milliseconds, 0);
  await wait(() => void batcher.take(true, 0, false));
  await wait(() => batcher.discard());
});

test('a closed batcher takes nothing more, and discarding lets its source go', async () => {
  const batcher = new Batcher({ ...AMPLE, flushSize: 1 });
  const feed = new Feed(batcher);
  feed.transaction(() => feed.insert(tables[0], ['1', '']));
  batcher.close();
  assert.equal(batcher.full, true);
  assert.equal(batcher.take(true, 0, false)?.kind, 'batch');
  const waiting = batcher.drained();
  feed.transaction(() => feed.insert(tables[0], ['2', '']));
  batcher.discard();
  await waiting;
  assert.deepEqual([batcher.queued, batcher.hasChanges, batcher.changes.length], [0, false, 0]);
});

test('discarding deletes the files of what was not applied, taken or not', () => {
  const batcher = new Batcher(AMPLE);
  const spilled = Array.from({ length: 2 }, (_, i) => {
    const transaction = new SpilledTransaction(spillDirectory, `discard${i}`);
    append.insert(transaction.changesOf(1), tables[0], ['1', '']);
    batcher.commitSpilled(transaction, 0, new NumberPosition(i + 1));
    return transaction;
  });
  assert.equal(batcher.take(true, 0, false)?.kind, 'spilled');
  batcher.discard();
  for (const each of spilled) assert.throws(() => each.settle(), { code: 'SPILL_FAILED' });
  assert.equal(batcher.take(true, 0, true), undefined);
});

test('the applier is called once for all that arrives in one turn', async () => {
  const batcher = new Batcher(AMPLE);
  const feed = new Feed(batcher);
  let called = 0;
  batcher.onWork = () => void called++;
  for (let i = 0; i < 5; i++) feed.transaction(() => feed.insert(tables[0], ['1', '']));
  feed.progress();
  assert.equal(called, 0);
  await new Promise(setImmediate);
  assert.equal(called, 1);
});
