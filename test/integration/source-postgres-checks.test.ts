import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { OperatorError } from '../../src/errors.ts';
import { publish, SourceRun, until } from '../harness/source-run.ts';
import { sharedServer, type TestDatabase } from '../servers/postgres.ts';

interface Expected {
  code: string;
  message?: RegExp;
  fix?: RegExp;
  transient?: boolean;
}

/** The source must refuse to connect in exactly this way. */
async function refuses(
  database: TestDatabase,
  options: { url?: string; slotName: string; publicationName?: string },
  expected: Expected,
): Promise<void> {
  await assert.rejects(SourceRun.connect({ url: database.url, ...options }), (error) => {
    assert(error instanceof OperatorError, String(error));
    assert.equal(error.code, expected.code, error.message);
    assert.match(error.message, expected.message ?? /./);
    assert.match(error.fix ?? '', expected.fix ?? /./);
    assert.equal(error.transient, expected.transient ?? false);
    return true;
  });
}

for (const version of [14, 18] as const) {
  describe(`what PostgreSQL ${version} must offer as a source (defect 12)`, () => {
    const shared = sharedServer({ version });

    test('publication: there, unambiguous, not empty', async (t) => {
      const database = await shared.freshDatabase(t);
      await refuses(
        database,
        { slotName: 's' },
        {
          code: 'PG_PUBLICATION_MISSING',
          message: /run CREATE PUBLICATION molt_fetch FOR ALL TABLES; in source database/,
        },
      );
      await refuses(
        database,
        { slotName: 's', publicationName: 'my_pub' },
        { code: 'PG_PUBLICATION_MISSING', message: /run CREATE PUBLICATION my_pub FOR ALL TABLES; in source database/ },
      );
      await database.query('CREATE PUBLICATION one');
      await database.query('CREATE PUBLICATION "the Other"');
      await refuses(
        database,
        { slotName: 's' },
        { code: 'PG_PUBLICATION_AMBIGUOUS', message: /one, the Other/, fix: /--publicationName one/ },
      );
      const slotName = `slot_${database.name}`;
      await database.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slotName]);
      await refuses(
        database,
        { slotName, publicationName: 'the Other' },
        { code: 'PG_PUBLICATION_EMPTY', fix: /ALTER PUBLICATION "the Other" ADD TABLE/ },
      );
    });

    test('slot: there, logical, with pgoutput, of this database, permanent, free', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(database, 'CREATE TABLE t (id int PRIMARY KEY)');
      await refuses(
        database,
        { slotName: 'molt_slot' },
        {
          code: 'PG_SLOT_MISSING',
          message:
            /run SELECT pg_create_logical_replication_slot\('molt_slot', 'pgoutput'\); in source database, then perform bulk data copy/,
        },
      );

      const { server } = database;
      await server.query(`SELECT pg_create_physical_replication_slot('physical_${database.name}')`);
      t.after(async () => void (await server.query(`SELECT pg_drop_replication_slot('physical_${database.name}')`)));
      await refuses(
        database,
        { slotName: `physical_${database.name}` },
        { code: 'PG_SLOT_PLUGIN', message: /a physical slot/ },
      );

      const other = await shared.freshDatabase(t);
      const foreign = await publish(other, 'CREATE TABLE t (id int PRIMARY KEY)');
      await refuses(
        database,
        { slotName: foreign },
        { code: 'PG_SLOT_DATABASE', message: new RegExp(`${other.name}.*${database.name}`) },
      );

      const session = new Client({ connectionString: database.url });
      await session.connect();
      await session.query(`SELECT pg_create_logical_replication_slot('fleeting_${database.name}', 'pgoutput', true)`);
      await refuses(database, { slotName: `fleeting_${database.name}` }, { code: 'PG_SLOT_TEMPORARY' });
      await session.end();

      await SourceRun.start(t, { url: database.url, slotName });
      const [{ pid }] = await database.query<{ pid: number }>(
        'SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = $1',
        [slotName],
      );
      await refuses(
        database,
        { slotName },
        {
          code: 'PG_SLOT_ACTIVE',
          message: new RegExp(`PID ${pid}, instar from 127\\.0\\.0\\.1 as postgres`),
          fix: new RegExp(`pg_terminate_backend\\(${pid}\\)`),
          transient: true,
        },
      );
    });

    test('user: may replicate', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(database, 'CREATE TABLE t (id int PRIMARY KEY)');
      const role = `Reader ${database.name}`;
      await database.query(`CREATE ROLE "${role}" LOGIN`);
      t.after(async () => void (await database.server.query(`DROP ROLE "${role}"`)));
      const url = new URL(database.url);
      url.username = encodeURIComponent(role);
      await refuses(
        database,
        { url: url.href, slotName },
        {
          code: 'PG_NO_REPLICATION_PRIVILEGE',
          message: new RegExp(role),
          fix: new RegExp(`ALTER ROLE "${role}" REPLICATION;`),
        },
      );
      await database.query(`ALTER ROLE "${role}" REPLICATION`);
      const run = await SourceRun.connect({ url: url.href, slotName });
      assert.equal(run.tables.length, 1);
    });

    test('tables: no two of one name', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(
        database,
        'CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (id int PRIMARY KEY); CREATE TABLE b.t (id int PRIMARY KEY)',
      );
      await refuses(database, { slotName }, { code: 'PG_TABLE_NAME_CLASH', message: /a\.t and b\.t/ });
    });

    test('tables: without a replica identity they are told of, as the source itself refuses their updates', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(
        database,
        'CREATE TABLE log (line text); CREATE TABLE t (id int PRIMARY KEY DEFERRABLE)',
      );
      const run = await SourceRun.connect({ url: database.url, slotName });
      const warnings = run.log.lines.filter((line) => line.fields.code === 'PG_REPLICA_IDENTITY');
      assert.equal(warnings.length, 1);
      assert.match(String(warnings[0].fields.tables), /public\.log/);
      await assert.rejects(database.query('DELETE FROM log'), /replica identity/);
      // an immediate index is needed
      await assert.rejects(database.query('DELETE FROM t'), /replica identity/);
      assert.match(String(warnings[0].fields.tables), /public\.t/);

      await database.query(`ALTER PUBLICATION everything SET (publish = 'insert')`);
      const inserts = await SourceRun.connect({ url: database.url, slotName });
      assert.equal(inserts.log.lines.filter((line) => line.level === 'warning').length, 0);
    });

    test('partitions: their old rows must fit the table as which they are published', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(
        database,
        `CREATE TABLE e (id int, at int) PARTITION BY LIST (at); CREATE TABLE e_1 PARTITION OF e FOR VALUES IN (1);
         CREATE TABLE log (line text, at int) PARTITION BY LIST (at); CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1)`,
        'WITH (publish_via_partition_root = true)',
      );
      await SourceRun.connect({ url: database.url, slotName }); // insert-only tables may be so
      await database.query('ALTER TABLE e REPLICA IDENTITY FULL');
      await refuses(
        database,
        { slotName },
        {
          code: 'PG_REPLICA_IDENTITY',
          message: /public\.e \(public\.e_1\)/,
          fix: /ALTER TABLE public\.e_1 REPLICA IDENTITY FULL;/,
        },
      );
      await database.query('ALTER TABLE e_1 REPLICA IDENTITY FULL');
      await SourceRun.connect({ url: database.url, slotName });
      await database.query('ALTER TABLE log_1 ADD PRIMARY KEY (line)');
      await refuses(database, { slotName }, { code: 'PG_REPLICA_IDENTITY', message: /public\.log \(public\.log_1\)/ });
    });
  });
}

