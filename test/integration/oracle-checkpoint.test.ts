import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Engine, eventually } from '../harness/engine.ts';
import { OracleServer } from '../servers/oracle/oracle.ts';
import { freshDatabase, sharedServer, type TestDatabase } from '../servers/postgres.ts';

const target = sharedServer();

const COLUMNS = [
  { name: 'ID', type: 'NUMBER', length: 22, nullable: false },
  { name: 'NAME', type: 'VARCHAR2', length: 100, nullable: true },
];

interface Row {
  readonly schema: string;
  readonly start: string;
  readonly end: string;
  readonly committed: boolean;
}

interface Place {
  readonly server: OracleServer;
  readonly database: TestDatabase;
  start(...flags: string[]): Promise<Engine>;
  stored(): Promise<Row[]>;
  memo(): Promise<string>;
}

async function place(t: TestContext): Promise<Place> {
  const server = await OracleServer.start({ multitenant: true });
  t.after(() => server.close());
  const database = await freshDatabase(target.server, t);
  await database.query('CREATE TABLE people (id numeric PRIMARY KEY, name text)');
  server.model.createTable(server.owner, 'PEOPLE', COLUMNS, ['ID']);
  return {
    server,
    database,
    start: (...flags) =>
      Engine.start(t, {
        command: 'oraclelogminer',
        sourceConn: server.rootUrl,
        targetConn: database.url,
        environment: { INSTAR_SOURCE_PDB_CONN: server.pdbUrl ?? '' },
        flags: ['--sourceSchema', server.owner, '--stagingSchema', '_replicator', ...flags],
      }),
    async stored() {
      const rows = await database.query(
        `SELECT "schema", "startscn"::text AS start, "endscn"::text AS end, "committed" FROM _replicator._oracle_checkpoint`,
      );
      return rows as unknown as Row[];
    },
    async memo() {
      const rows = await database.query(
        `SELECT convert_from("value", 'UTF8') AS value FROM _replicator.memo WHERE "key" LIKE 'oracle-scn-%'`,
      );
      return (rows[0] as { value: string } | undefined)?.value ?? '';
    },
  };
}

const first = (database: TestDatabase, scn: bigint) => [
  ...['--targetSchema', `${database.name}.public`, '--stagingCreateSchema', '--scn', String(scn)],
];

async function arrived(database: TestDatabase, count: number): Promise<void> {
  await eventually(
    async () => (await database.query('SELECT count(*)::int AS n FROM people'))[0].n === count,
    () => `${count} rows at the target`,
  );
}

test('the checkpoint is a row that is not committed, whose startscn an open transaction holds back, and the resume needs no more than that', async (t) => {
  const { server, database, start, stored, memo } = await place(t);
  const { model } = server;
  const people = model.tables.get(`${server.owner}.PEOPLE`);
  assert(people);
  const engine = await start(...first(database, model.scn));
  const long = model.begin();
  long.insert(people, ['1', 'long']);
  const opened = model.scn;
  const short = model.begin();
  short.insert(people, ['2', 'short']);
  short.commit();
  await arrived(database, 1);
  const end = model.scn;
  const rows = await eventually(
    async () => {
      const found = await stored();
      return BigInt(found[0]?.end ?? 0) >= end && found;
    },
    () => 'the checkpoint moves',
  );
  assert.equal(rows.length, 1);
  assert.deepEqual([rows[0].schema, rows[0].committed], [`${database.name}.public`, false]);
  assert.equal(BigInt(rows[0].start), opened - 1n, 'redo is needed from the first row of what is open');
  await engine.kill();
  assert.match(await memo(), new RegExp(`^${(await stored())[0].start}:`));
  long.commit();
  const again = await start();
  await arrived(database, 2);
  await eventually(
    async () => BigInt((await stored())[0].start) >= model.scn - 100n,
    () => 'nothing holds the checkpoint back any more',
  );
  assert.equal((await again.stop()).code, 0);
});

