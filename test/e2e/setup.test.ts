import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { stateOf } from '../../src/sessions/state.ts';
import { assertEqualDatabases } from '../harness/compare.ts';
import { eventually } from '../harness/engine.ts';
import { keepPicture } from '../harness/pictures.ts';
import { connect } from '../harness/replica.ts';
import { IMPORT, scriptFiles } from '../harness/userscript-rig.ts';
import { sharedServer, startPostgres, type TestDatabase } from '../servers/postgres.ts';
import { Operator } from './operator.ts';

const sourceServer = sharedServer();
const targetServer = sharedServer();

const TABLES =
  'CREATE TABLE item (id int PRIMARY KEY, v text); CREATE TABLE line (id int PRIMARY KEY, item int, note text)';

async function begin(t: TestContext, { targetTables = TABLES } = {}) {
  const operator = new Operator(t);
  const [source, target] = await Promise.all([sourceServer.freshDatabase(t), targetServer.freshDatabase(t)]);
  await source.query(TABLES);
  await target.query(targetTables);
  return { operator, source, target };
}

async function assertEqual(source: TestDatabase, target: TestDatabase): Promise<void> {
  const count = async ({ query }: TestDatabase) =>
    (await query<{ n: string }>('SELECT (SELECT count(*) FROM item) || $$/$$ || (SELECT count(*) FROM line) AS n'))[0]
      .n;
  const goal = await count(source);
  await eventually(
    async () => (await count(target)) === goal,
    () => 'the target does not follow',
  );
  const [left, right] = await Promise.all([connect(source.url), connect(target.url)]);
  try {
    await assertEqualDatabases(left, right);
  } finally {
    await Promise.all([left.end(), right.end()]);
  }
}

/** A script that leaves everything as it is. */
const PASS = `${IMPORT}
  api.configureTargetTables(["line"], { onRowUpsert: (row) => row, onRowDelete: (row) => row });
`;

const rows = (from: number, to: number) =>
  `INSERT INTO item SELECT i, 'v' || i FROM generate_series(${from}, ${to}) i; INSERT INTO line SELECT i, i, 'n' FROM generate_series(${from}, ${to}) i`;

test('first-time setup by keys alone, to equal rows; the engine is killed with -9 and resumed by one key', async (t) => {
  const { operator, source, target } = await begin(t, {
    targetTables: 'CREATE TABLE item (id int PRIMARY KEY, v text)',
  });
  const terminal = operator.open();
  await operator.choosesPostgres();
  await operator.connects('source', source.url);
  await operator.sees(/Ready.*passed/);
  keepPicture(terminal, 'setup-checks');
  await operator.passesChecks();
  await operator.choosesAllTables();
  await operator.namesThings();
  await operator.connects('target', target.url);
  await operator.choosesSchema();
  // The table that the target lacks is shown with its DDL, and made by one key.
  const lacking = await operator.sees(/Not ready/);
  assert.match(lacking, /public\.line +failed +not there/);
  assert.match(lacking, /CREATE TABLE "public"\."line"/);
  await operator.press('f');
  await operator.sees(/Ready.*passed/);
  assert.equal((await target.query(`SELECT FROM pg_tables WHERE tablename = 'line'`)).length, 1);
  await operator.goesOn(/Ready/);
  await operator.acceptsOptions();
  const review = await operator.sees('WHAT WILL BE CREATED');
  assert.match(review, /publication molt_fetch/);
  keepPicture(terminal, 'setup-review');
  assert.deepEqual(await source.query('SELECT FROM pg_publication'), [], 'nothing is created before the launch');
  await operator.launches();
  await source.query(rows(1, 500));
  await assertEqual(source, target);
  await operator.sees(/line +500/);
  const { run, made } = operator.replication;
  assert.deepEqual(
    made.map(({ what }) => what).filter((what) => what !== 'table'),
    ['publication', 'slot', 'staging schema'],
  );

  process.kill(run!.pid, 'SIGKILL');
  await operator.sees('not running');
  await source.query(rows(501, 1000));
  await operator.press('r');
  await operator.sees(/● (following|caught up)/);
  assert.notEqual(operator.replication.run?.pid, run?.pid);
  await assertEqual(source, target);

  // Leaving asks; the engine goes on by itself.
  await operator.press('q');
  await operator.sees('Leave the dashboard?');
  await operator.press('return');
  await operator.sees(/Saved replications[\s\S]*running/);
  keepPicture(terminal, 'home');
  await operator.press('q');
  assert.deepEqual(await terminal.exit, { code: 0, signal: 0 });
  await source.query(rows(1001, 1100));
  await assertEqual(source, target);
});

