import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openHistory } from '../../src/dashboard/snapshot-history.ts';
import { stopEngine } from '../../src/sessions/engine-child.ts';
import { launch } from '../../src/sessions/launch.ts';
import { eventually } from '../harness/engine.ts';
import { startTerminal } from '../harness/pseudo-terminal.ts';
import { instar, kill, PASSWORD, prepared, type Session, settled } from '../harness/session-rig.ts';
import { sharedServer } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const source = sharedServer();
const target = sharedServer();

/** The password with the digits of its escapes as some write them. */
const LOWER = encodeURIComponent(PASSWORD).replaceAll(/%../g, (byte) => byte.toLowerCase());

/** Whatever the bundle says, none of these is in it; some are as a person may have typed them. */
function secretsOf(session: Session): string[] {
  const token = session.secrets.get('shop', 'control');
  return [PASSWORD, encodeURIComponent(PASSWORD), LOWER, 'pa55', 'Marker', ...(token === undefined ? [] : [token])];
}

/** A replication that is launched, with a snapshot each 100 ms and some rows. */
async function launched(t: TestContext): Promise<Session> {
  const session = await prepared(t, source, target, {
    options: { stagingSchema: '_replicator', metricsSnapshotPeriod: '15s', verbose: '1' },
  });
  // The engine is started with this environment, but for variables of ours.
  Object.assign(session.env, {
    NODE_OPTIONS: `--import ${new URL('../harness/quick-timers.ts', import.meta.url).href}`,
    QUICK_TIMER: '15000',
    QUICK_TIMER_IS: '100',
  });
  await launch('shop', session);
  await session.from.query(`INSERT INTO item SELECT n, 'v' FROM generate_series(1, 321) n`);
  await settled(session);
  await eventually(
    async () => readdirSync(snapshotsOf(session)).length > 5,
    () => 'no snapshots come',
  );
  return session;
}

function snapshotsOf(session: Session): string {
  return join(session.env.INSTAR_HOME!, 'logs', 'shop-data', 'metrics-snapshots');
}

interface Unpacked {
  readonly path: string;
  readonly stdout: string;
  readonly stderr: string;
  /** By name within its folder, compressed ones unpacked as well. */
  readonly files: Map<string, string>;
}