describe('column lists, row filters and generated columns of a publication', () => {
  const shared = sharedServer({ version: 18 });

  test('are announced as they are sent', async (t) => {
    const database = await shared.freshDatabase(t);
    await database.query(`
      CREATE TABLE t (secret text, id int PRIMARY KEY, a text, g int GENERATED ALWAYS AS (id + 1) STORED);
      CREATE TABLE u (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id + 1) STORED);
      CREATE PUBLICATION p FOR TABLE t (id, a) WHERE (id > 10), u WITH (publish_generated_columns = stored)`);
    const slotName = `slot_${database.name}`;
    await database.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slotName]);
    const run = await SourceRun.start(t, { url: database.url, slotName });
    assert.deepEqual(
      run.tables.map((table) => table.columns.map((column) => column.name)),
      [
        ['id', 'a'],
        ['id', 'g'],
      ],
    );
    await database.query(
      `INSERT INTO t VALUES ('s', 1, 'x'), ('s', 11, 'y'); UPDATE t SET id = id + 20; INSERT INTO u VALUES (1)`,
    );
    await run.transactions(1);
    assert.deepEqual(
      run.changes.map((change) => [change.kind, change.old, change.new]),
      [
        ['insert', undefined, ['11', 'y']],
        ['insert', undefined, ['21', 'x']],
        ['update', ['11', null], ['31', 'y']],
        ['insert', undefined, ['1', '2']],
      ],
    );
    assert.deepEqual([run.changes[0].table, run.changes[3].table], run.tables);
  });
});

