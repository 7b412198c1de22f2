import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LogFile } from '../../src/dashboard/log-file.ts';
import { launch } from '../../src/sessions/launch.ts';
import { settleEnding } from '../../src/sessions/state.ts';
import { eventually } from '../harness/engine.ts';
import { kill, prepared, settled } from '../harness/session-rig.ts';
import { sharedServer } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const WRITER = fileURLToPath(new URL('../harness/log-writer.ts', import.meta.url));
const source = sharedServer();
const target = sharedServer();

interface Writer {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<number | null>;
}

/** A process that writes lines FIRST to LAST to a log, in a shell that `before` prepares. */
function startWriter(t: TestContext, words: readonly (string | number)[], before = ''): Writer {
  const command = [process.execPath, WRITER, ...words.map(String)];
  const child = spawn('sh', ['-c', `${before} exec "$@"`, 'sh', ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  let stdout = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, stdout: () => stdout, stderr: () => stderr.replaceAll(/^\(.*\n/gm, ''), ended };
}

/** The files of a log, the oldest first. */
function filesOf(path: string): string[] {
  const age = (name: string) => Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);
  return readdirSync(dirname(path))
    .filter((name) => name === basename(path) || new RegExp(`^${basename(path)}\\.\\d+$`).test(name))
    .sort((a, b) => age(b) - age(a))
    .map((name) => join(dirname(path), name));
}

/** What is in a file; nothing at the moment at which it is put aside. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function numbersIn(text: string): number[] {
  return Array.from(text.matchAll(/ line (\d+) /g), ([, number]) => Number(number));
}

function assertInSequence(numbers: readonly number[], last: number): void {
  const wrong = numbers.findIndex((number, at) => at > 0 && number !== numbers[at - 1] + 1);
  assert.equal(wrong, -1, `line ${numbers[wrong]} follows ${numbers[wrong - 1]}`);
  assert.equal(numbers.at(-1), last);
}

test('a log that grows fast is bounded: no line is lost or torn at a rotation, and all files are closed to others', async (t) => {
  const path = join(scratchDirectory('rotation'), 'engine.log');
  const [maxSize, maxFiles] = [20_000, 4];
  const writer = startWriter(t, [path, maxSize, maxFiles, 1, 30_000, 100]);
  assert.equal(await writer.ended, 0);
  const files = filesOf(path);
  assert.deepEqual(
    files.map((file) => basename(file)),
    ['engine.log.4', 'engine.log.3', 'engine.log.2', 'engine.log.1', 'engine.log'],
  );
  for (const file of files) {
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(statSync(file).size <= maxSize, file);
    assert.match(readFileSync(file, 'utf8'), /^\[.*\n$/s);
  }
  assertInSequence(numbersIn(files.map((file) => readFileSync(file, 'utf8')).join('')), 30_000);
  assert.equal(writer.stderr(), '');
});

test('killed with -9 at any moment and begun again, it goes on behind the last line', async (t) => {
  const path = join(scratchDirectory('rotation'), 'engine.log');
  let last = 0;
  for (let round = 0; round < 6; round++) {
    // Files of a few lines: it is between two steps of a rotation most of the time.
    const writer = startWriter(t, [path, 900, 50_000, last + 1, 1e9, 1e9]);
    await eventually(
      async () => (numbersIn(textOf(path)).at(-1) ?? 0) > last + 200,
      () => `nothing is written: ${writer.stderr()}`,
    );
    writer.child.kill('SIGKILL');
    await writer.ended;
    const numbers = filesOf(path).flatMap((file) => numbersIn(readFileSync(file, 'utf8')));
    assertInSequence(numbers, numbers.at(-1)!);
    assert.equal(numbers[0], 1);
    last = numbers.at(-1)!;
  }
});

test('moved and SIGHUP sent, as logrotate does, while it is written: each line is in one of the files, once', async (t) => {
  const path = join(scratchDirectory('rotation'), 'engine.log');
  const writer = startWriter(t, [path, 0, 1, 1, 400_000, 50]);
  const moved: string[] = [];
  for (let turn = 1; turn <= 8; turn++) {
    await eventually(
      async () => existsSync(path) && statSync(path).size > 5000,
      () => `nothing is written: ${writer.stderr()}`,
    );
    moved.push(`${path}-${turn}`);
    renameSync(path, moved.at(-1)!);
    // Meanwhile it writes to the file that was moved.
    await sleep(5);
    writer.child.kill('SIGHUP');
    await eventually(
      async () => existsSync(path),
      () => 'the log was not opened anew',
    );
  }
  writer.child.kill('SIGKILL');
  await writer.ended;
  const texts = [...moved, path].map((file) => readFileSync(file, 'utf8'));
  const numbers = numbersIn(texts.join(''));
  assertInSequence(numbers, numbers.at(-1)!);
  assert.equal(numbers[0], 1);
  assert.equal(texts.join('').match(/the log file was opened anew signal=SIGHUP/g)?.length, 8);
  for (const file of [...moved, path]) assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(writer.stderr(), '');
});

test('a log that goes to standard output is not ended by SIGHUP', async (t) => {
  const writer = startWriter(t, ['', 0, 1, 1, 1e9, 1]);
  await eventually(
    async () => numbersIn(writer.stdout()).length > 5,
    () => `nothing is written: ${writer.stderr()}`,
  );
  writer.child.kill('SIGHUP');
  await eventually(
    async () => /signal=SIGHUP/.test(writer.stdout()),
    () => 'it says nothing of the signal',
  );
  const before = numbersIn(writer.stdout()).length;
  await eventually(
    async () => numbersIn(writer.stdout()).length > before,
    () => 'it has ended',
  );
});

test('a full disk is told once on stderr and stops nothing; afterwards the log says how many lines it lacks', async (t) => {
  const folder = scratchDirectory('rotation');
  const path = join(folder, 'engine.log');
  symlinkSync('/dev/full', path);
  const writer = startWriter(t, [path, 0, 1, 1, 1e9, 10]);
  await eventually(
    async () => /cannot be written/.test(writer.stderr()),
    () => 'it says nothing',
  );
  await sleep(50);
  rmSync(path);
  writer.child.kill('SIGHUP');
  await eventually(
    async () => existsSync(path) && statSync(path).size > 1000,
    () => 'it does not write again',
  );
  writer.child.kill('SIGKILL');
  await writer.ended;
  assert.equal(
    writer.stderr(),
    `the log file ${path} cannot be written: ENOSPC: no space left on device, write; replication goes on without it\n`,
  );
  const text = readFileSync(path, 'utf8');
  const [, missing] = /WARN {2}(\d+) lines are missing here: the log could not be written\n/.exec(text) ?? [];
  assert.equal(Number(missing), numbersIn(text)[0] - 1);
});

test('a line that broke off is not run together with the next one', async (t) => {
  const path = join(scratchDirectory('rotation'), 'engine.log');
  // Nothing is written beyond 512 or 1024 bytes, whichever the shell means by 1.
  const writer = startWriter(t, [path, 0, 1, 1, 1e9, 10], "trap '' XFSZ; ulimit -f 1;");
  await eventually(
    async () => /cannot be written: EFBIG/.test(writer.stderr()),
    () => `it says nothing: ${writer.stderr()}`,
  );
  const size = statSync(path).size;
  assert.ok(size === 512 || size === 1024);
  assert.doesNotMatch(readFileSync(path, 'utf8'), /\n$/, 'the last line is torn');
  // Room is made in place, and again a torn line is the last one.
  truncateSync(path, readFileSync(path, 'utf8').indexOf('\n') + 6);
  await eventually(
    async () => / lines? (is|are) missing here/.test(readFileSync(path, 'utf8')),
    () => readFileSync(path, 'utf8'),
  );
  writer.child.kill('SIGKILL');
  await writer.ended;
  const lines = readFileSync(path, 'utf8').split('\n');
  assert.equal(lines[1].length, 5);
  assert.match(lines[2], /^\[[^[]*\] WARN /);
});

test('a log that cannot be put aside is written on, and stderr says why', async (t) => {
  const folder = join(scratchDirectory('rotation'), 'logs');
  mkdirSync(folder);
  const path = join(folder, 'engine.log');
  // A folder in the place of the older file.
  mkdirSync(join(`${path}.1`, 'x'), { recursive: true });
  const writer = startWriter(t, [path, 2000, 1, 1, 500, 1e9]);
  assert.equal(await writer.ended, 0);
  assertInSequence(numbersIn(readFileSync(path, 'utf8')), 500);
  assert.match(writer.stderr(), /^the log file \S+ grows beyond 2000 bytes, as it cannot be put aside: E[^\n]*\n$/);
});

test('the log page shows each line once, in order, while the file is put aside under its hands', async (t) => {
  const LAST = 25_000;
  const path = join(scratchDirectory('rotation'), 'engine.log');
  // No file is dropped, however slow this process is.
  const writer = startWriter(t, [path, 30_000, 100, 1, LAST, 40]);
  await eventually(
    async () => existsSync(path),
    () => 'nothing is written',
  );
  const log = new LogFile(path);
  const seen: number[] = [];
  let { begin: place } = await log.extent();
  for (let looks = 0; seen.at(-1) !== LAST; looks++) {
    assert.ok(looks < 20_000, `stands still at ${seen.at(-1)}`);
    const lines = await log.after(place, 500);
    // The last one may not be whole yet.
    const { end } = await log.extent();
    const whole = lines.at(-1)?.end === end ? lines.slice(0, -1) : lines;
    seen.push(...numbersIn(whole.map(({ text }) => `${text} `).join('\n')));
    place = whole.at(-1)?.end ?? place;
    if (writer.child.exitCode !== null && whole.length === 0) {
      seen.push(...numbersIn(lines.map(({ text }) => `${text} `).join('\n')));
      break;
    }
  }
  assertInSequence(seen, LAST);
  assert.equal(seen[0], 1);
  assert.equal((await log.extent()).generation, 0);
  // And from the end up to the oldest line that is kept.
  const up: number[] = [];
  for (let end = (await log.extent()).end; ; ) {
    const lines = await log.before(end, 300);
    if (lines.length === 0) break;
    up.unshift(...numbersIn(lines.map(({ text }) => `${text} `).join('\n')));
    end = lines[0].at;
  }
  assertInSequence(up, LAST);
  assert.deepEqual(
    up,
    filesOf(path).flatMap((file) => numbersIn(readFileSync(file, 'utf8'))),
  );
});

test('the log of a saved replication is bounded by itself, and how a run ended is read across a rotation', async (t) => {
  const session = await prepared(t, source, target, {
    options: { stagingSchema: '_replicator', verbose: '2', logMaxSize: '4KiB', logMaxFiles: '2' },
  });
  const launched = await launch('shop', { ...session, report: () => {} });
  const { logFile, pid } = launched.run!;
  for (let turn = 0; turn < 60 && !existsSync(`${logFile}.2`); turn++) {
    await session.from.query('INSERT INTO item SELECT coalesce(max(id), 0) + 1, $$x$$ FROM item');
    await settled(session);
  }
  const files = filesOf(logFile);
  assert.equal(files.length, 3, files.join());
  for (const file of files) {
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(statSync(file).size <= 5000, String(statSync(file).size));
  }
  const before = statSync(logFile).ino;
  renameSync(logFile, `${logFile}.aside`);
  process.kill(pid, 'SIGHUP');
  await eventually(
    async () => existsSync(logFile) && statSync(logFile).ino !== before,
    () => 'SIGHUP does not open the log anew',
  );
  await kill(session);
  assert.equal(settleEnding(session.replication(), session.store).ending?.how, 'killed');
});
