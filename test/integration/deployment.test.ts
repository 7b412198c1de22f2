import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseCommandLine } from '../../src/config/command-line.ts';
import { FLAGS } from '../../src/config/flags.ts';
import { OTHER_VARIABLES, variableOf } from '../../src/config/environment.ts';
import { defaultValue } from '../../src/config/settings.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const MANIFEST = JSON.parse(text('package.json'));
const UNIT = text('assets/instar@.service');
const IMAGE = text('assets/Dockerfile').replaceAll(/ *\\\n */g, ' ');

/** A setting of the unit; every value, where it stands several times. */
function setting(name: string): string[] {
  return Array.from(UNIT.matchAll(new RegExp(`^${name}=(.*)$`, 'gm')), ([, value]) => value);
}

/** The lines of the image's file that begin with an instruction. */
function instructions(name: string): string[] {
  return Array.from(IMAGE.matchAll(new RegExp(`^${name} (.*)$`, 'gm')), ([, rest]) => rest);
}

/** The variables of a file as systemd and Docker read it; with those that are commented out, too. */
function variables(): Record<string, string> {
  const lines = text('assets/instar.env').matchAll(/^#?([A-Z_]+)=(.*)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name, value]) => [name, value]));
}

test('the unit starts the engine with the flags of its file, which the engine understands to the last one', () => {
  const env = variables();
  assert.deepEqual(setting('ExecStart'), ['/usr/local/bin/replicator $COMMAND']);
  assert.ok('replicator' in MANIFEST.bin);
  assert.equal(env.COMMAND, 'pglogical');
  const { settings, given, warnings } = parseCommandLine('pglogical', [], env);
  assert.deepEqual(warnings, []);
  assert.equal(given.size, Object.keys(env).length - 1, 'each variable is a flag');
  assert.equal(settings.stagingCreateSchema, true);
  assert.match(String(settings.sourceConn), /^postgresql:.*:PASSWORD@source\.example/);
  for (const [name] of UNIT.matchAll(/INSTAR_[A-Z_]+/g)) {
    assert.ok(Object.keys(FLAGS).map(variableOf).includes(name), name);
  }
});

test('the unit gives the engine the time that it asks for, ends it as it wants to be ended, and does not insist on wrong usage', () => {
  const seconds = Number(/^(\d+)s$/.exec(setting('TimeoutStopSec')[0])?.[1]);
  assert.ok(seconds * 1000 > Number(defaultValue('gracePeriod')) + 10_000);
  assert.deepEqual(setting('KillSignal'), ['SIGTERM']);
  assert.deepEqual(setting('Restart'), ['on-failure']);
  assert.deepEqual(setting('RestartPreventExitStatus'), ['2']);
  assert.deepEqual(setting('ExecReload'), ['/bin/kill -HUP $MAINPID']);
  // What the exit statuses mean: wrong usage is 2, a server that cannot be reached is 1.
  const replicator = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'src/cli.ts'), 'pglogical', ...args], {
      env: { PATH: process.env.PATH, INSTAR_SOURCE_CONN: NOWHERE, INSTAR_TARGET_CONN: NOWHERE },
      encoding: 'utf8',
    }).status;
  assert.equal(replicator('--flushSize', 'many'), 2);
  assert.equal(replicator('--targetSchema', 'public'), 1);
});

const NOWHERE = 'postgresql://nobody@127.0.0.1:1/none?sslmode=disable';

test('systemd finds nothing wrong with the unit, and little that could be closed further', {
  skip: spawnSync('systemd-analyze', ['--version']).status !== 0 && 'there is no systemd-analyze here',
}, (t) => {
  const path = join(scratchDirectory('unit'), 'instar@.service');
  // The program need not be installed for the test.
  writeFileSync(path, UNIT.replace('/usr/local/bin/replicator', process.execPath));
  const verified = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
  assert.deepEqual([verified.status, verified.stderr], [0, '']);
  const security = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', path], {
    encoding: 'utf8',
  });
  const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(security.stdout)?.[1];
  if (exposure === undefined) return t.diagnostic('this systemd-analyze does not judge files');
  assert.ok(Number(exposure) < 2, exposure);
});

test('the image runs as nobody of importance, takes its flags from the environment, and holds nothing secret', () => {
  assert.deepEqual(instructions('USER'), ['1000:1000']);
  assert.deepEqual(instructions('ENTRYPOINT'), ['["replicator"]']);
  assert.deepEqual(instructions('STOPSIGNAL'), ['SIGTERM']);
  assert.equal(instructions('FROM').length, 2);
  const [environment] = instructions('ENV');
  const set = Object.fromEntries(Array.from(environment.matchAll(/(\w+)=(\S+)/g), ([, name, value]) => [name, value]));
  const known = [...Object.keys(FLAGS).map(variableOf), ...OTHER_VARIABLES];
  for (const [name, value] of Object.entries(set)) {
    assert.ok(known.includes(name), name);
    assert.doesNotMatch(value, /:\/\/|password|secret/i);
  }
  const env = { ...set, INSTAR_SOURCE_CONN: NOWHERE, INSTAR_TARGET_CONN: NOWHERE };
  assert.deepEqual(parseCommandLine('pglogical', [], env).warnings, []);
  for (const link of IMAGE.matchAll(/ln -s \/opt\/instar\/(\S+) \/usr\/local\/bin\/(\S+)/g)) {
    assert.equal(MANIFEST.bin[link[2]], link[1]);
  }
  assert.equal(Array.from(IMAGE.matchAll(/ln -s/g)).length, Object.keys(MANIFEST.bin).length);
  const release = Number(/^ARG NODE=(\d+)$/m.exec(IMAGE)?.[1]);
  assert.ok(release >= 22);
});

test('what the image is built from is there, and nothing else of the folder is sent', () => {
  const admitted = text('assets/Dockerfile.dockerignore').trim().split('\n');
  assert.equal(admitted.shift(), '*');
  for (const path of admitted) assert.ok(existsSync(join(ROOT, path.slice(1))), path);
  // All that the build and the package need, as far as it is not made by the build.
  for (const path of ['src', 'build', 'package.json', 'package-lock.json', 'LICENSE', 'assets/userscript']) {
    assert.ok(admitted.includes(`!${path}`), path);
  }
  for (const [, script] of IMAGE.matchAll(/npm run (\w+)/g)) assert.ok(script in MANIFEST.scripts, script);
});

test('the health check of the image asks the endpoint: healthy, not healthy, not there', async (t) => {
  const [check] = instructions('HEALTHCHECK');
  const [program, ...args] = JSON.parse(/CMD (\[.*\])$/.exec(check)?.[1] ?? '');
  assert.equal(program, 'node');
  let status = 200;
  const asked: (string | undefined)[] = [];
  const port = await listening(t, (url) => {
    asked.push(url);
    return status;
  });
  const healthy = (address: string) =>
    new Promise((resolve) => {
      const env = { PATH: process.env.PATH, INSTAR_METRICS_ADDR: address };
      spawn(process.execPath, args, { env, stdio: 'ignore' }).on('close', resolve);
    });
  assert.equal(await healthy(`:${port}`), 0);
  assert.equal(await healthy(`0.0.0.0:${port}`), 0);
  status = 503;
  assert.equal(await healthy(`:${port}`), 1);
  assert.equal(await healthy('127.0.0.1:1'), 1);
  assert.deepEqual(asked, ['/_/healthz', '/_/healthz', '/_/healthz']);
});

function listening(t: TestContext, answer: (url: string | undefined) => number): Promise<number> {
  const server = createServer((request, response) => response.writeHead(answer(request.url)).end());
  t.after(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
