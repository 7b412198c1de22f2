import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Answers } from '../../src/sessions/replication.ts';
import { SERVERS } from '../../src/wizard/servers.ts';
import { SlotStep } from '../../src/wizard/steps/slot.tsx';
import { SourceStep, TargetStep } from '../../src/wizard/steps/connection.tsx';
import { SourceChecksStep } from '../../src/wizard/steps/source-checks.tsx';
import { TablesStep } from '../../src/wizard/steps/tables.tsx';
import { TargetChecksStep } from '../../src/wizard/steps/target-checks.tsx';
import { TargetSchemaStep } from '../../src/wizard/steps/target-schema.tsx';
import { sharedServer, startPostgres, type TestDatabase } from '../servers/postgres.ts';
import { showStep } from '../unit/wizard/setup-frames.ts';
import { setupOn } from '../unit/wizard/setup-rig.ts';

const PASSWORD = 'MARKER right/one@';
const shared = sharedServer({ password: PASSWORD });

/** Milliseconds that servers get. */
const PATIENCE = 20_000;

/** A setup with the given connections and answers on real servers. */
async function realSetup(t: TestContext, source?: TestDatabase, target?: TestDatabase, answers: Partial<Answers> = {}) {
  const session = await setupOn(t, SERVERS);
  if (source !== undefined) session.keepConnection('source', source.url);
  if (target !== undefined) session.keepConnection('target', target.url);
  session.change(answers);
  return session;
}

type Shown = Awaited<ReturnType<typeof showStep>>['terminal'];

/** Moves down to a line of a list. */
async function moveTo(terminal: Shown, line: RegExp) {
  for (let presses = 0; !line.test(terminal.screen()); presses++) {
    assert.ok(presses < 60, `${line} is not reached:\n${terminal.screen()}`);
    await terminal.press('down');
  }
}

test('a wrong password is told of by the server; the right one, typed as it is, leads in', async (t) => {
  const database = await shared.freshDatabase(t);
  const { host, port } = shared.server;
  const session = await realSetup(t);
  const { terminal, went } = await showStep(t, SourceStep, session);
  await terminal.paste(`postgresql://postgres:wrong@${host}:${port}/${database.name}`);
  const refused = await terminal.waitFor('✗ The password is not accepted', PATIENCE);
  assert.match(refused, /password authentication\s+failed for user "postgres"/);
  assert.match(refused, /ALTER\s+ROLE "postgres" PASSWORD/);
  await terminal.press('return', 'up', 'up', 'ctrl+u');
  await terminal.type(PASSWORD);
  await terminal.press('tab');
  const connected = await terminal.waitFor('✓ Connected to PostgreSQL 18', PATIENCE);
  assert.match(connected, new RegExp(`database ${database.name}, user postgres, not encrypted, answers within`));
  await terminal.press('return', 'return');
  assert.deepEqual(went, ['next']);
  assert.equal(session.connectionText('source'), database.url);
  assert.doesNotMatch(terminal.raw(), /MARKER/);
});

test('a host, a port and a database that are not there are told apart', async (t) => {
  const { host, port } = shared.server;
  const { terminal } = await showStep(t, TargetStep, await realSetup(t));
  const login = `postgres:${encodeURIComponent(PASSWORD)}`;
  for (const [place, title] of [
    [`${host}:${port}/nowhere`, '✗ There is no such database'],
    [`${host}:1/shop`, '✗ Nothing listens there'],
    ['no-such-host.invalid/shop', '✗ There is no such host'],
    [`${host}:${port}/postgres?sslmode=require`, '✗ TLS does not work out'],
  ]) {
    await terminal.press('ctrl+u');
    await terminal.paste(`postgresql://${login}@${place}`);
    await terminal.waitFor(title, PATIENCE);
  }
});

test('a source without wal_level=logical: the fix is run with f, and the restart it takes is seen with r', async (t) => {
  const server = await startPostgres({ version: 18, settings: { wal_level: 'replica' } });
  t.after(() => server.stop());
  await server.query('CREATE TABLE orders (id int PRIMARY KEY)');
  const session = await setupOn(t, SERVERS);
  session.keepConnection('source', server.url());
  const { terminal, went } = await showStep(t, SourceChecksStep, session);
  const screen = await terminal.waitFor('✗ Not ready', PATIENCE);
  assert.match(screen, /❯ ✗ wal_level +failed +replica/);
  assert.match(screen, /Wanted +logical/);
  await terminal.press('f');
  await terminal.waitFor('done; it counts once the server has been restarted', PATIENCE);
  await terminal.waitFor('✗ Not ready', PATIENCE);
  const [{ setting }] = await server.query<{ setting: string }>(
    "SELECT setting FROM pg_file_settings WHERE name = 'wal_level' ORDER BY seqno DESC LIMIT 1",
  );
  assert.equal(setting, 'logical');
  // What stands on the command line of these servers outweighs the file that ALTER SYSTEM writes.
  await server.restart({ wal_level: 'logical' });
  await terminal.press('r');
  await terminal.waitFor(/✓ Ready|▲ Ready, with advice/, PATIENCE);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
});

