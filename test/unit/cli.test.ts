import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'instar-cli-'));
after(() => rmSync(folder, { recursive: true }));
for (const name of ['instar', 'replicator']) symlinkSync(cli, join(folder, name));

function run(args: string[], program = 'replicator') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, program), ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('help names the commands and shows the documented command line, under the name it was called by', () => {
  for (const program of ['instar', 'replicator']) {
    for (const args of [['help'], ['--help'], ['-h']]) {
      const { status, stdout } = run(args, program);
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`${program} pglogical --sourceConn \\$SOURCE --targetConn \\$TARGET`));
      for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
    }
  }
});

test('without a terminal the wizard is not begun: how to use the program, on stderr, and status 2', () => {
  const { status, stdout, stderr } = run([], 'instar');
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /^instar: the wizard needs a terminal/);
  assert.match(stderr, /instar setup|^ {2}setup /m);
});

test('help of a command needs no valid flags', () => {
  for (const args of [
    ['pglogical', '--help'],
    ['help', 'pglogical'],
    ['pglogical', '--nonsense', '-h'],
  ]) {
    const { status, stdout } = run(args);
    assert.equal(status, 0);
    assert.match(stdout, /--slotName TEXT/);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
  }
});

test('version, under both spellings, with the versions of the modules', () => {
  for (const args of [['version'], ['--version']]) {
    const { status, stdout } = run(args);
    assert.equal(status, 0);
    assert.match(stdout, /^replicator +\d+\.\d+\.\d+\nnode +\d+\.\d+\.\d+\nplatform +\S+\narch +\S+\n\n/);
    assert.match(stdout, /^pg +\d/m);
    assert.match(stdout, /^pg-protocol +\d/m);
  }
});

test('wrong usage: exit status 2, the nearest name, and where to read on', () => {
  const expected: [string[], RegExp][] = [
    [['pglogcal'], /^replicator: unknown command "pglogcal"; did you mean pglogical\?\nRun "replicator --help"/],
    [['--sourceConn', 'x', 'pglogical'], /the command must come first/],
    [['version', 'extra'], /version takes no arguments/],
    [['toString'], /unknown command "toString"/],
  ];
  for (const [args, message] of expected) {
    const { status, stdout, stderr } = run(args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, message);
  }
});

test('an old Node.js is told so in one line, before it meets anything that it cannot read', () => {
  // The same file beside a module that cannot be parsed: importing it would be a syntax error.
  const old = join(folder, 'old');
  writeFileSync(
    `${old}.ts`,
    `Object.defineProperty(process.versions, 'node', { value: '20.19.0' });\nawait import('./old-cli.ts');\n`,
  );
  copyFileSync(cli, join(folder, 'old-cli.ts'));
  const { status, stderr } = spawnSync(process.execPath, [`${old}.ts`], { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.equal(stderr, 'instar: needs Node.js 22.12 or newer, this is 20.19.0\n');
});

test('a reader that goes away does no harm', () => {
  const { status, stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${cli}" help pglogical | head -1 >&2`], {
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  assert.equal(stderr.trim().split('\n').length, 1);
});

test('a password on the command line does not stay in the process list', {
  skip: !existsSync('/proc/self/cmdline'),
}, async () => {
  // Its standard input is a named pipe that nobody writes to, so that the file of settings keeps it waiting.
  const pipe = join(folder, 'settings');
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
  const child = spawn(process.execPath, [
    cli,
    'pglogical',
    '--sourceConn',
    'postgres://u:hunter22@h/d',
    '--config',
    pipe,
  ]);
  try {
    const commandLine = () => readFileSync(`/proc/${child.pid}/cmdline`, 'latin1');
    const deadline = Date.now() + 10_000;
    while (commandLine().includes('hunter22') && Date.now() < deadline) await sleep(20);
    assert.doesNotMatch(commandLine(), /hunter22/);
    assert.match(commandLine(), /^instar pglogical\0*$/);
  } finally {
    child.kill('SIGKILL');
  }
});
