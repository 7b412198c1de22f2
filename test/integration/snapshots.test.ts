import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { run as watch } from '../../src/commands/watch.ts';
import { readFacts } from '../../src/dashboard/facts.ts';
import { Replay } from '../../src/dashboard/replay.ts';
import { openHistory } from '../../src/dashboard/snapshot-history.ts';
import { parseSnapshotName } from '../../src/metrics/snapshots/snapshot-file.ts';
import { Engine, eventually } from '../harness/engine.ts';
import { startTerminal } from '../harness/pseudo-terminal.ts';
import { Replica } from '../harness/replica.ts';
import { sharedServer } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const source = sharedServer();
const target = sharedServer();

/** Milliseconds between two snapshots of these engines. */
const EVERY = 150;
const QUICK = {
  NODE_OPTIONS: `--import ${new URL('../harness/quick-timers.ts', import.meta.url).href}`,
  QUICK_TIMER: '15000',
  QUICK_TIMER_IS: String(EVERY),
};

async function start(t: TestContext, flags: readonly string[] = []) {
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table item (id integer primary key, v text)',
  });
  const dataDir = scratchDirectory('snapshots');
  const folder = join(dataDir, 'metrics-snapshots');
  const engine = await replica.start(['--metricsSnapshotPeriod', '15s', '--dataDir', dataDir, ...flags], {
    environment: QUICK,
  });
  const files = () => readdirSync(folder).filter((file) => file.startsWith('snapshot-'));
  const written = async (count: number) =>
    await eventually(
      async () => {
        try {
          return files().length >= count;
        } catch {
          return false;
        }
      },
      () => engine.logTail(),
    );
  return { replica, engine, dataDir, folder, files, written };
}

async function insert(replica: Replica, from: number, to: number): Promise<void> {
  await replica.source.query(`insert into item select n, 'v' from generate_series($1::int, $2::int) n`, [from, to]);
}

/** What `instar watch` prints without a terminal. */
async function printed(path: string): Promise<{ out: string[]; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const texts = ['', ''];
  [stdout, stderr].forEach((stream, at) => {
    stream.setEncoding('utf8').on('data', (text: string) => {
      texts[at] += text;
    });
  });
  assert.equal(await watch({ program: 'instar', args: [path], env: {}, stdout, stderr }), 0);
  return { out: texts[0].trimEnd().split('\n'), err: texts[1] };
}

test('snapshots are written whole, named by their time, closed to others, and replay what the endpoints told', async (t) => {
  const { replica, engine, dataDir, folder, files, written } = await start(t);
  await engine.waitForLog(
    /metrics snapshotter started, writing to \S+\/metrics-snapshots every 15s, retaining 168h0m0s/,
  );
  // A count is known from its first snapshot on, a rate from the second.
  for (let id = 0; id < 5; id++) {
    await insert(replica, 100 * id, 100 * id + 99);
    await replica.settle();
    await written(files().length + 1);
  }
  await written(files().length + 2);
  const before = Date.now();
  const told = files().length;
  const [varz, diag] = [(await engine.fetch('/_/varz')).body, JSON.parse(await engine.diag())];
  await written(told + 2);
  await engine.stop();
  assert.match(engine.log, /metrics snapshotter stopped/);

  assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const file of files()) {
    assert.match(file, /^snapshot-\d{8}T\d{6}\.\d{3}Z\.txt\.gz$/);
    assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
    assert.match(gunzipSync(readFileSync(join(folder, file))).toString(), /^# HELP [\s\S]*\n# DIAG \{.*\}\n$/);
  }
  assert.deepEqual(
    readdirSync(folder).filter((file) => file.startsWith('.')),
    [],
  );

  const history = await openHistory(dataDir);
  assert.deepEqual(
    history.entries.map(({ at }) => at),
    history.entries.map(({ at }) => at).toSorted((a, b) => a - b),
  );
  const facts = readFacts({ varz, diag, clockAhead: 0 }, before);
  const replay = new Replay(history);
  const index = history.entries.findLastIndex(({ at }) => at <= before);
  const { reading } = await replay.frame(index);
  assert.equal(reading!.at, history.entries[index].at);
  assert.deepEqual(
    reading!.tables.map(({ name, upserts, deletes, errors }) => [name, upserts, deletes, errors]).toSorted(),
    Array.from(facts.tables, ([name, { upserts, deletes, errors }]) => [name, upserts, deletes, errors]).toSorted(),
  );
  assert.equal(reading!.pid, engine.pid);
  // It moves on an idle stream, too: the page was asked for between these two.
  const around = [reading, (await replay.frame(index + 1)).reading, (await replay.frame(index + 2)).reading];
  assert(around.some((one) => one!.position.applied === diag.checkpoint.position));
  // The last one was taken when it had ended.
  const last = await replay.frame(history.entries.length - 1);
  assert.equal(last.reading!.position.applied, await replica.checkpoint());

  const { out, err } = await printed(dataDir);
  assert.equal(err, '');
  assert.equal(out.length, files().length);
  const times = out.map((line) => Date.parse(line.slice(0, 20)));
  assert.deepEqual(
    times,
    history.entries.map(({ at }) => Math.floor(at / 1000) * 1000),
  );
  assert(
    out.some((line) => /; [1-9][\d.,]* ?k? rows\/s/.test(line)),
    out.join('\n'),
  );
});