describe('a server that cannot serve', () => {
  const shared = sharedServer({ version: 18, settings: { max_wal_senders: '2', max_slot_wal_keep_size: '1MB' } });

  test('all replication connections in use', async (t) => {
    const database = await shared.freshDatabase(t);
    const slotName = await publish(database, 'CREATE TABLE t (id int PRIMARY KEY)');
    const others: Client[] = [];
    for (let i = 0; i < 2; i++) {
      const other = new Client({ connectionString: `${database.url}?replication=database` });
      await other.connect();
      others.push(other);
    }
    await refuses(database, { slotName }, { code: 'PG_NO_WAL_SENDERS', fix: /max_wal_senders = 12/ });
    for (const other of others) await other.end();
  });

  test('a slot that was given up', async (t) => {
    const database = await shared.freshDatabase(t);
    const slotName = await publish(database, 'CREATE TABLE t (id int PRIMARY KEY)');
    for (let i = 0; i < 4; i++) {
      await database.query(`INSERT INTO t VALUES (${i})`);
      await database.query('SELECT pg_switch_wal()');
    }
    await database.query('CHECKPOINT');
    await refuses(
      database,
      { slotName },
      {
        code: 'PG_SLOT_LOST',
        message: /cannot be delivered any more/,
        fix: new RegExp(`pg_drop_replication_slot\\('${slotName}'\\)`),
      },
    );
  });

  test('wal_level too low; a standby', async (t) => {
    const database = await shared.freshDatabase(t);
    const { server } = database;
    await server.query('CREATE TABLE t (id int PRIMARY KEY)');
    await server.query('CREATE PUBLICATION p FOR ALL TABLES');
    await server.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
    const onMain = { ...database, url: server.url() };
    await server.restart({ wal_level: 'replica' });
    await refuses(
      onMain,
      { slotName: 's' },
      { code: 'PG_WAL_LEVEL', message: /replica/, fix: /ALTER SYSTEM SET wal_level = 'logical'/ },
    );
    await server.restart({ wal_level: 'logical' });
    await server.stop({ keepData: true });
    await writeFile(join(server.dataDir, 'standby.signal'), '');
    await server.restart();
    await refuses(onMain, { slotName: 's' }, { code: 'PG_IN_RECOVERY', fix: /primary/ });
    await server.query('SELECT pg_promote()');
    await until(async () => {
      const [row] = await server.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
      return !row.standby;
    }, 'the server is promoted');
  });
});
