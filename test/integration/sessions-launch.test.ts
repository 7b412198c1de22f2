import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OperatorError } from '../../src/errors.ts';
import { freePort } from '../../src/metrics/free-port.ts';
import { startEngine, stopEngine } from '../../src/sessions/engine-child.ts';
import { cancelled, type LaunchStep, launch, retire } from '../../src/sessions/launch.ts';
import { stateOf } from '../../src/sessions/state.ts';
import { eventually } from '../harness/engine.ts';
import { createSlot, madeAtSource, prepared, type Session, slotOf } from '../harness/session-rig.ts';
import { sharedServer } from '../servers/postgres.ts';

const source = sharedServer();
const target = sharedServer();
const NOTHING = { publications: [], slots: [] };

test('a launch that fails takes back what it made, and nothing else', async (t) => {
  const session = await prepared(t, source, target);
  // Its name is taken between the checks and the launch.
  await createSlot(session);
  const steps: LaunchStep[] = [];
  await assert.rejects(
    launch('shop', { ...session, report: (step) => steps.push(step) }),
    (error: OperatorError) => error.code === 'PG_SLOT_EXISTS',
  );
  assert.deepEqual(
    steps.map(({ id, state }) => `${id} ${state}`),
    ['publication running', 'publication passed', 'slot running', 'slot failed'],
  );
  const slots = [slotOf(session)];
  assert.deepEqual(await madeAtSource(session), { publications: [], slots });
  assert.deepEqual(cancelled(session.replication()), []);
  assert.equal(stateOf(session.replication()), 'unfinished');
  // The slot that is there is taken by choice, and stays when the start fails for another reason.
  session.store.update('shop', (before) => ({
    ...before,
    answers: { ...before.answers, slot: { name: slotOf(session), create: false } },
  }));
  await session.to.query('DROP TABLE item');
  await assert.rejects(
    launch('shop', session),
    (error: OperatorError) =>
      error.code === 'ENGINE_START' &&
      /TARGET_SCHEMA_DRIFT/.test(error.message) &&
      /CREATE TABLE/.test(String(error.fix)),
  );
  assert.deepEqual(await madeAtSource(session), { publications: [], slots });
  assert.deepEqual(await session.to.query(`SELECT nspname FROM pg_namespace WHERE nspname = '_replicator'`), []);
  await session.to.query('CREATE TABLE item (id int PRIMARY KEY, v text)');
  assert.equal(stateOf(await launch('shop', session)), 'running');
});