/** Makes a bundle with the program, unpacks it with the system's tar, and looks for secrets in each of its bytes. */
async function bundled(session: Session, ...flags: string[]): Promise<Unpacked> {
  const folder = scratchDirectory('bundle');
  const path = join(folder, 'it.tar.gz');
  const { code, stdout, stderr } = await instar(session, 'bundle', 'shop', '--output', path, ...flags);
  assert.equal(code, 0, stderr);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const into = join(folder, 'into');
  mkdirSync(into);
  execFileSync('tar', ['-xzf', path, '-C', into]);
  const tops = readdirSync(into);
  assert.equal(tops.length, 1);
  assert.match(tops[0], /^shop-bundle-\d{8}T\d{6}Z$/);
  const files = new Map<string, string>();
  for (const entry of readdirSync(into, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const at = join(entry.parentPath, entry.name);
    assert.equal(statSync(at).mode & 0o777, 0o600, at);
    const bytes = readFileSync(at);
    const content = entry.name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
    const name = at.slice(join(into, tops[0]).length + 1);
    for (const secret of secretsOf(session)) {
      for (const text of [content, bytes, Buffer.from(name), Buffer.from(stdout + stderr)]) {
        assert(!text.includes(secret), `${name} holds ${secret}`);
      }
    }
    files.set(name, content.toString());
  }
  return { path, stdout, stderr, files };
}

const json = (files: Map<string, string>, name: string) => JSON.parse(files.get(name) ?? '{"missing":true}');

test('of a replication that runs: everything, with the numbers of now and the history, and no secret', async (t) => {
  const session = await launched(t);
  const { run } = session.replication();
  // What no engine of ours would write, but a driver or Node.js may have.
  appendFileSync(
    run!.logFile,
    `raw ${PASSWORD} and postgresql://app:${encodeURIComponent(PASSWORD)}@h/d ${LOWER} password=${PASSWORD}\n`,
  );
  writeFileSync(
    join(snapshotsOf(session), 'snapshot-20260101T000000.000Z.txt'),
    `a_metric{error="postgresql://u:${PASSWORD}@h"} 1\n# DIAG {"troubles":[{"at":1,"code":"X","message":"password=${PASSWORD}","fix":"next to it"}]}\n`,
  );
  const { path, stdout, stderr, files } = await bundled(session);
  assert(stdout.startsWith(`${path} (`), stdout);
  for (const part of ['diag.json', 'metrics.txt', 'shop.log', 'resume.json', 'host.json', 'metrics-snapshots/']) {
    assert.match(stdout, new RegExp(`^  ${part} `, 'm'));
  }
  assert.match(stderr, /^its diagnostics …$/m);
  assert.match(stdout, /and holds no passwords$/m);
  assert.doesNotMatch(stdout, /left out/);
  assert.deepEqual([...files.keys()].filter((name) => !name.startsWith('metrics-snapshots/')).toSorted(), [
    ...['contents.txt', 'diag.json', 'health.txt', 'host.json', 'metrics.txt', 'replication.json'],
    ...['resume.json', 'settings.json', 'shop.log', 'status.json', 'versions.txt'],
  ]);
  assert.equal(json(files, 'diag.json').build.pid, run!.pid);
  assert.equal(files.get('health.txt'), 'OK');
  assert.match(files.get('metrics.txt')!, /^apply_upserts_total\{.*table="item"\} 321$/m);
  assert.equal(json(files, 'status.json').tables.find(({ name }: { name: string }) => /item/.test(name)).upserts, 321);
  assert.deepEqual(json(files, 'resume.json'), { running: true });
  assert.equal(json(files, 'replication.json').state, 'running');
  const { command, settings } = json(files, 'settings.json');
  assert.deepEqual([command, settings.metricsSnapshotPeriod, settings.flushSize], ['pglogical', 15_000, 1000]);
  assert.match(files.get('versions.txt')!, /^instar +\d[\s\S]*^node +\d[\s\S]*^pg +8/m);
  assert(json(files, 'host.json').memory.total > 0);
  assert.match(files.get('shop.log')!, /starting the engine of shop[\s\S]*raw \*\*\*\*\* and/);
  const oldest = files.get('metrics-snapshots/snapshot-20260101T000000.000Z.txt.gz')!;
  const diag = JSON.parse(oldest.slice(oldest.indexOf('{"troubles')));
  assert.equal(diag.troubles[0].fix, 'next to it', 'what stands beside a secret stays');

  // The bundle is watched like the folder.
  const [inBundle, inFolder] = [await openHistory(path), await openHistory(snapshotsOf(session))];
  assert(inBundle.entries.length > 5);
  assert.deepEqual(
    inBundle.entries.map(({ at }) => at),
    inFolder.entries.slice(0, inBundle.entries.length).map(({ at }) => at),
  );
  const lines = await instar(session, 'watch', path);
  assert.equal(lines.code, 0, lines.stderr);
  assert.match(lines.stdout, /nothing was written for .*\n[\s\S]*(following|caught up \(idle\)); lag /);
  const terminal = startTerminal(t, ['watch', path]);
  await terminal.waitFor(/it, replayed[\s\S]*item +321/, 60_000);
  await terminal.press('q');
  assert.deepEqual(await terminal.exit, { code: 0, signal: 0 });
});

test('of one that was stopped, and of one that was killed while its target is gone: without live parts, saying so', async (t) => {
  const session = await launched(t);
  await stopEngine(session.replication(), session);
  const stopped = await bundled(session, '--json');
  const told = JSON.parse(stopped.stdout);
  assert.equal(told.path, stopped.path);
  assert.deepEqual(
    told.leftOut.map(({ name, why }: { name: string; why: string }) => [name, why]),
    ['status.json', 'health.txt', 'diag.json', 'metrics.txt'].map((name) => [name, 'it does not run (stopped)']),
  );
  assert.equal(stopped.stderr, '');
  const verdict = json(stopped.files, 'resume.json');
  assert.equal(verdict.safe, true);
  assert.match(verdict.lines[0], /stopped/);
  assert.match(stopped.files.get('shop.log')!, /stopped as asked/);
  assert.match(stopped.files.get('contents.txt')!, /left out:\n {2}status\.json: it does not run \(stopped\)/);
  const history = await openHistory(stopped.path);
  const { diag } = await history.entries.at(-1)!.read();
  assert.equal((diag as { engine: { state: string } }).engine.state, 'stopped');

  session.secrets.set('shop', 'target', session.secrets.get('shop', 'target')!.replace(/:\d+\//, ':1/'));
  const { files, stdout } = await bundled(session);
  assert.equal(json(files, 'resume.json').safe, false);
  assert.match(stdout, /left out:/);
});

test('a killed engine, a damaged snapshot, a log of many megabytes: the end of it, and what is whole', async (t) => {
  const session = await launched(t);
  await kill(session);
  const { logFile } = session.replication().run!;
  const line = `[2026-11-23T10:00:00+00:00] DEBUG ${'x'.repeat(1000)}\n`;
  appendFileSync(logFile, line.repeat(9000));
  appendFileSync(logFile, 'the last line\n');
  const folder = snapshotsOf(session);
  const [damaged] = readdirSync(folder).filter((file) => file.startsWith('snapshot-'));
  truncateSync(join(folder, damaged), 200);
  const { files, stdout } = await bundled(session);
  const log = files.get('shop.log')!;
  assert(log.length <= 4 * 2 ** 20 && log.length > 4 * 2 ** 20 - 2000 && log.endsWith('the last line\n'));
  assert(log.startsWith('['));
  assert.match(stdout, new RegExp(`left out:[\\s\\S]*${damaged}: it is cut off`));
  assert.equal(json(files, 'replication.json').state, 'crashed');
});

test('nothing is overwritten, and what cannot be written is told and leaves nothing', async (t) => {
  const session = await prepared(t, source, target);
  const folder = scratchDirectory('bundle');
  const path = join(folder, 'mine.tar.gz');
  writeFileSync(path, 'mine');
  const there = await instar(session, 'bundle', '--output', path);
  assert.equal(there.code, 1);
  assert.match(there.stderr, /there is a file of that name already[\s\S]*\(BUNDLE_NOT_WRITTEN\)\nfix: --output/);
  assert.equal(readFileSync(path, 'utf8'), 'mine');
  const nowhere = await instar(session, 'bundle', 'shop', '--output', join(path, 'below.tar.gz'));
  assert.match(nowhere.stderr, /BUNDLE_NOT_WRITTEN/);
  assert.deepEqual(readdirSync(folder), ['mine.tar.gz']);
  // One whose setup is not finished has a bundle, too.
  const unfinished = await bundled(session);
  assert.match(unfinished.stdout, /left out:[\s\S]*shop\.log: it was never started/);
  // Connections that are not known cannot be masked by value: that is told, and the bundle is made.
  chmodSync(join(session.env.INSTAR_HOME!, 'secrets', 'shop.json'), 0o644);
  const unsafe = await instar(session, 'bundle', 'shop', '--output', join(folder, 'unsafe.tar.gz'));
  assert.equal(unsafe.code, 0, unsafe.stderr);
  assert.match(
    unsafe.stdout,
    /may hold passwords that are not known here[\s\S]*left out:[\s\S]*masking by value: the source connection is not known here/,
  );
  const none = await instar(session, 'bundle', 'nobody');
  assert.match(none.stderr, /SESSION_MISSING/);
  assert.equal(none.code, 1);
});
