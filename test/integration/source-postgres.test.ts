import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OperatorError } from '../../src/errors.ts';
import { publish, SourceRun } from '../harness/source-run.ts';
import { sharedServer } from '../servers/postgres.ts';

for (const version of [14, 18] as const) {
  describe(`PostgreSQL ${version} as a source`, () => {
    const shared = sharedServer({ version, settings: { logical_decoding_work_mem: '64kB', lc_messages: 'C' } });

    test('every kind of change arrives, with the values as the server prints them', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(
        database,
        `CREATE TABLE items (id int PRIMARY KEY, name text, at timestamptz, price numeric, big text);
         CREATE TABLE whole (a int, b text); ALTER TABLE whole REPLICA IDENTITY FULL;
         CREATE TABLE indexed (id int NOT NULL, code text NOT NULL UNIQUE);
         ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_code_key;
         CREATE TABLE keyless (line text);
         ALTER DATABASE ${database.name} SET datestyle = 'German'; ALTER DATABASE ${database.name} SET timezone = 'Asia/Tokyo'`,
      );
      const run = await SourceRun.start(t, { url: database.url, slotName });
      assert.deepEqual(
        run.tables.map((table) => [
          table.name,
          table.identity,
          table.columns.filter((c) => c.identity).map((c) => c.name),
        ]),
        [
          ['indexed', 'key', ['code']],
          ['items', 'key', ['id']],
          ['keyless', 'nothing', []],
          ['whole', 'full', ['a', 'b']],
        ],
      );
      assert.equal(run.tables[1].columns[3].type, 'numeric');
      await database.query(
        `INSERT INTO items VALUES (1, 'x', '2024-01-02 03:04:05.678901+00', 1.50,
           (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 500) i))`,
      );
      await database.query(`UPDATE items SET name = 'ü' WHERE id = 1`);
      await database.query('UPDATE items SET id = 2');
      await database.query('DELETE FROM items');
      await database.query(`INSERT INTO whole VALUES (1, NULL); UPDATE whole SET b = ''; DELETE FROM whole`);
      await database.query(`INSERT INTO indexed VALUES (1, 'c'); UPDATE indexed SET code = 'd'`);
      await database.query(`INSERT INTO keyless VALUES ('l'), ('l')`);
      await run.transactions(7);
      const big = (
        await database.query<{ big: string }>(
          `SELECT string_agg(md5(i::text), '') AS big FROM generate_series(1, 500) i`,
        )
      )[0].big;
      const at = '2024-01-02 03:04:05.678901+00';
      const shown = run.changes.map((c) => [c.kind, c.table.name, c.oldKind, c.old, c.new]);
      assert.deepEqual(shown, [
        ['insert', 'items', undefined, undefined, ['1', 'x', at, '1.50', big]],
        ['update', 'items', undefined, undefined, ['1', 'ü', at, '1.50', undefined]],
        ['update', 'items', 'key', ['1', null, null, null, null], ['2', 'ü', at, '1.50', undefined]],
        ['delete', 'items', 'key', ['2', null, null, null, null], undefined],
        ['insert', 'whole', undefined, undefined, ['1', null]],
        ['update', 'whole', 'full', ['1', null], ['1', '']],
        ['delete', 'whole', 'full', ['1', ''], undefined],
        ['insert', 'indexed', undefined, undefined, ['1', 'c']],
        ['update', 'indexed', 'key', [null, 'c'], ['1', 'd']],
        ['insert', 'keyless', undefined, undefined, ['l']],
        ['insert', 'keyless', undefined, undefined, ['l']],
      ]);
      assert.equal(run.counted.unchanged, 2);
      assert.deepEqual(run.counted.mutations, { insert: 5, update: 4, delete: 2 });
      // The tables that were found before are those that the stream speaks of.
      assert.equal(run.changes[0].table, run.tables[1]);
      const age = Date.now() * 1000 - run.sink.transactions[0].commitTime;
      assert(age >= 0 && age < 60_000_000, `committed ${age} microseconds ago`);
      assert.equal(run.log.find('primary keepalive received').length > 0, true);
      assert.equal(run.log.find('xlog data').length > 0, true);
    });

    test('a transaction larger than memory is streamed, without what its savepoints rolled back', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(database, 'CREATE TABLE items (id int PRIMARY KEY, note text)');
      const run = await SourceRun.start(t, { url: database.url, slotName });
      await database.query(`
        BEGIN;
        INSERT INTO items SELECT i, repeat('a', 100) FROM generate_series(1, 3000) i;
        SAVEPOINT s;
        INSERT INTO items SELECT i, repeat('b', 100) FROM generate_series(3001, 6000) i;
        TRUNCATE items;
        ROLLBACK TO SAVEPOINT s;
        SAVEPOINT s2;
        INSERT INTO items SELECT i, repeat('c', 100) FROM generate_series(6001, 9000) i;
        RELEASE SAVEPOINT s2;
        UPDATE items SET note = 'd' WHERE id <= 3000;
        COMMIT;
        BEGIN;
        INSERT INTO items SELECT i, repeat('e', 100) FROM generate_series(10001, 13000) i;
        ROLLBACK;
        INSERT INTO items VALUES (0, 'last');
      `);
      await run.transactions(2);
      const [large, last] = run.sink.transactions;
      assert.deepEqual([large.spilled, last.spilled], [true, false]);
      const count = (kind: string, letter: string) =>
        large.changes.filter((change) => change.kind === kind && change.new?.[1]?.startsWith(letter)).length;
      assert.deepEqual(
        [large.changes.length, count('insert', 'a'), count('insert', 'c'), count('update', 'd')],
        [9000, 3000, 3000, 3000],
      );
      assert.deepEqual(
        last.changes.map((change) => change.new),
        [['0', 'last']],
      );
    });

    test('TRUNCATE stands in its transaction; a schema change makes a new table version', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(
        database,
        'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY REFERENCES a)',
      );
      const run = await SourceRun.start(t, { url: database.url, slotName });
      await database.query('INSERT INTO a VALUES (1); TRUNCATE a CASCADE; INSERT INTO a VALUES (2)');
      await database.query(`BEGIN; INSERT INTO a VALUES (3); ALTER TABLE a ADD COLUMN c varchar(20) DEFAULT 'x';
        INSERT INTO a VALUES (4); ALTER TABLE a DROP COLUMN c; COMMIT`);
      await run.transactions(2);
      assert.deepEqual(
        run.changes.map((change) => [change.kind, change.table.name, change.new]),
        [
          ['insert', 'a', ['1']],
          ['truncate', 'a', undefined],
          ['truncate', 'b', undefined],
          ['insert', 'a', ['2']],
          ['insert', 'a', ['3']],
          ['insert', 'a', ['4', 'x']],
        ],
      );
      const tables = run.changes.map((change) => change.table);
      assert.equal(tables[0], tables[4]);
      assert.deepEqual(
        tables[5].columns.map((c) => c.type),
        ['integer', 'character varying(20)'],
      );
    });

    for (const viaRoot of [true, false]) {
      test(`a partitioned table is published ${viaRoot ? 'as itself' : 'as its partitions'}`, async (t) => {
        const database = await shared.freshDatabase(t);
        const slotName = await publish(
          database,
          `CREATE TABLE events (at int, id int, note text, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
           CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);
           -- columns in another order than in the partitioned table
           CREATE TABLE events_2 (note text, id int NOT NULL, at int NOT NULL);
           ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (10) TO (20)`,
          viaRoot ? 'WITH (publish_via_partition_root = true)' : '',
        );
        const run = await SourceRun.start(t, { url: database.url, slotName });
        assert.deepEqual(
          run.tables.map((table) => table.name),
          viaRoot ? ['events'] : ['events_1', 'events_2'],
        );
        await database.query(
          `INSERT INTO events VALUES (1, 1, 'x'), (11, 2, 'y'); UPDATE events SET at = 12 WHERE id = 1`,
        );
        await run.transactions(1);
        const shown = run.changes.map((change) => [change.kind, change.table.name, change.new ?? change.old]);
        assert.deepEqual(
          shown,
          viaRoot
            ? [
                ['insert', 'events', ['1', '1', 'x']],
                ['insert', 'events', ['11', '2', 'y']],
                ['delete', 'events', ['1', '1', null]],
                ['insert', 'events', ['12', '1', 'x']],
              ]
            : [
                ['insert', 'events_1', ['1', '1', 'x']],
                ['insert', 'events_2', ['y', '2', '11']],
                ['delete', 'events_1', ['1', '1', null]],
                ['insert', 'events_2', ['x', '1', '12']],
              ],
        );
        assert.equal(run.changes[0].table, run.tables[0]);
      });
    }

    test('generated columns are neither announced nor sent', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(
        database,
        'CREATE TABLE g (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED, n int)',
      );
      const run = await SourceRun.start(t, { url: database.url, slotName });
      await database.query('INSERT INTO g (id, n) VALUES (1, 5)');
      await run.transactions(1);
      assert.deepEqual(
        run.tables[0].columns.map((column) => column.name),
        ['id', 'n'],
      );
      assert.deepEqual(run.changes[0].new, ['1', '5']);
      assert.equal(run.changes[0].table, run.tables[0]);
    });

    test('messages that carry no rows pass, and a message from an origin too (defect 10)', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(
        database,
        `CREATE TYPE mood AS ENUM ('so'); CREATE TABLE m (id int PRIMARY KEY, mood mood)`,
      );
      const run = await SourceRun.start(t, { url: database.url, slotName });
      const origin = `o_${database.name}`;
      t.after(async () => void (await database.server.query('SELECT pg_replication_origin_drop($1)', [origin])));
      await database.query(`SELECT pg_replication_origin_create('${origin}');
        SELECT pg_replication_origin_session_setup('${origin}');
        SELECT pg_logical_emit_message(true, 'p', 'x'); INSERT INTO m VALUES (1, 'so')`);
      await run.transactions(1);
      assert.deepEqual(run.changes[0].new, ['1', 'so']);
      assert.equal(run.tables[0].columns[1].type, 'mood');
    });

    test('a publication that is dropped while it is streamed stops the stream, and nothing after it is passed over', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(database, 'CREATE TABLE items (id int PRIMARY KEY)');
      const run = await SourceRun.start(t, { url: database.url, slotName });
      await database.query('INSERT INTO items VALUES (1)');
      await run.transactions(1);
      const before = run.sink.position;
      await database.query('DROP PUBLICATION everything');
      await database.query('INSERT INTO items VALUES (2)');
      await run.ended;
      assert(run.failure instanceof OperatorError, String(run.failure));
      assert.equal(run.failure.code, 'PG_PUBLICATION_MISSING');
      assert.equal(run.failure.transient, false);
      assert.match(run.failure.fix ?? '', /CREATE PUBLICATION everything FOR ALL TABLES;/);
      const [{ end }] = await database.query<{ end: string }>('SELECT pg_current_wal_lsn()::text AS "end"');
      assert.notEqual(String(before), end);
      const confirmed = await database.query<{ behind: boolean }>(
        'SELECT confirmed_flush_lsn < pg_current_wal_lsn() AS behind FROM pg_replication_slots WHERE slot_name = $1',
        [slotName],
      );
      assert.equal(confirmed[0].behind, true);
      assert.equal(run.sink.transactions.length, 1);
    });

    test('identifiers of any kind are quoted', async (t) => {
      const database = await shared.freshDatabase(t);
      await database.query(`CREATE TABLE "; drop table x; --" ("a ""b"" 'c'" int PRIMARY KEY)`);
      await database.query(`CREATE PUBLICATION "it's ""one"", two" FOR ALL TABLES`);
      const slotName = `slot_${database.name}`;
      await database.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slotName]);
      const run = await SourceRun.start(t, { url: database.url, slotName });
      await database.query(`INSERT INTO "; drop table x; --" VALUES (1)`);
      await run.transactions(1);
      assert.equal(run.changes[0].table, run.tables[0]);
      assert.equal(run.tables[0].columns[0].name, `a "b" 'c'`);
    });
  });
}
