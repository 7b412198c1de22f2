import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { parseConnectionString } from '../../src/config/connection.ts';
import { OperatorError } from '../../src/errors.ts';
import { type CheckResult, isReady } from '../../src/preflight/check.ts';
import { testConnection } from '../../src/preflight/connection-test.ts';
import { checkPostgresSource, plannedSourceChecks } from '../../src/preflight/postgres-source.ts';
import type { SourceWishes } from '../../src/preflight/source-wishes.ts';
import { runFix } from '../../src/preflight/run-fix.ts';
import { mayRun } from '../../src/sources/postgres/rights.ts';
import { until } from '../harness/source-run.ts';
import { sharedServer, startPostgres, type TestDatabase } from '../servers/postgres.ts';

interface Scope {
  after(done: () => Promise<void>): void;
}

/** Results by id without their side. */
type Results = Readonly<Record<string, CheckResult>>;

const CREATE: SourceWishes = {
  publication: { name: 'molt_fetch', create: true },
  slot: { name: 'molt_slot', create: true },
  tables: 'all',
};

function withUser(url: string, user: string): string {
  const changed = new URL(url);
  changed.username = encodeURIComponent(user);
  return changed.href;
}

async function check(url: string, wishes: SourceWishes = CREATE): Promise<Results> {
  const results = await checkPostgresSource(parseConnectionString(url, '--sourceConn', {}), wishes);
  return Object.fromEntries(results.map((result) => [result.id.replace('source.', ''), result]));
}

/** Ids of what is not as it should be, with the state. */
function wrong(results: Results): string[] {
  return Object.entries(results)
    .filter(([, { state }]) => state !== 'passed')
    .map(([id, { state }]) => `${id} ${state}`);
}

/** A role of the test's own, with its connection string. */
async function role(t: Scope, database: TestDatabase, attributes = ''): Promise<{ name: string; url: string }> {
  const name = `User ${database.name}`;
  await database.query(`CREATE ROLE "${name}" LOGIN ${attributes}`);
  t.after(async () => void (await database.server.query(`DROP ROLE "${name}"`)));
  return { name, url: withUser(database.url, name) };
}