test('retention by time and by size holds while it runs, with files of earlier runs counted', async (t) => {
  const { files, folder, written } = await start(t, ['--metricsSnapshotRetentionTime', '2s']);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  await written(5);
  const ages = () => files().map((file) => Date.now() - parseSnapshotName(file)!.at);
  const first = files()[0];
  await eventually(
    async () => !files().includes(first),
    () => `${first} is still there: ${files()}`,
  );
  for (let look = 0; look < 10; look++) {
    // One period, and what a busy machine adds to it.
    assert(Math.max(...ages()) < 2000 + 10 * EVERY, `${ages()}`);
    assert(files().length > 3);
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
  assert.equal(readFileSync(join(folder, 'notes.txt'), 'utf8'), 'mine');
});

test('retention by size alone, uncompressed: the oldest go, and the limit is never passed', async (t) => {
  const limit = 400 * 1024;
  const { replica, engine, folder, files, written, dataDir } = await start(t, [
    ...['--metricsSnapshotRetentionTime', '0', '--metricsSnapshotRetentionSize', '400KiB'],
    ...['--metricsSnapshotCompression', 'none'],
  ]);
  await engine.waitForLog(/every 15s, retaining at most 400KiB/);
  await written(3);
  const [first] = files();
  await insert(replica, 1, 10);
  const size = () =>
    readdirSync(folder).reduce((sum, file) => {
      try {
        return sum + statSync(join(folder, file)).size;
      } catch {
        // Removed in this moment.
        return sum;
      }
    }, 0);
  await eventually(
    async () => {
      assert(size() <= limit, `${size()} bytes`);
      return !files().includes(first);
    },
    () => `${files().length} files`,
  );
  assert(files().length >= 2 && files().every((file) => file.endsWith('.txt')));
  await engine.stop();
  // A later run counts what is there.
  const before = files();
  await replica.start(
    [
      ...['--metricsSnapshotPeriod', '15s', '--dataDir', dataDir, '--metricsSnapshotRetentionSize', '400KiB'],
      ...['--metricsSnapshotCompression', 'none'],
    ],
    { environment: QUICK },
  );
  await eventually(
    async () => {
      assert(size() <= limit, `${size()} bytes`);
      return !before.some((file) => files().includes(file));
    },
    () => files().join(),
  );
});

test('a SIGKILL in the middle leaves only whole snapshots; one that was damaged afterwards is passed over with a note', async (t) => {
  const { replica, engine, dataDir, folder, files, written } = await start(t);
  await insert(replica, 1, 200);
  await written(6);
  await engine.kill();
  const whole = await printed(dataDir);
  assert.deepEqual([whole.err, whole.out.length], ['', files().length]);

  const damaged = files()[2];
  truncateSync(join(folder, damaged), 700);
  writeFileSync(join(folder, 'snapshot-20200101T000000.000Z.txt'), '');
  writeFileSync(join(folder, '.snapshot-20200101T000001.000Z.txt.gz.1.unfinished'), 'x');
  const { out, err } = await printed(dataDir);
  assert.equal(out.length, files().length - 2 + 1, 'with a line that tells of the gap');
  assert.deepEqual(err.trimEnd().split('\n').toSorted(), [
    'snapshot-20200101T000000.000Z.txt is left out: it is empty',
    `${damaged} is left out: it is cut off`,
  ]);
  assert(out.every((line) => !/NaN|undefined/.test(line)));
});

test('a disk that cannot be written: one warning with a code, replication goes on, and later snapshots do', async (t) => {
  const dataDir = scratchDirectory('full');
  const folder = join(dataDir, 'metrics-snapshots');
  // A file where the folder has to be: what root could write to all the same.
  writeFileSync(folder, '');
  const replica = await Replica.create(t, source.server, target.server, {
    schema: 'create table item (id int primary key)',
  });
  const engine = await replica.start(['--metricsSnapshotPeriod', '15s', '--dataDir', dataDir], { environment: QUICK });
  await engine.waitForLog(/METRICS_SNAPSHOT_FAILED/);
  await replica.source.query('insert into item values (1)');
  await replica.settle();
  await new Promise((resolve) => setTimeout(resolve, 4 * EVERY));
  assert.equal(engine.log.match(/METRICS_SNAPSHOT_FAILED/g)?.length, 1);
  const { troubles } = JSON.parse(await engine.diag()) as { troubles: { code: string; fix: string }[] };
  assert.deepEqual(
    troubles.map(({ code }) => code),
    ['METRICS_SNAPSHOT_FAILED'],
  );
  rmSync(folder);
  await engine.waitForLog(/metrics snapshots are written to \S+ again/);
  assert.deepEqual(await engine.stop(), { code: 0, signal: null });
});

test('flags that do not fit together are refused with status 2', async (t) => {
  const replica = await Replica.create(t, source.server, target.server);
  const refusal = async (...flags: string[]) => {
    const engine = await Engine.start(t, {
      sourceConn: replica.sourceConn,
      targetConn: replica.targetConn,
      flags: [...replica.firstRunFlags, ...flags],
      metrics: false,
    });
    assert.equal((await engine.waitForExit()).code, 2, engine.log);
    return engine.log;
  };
  assert.match(await refusal('--metricsSnapshotPeriod', '5s'), /must be at least 15s, not 5s/);
  assert.match(await refusal('--metricsSnapshotPeriod', '15s'), /--metricsSnapshotPeriod needs --metricsAddr/);
  assert.match(
    await refusal(
      ...['--metricsSnapshotPeriod', '15s', '--metricsAddr', '127.0.0.1:0'],
      '--metricsSnapshotRetentionTime',
      '0',
    ),
    /neither their age nor their size has a limit/,
  );
});

test('instar watch DIR in a terminal of 80x24: the dashboard with the numbers and the time of then', async (t) => {
  const { replica, engine, dataDir, files, written } = await start(t);
  await insert(replica, 1, 1234);
  await replica.settle();
  await replica.source.query('delete from item where id <= 34');
  await replica.settle();
  await written(files().length + 2);
  await engine.stop();
  const { entries } = await openHistory(dataDir);
  const terminal = startTerminal(t, ['watch', dataDir]);
  await terminal.waitFor(/item +1,234 +34/);
  const ended = await terminal.waitFor('at the end', 90_000);
  const last = new Date(entries.at(-1)!.at).toISOString().slice(0, 19).replace('T', ' ');
  assert(ended.includes(`${last} +00:00  ${entries.length} of ${entries.length}`), ended);
  await terminal.press('left');
  await terminal.waitFor(`${entries.length - 1} of ${entries.length}`);
  for (let press = 0; press < 10; press++) await terminal.press('[');
  await terminal.waitFor(` 1 of ${entries.length}`);
  const first = terminal.screen();
  assert(first.includes('standing still'), first);
  await terminal.press(' ');
  await terminal.waitFor(/playing \d+\/s/);
  await terminal.press('q');
  assert.deepEqual(await terminal.exit, { code: 0, signal: 0 });
});
