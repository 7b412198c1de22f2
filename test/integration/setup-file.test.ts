import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stateOf } from '../../src/sessions/state.ts';
import { ReplicationStore } from '../../src/sessions/store.ts';
import { eventually } from '../harness/engine.ts';
import { sharedServer, type TestDatabase } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const PASSWORD = 'pa55-Marker/word';
const source = sharedServer();
const target = sharedServer();

interface Place {
  readonly from: TestDatabase;
  readonly to: TestDatabase;
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
  readonly store: ReplicationStore;
  instar(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

/** Two servers, and a file of answers about a replication between them. `more` are further lines of it. */
async function prepared(t: TestContext, more = ''): Promise<Place> {
  const folder = scratchDirectory('setup-file');
  const home = join(folder, 'state');
  const env: NodeJS.ProcessEnv = { ...process.env, INSTAR_HOME: home };
  const store = ReplicationStore.open(env);
  // Before the databases are dropped, which have slots that it reads.
  t.after(() => endEngines(store));
  const [from, to] = await Promise.all([source.freshDatabase(t), target.freshDatabase(t)]);
  for (const database of [from, to]) await database.query('CREATE TABLE item (id int PRIMARY KEY, v text)');
  const withPassword = new URL(from.url);
  withPassword.password = encodeURIComponent(PASSWORD);
  env.SHOP_SOURCE = withPassword.href;
  const file = join(folder, 'answers.yaml');
  const answers = `name: shop
source: $SHOP_SOURCE
target: ${to.url}
targetSchema: public
slot: ${from.name}_slot
options:
  stagingSchema: _replicator
  flushSize: 500
${more}`;
  writeFileSync(file, answers, { mode: 0o600 });
  const instar: Place['instar'] = (...args) =>
    new Promise((resolve) => {
      execFile(process.execPath, [CLI, ...args], { env, timeout: 60_000 }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      );
    });
  return { from, to, file, env, store, instar };
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

/** Waits until the target has the rows of the source. */
async function arrived({ from, to }: Place): Promise<void> {
  const rows = async (database: TestDatabase) => JSON.stringify(await database.query('SELECT * FROM item ORDER BY id'));
  const goal = await rows(from);
  await eventually(
    async () => (await rows(to)) === goal,
    () => 'the target does not follow',
  );
}

async function created({ from }: Place): Promise<string[]> {
  const rows = await from.query<{ name: string }>(
    `SELECT pubname AS name FROM pg_publication UNION ALL
     SELECT slot_name FROM pg_replication_slots WHERE database = current_database() ORDER BY name`,
  );
  return rows.map(({ name }) => name);
}

test('from nothing to replicating with one command, then stopped and resumed', async (t) => {
  const place = await prepared(t);
  const launched = await place.instar('setup', '--file', place.file, '--yes');
  assert.equal(launched.code, 0, launched.stderr);
  assert.match(launched.stderr, /ok +publication molt_fetch: created for all tables/);
  assert.match(launched.stderr, new RegExp(`ok +replication slot ${place.from.name}_slot: \\(.+_slot,0/[0-9A-F]+\\)`));
  assert.match(launched.stderr, /ok +the engine: .*process \d+/);
  assert.match(launched.stdout, /shop replicates\.\n {2}Endpoints: http:\/\/127\.0\.0\.1:\d+\/_\/varz/);
  assert.match(launched.stdout, /Stop: +instar stop shop/);
  await place.from.query(`INSERT INTO item SELECT n, 'v' || n FROM generate_series(1, 1000) n`);
  await arrived(place);

  const stopped = await place.instar('stop', 'shop');
  assert.equal(stopped.code, 0, stopped.stderr);
  await place.from.query(`UPDATE item SET v = 'changed' WHERE id % 2 = 0`);
  const resumed = await place.instar('resume', 'shop', '--headless');
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.match(resumed.stdout, /safe/);
  await arrived(place);

  const again = await place.instar('setup', '--file', place.file, '--yes');
  assert.equal(again.code, 1);
  assert.match(again.stderr, /there is a replication shop already; nothing was changed \(SESSION_EXISTS\)/);
  assert.match(again.stderr, /instar resume shop/);
});

test('the password is nowhere but in the environment', async (t) => {
  const place = await prepared(t);
  const launched = await place.instar('setup', '--file', place.file, '--yes');
  assert.equal(launched.code, 0, launched.stderr);
  const home = String(place.env.INSTAR_HOME);
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const texts = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  for (const text of [...texts, launched.stdout, launched.stderr]) {
    for (const form of [PASSWORD, encodeURIComponent(PASSWORD)]) assert.ok(!text.includes(form), text);
  }
});

test('without --yes the plan is shown and nothing is created, on the servers or here', async (t) => {
  const place = await prepared(t);
  const shown = await place.instar('setup', '--file', place.file);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /Ready: /);
  assert.match(shown.stdout, /\+ publication molt_fetch: for all tables/);
  assert.match(shown.stdout, new RegExp(`SELECT pg_drop_replication_slot\\('${place.from.name}_slot'\\);`));
  assert.match(shown.stdout, /replicator pglogical --sourceConn "\$SHOP_SOURCE" \\\n {2}--targetConn "\$TARGET"/);
  assert.match(shown.stderr, /Nothing was created\. To launch: instar setup --file .*answers\.yaml --yes/);
  assert.deepEqual(await created(place), []);
  assert.deepEqual(place.store.list(), []);

  const json = await place.instar('setup', '--file', place.file, '--json');
  const document = JSON.parse(json.stdout);
  assert.equal(document.ready, true);
  assert.equal(document.launched, false);
  assert.deepEqual(
    document.plan.things.map(({ what }: { what: string }) => what),
    ['publication', 'slot', 'staging schema'],
  );
});

test('what stands in the way is told as preflight does, and nothing is created', async (t) => {
  const place = await prepared(t, 'tables: [public.item, public.missing]\n');
  for (const flags of [[], ['--yes']]) {
    const refused = await place.instar('setup', '--file', place.file, ...flags);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /FAILED .*\n?.*public\.missing|public\.missing/);
    assert.match(refused.stdout, /Not ready: /);
    assert.match(refused.stderr, /Nothing was created/);
  }
  assert.deepEqual(await created(place), []);
  assert.deepEqual(place.store.list(), []);
});

test('an existing publication and slot are used when the answers say so, and are not when they do not', async (t) => {
  const place = await prepared(t);
  await place.from.query('CREATE PUBLICATION theirs FOR TABLE item');
  await place.from.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [`${place.from.name}_slot`]);
  const refused = await place.instar('setup', '--file', place.file, '--yes');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /FAILED +replication slot/);
  assert.match(refused.stderr, /already; it was left as it is \(PG_SLOT_EXISTS\)\nfix: Use the one that is there/);
  assert.deepEqual(
    await created(place),
    [`${place.from.name}_slot`, 'theirs'].sort(),
    'its publication was removed again',
  );