test('a target that is down: told, and everything taken back', async (t) => {
  const session = await prepared(t, source, target);
  session.secrets.set('shop', 'target', session.secrets.get('shop', 'target')!.replace(/:\d+\//, ':1/'));
  await assert.rejects(launch('shop', session), { code: 'ENGINE_START', message: /PG_CONNECTION_REFUSED/ });
  assert.deepEqual(await madeAtSource(session), NOTHING);
  assert.deepEqual(cancelled(session.replication()), []);
});

test('what cannot be taken back is told, with the SQL that removes it, and kept in mind', async (t) => {
  const session = await prepared(t, source, target);
  const { name } = session.from;
  const allow = (allowed: boolean) => source.server.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS ${allowed}`);
  let closed: Promise<unknown> | undefined;
  const report = ({ id, state }: LaunchStep) => {
    if (id === 'slot' && state === 'passed') closed = allow(false);
  };
  await assert.rejects(launch('shop', { ...session, report }), (error: OperatorError) => {
    assert.match(
      error.message,
      /Left on the servers: slot \(\w+,\S+\) on the source; publication molt_fetch on the source/,
    );
    assert.match(String(error.fix), /pg_drop_replication_slot\('\w+'\)[\s\S]*DROP PUBLICATION/);
    return true;
  });
  await closed;
  await allow(true);
  assert.equal(cancelled(session.replication()).length, 2);
  await retire('shop', session.replication().made, session);
  assert.deepEqual(await madeAtSource(session), NOTHING);
});

test('a launch that was interrupted after it had made something goes on with that', async (t) => {
  const session = await prepared(t, source, target);
  class Killed extends Error {}
  const report = ({ id, state }: LaunchStep) => {
    if (id === 'engine' && state === 'running') throw new Killed();
  };
  const made = session.replication().made;
  await assert.rejects(launch('shop', { ...session, report }), Killed);
  assert.deepEqual(session.replication().made, made);
  // As after SIGKILL: made and written down, and nothing taken back.
  await session.from.query('CREATE PUBLICATION molt_fetch FOR ALL TABLES');
  await createSlot(session);
  const at = new Date().toISOString();
  session.store.update('shop', (before) => ({
    ...before,
    made: [
      { what: 'publication', side: 'source', name: 'molt_fetch', at },
      { what: 'slot', side: 'source', name: slotOf(session), at },
    ],
  }));
  assert.equal(stateOf(await launch('shop', session)), 'running');
});

test('what an interrupted launch has left for other tables is made anew: what is chosen now is replicated', async (t) => {
  const session = await prepared(t, source, target, { tables: ['public.item', 'public.second'] });
  for (const database of [session.from, session.to]) await database.query('CREATE TABLE second (id int PRIMARY KEY)');
  await session.from.query('CREATE PUBLICATION molt_fetch FOR TABLE item');
  await createSlot(session);
  const at = new Date().toISOString();
  session.store.update('shop', (before) => ({
    ...before,
    made: [
      { what: 'publication', side: 'source', name: 'molt_fetch', at },
      { what: 'slot', side: 'source', name: slotOf(session), at },
    ],
  }));
  const launched = await launch('shop', session);
  assert.deepEqual(launched.facts?.tables, ['public.item', 'public.second']);
  await session.from.query('INSERT INTO second VALUES (1)');
  await eventually(
    async () => (await session.to.query('SELECT FROM second')).length === 1,
    () => 'the table is not replicated',
  );
});

test('another replicator that answers on the chosen address is not taken for the engine', async (t) => {
  const [first, second] = [await prepared(t, source, target), await prepared(t, source, target)];
  const { run } = await launch('shop', first);
  second.store.update('shop', (before) => ({
    ...before,
    answers: { ...before.answers, options: { ...before.answers.options, metricsAddr: run!.metricsAddr } },
  }));
  await assert.rejects(
    launch('shop', second),
    (error: OperatorError) => error.code === 'ENGINE_START' && /METRICS_ADDRESS_IN_USE/.test(error.message),
  );
  assert.deepEqual(await madeAtSource(second), NOTHING);
  assert.equal(stateOf(first.replication()), 'running');
});

test('an engine whose success cannot be written down is ended before anything is taken from under it', async (t) => {
  const session = await prepared(t, source, target);
  const { store } = session;
  const update = store.update.bind(store);
  let failing = false;
  store.update = (name, change) => {
    const changed = change(store.get(name)!);
    failing ||= changed.replicated === true;
    if (failing && changed.made.some(({ what }) => what === 'staging schema')) throw new Error('ENOSPC');
    return update(name, change);
  };
  await assert.rejects(launch('shop', session), /ENOSPC/);
  assert.notEqual(stateOf(session.replication()), 'running');
});

test('an address that was chosen and is taken is told; of a free port another is tried', async (t) => {
  const taken = target.server.port;
  const session = await prepared(t, source, target);
  const choose = (metricsAddr?: string) =>
    session.store.update('shop', (before) => ({
      ...before,
      answers: { ...before.answers, options: { stagingSchema: '_replicator', ...(metricsAddr && { metricsAddr }) } },
    }));
  choose(`127.0.0.1:${taken}`);
  await assert.rejects(launch('shop', session), { code: 'ENGINE_START', message: /METRICS_ADDRESS_IN_USE/ });
  assert.deepEqual(await madeAtSource(session), NOTHING);
  choose();
  await session.from.query('CREATE PUBLICATION molt_fetch FOR ALL TABLES');
  await createSlot(session);
  const ports = [taken, await freePort()];
  const run = await startEngine(session.replication(), session, async () => ports.shift()!);
  assert.deepEqual(ports, []);
  assert.equal((await fetch(`http://${run.metricsAddr}/_/healthz`)).status, 200);
});

test('a log that cannot be written: told before anything starts, and everything taken back', async (t) => {
  const session = await prepared(t, source, target);
  const log = join(String(session.env.INSTAR_HOME), 'logs', 'shop.log');
  mkdirSync(log, { recursive: true });
  await assert.rejects(launch('shop', session), { code: 'LOG_NOT_WRITABLE', message: /EISDIR/ });
  rmSync(log, { recursive: true });
  symlinkSync('/dev/full', log);
  await assert.rejects(launch('shop', session), { code: 'LOG_NOT_WRITABLE', message: /ELOOP/ });
  rmSync(log);
  assert.match(launchOnFullDisk(session, log), /^LOG_NOT_WRITABLE .*EFBIG/);
  assert.deepEqual(await madeAtSource(session), NOTHING);
  assert.equal(session.replication().run, undefined);
});

/** Launches in a process whose files may not grow beyond what the log has already; returns what it is told. */
function launchOnFullDisk(session: Session, log: string): string {
  const limit = 64;
  writeFileSync(log, 'x'.repeat(limit * 1024));
  const at = (file: string) => JSON.stringify(new URL(`../../src/sessions/${file}`, import.meta.url).href);
  const script = `
    import { launch } from ${at('launch.ts')};
    import { SecretsFile } from ${at('secrets.ts')};
    import { ReplicationStore } from ${at('store.ts')};
    process.on('SIGXFSZ', () => {});
    const { env } = process;
    await launch('shop', { store: ReplicationStore.open(env), secrets: SecretsFile.open(env), env }).catch((error) =>
      console.log(error.code, error.message));`;
  return execFileSync(
    'bash',
    ['-c', `ulimit -f ${limit}; exec "$@"`, 'bash', process.execPath, '--input-type=module', '-e', script],
    { env: session.env, encoding: 'utf8', timeout: 30_000 },
  );
}

test('nothing is dropped on another server than the one it was made on', async (t) => {
  const [session, other] = [await prepared(t, source, target), await prepared(t, source, target)];
  await launch('shop', session);
  await stopEngine(session.replication(), session);
  const { made } = session.replication();
  session.secrets.set('shop', 'source', other.secrets.get('shop', 'source'));
  await assert.rejects(
    retire('shop', made, session),
    (error: OperatorError) => error.code === 'SESSION_ELSEWHERE' && !error.message.includes('pa55'),
  );
  assert.deepEqual(session.replication().made, made);
});
