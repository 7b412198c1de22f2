import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { OperatorError } from '../../src/errors.ts';
import {
  createPublication,
  createSlot,
  dropPublication,
  dropSlot,
  listPublications,
  listSlots,
  listTables,
  publicationStatement,
  replicaIdentityStatement,
  undoStatements,
} from '../../src/sources/postgres/setup.ts';
import { freshDatabase, sharedServer, startPostgres, type TestDatabase } from '../servers/postgres.ts';

interface Scope {
  after(done: () => Promise<void>): void;
}

async function open(t: Scope, database: TestDatabase, user?: string): Promise<Client> {
  const url = new URL(database.url);
  if (user !== undefined) url.username = user;
  const client = new Client({ connectionString: url.href });
  client.on('error', () => {});
  await client.connect();
  t.after(() => client.end());
  return client;
}

async function fails(work: Promise<unknown>, code: string, message = /./, fix = /./): Promise<void> {
  await assert.rejects(work, (error) => {
    assert(error instanceof OperatorError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.match(error.fix ?? '', fix);
    return true;
  });
}

for (const version of [14, 18] as const) {
  describe(`setting up a source on PostgreSQL ${version}`, () => {
    const shared = sharedServer({ version });

    test('tables: names as printed, rows and size, how rows are told apart, what to do without', async (t) => {
      const database = await shared.freshDatabase(t);
      await database.query(`
        CREATE SCHEMA "my Schema";
        CREATE TABLE "my Schema"."Orders" (id int PRIMARY KEY);
        CREATE TABLE full_rows (a text); ALTER TABLE full_rows REPLICA IDENTITY FULL;
        CREATE TABLE by_index (a text NOT NULL); CREATE UNIQUE INDEX i ON by_index (a);
        ALTER TABLE by_index REPLICA IDENTITY USING INDEX i;
        CREATE TABLE log (line text);
        CREATE UNLOGGED TABLE gone_after_a_crash (id int PRIMARY KEY);
        CREATE VIEW v AS SELECT 1;
        CREATE TABLE parts (id int, at int, PRIMARY KEY (id, at)) PARTITION BY LIST (at);
        CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
        CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
        CREATE TABLE odd (id int, at int, PRIMARY KEY (id, at)) PARTITION BY LIST (at);
        CREATE TABLE odd_1 PARTITION OF odd FOR VALUES IN (1); ALTER TABLE odd_1 REPLICA IDENTITY NOTHING;
        INSERT INTO "my Schema"."Orders" SELECT generate_series(1, 1000);
        INSERT INTO parts SELECT g, 1 + g % 2 FROM generate_series(1, 500) g;`);
      await database.query('ANALYZE');
      const client = await open(t, database);
      const tables = await listTables(client);
      assert.deepEqual(
        tables.map(({ name, rows, identity }) => [name, rows, identity]),
        [
          ['"my Schema"."Orders"', 1000, 'key'],
          ['public.by_index', 0, 'index'],
          ['public.full_rows', 0, 'full'],
          ['public.log', 0, 'none'],
          ['public.odd', 0, 'key'],
          ['public.parts', 500, 'key'],
        ],
      );
      assert(tables[0].bytes > 30_000, String(tables[0].bytes));
      const log = tables.find(({ name }) => name === 'public.log')!;
      assert.match(log.warning ?? '', /refuses UPDATE and DELETE/);
      assert.equal(log.fix, 'ALTER TABLE "public"."log" REPLICA IDENTITY FULL;');
      assert.match(tables.find(({ name }) => name === 'public.odd')!.warning ?? '', /public\.odd_1/);
      assert.deepEqual(
        tables.filter(({ warning }) => warning !== undefined).map(({ name }) => name),
        ['public.log', 'public.odd'],
      );

      for (const { fix } of tables) if (fix !== undefined) await database.query(fix);
      assert.deepEqual(
        (await listTables(client)).filter(({ warning }) => warning !== undefined),
        [],
      );
    });

    test('publication and slot: made, listed, refused a second time, removed; nothing is left', async (t) => {
      const database = await shared.freshDatabase(t);
      await database.query(`
        CREATE TABLE "Orders" (id int PRIMARY KEY); CREATE TABLE lines (id int PRIMARY KEY);
        CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)`);
      const client = await open(t, database);
      await createPublication(client, 'some "of" them', ['public."Orders"', 'public.parts']);
      await createPublication(client, 'everything', 'all');
      const [everything, some] = await listPublications(client);
      assert.deepEqual(everything.tables, ['public."Orders"', 'public.lines', 'public.parts']);
      assert.equal(everything.allTables, true);
      assert.equal(some.name, 'some "of" them');
      assert.deepEqual(some.tables, ['public."Orders"', 'public.parts']);
      assert.equal(some.viaRoot, true);
      await fails(createPublication(client, 'everything', 'all'), 'PG_PUBLICATION_EXISTS', /left as it is/);
      await fails(createPublication(client, 'more', ['public.nothing']), 'PG_TABLE_MISSING', /public\.nothing/);

      const name = `s_${database.name}`;
      const { lsn } = await createSlot(client, name);
      assert.match(lsn, /^[0-9A-F]+\/[0-9A-F]+$/);
      const slot = (await listSlots(client)).find((each) => each.name === name)!;
      assert.equal(slot.problem, undefined);
      assert.equal(String(slot.confirmed), lsn);
      await fails(createSlot(client, name), 'PG_SLOT_EXISTS', /left as it is/);
      // a session in which something failed is still good
      const other = await shared.freshDatabase(t);
      const seen = (await listSlots(await open(t, other))).find((each) => each.name === name)!;
      assert.match(seen.problem ?? '', new RegExp(`belongs to database ${database.name}`));

      await dropSlot(client, name);
      await dropSlot(client, name);
      await dropPublication(client, 'everything');
      await dropPublication(client, 'everything');
      await dropPublication(client, 'some "of" them');
      assert.deepEqual(await listPublications(client), []);
      assert.equal((await listSlots(client)).filter((each) => each.name === name).length, 0);
    });

    test('a user without rights is told what to do', async (t) => {
      const database = await shared.freshDatabase(t);
      const role = `plain_${database.name}`;
      await database.query(`CREATE ROLE ${role} LOGIN; CREATE TABLE t (id int PRIMARY KEY)`);
      t.after(async () => void (await database.server.query(`DROP ROLE ${role}`)));
      const client = await open(t, database, role);
      await fails(
        createPublication(client, 'p', 'all'),
        'PG_PUBLICATION_NOT_PERMITTED',
        /nothing was changed/,
        /CREATE PUBLICATION "p" FOR ALL TABLES/,
      );
      await fails(createSlot(client, 's'), 'PG_NO_REPLICATION_PRIVILEGE', /no right to replicate/, /ALTER ROLE/);
    });

    test('a slot that has to wait for transactions names them and leaves nothing behind', async (t) => {
      const database = await shared.freshDatabase(t);
      await database.query('CREATE TABLE t (id int PRIMARY KEY)');
      const busy = await open(t, database);
      await busy.query('BEGIN; INSERT INTO t VALUES (1)');
      const [{ pid }] = (await busy.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
      const client = await open(t, database);
      const name = `waits_${database.name}`;
      await fails(
        createSlot(client, name, { patience: 300 }),
        'PG_SLOT_WAITS',
        new RegExp(`PID ${pid}, .*postgres in ${database.name}, idle in transaction`),
        new RegExp(`pg_terminate_backend\\(${pid}\\)`),
      );
      assert.equal((await listSlots(client)).filter((each) => each.name === name).length, 0);
      await busy.query('COMMIT');
      assert.match((await createSlot(client, name, { patience: 10_000 })).lsn, /\//);
    });

    test('the undo script removes what was made and nothing else', async (t) => {
      const database = await shared.freshDatabase(t);
      const slot = `undo_${database.name}`;
      await database.query(`
        CREATE TABLE t (id int PRIMARY KEY); CREATE SCHEMA "_rep""l"; CREATE TABLE "_rep""l".memo (a int); CREATE TABLE "_rep""l".leases (a int)`);
      const client = await open(t, database);
      await createPublication(client, 'p', 'all');
      await createSlot(client, slot);
      const undo = undoStatements([
        { what: 'publication', side: 'source', name: 'p' },
        { what: 'slot', side: 'source', name: slot },
        { what: 'staging schema', side: 'target', name: '"_rep""l".public' },
        { what: 'table', side: 'target', name: 'public.t' },
      ]);
      assert.deepEqual(
        undo.map(({ side }) => side),
        ['source', 'source', 'target', 'target'],
      );
      for (const { sql } of undo) await database.query(sql);
      const [left] = await database.query<{ things: string }>(`
        SELECT (SELECT count(*) FROM pg_publication) || ' ' || (SELECT count(*) FROM pg_replication_slots WHERE slot_name = '${slot}')
               || ' ' || (SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema'))
               || ' ' || (SELECT count(*) FROM pg_namespace WHERE nspname LIKE '\\_rep%') AS things`);
      assert.equal(left.things, '0 0 0 0');
    });
  });
}

test('a server without slots to spare says so when a slot is made', async (t) => {
  const server = await startPostgres({ version: 18, settings: { max_replication_slots: '1' } });
  t.after(() => server.stop());
  const database = await freshDatabase(server, t);
  const client = await open(t, database);
  await createSlot(client, 'only');
  await fails(createSlot(client, 'another'), 'PG_NO_SLOTS', /all 1 replication slots/, /max_replication_slots = 11/);
});

test('statements quote every name', () => {
  assert.equal(
    publicationStatement('a"b', ['s.T', '"x.y".z']),
    'CREATE PUBLICATION "a""b" FOR TABLE "s"."T", "x.y"."z" WITH (publish_via_partition_root = true)',
  );
  assert.equal(replicaIdentityStatement('public.t; DROP'), 'ALTER TABLE "public"."t; DROP" REPLICA IDENTITY FULL');
});
