import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { OperatorError } from '../../src/errors.ts';
import { savedConnection } from '../../src/sessions/connections.ts';
import { type Saved, startEngine, stopEngine } from '../../src/sessions/engine-child.ts';
import { cancelled, type LaunchStep, launch, retire } from '../../src/sessions/launch.ts';
import type { Answers, Replication } from '../../src/sessions/replication.ts';
import { resume } from '../../src/sessions/resume.ts';
import { SecretsFile } from '../../src/sessions/secrets.ts';
import { settleEnding, stateOf } from '../../src/sessions/state.ts';
import { ReplicationStore } from '../../src/sessions/store.ts';
import { assertEqualDatabases } from '../harness/compare.ts';
import { eventually } from '../harness/engine.ts';
import { connect } from '../harness/replica.ts';
import { sharedServer, type TestDatabase } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const source = sharedServer();
const target = sharedServer();
const PASSWORD = 'pa55-Marker/word';

interface Session extends Saved {
  readonly from: TestDatabase;
  readonly to: TestDatabase;
  readonly replication: () => Replication;
}

/** Two databases with a table, and a replication between them that is set up and not yet launched. */
async function prepared(t: TestContext, answers: Partial<Answers> = {}): Promise<Session> {
  const env = { ...process.env, INSTAR_HOME: join(scratchDirectory('sessions'), 'state') };
  const store = ReplicationStore.open(env);
  // Before the databases are dropped, which have slots that it reads.
  t.after(() => endEngines(store));
  const [from, to] = await Promise.all([source.freshDatabase(t), target.freshDatabase(t)]);
  for (const database of [from, to]) await database.query('CREATE TABLE item (id int PRIMARY KEY, v text)');
  const secrets = SecretsFile.open(env);
  const saved = { store, secrets, env };
  const connections = { source: withPassword(from.url), target: withPassword(to.url) };
  const name = from.url.split('/').at(-1)!;
  store.save({
    name: 'shop',
    created: new Date().toISOString(),
    step: 'launch',
    made: [],
    answers: {
      kind: 'pglogical',
      source: savedConnection(connections.source, 'source', env),
      target: savedConnection(connections.target, 'target', env),
      tables: 'all',
      publication: { name: 'molt_fetch', create: true },
      slot: { name: `${name}_slot`, create: true },
      targetSchema: 'public',
      options: { stagingSchema: '_replicator' },
      ...answers,
    },
  });
  secrets.set('shop', 'source', connections.source);
  secrets.set('shop', 'target', connections.target);
  return { ...saved, from, to, replication: () => store.get('shop')! };
}

async function endEngines(store: ReplicationStore): Promise<void> {
  for (const each of store.list()) {
    if (stateOf(each) !== 'running' || each.run === undefined) continue;
    process.kill(each.run.pid, 'SIGKILL');
    await eventually(
      async () => stateOf(each) !== 'running',
      () => 'it still runs',
    );
  }
}

/** Servers of the tests trust everybody, so any password will do. */
function withPassword(url: string): string {
  const parsed = new URL(url);
  parsed.password = encodeURIComponent(PASSWORD);
  return parsed.href;
}

async function assertEqual({ from, to }: Session): Promise<void> {
  const [left, right] = await Promise.all([connect(from.url), connect(to.url)]);
  try {
    await assertEqualDatabases(left, right);
  } finally {
    await Promise.all([left.end(), right.end()]);
  }
}

async function settled({ from, to }: Session): Promise<void> {
  const count = async (database: TestDatabase) =>
    (await database.query<{ n: string }>('SELECT count(*) || $$/$$ || coalesce(max(id), 0) AS n FROM item'))[0].n;
  const goal = await count(from);
  await eventually(
    async () => (await count(to)) === goal,
    () => 'the target does not follow',
  );
}

function instar(session: Session, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { env: session.env, timeout: 30_000 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });
}

async function kill(session: Session): Promise<void> {
  const { run } = session.replication();
  process.kill(run!.pid, 'SIGKILL');
  await eventually(
    async () => stateOf(session.replication()) !== 'running',
    () => 'it still runs',
  );
}

