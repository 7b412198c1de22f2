import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OperatorError } from '../../../src/errors.ts';
import { processIdentity } from '../../../src/sessions/process-identity.ts';
import type { Replication } from '../../../src/sessions/replication.ts';
import type { SavedValues } from '../../../src/sessions/saved-format.ts';
import { SecretsFile } from '../../../src/sessions/secrets.ts';
import { stateOf } from '../../../src/sessions/state.ts';
import { ReplicationStore } from '../../../src/sessions/store.ts';
import { scratchDirectory } from '../../servers/scratch.ts';

const MARKER = 'pa55-marker-word';

function home(): NodeJS.ProcessEnv {
  return { INSTAR_HOME: join(scratchDirectory('sessions'), 'state') };
}

function replication(name: string, more: Partial<Replication> = {}): Replication {
  return { name, created: '2026-01-01T00:00:00.000Z', answers: {}, made: [], ...more };
}

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

function code(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof OperatorError) return error.code;
    throw error;
  }
  return 'none';
}

test('everything saved is closed to others, whatever the umask, and closed again when it was opened', () => {
  const before = process.umask(0);
  try {
    const env = home();
    const store = ReplicationStore.open(env);
    const secrets = SecretsFile.open(env);
    store.save(replication('shop'));
    secrets.set('shop', 'source', MARKER);
    const root = String(env.INSTAR_HOME);
    const file = join(root, 'replications', 'shop.json');
    assert.deepEqual([root, join(root, 'secrets'), join(root, 'replications')].map(mode), ['700', '700', '700']);
    assert.deepEqual([file, join(root, 'secrets', 'shop.json')].map(mode), ['600', '600']);
    chmodSync(root, 0o755);
    chmodSync(file, 0o644);
    ReplicationStore.open(env).save(replication('shop'));
    assert.deepEqual([root, file].map(mode), ['700', '600']);
  } finally {
    process.umask(before);
  }
});

test('secrets that others could have read or replaced are refused with the command that closes them', () => {
  const env = home();
  const secrets = SecretsFile.open(env);
  secrets.set('shop', 'source', MARKER);
  const path = join(String(env.INSTAR_HOME), 'secrets', 'shop.json');
  chmodSync(path, 0o640);
  assert.throws(
    () => secrets.get('shop', 'source'),
    (error: OperatorError) => error.code === 'SECRETS_UNSAFE' && error.fix === `chmod 600 ${path}`,
  );
  assert.equal(
    code(() => secrets.set('shop', 'target', 'x')),
    'SECRETS_UNSAFE',
  );
  chmodSync(path, 0o600);
  assert.equal(secrets.get('shop', 'source'), MARKER);
  symlinkSync(path, join(String(env.INSTAR_HOME), 'secrets', 'other.json'));
  assert.equal(
    code(() => secrets.get('other', 'source')),
    'SECRETS_UNSAFE',
  );
  writeFileSync(path, `{"source":"${MARKER}`);
  assert.throws(
    () => secrets.get('shop', 'source'),
    (error: OperatorError) => error.code === 'SECRETS_DAMAGED' && !JSON.stringify(error).includes(MARKER),
  );
  secrets.remove('shop');
  assert.equal(secrets.get('shop', 'source'), undefined);
});

test('a damaged file is set aside with a message, and neither lost nor overwritten; the others are still there', () => {
  const env = home();
  const store = ReplicationStore.open(env);
  store.save(replication('shop'));
  store.save(replication('bank'));
  const folder = join(String(env.INSTAR_HOME), 'replications');
  for (const text of ['{"format":1,"repl', '{}', 'null', '{"format":1,"replication":{"name":"other"}}']) {
    writeFileSync(join(folder, 'shop.json'), text);
    const opened = ReplicationStore.open(env);
    opened.save(replication('shop', { step: 'again' }));
    assert.match(String(opened.problem), /shop cannot be read; it was set aside as .*damaged/);
    assert.equal(opened.get('shop')?.step, 'again');
    const aside = readdirSync(folder).filter((file) => file.includes('damaged'));
    assert.ok(aside.some((file) => readFileSync(join(folder, file), 'utf8') === text));
    assert.deepEqual(
      opened.list().map(({ name }) => name),
      ['bank', 'shop'],
    );
  }
});