test('tables come with rows and sizes; the fix of one without a key is run with f', async (t) => {
  const source = await shared.freshDatabase(t);
  await source.query(`
    CREATE TABLE orders (id int PRIMARY KEY, total numeric);
    CREATE TABLE audit (at timestamptz, what text);
    INSERT INTO orders SELECT g, g FROM generate_series(1, 5000) g;
    ANALYZE orders`);
  const session = await realSetup(t, source);
  const { terminal, went } = await showStep(t, TablesStep, session);
  const screen = await terminal.waitFor('Which tables?', PATIENCE);
  assert.match(screen, /public\.orders +5,000 rows +\d+ kB/);
  assert.match(screen, /public\.audit .*▲ no key/);
  await terminal.press('f');
  await terminal.waitFor(/public\.audit +0 rows +[\d.]+ kB\n/, PATIENCE);
  const [{ relreplident }] = await source.query<{ relreplident: string }>(
    "SELECT relreplident FROM pg_class WHERE relname = 'audit'",
  );
  assert.equal(relreplident, 'f');
  await terminal.press(' ', 'return');
  assert.deepEqual(went, ['next']);
  assert.deepEqual(session.replication.answers.tables, ['public.orders']);
});

test('a publication and a slot that exist are offered and used as they are', async (t) => {
  const source = await shared.freshDatabase(t);
  await source.query('CREATE TABLE orders (id int PRIMARY KEY); CREATE PUBLICATION molt_fetch FOR ALL TABLES');
  const slot = `${source.name}_slot`;
  await source.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  const session = await realSetup(t, source, undefined, {
    tables: 'all',
    publication: { name: 'molt_fetch', create: true },
  });
  const { terminal, went } = await showStep(t, SlotStep, session);
  await terminal.waitFor('What shall they be called', PATIENCE);
  assert.match(terminal.screen(), new RegExp(`${slot} +${source.name} +pgoutput +free`));
  await terminal.press('ctrl+u');
  await terminal.type(slot);
  await terminal.press('return');
  assert.match(terminal.screen(), /The source has a publication molt_fetch already/);
  await terminal.press('return');
  assert.match(terminal.screen(), new RegExp(`The source has a slot ${slot} already`));
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
  assert.deepEqual(session.replication.answers.publication, { name: 'molt_fetch', create: false });
  assert.deepEqual(session.replication.answers.slot, { name: slot, create: false });
});

test('the schemas of the target are there to choose from', async (t) => {
  const target = await shared.freshDatabase(t);
  await target.query('CREATE SCHEMA "Sales 2026"; CREATE TABLE "Sales 2026".a (id int)');
  const session = await realSetup(t, undefined, target);
  const { terminal, went } = await showStep(t, TargetSchemaStep, session);
  await terminal.waitFor('Which schema of the target', PATIENCE);
  assert.match(terminal.screen(), new RegExp(`${target.name}\\."Sales 2026" +1 table\\n`));
  assert.match(terminal.screen(), new RegExp(`${target.name}\\.public +0 tables`));
  assert.doesNotMatch(terminal.screen(), /pg_|information_schema/);
  await moveTo(terminal, /❯ \S+\.public/);
  await terminal.press('return', 'return');
  assert.deepEqual(went, ['next']);
  assert.equal(session.replication.answers.targetSchema, `${target.name}.public`);
});

test('a table that is missing on the target is shown as CREATE TABLE and made with f', async (t) => {
  const source = await shared.freshDatabase(t);
  const target = await shared.freshDatabase(t);
  await source.query(`
    CREATE TABLE orders (id int PRIMARY KEY, total numeric(10,2), at timestamptz);
    INSERT INTO orders VALUES (1, 2, now())`);
  const session = await realSetup(t, source, target, {
    tables: ['public.orders'],
    publication: { name: 'molt_fetch', create: true },
    slot: { name: 'molt_slot', create: true },
    targetSchema: `${target.name}.public`,
  });
  const { terminal, went } = await showStep(t, TargetChecksStep, session, { columns: 100, rows: 40 });
  await terminal.waitFor('✗ Not ready', PATIENCE);
  await moveTo(terminal, /❯ ✗ .*orders/);
  assert.match(terminal.screen(), /CREATE TABLE .*"orders"/);
  assert.match(terminal.screen(), /"total" numeric\(10,2\)/);
  await terminal.press('f');
  await terminal.waitFor(/✓ Ready|▲ Ready, with advice/, PATIENCE);
  const columns = await target.query<{ column_name: string }>(
    "SELECT column_name FROM information_schema.columns WHERE table_name = 'orders' ORDER BY ordinal_position",
  );
  assert.deepEqual(
    columns.map(({ column_name }) => column_name),
    ['id', 'total', 'at'],
  );
  const [made] = session.replication.made;
  assert.deepEqual([made.what, made.side], ['table', 'target']);
  assert.match(made.name, /"orders"$/);
  assert.match(terminal.screen(), /Existing rows are not copied/);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
});