test('a wizard killed while the engine runs: the engine goes on, and the next wizard attaches without a question', async (t) => {
  const { operator, source, target } = await begin(t);
  const first = operator.open();
  await operator.choosesPostgres();
  await operator.connects('source', source.url);
  await operator.passesChecks();
  await operator.choosesAllTables();
  await operator.namesThings();
  await operator.connects('target', target.url);
  await operator.choosesSchema();
  await operator.sees(/Ready.*passed/);
  await operator.goesOn(/Ready/);

  const script = scriptFiles(t, { 'pass.ts': PASS.replace('"line"', '"lines"') });
  await operator.namesScript(script);
  await operator.sees(/✗ the userscript configures the target table lines, which/);
  writeFileSync(script, PASS);
  await operator.goesOn(/● options/);
  const review = await operator.sees('WHAT WILL BE CREATED');
  assert.match(review, /created/);
  await operator.press('down', 'down', 'down', 'down', 'down');
  await operator.sees(/THE USERSCRIPT[\s\S]*sees the rows of the table line$/m);
  await operator.press('home');
  await operator.launches();
  first.kill('SIGKILL');
  await first.exit;
  assert.equal(stateOf(operator.replication), 'running');
  const { run } = operator.replication;
  await source.query(rows(1, 50));
  await assertEqual(source, target);

  const second = operator.open();
  await operator.sees(/Saved replications[\s\S]*running/);
  await operator.press('return');
  await operator.sees(/line +50/);
  await operator.sees(/script +passes .*leaves out none/);
  assert.equal(operator.replication.run?.pid, run?.pid);

  // Smaller than anybody works with, and back: the same picture.
  second.resize(60, 15);
  await operator.sees(/^.{1,60}$/m);
  await operator.sees(/● (following|caught up)/);
  for (const line of second.screen().split('\n')) assert.ok(line.length <= 60, line);
  second.resize(80, 24);
  await operator.sees(/line +50[\s\S]*q leave/);

  // The engine is stopped from here; the home screen says so, and one key resumes.
  await operator.press('s');
  await operator.sees('Stop the engine?');
  await operator.press('right', 'return');
  await operator.sees('not running');
  assert.equal(stateOf(operator.replication), 'stopped');
  await operator.press('q');
  await operator.sees(/Saved replications[\s\S]*stopped/);
  await source.query(rows(51, 80));
  await operator.press('r');
  await operator.sees(/● (following|caught up)/);
  await assertEqual(source, target);
});

test('a terminal killed in the middle of the setup: the next one goes on at the same step with every answer', async (t) => {
  const { operator, source, target } = await begin(t);
  const first = operator.open();
  await operator.choosesPostgres();
  await operator.connects('source', source.url);
  await operator.passesChecks();
  await operator.choosesAllTables();
  await operator.namesThings();
  await operator.sees('Where are the changes written to?');
  first.kill('SIGKILL');
  await first.exit;
  assert.equal(stateOf(operator.replication), 'unfinished');

  operator.open();
  await operator.sees(/Saved replications|Where are the changes written to/);
  if (/Saved replications/.test(operator.terminal.screen())) await operator.press('return');
  await operator.sees('Where are the changes written to?');
  await operator.connects('target', target.url);
  await operator.choosesSchema();
  await operator.sees(/Ready.*passed/);
  await operator.goesOn(/Ready/);
  await operator.acceptsOptions();
  await operator.launches();
  await source.query(rows(1, 20));
  await assertEqual(source, target);
});