test('what a newer version has saved is left alone', () => {
  const env = home();
  const store = ReplicationStore.open(env);
  const path = join(String(env.INSTAR_HOME), 'replications', 'shop.json');
  const text = '{"format":99,"replication":{"name":"shop","more":1}}';
  writeFileSync(path, text);
  assert.deepEqual(store.list(), []);
  assert.match(String(store.problem), /newer version/);
  assert.equal(
    code(() => store.save(replication('shop'))),
    'SESSION_EXISTS',
  );
  assert.equal(store.missing('shop').code, 'SESSION_NEWER');
  assert.equal(store.missing('bank').code, 'SESSION_MISSING');
  assert.equal(
    code(() => store.update('shop', (before) => before)),
    'SESSION_NEWER',
  );
  assert.equal(readFileSync(path, 'utf8'), text);
  assert.deepEqual(readdirSync(join(String(env.INSTAR_HOME), 'replications')), ['shop.json']);

  const secrets = SecretsFile.open(env);
  const kept = join(String(env.INSTAR_HOME), 'secrets', 'shop.json');
  const hidden = '{"format":2,"source":{"vault":"x"}}';
  writeFileSync(kept, hidden, { mode: 0o600 });
  for (const touch of [() => secrets.get('shop', 'source'), () => secrets.set('shop', 'source', 'x')]) {
    assert.equal(code(touch), 'SECRETS_NEWER');
  }
  assert.equal(readFileSync(kept, 'utf8'), hidden);
});

test('what an older version has saved is understood, left alone until it is changed, and kept beside the new one', () => {
  const env = home();
  const folder = join(String(env.INSTAR_HOME), 'replications');
  ReplicationStore.open(env).save(replication('shop', { step: 'slot' }));
  ReplicationStore.open(env).save(replication('bank'));
  const [path, copy] = [join(folder, 'shop.json'), join(folder, 'shop.json.format-1')];
  const old = readFileSync(path, 'utf8');
  const renamed = (from: string, to: string) => (saved: SavedValues) => {
    const { step, ...rest } = saved.replication as { step?: string };
    return { ...saved, replication: { ...rest, step: step === from ? to : step } };
  };
  const newer = [renamed('slot', 'log'), renamed('log', 'start')];

  const store = ReplicationStore.open(env, newer);
  assert.equal(store.get('shop')?.step, 'start');
  assert.equal(store.list().length, 2);
  assert.equal(readFileSync(path, 'utf8'), old, 'the older version could still go on');
  // A change that did not come to its end has left its copy.
  linkSync(path, copy);
  store.update('shop', (before) => ({ ...before, step: 'launch' }));
  assert.equal(JSON.parse(readFileSync(path, 'utf8')).format, 3);
  assert.equal(readFileSync(copy, 'utf8'), old);
  assert.equal(statSync(copy).mode & 0o777, 0o600);
  store.update('shop', (before) => ({ ...before, step: 'review' }));
  assert.equal(store.get('shop')?.step, 'review');
  assert.equal(readFileSync(copy, 'utf8'), old, 'one copy, of what the older version has saved');
  assert.equal(ReplicationStore.open(env).missing('shop').code, 'SESSION_NEWER');
  store.remove('shop');
  assert.deepEqual(readdirSync(folder), ['bank.json']);
  store.save({ ...store.get('bank')!, step: 'launch' });
  assert.deepEqual(readdirSync(folder), ['bank.json', 'bank.json.format-1']);
});

test('secrets of an older version are moved over with the next change, and go with their copy', () => {
  const env = home();
  const folder = join(String(env.INSTAR_HOME), 'secrets');
  SecretsFile.open(env);
  // As they were saved before files had a format.
  writeFileSync(join(folder, 'shop.json'), '{"source":"postgresql://a"}', { mode: 0o600 });
  const plain = SecretsFile.open(env);
  plain.set('shop', 'target', 'postgresql://b');
  assert.deepEqual(readdirSync(folder), ['shop.json'], 'it is the first format');
  const secrets = SecretsFile.open(env, [({ source, ...rest }) => ({ ...rest, source: `${source}?new` })]);
  assert.equal(secrets.get('shop', 'source'), 'postgresql://a?new');
  const old = readFileSync(join(folder, 'shop.json'), 'utf8');
  secrets.set('shop', 'control', 'word');
  assert.equal(secrets.get('shop', 'source'), 'postgresql://a?new', 'once');
  assert.equal(secrets.get('shop', 'target'), 'postgresql://b');
  assert.equal(readFileSync(join(folder, 'shop.json.format-1'), 'utf8'), old);
  for (const file of readdirSync(folder)) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600);
  assert.equal(
    code(() => plain.get('shop', 'source')),
    'SECRETS_NEWER',
  );
  secrets.remove('shop');
  assert.deepEqual(readdirSync(folder), []);
});

test('names that would lead elsewhere are refused', () => {
  const env = home();
  const store = ReplicationStore.open(env);
  for (const name of ['', '../x', 'a/b', '.hidden', 'a b', 'x'.repeat(65), 'nul\0']) {
    assert.equal(
      code(() => store.save(replication(name))),
      'SESSION_NAME',
    );
    assert.equal(store.get(name), undefined);
  }
  assert.equal(
    code(() => store.update('none', (same) => same)),
    'SESSION_MISSING',
  );
});

