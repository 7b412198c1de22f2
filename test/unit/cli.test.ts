import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ReplicationStore } from '../../src/sessions/store.ts';

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

test('explain tells of a code in any case, of an error of the server, of words, and lists all', () => {
  const { status, stdout, stderr } = run(['explain', 'pg-slot-lost'], 'instar');
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^PG_SLOT_LOST\n\nWhat happened .*\n/);
  assert.match(stdout, /^For the data +\S/m);
  assert.match(stdout, /^What to do +\S/m);
  assert.match(run(['explain', 'ORA-01291']).stdout, /^ORA-01291 is told here as ORACLE_LOG_FILE\n/);
  assert.match(run(['explain', 'lag', 'behind', 'the', 'current', 'SCN']).stdout, /^SCN_LAG /);
  assert.match(run(['explain']).stdout, /^PostgreSQL as a source:\n(.*\n)+ {2}PG_SLOT_LOST +\S/m);
  const [lost] = JSON.parse(run(['explain', 'PG_SLOT_LOST', '--json']).stdout);
  assert.deepEqual([lost.code, lost.kind, typeof lost.data], ['PG_SLOT_LOST', 'error', 'string']);
  const wrong = run(['explain', 'PG_SLOT_LOSS'], 'instar');
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /nothing is known of "PG_SLOT_LOSS"; did you mean PG_SLOT_LOST\?/);
});

test('explain has the names of a saved replication in its SQL', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'instar-explain-'));
  t.after(() => rmSync(home, { recursive: true }));
  const env = { ...process.env, INSTAR_HOME: home };
  const answers = { slot: { name: 'shop_slot', create: true }, targetSchema: 'defaultdb.public' };
  ReplicationStore.open(env).save({ name: 'shop', created: new Date(0).toISOString(), answers, made: [] });
  const explain = (name: string) =>
    spawnSync(process.execPath, [join(folder, 'instar'), 'explain', 'PG_SLOT_LOST', name], { encoding: 'utf8', env });
  assert.match(explain('shop').stdout, /pg_drop_replication_slot\('shop_slot'\)/);
  assert.match(explain('shop').stdout, /'pglogical-wal-offset-defaultdb\.public'/);
  const missing = explain('shoe');
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /\(SESSION_MISSING\)\nfix: .*\nmore: instar explain SESSION_MISSING\n$/);
});
