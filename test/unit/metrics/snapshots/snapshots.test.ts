import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { Diagnostics } from '../../../../src/metrics/diagnostics.ts';
import {
  decodeSnapshot,
  encodeSnapshot,
  parseSnapshotName,
  snapshotName,
} from '../../../../src/metrics/snapshots/snapshot-file.ts';
import { type Retention, SnapshotStore } from '../../../../src/metrics/snapshots/snapshot-store.ts';
import { Snapshotter } from '../../../../src/metrics/snapshots/snapshotter.ts';
import { RecordingLogger } from '../../../harness/recording-logger.ts';
import { seeded } from '../../../harness/seed.ts';
import { smallDisk } from '../../../harness/small-disk.ts';
import { scratchDirectory } from '../../../servers/scratch.ts';

const NOW = Date.UTC(2026, 10, 23, 15, 52, 6, 123);

test('a name holds the time to the millisecond, and comes back', () => {
  assert.equal(snapshotName({ at: NOW, compression: 'gzip' }), 'snapshot-20261123T155206.123Z.txt.gz');
  assert.equal(snapshotName({ at: NOW, compression: 'none' }), 'snapshot-20261123T155206.123Z.txt');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253402300799999 }), fc.constantFrom('gzip', 'none'), (at, compression) => {
      assert.deepEqual(parseSnapshotName(snapshotName({ at, compression })), { at, compression });
    }),
  );
  for (const other of [
    'snapshot-20261123T155206Z.txt',
    '.snapshot-20261123T155206.123Z.txt',
    'notes.txt',
    'snapshot-20261323T155206.123Z.txt',
  ]) {
    assert.equal(parseSnapshotName(other), undefined, other);
  }
});

test('what is written is read; cut off at any byte it is told, never read as less', async () => {
  const snapshot = {
    varz: 'up 1\nrows_total{table="a"} 7\n',
    diag: { engine: { state: 'streaming' }, text: 'a\nb # DIAG c' },
  };
  for (const compression of ['gzip', 'none'] as const) {
    const bytes = await encodeSnapshot(snapshot, compression);
    assert.deepEqual(await decodeSnapshot(bytes, compression), snapshot);
  }
  const zipped = await encodeSnapshot(snapshot, 'gzip');
  for (let length = 0; length < zipped.length; length++) {
    await assert.rejects(decodeSnapshot(zipped.subarray(0, length), 'gzip'), /it is (cut off|empty)/, `${length}`);
  }
  await assert.rejects(decodeSnapshot(Buffer.from('up 1\nrows_to'), 'none'), /it is cut off/);
  await assert.rejects(decodeSnapshot(Buffer.from('up 1\n'), 'gzip'), /not compressed as its name says/);
  await assert.rejects(decodeSnapshot(Buffer.from('<html>\n'), 'none'), /no metrics/);
  // Of another program, without diagnostics.
  assert.deepEqual(await decodeSnapshot(Buffer.from('up 1\n'), 'none'), { varz: 'up 1\n', diag: undefined });
});

function store(retention: Retention) {
  const folder = join(scratchDirectory('store'), 'a', 'metrics-snapshots');
  return { folder, store: new SnapshotStore(folder, retention), files: () => readdirSync(folder).toSorted() };
}

test('whatever comes, age and size hold after each snapshot, and as much is kept as may be', async (t) => {
  const step = fc.record({
    pause: fc.integer({ min: 1, max: 40 }),
    bytes: fc.integer({ min: 1, max: 60 }),
    restart: fc.boolean(),
  });
  const limits = fc.record({ time: fc.constantFrom(0, 50, 200), size: fc.constantFrom(undefined, 50, 200) });
  await fc.assert(
    fc.asyncProperty(limits, fc.array(step, { maxLength: 25 }), async (limit, steps) => {
      const place = store(limit);
      let current = place.store;
      let at = NOW;
      let model: { at: number; bytes: number }[] = [];
      for (const { pause, bytes, restart } of steps) {
        at += pause;
        if (restart) current = new SnapshotStore(place.folder, limit);
        const fits = bytes <= (limit.size ?? Number.POSITIVE_INFINITY);
        assert.equal(await current.add({ at, compression: 'none' }, Buffer.alloc(bytes)), fits);
        model = model.filter((one) => limit.time === 0 || at - one.at <= limit.time);
        if (fits) model.push({ at, bytes });
        while (model.reduce((sum, one) => sum + one.bytes, 0) > (limit.size ?? Number.POSITIVE_INFINITY)) model.shift();
        assert.deepEqual(
          place.files(),
          model.map((one) => snapshotName({ at: one.at, compression: 'none' })),
        );
      }
    }),
    seeded(t, 60),
  );
});