test('a slot that exists already is an offer', async (t) => {
  const { operator, source, target } = await begin(t);
  await source.query('CREATE PUBLICATION ours FOR ALL TABLES');
  await source.query(`SELECT pg_create_logical_replication_slot('ours_slot', 'pgoutput')`);
  await source.query(rows(1, 30));
  operator.open();
  await operator.choosesPostgres();
  await operator.connects('source', source.url);
  await operator.passesChecks();
  await operator.choosesAllTables();
  await operator.sees('What shall they be called at the source');
  const { terminal } = operator;
  await operator.press('tab', 'ctrl+u');
  terminal.type('ours');
  await operator.press('tab', 'ctrl+u');
  terminal.type('ours_slot');
  await operator.sees('It exists already');
  await operator.press('return');
  for (const name of ['ours', 'ours_slot']) {
    await operator.sees(`use ${name} as it is`);
    await operator.press('return');
  }
  await operator.connects('target', target.url);
  await operator.choosesSchema();
  await operator.sees(/Ready.*passed/);
  await operator.goesOn(/Ready/);
  await operator.acceptsOptions();
  const review = await operator.sees('WHAT WILL BE CREATED');
  assert.match(review, /= slot ours_slot/);
  await operator.launches();
  await assertEqual(source, target);
  assert.deepEqual(
    operator.replication.made.map(({ what }) => what).filter((what) => what === 'slot'),
    [],
  );
});

test('a wrong password is told with a hint, and the right one goes on', async (t) => {
  const operator = new Operator(t);
  const server = await startPostgres({ version: 18, password: 'right-password' });
  t.after(() => server.stop());
  const url = new URL(await server.createDatabase('shop'));
  url.password = 'wrong-password';
  operator.open();
  await operator.choosesPostgres();
  await operator.sees('Where are the changes read from');
  operator.terminal.paste(url.href);
  await operator.sees('The password is not accepted');
  assert.doesNotMatch(operator.terminal.raw(), /wrong-password/);
  url.password = 'right-password';
  await operator.press('ctrl+u');
  operator.terminal.paste(url.href);
  await operator.sees('Connected to PostgreSQL');
  assert.doesNotMatch(operator.terminal.raw(), /right-password/);
});

test('a source without wal_level = logical: named, with the setting and that it needs a restart', async (t) => {
  const operator = new Operator(t);
  const server = await startPostgres({ version: 18, settings: { wal_level: 'replica' } });
  t.after(() => server.stop());
  const url = await server.createDatabase('shop');
  await server.query('CREATE TABLE item (id int PRIMARY KEY)', [], 'shop');
  operator.open();
  await operator.choosesPostgres();
  await operator.connects('source', url);
  const screen = await operator.sees(/Not ready[\s\S]*wal_level/);
  assert.match(screen, /✗ wal_level +failed +replica/);
  await operator.sees(/ALTER SYSTEM SET wal_level/);
  await operator.sees(/restart/);
});

test('cancelled, it says what was created: nothing', async (t) => {
  const { operator, source } = await begin(t);
  const terminal = operator.open();
  await operator.choosesPostgres();
  await operator.connects('source', source.url);
  await operator.sees(/Ready.*passed/);
  await operator.press('ctrl+c');
  const { code } = await Promise.race([
    terminal.exit,
    operator
      .sees(/Leave|leave/)
      .then(() => operator.press('ctrl+c'))
      .then(() => terminal.exit),
  ]);
  assert.equal(code, 130);
  assert.match(terminal.screen(), /nothing/i);
  assert.ok(!terminal.isAlternate());
  assert.deepEqual(await source.query('SELECT FROM pg_publication'), []);
});
