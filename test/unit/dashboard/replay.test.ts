import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Replay } from '../../../src/dashboard/replay.ts';
import { ReplayPlayer } from '../../../src/dashboard/replay-player.ts';
import {
  meansFiles,
  openHistory,
  type SnapshotEntry,
  type SnapshotHistory,
} from '../../../src/dashboard/snapshot-history.ts';
import { snapshotName } from '../../../src/metrics/snapshots/snapshot-file.ts';
import { NOW } from '../../harness/fake-replicator.ts';
import { scratchDirectory } from '../../servers/scratch.ts';

const PERIOD = 15_000;

/** Snapshots of a table that gets ten rows a second; `reads` says how often each was read. */
function history(count: number, over: Partial<{ damaged: number[]; pauseBefore: number }> = {}) {
  const reads: number[] = [];
  const entries = Array.from({ length: count }, (_, at): SnapshotEntry => {
    const pause = over.pauseBefore !== undefined && at >= over.pauseBefore ? 3_600_000 : 0;
    return {
      at: NOW + at * PERIOD + pause,
      compression: 'none',
      file: `snapshot ${at}`,
      async read() {
        reads.push(at);
        if (over.damaged?.includes(at)) throw new Error('it is cut off');
        return {
          varz: `apply_upserts_total{schema="s",table="t"} ${150 * at}\n`,
          diag: { source: { kind: 'pglogical' } },
        };
      },
    };
  });
  const made: SnapshotHistory = { title: 'shop-data', entries, notes: [] };
  return { history: made, reads };
}

test('each snapshot is shown as it was then, with rates and a value of the sparkline for each', async () => {
  const replay = new Replay(history(200).history);
  assert.equal(replay.period, PERIOD);
  for (let index = 0; index < 200; index++) {
    const { reading } = await replay.frame(index);
    assert.equal(reading!.at, NOW + index * PERIOD);
    assert.equal(reading!.tables[0].upserts, 150 * index);
    assert.equal(reading!.rowsPerSecond, index === 0 ? undefined : 10);
    assert.equal(reading!.history.rowsPerSecond.length, Math.min(120, index + 1));
  }
});

test('any place can be jumped to, back as well, with the same numbers; few files are read for it', async () => {
  const { history: long, reads } = history(5000);
  const replay = new Replay(long);
  for (const index of [0, 4999, 17, 18, 3000, 2999, 2999]) {
    const before = reads.length;
    const { reading } = await replay.frame(index);
    assert.deepEqual([reading!.tables[0].upserts, reading!.at], [150 * index, NOW + index * PERIOD]);
    assert.equal(reading!.rowsPerSecond, index === 0 ? undefined : 10);
    assert(reads.length - before <= 121, `${reads.length - before}`);
  }
});

test('a damaged file shows what was before it, and is told once; a pause is told, and is no time of steady rates', async () => {
  const { history: some, reads } = history(10, { damaged: [4], pauseBefore: 7 });
  const replay = new Replay(some);
  const { reading: before } = await replay.frame(3);
  const damaged = await replay.frame(4);
  assert.equal(damaged.reading, before);
  assert.deepEqual(damaged.skipped, { file: 'snapshot 4', reason: 'it is cut off' });
  assert.equal((await replay.frame(5)).reading!.tables[0].upserts, 750);
  const { gap, reading } = await replay.frame(7);
  assert.equal(gap, 3_600_000 + PERIOD);
  assert.equal(reading!.staleFor, 0);
  assert(reading!.history.rowsPerSecond.slice(0, -1).some((value) => Number.isNaN(value)));
  await replay.frame(0);
  await replay.frame(9);
  assert.deepEqual(replay.skipped, [{ file: 'snapshot 4', reason: 'it is cut off' }]);
  assert.equal(reads.filter((at) => at === 4).length, 1);
});

test('a history of damaged files alone says so, and one of a single file is shown', async () => {
  const player = new ReplayPlayer(new Replay(history(2, { damaged: [0, 1] }).history));
  player.start();
  await sleep(700);
  player.stop();
  assert.deepEqual([player.getState().reading, player.getState().playing], [undefined, false]);
  assert.match(player.getState().problem!, /snapshot 1: it is cut off/);
  const single = new ReplayPlayer(new Replay(history(1).history));
  single.start();
  await sleep(100);
  single.stop();
  assert.deepEqual([single.getState().reading?.at, single.getState().playing], [NOW, false]);
});

test('a player goes forward by itself, by hand to any place, and never beyond the ends', async () => {
  const player = new ReplayPlayer(new Replay(history(100).history));
  const settled = async () => {
    await sleep(50);
    return player.getState();
  };
  player.start();
  await sleep(1300);
  assert(player.getState().index >= 3 && player.getState().playing);
  player.step(1);
  const stood = await settled();
  assert.equal(stood.playing, false);
  player.step(-1);
  assert.equal((await settled()).index, stood.index - 1);
  for (let times = 0; times < 12; times++) player.jump(1);
  assert.equal((await settled()).index, 99);
  player.step(1);
  assert.equal((await settled()).index, 99);
  for (let times = 0; times < 12; times++) player.jump(-1);
  assert.equal((await settled()).index, 0);
  const { speed } = player.getState();
  player.faster(1);
  assert(player.getState().speed > speed);
  for (let times = 0; times < 9; times++) player.faster(-1);
  assert.equal(player.getState().speed, 1);
  player.toggle();
  assert(player.getState().playing);
  player.stop();
  const { index } = player.getState();
  await sleep(600);
  assert.equal(player.getState().index, index);
});

test('what is no history is told with a code', async () => {
  const folder = scratchDirectory('history');
  await assert.rejects(openHistory(join(folder, 'none')), { code: 'SNAPSHOTS_MISSING' });
  await assert.rejects(openHistory(folder), { code: 'SNAPSHOTS_MISSING' });
  writeFileSync(join(folder, 'no.tar.gz'), 'no archive');
  await assert.rejects(openHistory(join(folder, 'no.tar.gz')), { code: 'SNAPSHOTS_UNREADABLE' });
  // Of MOLT Replicator: without diagnostics, in its own folder or named itself.
  const data = join(folder, 'replicator-data');
  const inner = join(data, 'metrics-snapshots');
  mkdirSync(inner, { recursive: true });
  writeFileSync(
    join(inner, snapshotName({ at: NOW, compression: 'none' })),
    'apply_upserts_total{schema="s",table="t"} 7\n',
  );
  for (const path of [data, inner, `${data}/`]) {
    const found = await openHistory(path);
    assert.deepEqual([found.title, found.entries.length], ['replicator-data', 1]);
    assert.equal((await new Replay(found).frame(0)).reading!.tables[0].upserts, 7);
  }
});

test('an argument of watch means files where it names some, and endpoints else', async () => {
  const folder = scratchDirectory('means');
  for (const path of [folder, './none', '../x', '/none', 'shop.tar.gz', 'x.tgz']) assert(await meansFiles(path), path);
  for (const url of [
    'http://db1:30005',
    'https://h/x.tar.gz',
    'db1:30005',
    ':30005',
    '127.0.0.1:30005/_/varz',
    'db1',
  ]) {
    assert(!(await meansFiles(url)), url);
  }
});
