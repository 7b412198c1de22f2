import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Answers } from '../../src/sessions/replication.ts';
import { tableFilterPath } from '../../src/sessions/table-filter.ts';
import { SERVERS } from '../../src/wizard/servers.ts';
import { SourceStep } from '../../src/wizard/steps/connection.tsx';
import { SourceChecksStep } from '../../src/wizard/steps/source-checks.tsx';
import { StartStep } from '../../src/wizard/steps/start.tsx';
import { TablesStep } from '../../src/wizard/steps/tables.tsx';
import { TargetChecksStep } from '../../src/wizard/steps/target-checks.tsx';
import { sharedMysql, startMysql } from '../servers/mysql.ts';
import { sharedServer } from '../servers/postgres.ts';
import { showStep } from '../unit/wizard/setup-frames.ts';
import { setupOn } from '../unit/wizard/setup-rig.ts';

const mysql = sharedMysql({});
const mariadb = sharedMysql({ flavour: 'mariadb' });
const targets = sharedServer();

/** Milliseconds that servers get. */
const PATIENCE = 20_000;

async function realSetup(t: TestContext, url?: string, answers: Partial<Answers> = {}) {
  const session = await setupOn(t, SERVERS);
  session.choose('mylogical');
  if (url !== undefined) session.keepConnection('source', url);
  session.change(answers);
  return session;
}

test('a wrong password is told of by the server; the right one, typed as it is, leads in', async (t) => {
  const database = await mysql.freshDatabase(t);
  const right = 'MARKER right/one@';
  await mysql.server.query(`CREATE USER 'steps'@'%' IDENTIFIED BY '${right}'`);
  await mysql.server.query(`GRANT ALL ON *.* TO 'steps'@'%'`);
  t.after(async () => {
    await mysql.server.query(`DROP USER 'steps'@'%'`);
  });
  const session = await realSetup(t);
  const { terminal, went } = await showStep(t, SourceStep, session);
  await terminal.paste(`mysql://steps:wrong@127.0.0.1:${mysql.server.port}/${database.name}`);
  await terminal.waitFor('✗ The password is not accepted', PATIENCE);
  await terminal.press('return', 'up', 'up', 'ctrl+u');
  await terminal.type(right);
  await terminal.press('tab');
  const connected = await terminal.waitFor('✓ Connected to MySQL 9', PATIENCE);
  assert.match(connected, new RegExp(`database ${database.name}, user steps@%`));
  await terminal.press('return', 'return');
  assert.deepEqual(went, ['next']);
  assert.doesNotMatch(terminal.raw(), /MARKER/);
});

test('a log without names of columns: the fix is run with f', async (t) => {
  const database = await mysql.freshDatabase(t);
  await database.query('CREATE TABLE orders (id int PRIMARY KEY)');
  await mysql.server.query('SET GLOBAL binlog_row_metadata = MINIMAL');
  t.after(async () => {
    await mysql.server.query('SET GLOBAL binlog_row_metadata = FULL');
  });
  const session = await realSetup(t, database.url);
  const { terminal, went } = await showStep(t, SourceChecksStep, session);
  const screen = await terminal.waitFor('✗ Not ready', PATIENCE);
  assert.match(screen, /❯ ✗ binlog_row_metadata +failed +MINIMAL/);
  await terminal.press('f');
  await terminal.waitFor(/✓ Ready|▲ Ready, with advice/, PATIENCE);
  const [{ value }] = await mysql.server.query<{ value: string }>('SELECT @@GLOBAL.binlog_row_metadata AS value');
  assert.equal(value, 'FULL');
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
});

test('a server without GTIDs: they are turned on step by step with F, and the checks see it', async (t) => {
  const server = await startMysql({ settings: { gtid_mode: 'OFF', enforce_gtid_consistency: 'OFF' } });
  t.after(() => server.stop());
  await server.createDatabase('shop');
  await server.query('CREATE TABLE orders (id int PRIMARY KEY)', [], 'shop');
  const session = await realSetup(t, server.uri('shop'));
  const { terminal, went } = await showStep(t, SourceChecksStep, session);
  await terminal.waitFor('✗ Not ready', PATIENCE);
  await terminal.waitFor(/✗ gtid_mode +failed +OFF/);
  for (const check of ['enforce_gtid_consistency', 'gtid_mode']) {
    for (let presses = 0; !new RegExp(`❯ ✗ ${check}`).test(terminal.screen()); presses++) {
      assert.ok(presses < 60, terminal.screen());
      await terminal.press(presses < 30 ? 'down' : 'up');
    }
    await terminal.press('f');
    await terminal.waitFor(new RegExp(`✓ ${check} +ON`), PATIENCE);
  }
  await terminal.waitFor(/✓ Ready|▲ Ready, with advice/, PATIENCE);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
});