  const text = readFileSync(place.file, 'utf8').replace(/slot: (\w+)/, 'slot: {name: $1, create: false}');
  writeFileSync(place.file, `${text}publication: {name: theirs, create: false}\n`);
  await place.from.query(`INSERT INTO item VALUES (1, 'since the slot')`);
  const launched = await place.instar('setup', '--file', place.file, '--yes', '--json');
  assert.equal(launched.code, 0, launched.stderr);
  const document = JSON.parse(launched.stdout);
  assert.equal(document.launched, true);
  assert.deepEqual(
    document.made.map(({ what }: { what: string }) => what),
    ['staging schema'],
  );
  await arrived(place);
});

test('a launch that fails leaves nothing on the source and nothing saved', async (t) => {
  const place = await prepared(t, '  metricsAddr: 192.0.2.1:30005\n');
  const failed = await place.instar('setup', '--file', place.file, '--yes');
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /FAILED +the engine/);
  assert.match(failed.stderr, /ENGINE_START/);
  assert.deepEqual(await created(place), []);
  assert.deepEqual(place.store.list(), []);
});

test('a file with a mistake is refused with status 2', async (t) => {
  const place = await prepared(t, 'slots: a\n');
  const refused = await place.instar('setup', '--file', place.file);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /answers\.yaml line \d+: slots is not an answer; did you mean slot\?/);
  const missing = await place.instar('setup', '--file', '/nowhere.yaml');
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /--file: cannot read \/nowhere\.yaml/);
});