test('launched, killed with -9, resumed with both sides equal, stopped, retired: nothing is left', async (t) => {
  const session = await prepared(t);
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
    ['publication', 'slot'],
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

  const ending = await stopEngine(session.replication(), session);
  assert.equal(ending?.how, 'stopped');
  assert.equal(stateOf(session.replication()), 'stopped');
  assert.deepEqual(cancelled(session.replication()).length, 2);
  const staging = { what: 'staging schema', side: 'target', name: '_replicator', at: '' } as const;
  await retire('shop', [...session.replication().made, staging], session);
  assert.equal(session.store.get('shop'), undefined);
  assert.deepEqual(await session.from.query('SELECT pubname FROM pg_publication'), []);
  assert.deepEqual(
    await session.from.query(`SELECT slot_name FROM pg_replication_slots WHERE database = current_database()`),
    [],
  );
  assert.deepEqual(await session.to.query(`SELECT nspname FROM pg_namespace WHERE nspname = '_replicator'`), []);
});

test('secrets are in the secrets file and the environment of the engine, and nowhere else', async (t) => {
  const session = await prepared(t);
  await launch('shop', session);
  const root = String(session.env.INSTAR_HOME);
  const forms = [PASSWORD, encodeURIComponent(PASSWORD), String(session.secrets.get('shop', 'control'))];
  const holding = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(root, file)).isFile())
    .filter((file) => forms.some((form) => readFileSync(join(root, file), 'latin1').includes(form)));
  assert.deepEqual(holding, [join('secrets', 'shop.json')]);
  const { run } = session.replication();
  for (const { mode } of [statSync(run!.logFile)]) assert.equal((mode & 0o777).toString(8), '600');
  const outputs = [readFileSync(`/proc/${run!.pid}/cmdline`, 'latin1')];
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
  for (const output of outputs) for (const form of forms) assert.ok(!output.includes(form), output);
  const stopped = await instar(session, 'stop', 'shop');
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.equal(stateOf(session.replication()), 'stopped');
});

test('a launch that fails takes back what it made, and says so when it cannot', async (t) => {
  const session = await prepared(t);
  const { slot } = session.replication().answers;
  await session.from.query(`SELECT pg_create_logical_replication_slot('${slot!.name}', 'pgoutput')`);
  const steps: LaunchStep[] = [];
  await assert.rejects(
    launch('shop', { ...session, report: (step) => steps.push(step) }),
    (error: OperatorError) => error.code === 'PG_SLOT_EXISTS',
  );
  assert.deepEqual(
    steps.map(({ id, state }) => `${id} ${state}`),
    ['publication running', 'publication passed', 'slot running', 'slot failed'],
  );
  assert.deepEqual(await session.from.query('SELECT pubname FROM pg_publication'), []);
  assert.deepEqual(cancelled(session.replication()), []);
  assert.equal(stateOf(session.replication()), 'unfinished');
  // The slot that is there is taken by choice, and stays when the start fails for another reason.
  session.store.update('shop', (before) => ({
    ...before,
    answers: { ...before.answers, slot: { name: slot!.name, create: false } },
  }));
  await session.to.query('DROP TABLE item');
  await assert.rejects(
    launch('shop', session),
    (error: OperatorError) =>
      error.code === 'ENGINE_START' &&
      /TARGET_SCHEMA_DRIFT/.test(error.message) &&
      /CREATE TABLE/.test(String(error.fix)),
  );
  assert.deepEqual(await session.from.query('SELECT pubname FROM pg_publication'), []);
  assert.equal(
    (await session.from.query(`SELECT slot_name FROM pg_replication_slots WHERE database = current_database()`)).length,
    1,
  );
  await session.to.query('CREATE TABLE item (id int PRIMARY KEY, v text)');
  assert.equal(stateOf(await launch('shop', session)), 'running');
});

test('an address that is taken is told; without one given another port is found', async (t) => {
  const session = await prepared(t, {
    options: { stagingSchema: '_replicator', metricsAddr: `127.0.0.1:${target.server.port}` },
  });
  await assert.rejects(
    launch('shop', session),
    (error: OperatorError) => error.code === 'ENGINE_START' && /METRICS_ADDRESS_IN_USE/.test(error.message),
  );
  assert.deepEqual(cancelled(session.replication()), []);
});