test('a file appears when it is whole, and not before', async () => {
  const { folder, store: writing } = store({ time: 0, size: 2 ** 30 });
  const content = randomBytes(16 * 2 ** 20);
  const path = join(folder, snapshotName({ at: NOW, compression: 'none' }));
  let done = false;
  const written = writing.add({ at: NOW, compression: 'none' }, content).finally(() => {
    done = true;
  });
  let looks = 0;
  while (!done) {
    if (existsSync(path)) assert.equal(statSync(path).size, content.length);
    looks++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await written;
  assert(looks > 3, `${looks}`);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test('what a crash has left unfinished is cleared away, unless another process may be writing it', async () => {
  const { folder, store: writing, files } = store({ time: 0, size: 1e6 });
  mkdirSync(folder, { recursive: true });
  const [old, fresh] = ['.snapshot-1.unfinished', '.snapshot-2.unfinished'];
  for (const name of [old, fresh, 'notes.txt']) writeFileSync(join(folder, name), 'x');
  for (const name of [old, 'notes.txt']) utimesSync(join(folder, name), 1, 1);
  await writing.add({ at: Date.now(), compression: 'gzip' }, Buffer.from('x'));
  assert(!files().includes(old) && files().includes(fresh) && files().includes('notes.txt'), files().join());
});

function snapshotter(t: TestContext, dataDir: string, retention: Retention, text: () => string) {
  const logger = new RecordingLogger();
  const diagnostics = new Diagnostics();
  diagnostics.register('target', () => ({ connection: 'postgresql://app:hunter2@h/db' }));
  const writer = new Snapshotter({
    dataDir,
    period: 20,
    compression: 'none',
    retention,
    metrics: { text: async () => text() },
    diagnostics,
    logger,
  });
  t.after(() => writer.close());
  const warnings = () => logger.lines.filter(({ level }) => level === 'warning');
  const until = async (done: () => boolean) => {
    const end = Date.now() + 10_000;
    while (!done()) {
      assert(Date.now() < end, JSON.stringify(logger.lines));
      await sleep(5);
    }
  };
  return { writer, logger, warnings, until, folder: join(dataDir, 'metrics-snapshots') };
}

test('a full disk: one warning, nothing half-written is left, and it goes on when there is room', async (t) => {
  const disk = smallDisk(t, 256);
  if (disk === undefined) return t.skip('this user may not mount a disk');
  // Not compressible, so that only a few have room.
  const { writer, logger, warnings, until, folder } = snapshotter(
    t,
    disk,
    { time: 3_600_000, size: undefined },
    () => `up{random="${randomBytes(10_000).toString('hex')}"} 1\n`,
  );
  await until(() => warnings().length > 0);
  await sleep(200);
  assert.equal(warnings().length, 1);
  assert.match(
    warnings()[0].message,
    /cannot be written to .*metrics-snapshots: the disk is full; replication goes on/,
  );
  assert.equal(warnings()[0].fields.code, 'METRICS_SNAPSHOT_FAILED');
  for (const file of readdirSync(folder).filter((name) => name.startsWith('snapshot-'))) {
    const { varz } = await decodeSnapshot(readFileSync(join(folder, file)), 'none');
    assert.equal(varz.length, 'up{random=""} 1\n'.length + 20_000);
  }
  for (const file of readdirSync(folder)) rmSync(join(folder, file), { force: true });
  await until(() => logger.lines.some(({ message }) => /are written to .* again/.test(message)));
  await writer.close();
  assert.doesNotMatch(JSON.stringify(logger.lines), /hunter2/);
});

test('one that is larger than all may be is not written: one warning with the flag, and the folder stays empty', async (t) => {
  const dataDir = scratchDirectory('large');
  const { warnings, until, folder, writer } = snapshotter(
    t,
    dataDir,
    { time: 0, size: 100 },
    () => `up{x="${'y'.repeat(500)}"} 1\n`,
  );
  await until(() => warnings().length > 0);
  await sleep(100);
  assert.deepEqual(
    warnings().map(({ fields }) => [fields.code, fields.fix]),
    [['METRICS_SNAPSHOT_TOO_LARGE', '--metricsSnapshotRetentionSize 1MiB']],
  );
  await writer.close();
  assert.deepEqual(readdirSync(folder), []);
});

test('a metric that cannot be collected costs a warning, and no secret is in what is written', async (t) => {
  const dataDir = scratchDirectory('secret');
  let broken = true;
  const { warnings, until, folder, writer } = snapshotter(t, dataDir, { time: 0, size: 1e6 }, () => {
    if (broken) throw new Error('a collector is broken');
    return 'up 1\n';
  });
  await until(() => warnings().length === 1);
  broken = false;
  await until(() => existsSync(folder) && readdirSync(folder).length > 2);
  await writer.close();
  for (const file of readdirSync(folder)) {
    const { diag } = await decodeSnapshot(readFileSync(join(folder, file)), 'none');
    assert.deepEqual(diag, { target: { connection: 'postgresql://app:*****@h/db' } });
  }
});
