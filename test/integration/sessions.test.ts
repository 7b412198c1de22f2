import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { errorText } from '../../src/log/log-error.ts';
import { continueEngine, pauseEngine, startEngine, stopEngine } from '../../src/sessions/engine-child.ts';
import { cancelled, type LaunchStep, launch, retire } from '../../src/sessions/launch.ts';
import { resume } from '../../src/sessions/resume.ts';
import { settleEnding, stateOf } from '../../src/sessions/state.ts';
import { assertEqual, instar, kill, madeAtSource, PASSWORD, prepared, settled } from '../harness/session-rig.ts';
import { sharedServer } from '../servers/postgres.ts';

const source = sharedServer();
const target = sharedServer();

test('launched, killed with -9, resumed with both sides equal, stopped, retired: nothing is left', async (t) => {
  const session = await prepared(t, source, target);
  const steps: LaunchStep[] = [];
  const launched = await launch('shop', { ...session, report: (step) => steps.push(step) });
  assert.equal(stateOf(launched), 'running');
  assert.equal(launched.step, undefined);
  assert.deepEqual(
    steps.filter(({ state }) => state !== 'running').map(({ id, state }) => [id, state]),
    [
      ['publication', 'passed'],
      ['slot', 'passed'],
      ['engine', 'passed'],
    ],
  );
  assert.match(
    String(steps.find(({ id, state }) => id === 'slot' && state === 'passed')?.found),
    /^\(\w+,[0-9A-F]+\/[0-9A-F]+\)$/,
  );
  assert.deepEqual(
    launched.made.map(({ what }) => what),
    ['publication', 'slot', 'staging schema'],
  );
  await session.from.query(`INSERT INTO item SELECT i, 'x' FROM generate_series(1, 1000) i`);
  await settled(session);

  const attached = await resume('shop', session);
  assert.equal(attached.verdict, undefined);
  assert.equal(attached.replication?.run?.pid, launched.run?.pid);

  await kill(session);
  assert.equal(settleEnding(session.replication(), session.store).ending?.how, 'killed');
  await session.from.query(
    `INSERT INTO item SELECT i, 'y' FROM generate_series(1001, 2000) i; UPDATE item SET v = 'z' WHERE id % 7 = 0; DELETE FROM item WHERE id % 11 = 0`,
  );
  const dry = await resume('shop', { ...session, dryRun: true });
  assert.equal(dry.verdict?.safe, true, JSON.stringify(dry.verdict));
  assert.ok(Number(dry.verdict?.behind.bytes) > 1000);
  assert.match(String(dry.verdict?.lines[0]), /^Last run: from .* vanished without a word/);
  assert.match(String(dry.verdict?.lines[1]), /^safe: .* of log behind/);
  assert.equal(stateOf(session.replication()), 'crashed');
  const resumed = await resume('shop', session);
  assert.equal(stateOf(resumed.replication!), 'running');
  await settled(session);
  await assertEqual(session);

  await assert.rejects(retire('shop', [], session), { code: 'SESSION_RUNNING' });
  const ending = await stopEngine(session.replication(), session);
  assert.equal(ending?.how, 'stopped');
  assert.equal(stateOf(session.replication()), 'stopped');
  assert.equal(cancelled(session.replication()).length, 3);
  await retire('shop', session.replication().made, session);
  assert.equal(session.store.get('shop'), undefined);
  assert.deepEqual(await madeAtSource(session), { publications: [], slots: [] });
  assert.deepEqual(await session.to.query(`SELECT nspname FROM pg_namespace WHERE nspname = '_replicator'`), []);
});