test('tables come with rows and sizes; single ones make a script', async (t) => {
  const database = await mysql.freshDatabase(t);
  await database.query('CREATE TABLE orders (id int PRIMARY KEY, v text)');
  await database.query('CREATE TABLE `Order lines` (id int PRIMARY KEY)');
  await database.query('CREATE TABLE audit (what text)');
  await database.query(
    `INSERT INTO orders VALUES ${Array.from({ length: 500 }, (_, id) => `(${id}, 'x')`).join(', ')}`,
  );
  const session = await realSetup(t, database.url);
  const { terminal, went } = await showStep(t, TablesStep, session);
  const screen = await terminal.waitFor('Which tables?', PATIENCE);
  assert.match(screen, new RegExp(`${database.name}\\.orders +\\d+ rows +[\\d.]+ kB`));
  assert.match(screen, new RegExp(`${database.name}\\."Order lines"`));
  assert.match(screen, new RegExp(`${database.name}\\.audit .*▲ no primary key`));
  await terminal.press('/');
  await terminal.type('audit');
  await terminal.press('return', ' ');
  await terminal.press('escape');
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
  assert.deepEqual(session.replication.answers.tables, [`${database.name}."Order lines"`, `${database.name}.orders`]);
  assert.equal(session.replication.answers.script, tableFilterPath('replication', session.env));
});

for (const [product, servers] of [
  ['MySQL', mysql],
  ['MariaDB', mariadb],
] as const) {
  test(`${product}: the state of the log is shown, an older set is taken, one of another server refused`, async (t) => {
    const database = await servers.freshDatabase(t);
    await database.query('CREATE TABLE orders (id int PRIMARY KEY)');
    await database.query('INSERT INTO orders VALUES (1)');
    const older = (await SERVERS.readStart((await realSetup(t, database.url)).connection('source'))).position.set;
    await database.query('INSERT INTO orders VALUES (2)');
    const session = await realSetup(t, database.url);
    const { terminal, went } = await showStep(t, StartStep, session);
    const screen = await terminal.waitFor('After which transactions', PATIENCE);
    assert.match(screen, product === 'MySQL' ? /SHOW BINARY LOG STATUS:/ : /SHOW (MASTER|BINARY LOG|BINLOG) STATUS:/);
    assert.match(screen, /File +\S+\.\d{6}/);
    assert.match(screen.replaceAll(/\s+/g, ' '), /▲ 1 table holds rows already/);
    const { position } = await SERVERS.readStart(session.connection('source'));
    assert.match(screen, new RegExp(`GTID set {2}${position.set.slice(0, 30)}`));
    await terminal.press('ctrl+u');
    await terminal.type(product === 'MySQL' ? '77263736-7899-11f0-81a5-0242ac120002:1-38' : '9-9-999');
    await terminal.press('return');
    await terminal.waitFor(/✗ the (source has executed nothing|binary log of the source has nothing)/, PATIENCE);
    await terminal.press('ctrl+u');
    await terminal.type(older);
    await terminal.press('return');
    await terminal.waitFor('Enter goes on', PATIENCE);
    await terminal.press('return');
    assert.deepEqual(went, ['next']);
    assert.equal(session.replication.answers.startSet, older);
    assert.match(session.replication.answers.options?.replicationProcessID ?? '', /^\d+$/);
    assert.equal(session.replication.answers.options?.fetchMetadata, undefined);
  });
}

test('a table that is missing on the target is shown as CREATE TABLE and made with f; rows that are only at the source are told of', async (t) => {
  const database = await mysql.freshDatabase(t);
  await database.query('CREATE TABLE orders (id bigint unsigned PRIMARY KEY, total decimal(10,2), note varchar(20))');
  await database.query('CREATE TABLE left_out (id int PRIMARY KEY)');
  await database.query("INSERT INTO orders VALUES (1, 2, 'x')");
  const target = await targets.freshDatabase(t);
  const session = await realSetup(t, database.url, {
    tables: [`${database.name}.orders`],
    targetSchema: `${target.name}.public`,
    script: '/nowhere/table_filter.ts',
  });
  session.keepConnection('target', target.url);
  const source = session.connection('source');
  session.change({ startSet: (await SERVERS.readStart(source)).position.set });
  const { terminal, went } = await showStep(t, TargetChecksStep, session, { columns: 100, rows: 44 });
  const screen = await terminal.waitFor('✗ Not ready', PATIENCE);
  assert.doesNotMatch(screen, /left_out/);
  for (let presses = 0; !/❯ ✗ .*orders/.test(terminal.screen()); presses++) {
    assert.ok(presses < 60, terminal.screen());
    await terminal.press('down');
  }
  assert.match(terminal.screen(), /CREATE TABLE .*"orders"/);
  await terminal.press('f');
  await terminal.waitFor(/✓ Ready|▲ Ready, with advice/, PATIENCE);
  const columns = await target.query<{ name: string; type: string }>(
    "SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_name = 'orders' ORDER BY ordinal_position",
  );
  assert.deepEqual(
    columns.map(({ name }) => name),
    ['id', 'total', 'note'],
  );
  await terminal.waitFor(/▲ existing rows +advice +only at the source|existing rows.*only at the source/);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
});