test('beside a stored checkpoint the SCNs are refused, and without one they are demanded', async (t) => {
  const { server, database, start, stored } = await place(t);
  const { model } = server;
  const none = await start('--targetSchema', `${database.name}.public`, '--stagingCreateSchema');
  assert.equal((await none.waitForExit()).code, 1);
  assert.match(none.log, /ORACLE_SCN_EMPTY/);
  const flags = first(database, model.scn);
  const engine = await start(...flags);
  await engine.waitForLog(/ streaming /);
  assert.equal((await engine.stop()).code, 0);
  const both = await start(...flags);
  assert.equal((await both.waitForExit()).code, 1);
  assert.match(both.log, /ORACLE_SCN_AND_CHECKPOINT/);
  // Cleared in either place it is cleared.
  for (const table of ['_oracle_checkpoint', 'memo']) {
    await database.query(
      table === 'memo'
        ? `DELETE FROM _replicator.memo WHERE "key" LIKE 'oracle-scn-%'`
        : 'DELETE FROM _replicator._oracle_checkpoint',
    );
    const cleared = await start('--targetSchema', `${database.name}.public`);
    assert.equal((await cleared.waitForExit()).code, 1);
    assert.match(cleared.log, /ORACLE_SCN_EMPTY/);
    const anew = await start(...flags);
    await anew.waitForLog(/ streaming /);
    assert.equal((await anew.stop()).code, 0);
    assert.equal((await stored()).length, 1);
  }
});

test('a startscn that somebody has set back is where mining begins, and nothing is applied twice', async (t) => {
  const { server, database, start, stored } = await place(t);
  const { model } = server;
  const people = model.tables.get(`${server.owner}.PEOPLE`);
  assert(people);
  const begin = model.scn;
  const engine = await start(...first(database, begin));
  for (let i = 1; i <= 5; i++) {
    const each = model.begin();
    each.insert(people, [String(i), 'x']);
    each.commit();
  }
  await arrived(database, 5);
  await engine.stop();
  await database.query('DELETE FROM people WHERE id = 1');
  await database.query('UPDATE _replicator._oracle_checkpoint SET "startscn" = $1::decimal', [String(begin)]);
  const again = await start();
  await again.waitForLog(new RegExp(` streaming from=${begin}:`));
  const more = model.begin();
  more.insert(people, ['6', 'y']);
  more.commit();
  await arrived(database, 5);
  assert.equal((await database.query('SELECT count(*)::int AS n FROM people WHERE id = 1'))[0].n, 0);
  assert.equal((await again.stop()).code, 0);
  assert.equal((await stored()).length, 1);
});

test('preflight by the flags of the command: not ready, with what mends it, and ready then', async (t) => {
  const { server, database } = await place(t);
  const { settings, scn } = server.model;
  const preflight = async () => {
    const run = await Engine.start(t, {
      sourceConn: server.rootUrl,
      targetConn: database.url,
      environment: { INSTAR_SOURCE_PDB_CONN: server.pdbUrl ?? '' },
      argv: [
        ...['preflight', '--sourceSchema', server.owner, '--targetSchema', `${database.name}.public`],
        ...['--scn', String(scn), '--json'],
      ],
    });
    const { code } = await run.waitForExit();
    return { code, results: JSON.parse(run.log) as unknown, log: run.log };
  };
  settings.key = 'NO';
  const before = await preflight();
  assert.equal(before.code, 1);
  assert.match(before.log, /ALTER DATABASE ADD SUPPLEMENTAL LOG DATA \(PRIMARY KEY\) COLUMNS/);
  settings.key = 'YES';
  const after = await preflight();
  assert.equal(after.code, 0, after.log);
  assert.doesNotMatch(after.log, /o@ra|o%40ra/, 'no password');
});

test("another program's table in the place of ours is named, and left as it is", async (t) => {
  const { server, database, start } = await place(t);
  await database.query('CREATE SCHEMA _replicator');
  await database.query('CREATE TABLE _replicator._oracle_checkpoint (id int)');
  const engine = await start(...first(database, server.model.scn));
  assert.equal((await engine.waitForExit()).code, 1);
  assert.match(engine.log, /ORACLE_CHECKPOINT_TABLE/);
});