/** A server in front of the one at `url` that refuses replication connections in the words of PgBouncer. */
async function pooler(t: Scope, url: string): Promise<string> {
  const { port, hostname } = new URL(url);
  const refusal = Buffer.from('SFATAL\0C08P01\0Munsupported startup parameter: replication\0\0');
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeUInt32BE(refusal.length + 4, 1);
  const server = createServer((socket) => {
    const upstream = connect(Number(port), hostname);
    for (const each of [socket, upstream]) each.on('error', () => {});
    socket.on('data', (chunk) => {
      if (chunk.includes('replication\0')) socket.end(Buffer.concat([head, refusal]));
      else upstream.write(chunk);
    });
    socket.on('close', () => upstream.destroy());
    upstream.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => void server.close());
  const inFront = new URL(url);
  inFront.port = String((server.address() as AddressInfo).port);
  inFront.hostname = '127.0.0.1';
  return inFront.href;
}

async function open(t: Scope, url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  t.after(() => client.end());
  return client;
}

for (const version of [14, 18] as const) {
  describe(`checks of a source on PostgreSQL ${version}`, () => {
    const shared = sharedServer({
      version,
      settings: { max_slot_wal_keep_size: '64GB', max_prepared_transactions: '5' },
    });

    test('a server that is ready: each check once, in the planned order, and reported as it comes', async (t) => {
      const database = await shared.freshDatabase(t);
      await database.query('CREATE TABLE t (id int PRIMARY KEY)');
      const reported: CheckResult[] = [];
      const results = await checkPostgresSource(
        parseConnectionString(database.url, '--sourceConn', {}),
        CREATE,
        (result) => reported.push(result),
      );
      assert.deepEqual(
        results.filter(({ state }) => state !== 'passed'),
        [],
      );
      assert(isReady(results));
      assert.deepEqual(
        results.map(({ id, title, why, severity, side }) => ({ id, title, side, severity, why })),
        plannedSourceChecks(),
      );
      assert.deepEqual(new Set(reported), new Set(results));
      assert.equal(reported[0].id, 'source.connection');
      assert.match(reported[0].found, /^postgres in test_\d+, answers within/);
      // nothing was created by looking
      const [{ count }] = await database.query<{ count: string }>(
        'SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_replication_slots) AS count',
      );
      assert.equal(Number(count), 0);
    });

    test('all that is wrong at once: rights, tables, transactions; what can be run is run and then passes', async (t) => {
      const database = await shared.freshDatabase(t);
      const { name, url } = await role(t, database);
      await database.query(`
        CREATE TABLE log (line text); CREATE UNLOGGED TABLE cache (id int PRIMARY KEY);
        CREATE TABLE mine (line text); ALTER TABLE mine OWNER TO "${name}"`);
      const busy = await open(t, database.url);
      await busy.query(`BEGIN; INSERT INTO log VALUES ('x'); PREPARE TRANSACTION 'left over'`);
      const results = await check(url);
      assert.deepEqual(wrong(results), [
        'replication_right failed',
        'replication_connection skipped',
        'prepared_transactions failed',
        'publication_right failed',
        'replica_identity failed',
        'read_right failed',
        'unlogged failed',
      ]);
      assert.equal(isReady(Object.values(results)), false);
      assert.equal(results.replication_right.code, 'PG_NO_REPLICATION_PRIVILEGE');
      assert.match(results.replication_right.fix?.text ?? '', new RegExp(`ALTER ROLE "${name}" REPLICATION;`));
      assert.match(results.replication_connection.found, /because of: right to replicate/);
      assert.match(results.prepared_transactions.found, /left over, .* postgres in/);
      const undo = results.prepared_transactions.fix?.text ?? '';
      assert.match(undo, /^ROLLBACK PREPARED 'left over'; --/);
      await database.query(undo);
      assert.match(results.publication_right.fix?.text ?? '', /GRANT CREATE ON DATABASE/);
      assert.match(results.replica_identity.found, /public\.log, public\.mine/);
      assert.equal(results.replica_identity.fix?.statements, undefined, 'one of them is not this user’s to change');
      assert.match(results.read_right.found, /not public\.log$/);
      assert.match(results.read_right.fix?.text ?? '', /GRANT SELECT ON public\.log TO/);
      assert.match(results.unlogged.found, /public\.cache/);

      await database.query(`ALTER ROLE "${name}" REPLICATION; GRANT CREATE ON DATABASE ${database.name} TO "${name}"`);
      const all = await check(url);
      assert.equal(all.replication_connection.state, 'passed');
      assert.match(all.publication_right.found, /not a superuser/);
      assert.match(all.publication_right.fix?.text ?? '', /owns 1 of 2 \(not public\.log\)/);
      assert.match(all.publication_right.fix?.text ?? '', /CREATE PUBLICATION "molt_fetch" FOR ALL TABLES/);

      const own = await check(url, { ...CREATE, tables: ['public.mine'] });
      assert.deepEqual(wrong(own), ['replica_identity failed']);
      assert(own.replica_identity.fix?.statements);
      await runFix(own.replica_identity.fix, { source: parseConnectionString(url, '--sourceConn', {}) });
      const mended = await check(url, { ...CREATE, tables: ['public.mine'] });
      assert.deepEqual(wrong(mended), []);
    });

    test('a question that fails hides no other', async (t) => {
      const database = await shared.freshDatabase(t);
      const { url } = await role(t, database, 'SUPERUSER');
      await database.query('CREATE TABLE t (id int PRIMARY KEY)');
      await database.query('CREATE SCHEMA away');
      // Only what asks for prepared transactions cannot be asked any more.
      await database.query(
        `BEGIN; SET LOCAL allow_system_table_mods = on; ALTER VIEW pg_catalog.pg_prepared_xacts SET SCHEMA away; COMMIT`,
      );
      const results = await check(url);
      assert.deepEqual(wrong(results), ['prepared_transactions skipped']);
      assert.match(results.prepared_transactions.found, /could not be looked at: .*pg_prepared_xacts/);
      assert(isReady(Object.values(results)), 'it is only an advice that could not be given');
    });

    test('long-running transactions are named, unless no slot has to wait for them', async (t) => {
      const database = await shared.freshDatabase(t);
      await database.query('CREATE TABLE t (id int PRIMARY KEY)');
      const busy = await open(t, database.url);
      await busy.query('BEGIN; INSERT INTO t VALUES (1)');
      const [{ pid }] = (await busy.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
      await until(
        async () => (await check(database.url)).long_transactions.state === 'failed',
        'ten seconds have passed',
      );
      const { long_transactions: found } = await check(database.url);
      assert.match(found.found, new RegExp(`PID ${pid}, 1\\d s, postgres in ${database.name}, idle in transaction`));
      assert.match(found.fix?.text ?? '', new RegExp(`pg_terminate_backend\\(${pid}\\)`));
      await busy.query('ROLLBACK');
      assert.equal((await check(database.url)).long_transactions.state, 'passed');
    });

    test('slot: what is there is an offer when it fits, and refused with the engine’s own words when not', async (t) => {
      const database = await shared.freshDatabase(t);
      await database.query('CREATE TABLE t (id int PRIMARY KEY)');
      const name = `s_${database.name}`;
      const source = parseConnectionString(database.url, '--sourceConn', {});
      const use = { ...CREATE, slot: { name, create: false } };
      const missing = (await check(database.url, use)).slot;
      assert.equal(missing.code, 'PG_SLOT_MISSING');
      assert(missing.fix?.statements);
      await runFix(missing.fix, { source });
      const there = (await check(database.url, use)).slot;
      assert.equal(there.state, 'passed');
      assert.match(there.found, /, at [0-9A-F]+\/[0-9A-F]+, .* of log to be read/);

      const offered = (await check(database.url, { ...CREATE, slot: { name, create: true } })).slot;
      assert.equal(offered.state, 'passed');
      assert.deepEqual(offered.offer, { what: 'slot', name });

      const other = await shared.freshDatabase(t);
      const foreign = (await check(other.url, { ...CREATE, slot: { name, create: true } })).slot;
      assert.equal(foreign.code, 'PG_SLOT_DATABASE');
      assert.equal(foreign.expected, 'a free name');
      assert.match(foreign.fix?.text ?? '', /Choose another name/);
      assert.equal(foreign.fix?.statements, undefined, 'nobody drops the slot of others with one key');

      const odd = (await check(database.url, { ...CREATE, slot: { name: 'My-Slot', create: true } })).slot;
      assert.equal(odd.state, 'failed');
    });

    test('publication: an offer when it fits; what it lacks, leaves out or holds too much of', async (t) => {
      const database = await shared.freshDatabase(t);
      await database.query(`
        CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);
        CREATE PUBLICATION part FOR TABLE a WITH (publish = 'insert, update')`);
      const source = parseConnectionString(database.url, '--sourceConn', {});
      const named = (name: string, create: boolean, tables: SourceWishes['tables'] = 'all') =>
        check(database.url, { ...CREATE, publication: { name, create }, tables });

      const offered = await named('part', true, ['public.a']);
      assert.deepEqual(offered.publication.offer, { what: 'publication', name: 'part' });
      assert.match(offered.publication.found, /of 1 table$/);
      assert.match(offered.published_changes.found, /only insert, update/);
      assert(offered.published_changes.fix?.statements);
      await runFix(offered.published_changes.fix, { source });

      const lacking = await named('part', false, ['public.a', 'public.b']);
      assert.match(lacking.publication.found, /lacks public\.b/);
      assert(lacking.publication.fix?.statements);
      await runFix(lacking.publication.fix, { source });
      const whole = await named('part', false, ['public.a', 'public.b']);
      assert.deepEqual(wrong(whole), []);
      assert.equal(whole.published_changes.found, 'all kinds');

      const missing = await named('none', false);
      assert.equal(missing.publication.code, 'PG_PUBLICATION_MISSING');
      assert(missing.publication.fix?.statements);
      await runFix(missing.publication.fix, { source });
      assert.deepEqual(wrong(await named('none', false)), []);

      const unnamed: SourceWishes = { ...CREATE, publication: { create: false } };
      assert.equal((await check(database.url, unnamed)).publication.code, 'PG_PUBLICATION_AMBIGUOUS');
      await database.query('DROP PUBLICATION "none"');
      assert.match((await check(database.url, unnamed)).publication.found, /^part, of 2 tables/);

      await database.query('CREATE SCHEMA s; CREATE TABLE s.a (id int PRIMARY KEY); CREATE PUBLICATION empty');
      assert.equal((await named('empty', false)).tables.code, 'PG_PUBLICATION_EMPTY');
      const clash = await named('new', true);
      assert.equal(clash.tables.code, 'PG_TABLE_NAME_CLASH');
      const gone = await named('new', true, ['public.a', 'public.nothing']);
      assert.match(gone.tables.found, /public\.nothing/);
      assert.equal(gone.tables.code, 'PG_TABLE_MISSING');
    });

    test('partitions that do not fit their table, and the fix that makes them', async (t) => {
      const database = await shared.freshDatabase(t);
      await database.query(`
        CREATE TABLE e (id int, at int) PARTITION BY LIST (at); CREATE TABLE "e 1" PARTITION OF e FOR VALUES IN (1);
        ALTER TABLE e REPLICA IDENTITY FULL`);
      const results = await check(database.url);
      assert.deepEqual(wrong(results), ['partitions failed']);
      assert.match(results.partitions.found, /public\.e \(public\."e 1"\)/);
      await runFix(results.partitions.fix!, { source: parseConnectionString(database.url, '--sourceConn', {}) });
      assert.deepEqual(wrong(await check(database.url)), []);
    });

    test('a pooler, which does not pass replication on', async (t) => {
      const database = await shared.freshDatabase(t);
      await database.query('CREATE TABLE t (id int PRIMARY KEY)');
      const results = await check(await pooler(t, database.url));
      assert.equal(results.connection.state, 'passed');
      assert.deepEqual(wrong(results), ['replication_connection failed']);
      assert.match(results.replication_connection.fix?.text ?? '', /a pooler such as PgBouncer/);
      assert.equal((await check(database.url)).replication_connection.state, 'passed');
    });

    test('a service whose settings are not changed by SQL', async (t) => {
      const database = await shared.freshDatabase(t);
      await database.query(
        `ALTER DATABASE ${database.name} SET "rds.logical_replication" = 'on'; CREATE TABLE t (id int PRIMARY KEY)`,
      );
      const { name, url } = await role(t, database, 'REPLICATION');
      await database.query(
        `GRANT CREATE ON DATABASE ${database.name} TO "${name}"; ALTER DATABASE ${database.name} SET wal_sender_timeout = '2s'`,
      );
      const results = await check(url);
      // whether all tables may be published is found out by trying, and nothing is left of it
      assert.equal(results.publication_right.state, 'failed');
      assert.match(results.wal_sender_timeout.fix?.text ?? '', /service's parameters/);
      const statement = `CREATE PUBLICATION "it's $$ odd" FOR ALL TABLES`;
      assert.equal(await mayRun(await open(t, database.url), statement), true);
      assert.equal(await mayRun(await open(t, url), statement), false);
      assert.equal((await database.query('SELECT FROM pg_publication')).length, 0);
    });

    test('a connection that fails: its reason, and everything else skipped because of it', async () => {
      const results = await check(shared.server.url('nowhere'));
      assert.equal(results.connection.code, 'PG_NO_DATABASE');
      assert.match(results.connection.fix?.text ?? '', /CREATE DATABASE "nowhere"/);
      const { connection: _, ...others } = results;
      for (const { state, found } of Object.values(others)) {
        assert.equal(state, 'skipped');
        assert.match(found, /because of: connection$/);
      }
    });

    test('the connection alone', async () => {
      const url = shared.server.url();
      const facts = await testConnection(parseConnectionString(url, '--sourceConn', {}), 'source');
      assert.equal(facts.product, 'postgresql');
      assert.match(facts.version, new RegExp(`^${version}\\.\\d+$`));
      assert.deepEqual([facts.database, facts.user, facts.encrypted], ['postgres', 'postgres', false]);
      assert(facts.latency > 0 && facts.latency < 5000);
      await assert.rejects(
        testConnection(parseConnectionString(shared.server.url('nowhere'), '--sourceConn', {}), 'source'),
        (error) => error instanceof OperatorError && error.code === 'PG_NO_DATABASE' && error.fix !== undefined,
      );
    });

    test('ends when it is told to', async () => {
      const stop = new AbortController();
      const source = parseConnectionString(shared.server.url(), '--sourceConn', {});
      const reported: string[] = [];
      const run = checkPostgresSource(
        source,
        CREATE,
        ({ id }) => {
          reported.push(id);
          stop.abort(new Error('gone'));
        },
        stop.signal,
      );
      await assert.rejects(run, /gone/);
      assert.deepEqual(reported, ['source.connection']);
      await assert.rejects(
        checkPostgresSource(source, CREATE, () => {}, stop.signal),
        /gone/,
      );
    });
  });
}

describe('servers that cannot serve', () => {
  test('wal_level, slots, replication connections, limits of the log; ALTER SYSTEM is run as the fix', async (t) => {
    const server = await startPostgres({
      version: 18,
      settings: {
        wal_level: 'replica',
        max_replication_slots: '1',
        max_wal_senders: '1',
        max_slot_wal_keep_size: '16MB',
        idle_replication_slot_timeout: '60s',
        wal_sender_timeout: '1s',
        logical_decoding_work_mem: '1MB',
      },
    });
    t.after(() => server.stop());
    await server.query('CREATE TABLE t (id int PRIMARY KEY)');
    await server.query(`SELECT pg_create_physical_replication_slot('taken')`);
    const other = new Client({ connectionString: `${server.url()}?replication=database` });
    await other.connect();
    const results = await check(server.url());
    await other.end();
    assert.deepEqual(wrong(results), [
      'wal_level failed',
      'wal_senders failed',
      'replication_connection skipped',
      'free_slots failed',
      'slot_keep_size failed',
      'idle_slot_timeout failed',
      'wal_sender_timeout failed',
      'decoding_memory failed',
    ]);
    assert.deepEqual(
      Object.values(results).flatMap(({ code }) => code ?? []),
      ['PG_WAL_LEVEL', 'PG_NO_WAL_SENDERS', 'PG_NO_SLOTS'],
    );
    const { fix } = results.wal_level;
    assert.equal(fix?.restart, true);
    await runFix(fix, { source: parseConnectionString(server.url(), '--sourceConn', {}) });
    const [{ setting }] = await server.query<{ setting: string }>(
      `SELECT setting FROM pg_file_settings WHERE name = 'wal_level' AND sourcefile LIKE '%auto.conf'`,
    );
    assert.equal(setting, 'logical');
  });

  test('a standby', async (t) => {
    const server = await startPostgres({ version: 18 });
    t.after(() => server.stop());
    await server.query('CREATE TABLE t (id int PRIMARY KEY)');
    await server.stop({ keepData: true });
    await writeFile(join(server.dataDir, 'standby.signal'), '');
    await server.restart();
    const results = await check(server.url());
    assert.equal(results.primary.code, 'PG_IN_RECOVERY');
    assert.match(results.slot.found, /because of: primary/);
    assert.equal(results.tables.state, 'passed');
  });
});