const UNSAFE: readonly {
  name: string;
  harm(session: Session): Promise<void>;
  code: string;
}[] = [
  {
    name: 'the slot is gone',
    harm: (session) => dropSlot(session).then(() => {}),
    code: 'PG_SLOT_MISSING',
  },
  {
    name: 'the slot was made anew',
    harm: async (session) => {
      await dropSlot(session);
      await session.from.query(`INSERT INTO item VALUES (5000, 'lost')`);
      await session.from.query(`SELECT pg_create_logical_replication_slot('${slotOf(session)}', 'pgoutput')`);
    },
    code: 'PG_SLOT_AHEAD',
  },
  {
    name: 'the publication is gone',
    harm: (session) => session.from.query('DROP PUBLICATION molt_fetch').then(() => {}),
    code: 'PG_PUBLICATION_MISSING',
  },
  {
    name: 'a target table has changed',
    harm: (session) => session.to.query('ALTER TABLE item DROP COLUMN v').then(() => {}),
    code: 'TARGET_SCHEMA_DRIFT',
  },
  {
    name: 'the checkpoint belongs to another server',
    harm: (session) =>
      session.to
        .query(
          `UPDATE _replicator.memo SET value = convert_to(regexp_replace(convert_from(value, 'UTF8'), '"systemId":"\\d+"', '"systemId":"1"'), 'UTF8') WHERE key LIKE 'instar-identity%'`,
        )
        .then(() => {}),
    code: 'PG_SOURCE_CHANGED',
  },
];

function slotOf(session: Session): string {
  return session.replication().answers.slot!.name;
}

function dropSlot(session: Session): Promise<unknown> {
  return session.from.query(`SELECT pg_drop_replication_slot('${slotOf(session)}')`);
}

for (const { name, harm, code } of UNSAFE) {
  test(`not resumed because ${name}: ${code}, nothing started, ways out offered`, async (t) => {
    const session = await prepared(t);
    await launch('shop', session);
    await session.from.query(`INSERT INTO item SELECT i, 'x' FROM generate_series(1, 10) i`);
    await settled(session);
    await stopEngine(session.replication(), session);
    await harm(session);
    const { verdict, replication } = await resume('shop', session);
    assert.equal(replication, undefined);
    assert.equal(verdict?.safe, false);
    const refusals = verdict?.findings.filter(({ state, severity }) => state === 'failed' && severity === 'blocking');
    assert.deepEqual([...new Set(refusals?.map((each) => each.code))], [code], JSON.stringify(refusals, undefined, 1));
    assert.match(String(verdict?.lines[1]), /^not safe: /);
    assert.ok((verdict?.waysOut.length ?? 0) > 0);
    assert.notEqual(stateOf(session.replication()), 'running');
    const { code: status, stdout } = await instar(session, 'resume', 'shop', '--dry-run', '--json');
    assert.equal(status, 1);
    assert.equal((JSON.parse(stdout) as { safe: boolean }).safe, false);
  });
}

test('not resumed while another process replicates; told who', async (t) => {
  const session = await prepared(t);
  await launch('shop', session);
  await stopEngine(session.replication(), session);
  // A copy of what is saved, on another machine so to speak.
  session.store.save({ ...session.replication(), name: 'copy' });
  for (const side of ['source', 'target'] as const)
    session.secrets.set('copy', side, session.secrets.get('shop', side));
  const run = await startEngine(session.store.get('copy')!, session);
  try {
    const { verdict } = await resume('shop', session);
    assert.equal(verdict?.safe, false);
    const codes = verdict?.findings.flatMap(({ code }) => code ?? []).sort();
    assert.deepEqual(codes, ['LEASE_HELD', 'PG_SLOT_ACTIVE']);
  } finally {
    process.kill(run.pid, 'SIGKILL');
  }
});

test('a server that cannot be reached, and tables published since: told, and resumed when it is back', async (t) => {
  const session = await prepared(t);
  await launch('shop', session);
  await stopEngine(session.replication(), session);
  for (const database of [session.from, session.to]) await database.query('CREATE TABLE extra (id int PRIMARY KEY)');
  const right = session.secrets.get('shop', 'target')!;
  session.secrets.set('shop', 'target', right.replace(/:\d+\//, ':1/'));
  const { verdict } = await resume('shop', session);
  assert.equal(verdict?.safe, false);
  assert.ok(verdict?.findings.some(({ code }) => code === 'PG_CONNECTION_REFUSED'));
  session.secrets.set('shop', 'target', right);
  const again = await resume('shop', session);
  assert.equal(again.verdict?.safe, true);
  const told = again.verdict?.findings.find(({ id }) => id === 'resume.added');
  assert.match(String(told?.found), /published since then: public\.extra/);
  assert.equal(stateOf(session.replication()), 'running');
  assert.deepEqual(session.replication().facts?.tables, ['public.extra', 'public.item']);
});