test('secrets are in the secrets file and the environment of the engine, and nowhere else', async (t) => {
  const session = await prepared(t, source, target);
  await launch('shop', session);
  const root = String(session.env.INSTAR_HOME);
  const forms = [PASSWORD, encodeURIComponent(PASSWORD), String(session.secrets.get('shop', 'control'))];
  const holding = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(root, file)).isFile())
    .filter((file) => forms.some((form) => readFileSync(join(root, file), 'latin1').includes(form)));
  assert.deepEqual(holding, [join('secrets', 'shop.json')]);
  const { run } = session.replication();
  assert.equal((statSync(run!.logFile).mode & 0o777).toString(8), '600');
  const outputs = ['cmdline', 'comm', 'status'].map((file) => readFileSync(`/proc/${run!.pid}/${file}`, 'latin1'));
  assert.match(readFileSync(`/proc/${run!.pid}/environ`, 'latin1'), new RegExp(encodeURIComponent(PASSWORD)));
  for (const args of [
    ['list'],
    ['list', '--json'],
    ['status', 'shop', '--json'],
    ['resume', 'shop', '--dry-run', '--json'],
  ]) {
    const { code, stdout, stderr } = await instar(session, ...args);
    assert.equal(code, 0, stderr);
    outputs.push(stdout, stderr);
  }
  outputs.push(await (await fetch(`http://${run!.metricsAddr}/_/diag`)).text());
  const stopped = await instar(session, 'stop', 'shop');
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.equal(stateOf(session.replication()), 'stopped');
  const right = session.secrets.get('shop', 'target')!;
  session.secrets.set('shop', 'target', right.replace(/:\d+\//, ':1/'));
  session.store.save({ ...session.replication(), name: 'copy', run: undefined, step: 'launch' });
  for (const side of ['source', 'target'] as const) {
    session.secrets.set('copy', side, session.secrets.get('shop', side));
  }
  await assert.rejects(launch('copy', session), (error) => {
    outputs.push(errorText(error), JSON.stringify(error), readFileSync(join(root, 'logs', 'copy.log'), 'utf8'));
    return true;
  });
  const refused = await instar(session, 'resume', 'copy', '--headless');
  assert.equal(refused.code, 1);
  outputs.push(refused.stdout, refused.stderr);
  for (const output of outputs) for (const form of forms) assert.ok(!output.includes(form), output);
});

test('an engine is paused and continued by who has the secrets, and by nobody else', async (t) => {
  const session = await prepared(t, source, target);
  const { run } = await launch('shop', session);
  await pauseEngine(session.replication(), session);
  const health = async () => await (await fetch(`http://${run!.metricsAddr}/_/healthz`)).text();
  assert.match(await health(), /^paused/);
  await session.from.query(`INSERT INTO item VALUES (1, 'waits')`);
  await continueEngine(session.replication(), session);
  await settled(session);
  session.secrets.set('shop', 'control', 'wrong');
  await assert.rejects(pauseEngine(session.replication(), session), {
    code: 'ENGINE_CONTROL',
    message: /status 403/,
  });
  await kill(session);
  await assert.rejects(pauseEngine(session.replication(), session), { code: 'ENGINE_CONTROL' });
});

test('two that resume at the same time end up with one engine', async (t) => {
  const session = await prepared(t, source, target);
  await launch('shop', session);
  await kill(session);
  const both = await Promise.all([1, 2].map(() => instar(session, 'resume', 'shop', '--headless', '--json')));
  assert.deepEqual(
    both.map(({ code, stderr }) => [code, stderr]),
    [
      [0, ''],
      [0, ''],
    ],
  );
  const pids = both.map(({ stdout }) => (JSON.parse(stdout) as { pid: number }).pid);
  assert.equal(pids[0], pids[1]);
  assert.equal(pids[0], session.replication().run?.pid);
  await session.from.query(`INSERT INTO item VALUES (1, 'x')`);
  await settled(session);
  await kill(session);
  const stopped = session.replication();
  const runs = await Promise.all([startEngine(stopped, session), startEngine(stopped, session)]);
  assert.deepEqual(runs[0], runs[1]);
});

test('a second call to stop ends the engine at once, and counts as stopped', async (t) => {
  const session = await prepared(t, source, target);
  await launch('shop', session);
  const { code, stdout } = await instar(session, 'stop', 'shop', '--force', '--json');
  assert.equal(code, 0);
  assert.equal((JSON.parse(stdout) as { ending: { how: string } }).ending.how, 'stopped');
  assert.equal(stateOf(session.replication()), 'stopped');
  const again = await instar(session, 'stop', 'shop');
  assert.equal(again.code, 0);
  assert.match(again.stdout, /did not run: it was stopped/);
  const status = await instar(session, 'status', 'shop');
  assert.equal(status.code, 1);
  assert.match(status.stdout, /does not run \(stopped\)[\s\S]*instar resume shop/);
  const unknown = await instar(session, 'stop', 'none');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /SESSION_MISSING[\s\S]*one of: shop/);
});