test('processes that change replications at the same time lose nothing of each other', async () => {
  const env = home();
  const store = ReplicationStore.open(env);
  for (const name of ['a', 'b']) store.save(replication(name));
  const script = `
    import { ReplicationStore } from ${JSON.stringify(new URL('../../../src/sessions/store.ts', import.meta.url).href)};
    const store = ReplicationStore.open(process.env);
    for (let i = 1; i <= 50; i++) store.update(process.argv[1], (saved) => ({ ...saved, step: String(Number(saved.step ?? 0) + 1) }));`;
  // Two processes on one replication, and one on another.
  const ends = ['a', 'a', 'b'].map(
    (name) =>
      new Promise((resolve) =>
        spawn(process.execPath, ['--input-type=module', '-e', script, name], {
          env: { ...process.env, ...env },
          stdio: 'inherit',
        }).once('exit', resolve),
      ),
  );
  assert.deepEqual(await Promise.all(ends), [0, 0, 0]);
  assert.deepEqual(
    store.list().map(({ name, step }) => [name, step]),
    [
      ['a', '100'],
      ['b', '50'],
    ],
  );
});

test('a process killed while it saves leaves the old file or the new one', async () => {
  const env = home();
  const store = ReplicationStore.open(env);
  store.save(replication('shop', { step: '0' }));
  SecretsFile.open(env).set('shop', 'source', '0');
  const at = (file: string) => JSON.stringify(new URL(`../../../src/sessions/${file}`, import.meta.url).href);
  const script = `
    import { ReplicationStore } from ${at('store.ts')};
    import { SecretsFile } from ${at('secrets.ts')};
    const store = ReplicationStore.open(process.env);
    const secrets = SecretsFile.open(process.env);
    process.stdout.write('ready');
    for (let i = 1; ; i++) {
      store.update('shop', (saved) => ({ ...saved, step: String(i), made: Array(2000).fill({ what: 'slot' }) }));
      secrets.set('shop', 'source', 'x'.repeat(20000) + i);
    }`;
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env: { ...process.env, ...env } });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const seen = store.get('shop')?.step;
    while (store.get('shop')?.step === seen);
    child.kill('SIGKILL');
    await gone;
    const opened = ReplicationStore.open(env);
    assert.ok(Number(opened.get('shop')?.step) > 0);
    assert.equal(opened.problem, undefined);
    assert.match(String(SecretsFile.open(env).get('shop', 'source')), /^(0|x{20000}\d+)$/);
  }
});

test('one wizard at a time: the second is told which process; a dead one does not count, nor one with its number', async () => {
  const env = home();
  const store = ReplicationStore.open(env);
  const unlock = await store.lock('shop');
  await assert.rejects(
    store.lock('shop'),
    (error: OperatorError) => error.code === 'SESSION_BUSY' && error.message.includes(`process ${process.pid}`),
  );
  (await store.lock('other'))();
  unlock();
  (await store.lock('shop'))();
  const path = join(String(env.INSTAR_HOME), 'replications', 'shop.setup.lock');
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  for (const holder of [`${dead} some/identity`, `${process.pid} another/start`, '']) {
    writeFileSync(path, holder);
    const release = await store.lock('shop');
    assert.match(readFileSync(path, 'utf8'), new RegExp(`^${process.pid} `));
    release();
  }
});

test('a process that has the number of a dead engine is not taken for it', () => {
  const mine = processIdentity(process.pid);
  const run = { pid: process.pid, started: Date.now(), metricsAddr: '127.0.0.1:1', logFile: '/nowhere/x.log' };
  assert.equal(stateOf(replication('shop', { run: { ...run, identity: String(mine) } })), 'running');
  assert.equal(stateOf(replication('shop', { run: { ...run, identity: `${mine}0` } })), 'crashed');
  const ending = { at: new Date(run.started + 5).toISOString(), how: 'stopped' } as const;
  assert.equal(stateOf(replication('shop', { run: { ...run, identity: 'gone' }, ending })), 'stopped');
  assert.equal(stateOf(replication('shop')), 'unfinished');
  assert.equal(processIdentity(spawnSync(process.execPath, ['-e', '']).pid), undefined);
});

test('a folder that cannot be used is named, with a way out', () => {
  const file = join(scratchDirectory('sessions'), 'file');
  writeFileSync(file, '');
  assert.equal(
    code(() => ReplicationStore.open({ INSTAR_HOME: file })),
    'SESSION_FOLDER',
  );
  const link = join(scratchDirectory('sessions'), 'link');
  mkdirSync(`${link}-to`);
  symlinkSync(`${link}-to`, link);
  assert.equal(
    code(() => ReplicationStore.open({ INSTAR_HOME: link })),
    'SESSION_FOLDER',
  );
});
