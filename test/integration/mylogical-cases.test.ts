import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MysqlReplica, type MysqlReplicaOptions } from '../harness/mysql-replica.ts';
import { sharedMysql } from '../servers/mysql.ts';
import { sharedServer } from '../servers/postgres.ts';

const target = sharedServer();

const ITEMS: MysqlReplicaOptions = {
  sourceSchema: 'CREATE TABLE item (id INT PRIMARY KEY, v VARCHAR(100))',
  targetSchema: 'CREATE TABLE item (id int PRIMARY KEY, v text)',
};

for (const flavour of ['mysql', 'mariadb-11'] as const) {
  const source = sharedMysql({ flavour });
  const create = (t: TestContext, options: MysqlReplicaOptions = ITEMS) =>
    MysqlReplica.create(t, source.server, target.server, options);

  test(`${flavour}: what was prepared is applied when it is committed, also after the engine was killed`, async (t) => {
    const replica = await create(t);
    const first = await replica.start();
    const prepare = async (xid: string, id: number) => {
      const session = await source.server.connect(replica.database);
      t.after(() => session.end());
      await session.query(
        `XA START '${xid}'; INSERT INTO item VALUES (${id}, 'xa'); XA END '${xid}'; XA PREPARE '${xid}'`,
      );
      return session;
    };
    const name = replica.database;
    const sessions = [await prepare(`${name}a`, 1), await prepare(`${name}b`, 2), await prepare(`${name}c`, 3)];
    await replica.settle();
    await sessions[0].query(`XA COMMIT '${name}a'`);
    await replica.settle();
    const { rows } = await replica.target.query('SELECT id FROM item');
    assert.deepEqual(rows, [{ id: 1 }], 'nothing is applied that is only prepared');
    await first.kill();

    const second = await replica.start([], { flags: replica.resumeFlags });
    await replica.settle();
    await sessions[1].query(`XA COMMIT '${name}b'`);
    await sessions[2].query(`XA ROLLBACK '${name}c'`);
    await replica.assertSettledEqual();
    assert.doesNotMatch(second.log, /will retry/);
    assert.equal((await second.stop()).code, 0);
  });

  test(`${flavour}: TRUNCATE by policy`, async (t) => {
    const replica = await create(t);
    const first = await replica.start();
    await replica.source.query(
      "INSERT INTO item VALUES (1, 'a'); TRUNCATE TABLE item; INSERT INTO item VALUES (2, 'b')",
    );
    await replica.assertSettledEqual();
    assert.equal((await first.stop()).code, 0);
    const second = await replica.start(['--truncate', 'error']);
    await replica.settle();
    await replica.source.query('TRUNCATE item');
    assert.equal((await second.waitForExit()).code, 1);
    assert.match(second.log, /fix: /);
    await replica.start(['--truncate', 'ignore']);
    await replica.settle();
    assert.equal((await replica.target.query('SELECT FROM item')).rowCount, 1);
  });

  test(`${flavour}: dates that do not exist become NULL, counted and told of once, or stop it`, async (t) => {
    const replica = await create(t, {
      sourceSchema: 'CREATE TABLE item (id INT PRIMARY KEY, d DATE, b TINYINT(1))',
      targetSchema: 'CREATE TABLE item (id int PRIMARY KEY, d date, b boolean)',
    });
    const first = await replica.start();
    await replica.source.query("SET sql_mode = ''; INSERT INTO item VALUES (1, '0000-00-00', 2), (2, '2024-02-00', 1)");
    await replica.source.query("INSERT INTO item VALUES (3, '0000-00-00', 0)");
    await replica.settle();
    const { rows } = await replica.target.query('SELECT id, d, b FROM item ORDER BY id');
    assert.deepEqual(rows, [
      { id: 1, d: null, b: true },
      { id: 2, d: null, b: true },
      { id: 3, d: null, b: false },
    ]);
    const metrics = await first.metrics();
    assert.equal(metrics.get('instar_values_changed_total{reason="zero_date"}'), 3);
    assert.equal(metrics.get('instar_values_changed_total{reason="bool_out_of_range"}'), 1);
    assert.equal(first.log.match(/column d of .*item: dates that do not exist/g)?.length, 1, first.log);
    assert.equal(first.log.match(/column b of .*item: numbers other than 0 and 1/g)?.length, 1, first.log);
    assert.equal((await first.stop()).code, 0);
    const second = await replica.start(['--zeroDates', 'error']);
    await replica.settle();
    await replica.source.query("INSERT INTO item VALUES (4, '0000-00-00', 0)");
    assert.equal((await second.waitForExit()).code, 1);
    assert.match(second.log, /column d of/);
    await replica.start();
    await replica.settle();
    assert.equal((await replica.target.query('SELECT FROM item')).rowCount, 4, 'nothing was passed over');
  });

  test(`${flavour}: one database of several, or all of them`, async (t) => {
    const replica = await create(t);
    const other = `${replica.database}_other`;
    await source.server.createDatabase(other);
    t.after(() => source.server.query(`DROP DATABASE ${other}`).then(() => {}));
    await source.server.query(`CREATE TABLE ${other}.thing (id INT PRIMARY KEY)`);
    await source.server.query(`CREATE TABLE ${other}.item (id INT PRIMARY KEY, v VARCHAR(100))`);
    await replica.target.query('CREATE TABLE thing (id int PRIMARY KEY)');
    const first = await replica.start();
    await source.server.query(`INSERT INTO ${other}.item VALUES (77, 'of another database')`);
    await source.server.query(`INSERT INTO ${other}.thing VALUES (1)`);
    await replica.settle();
    assert.equal((await replica.target.query('SELECT FROM item')).rowCount, 0);
    assert.equal((await replica.target.query('SELECT FROM thing')).rowCount, 0);
    assert.equal((await first.stop()).code, 0);

    await replica.target.query('DELETE FROM _replicator.memo');
    const clash = await replica.start(['--allDatabases']);
    assert.equal((await clash.waitForExit()).code, 1);
    assert.match(clash.log, /MYSQL_TABLE_NAME_CLASH/);
  });
}

const many = sharedMysql();

test('all databases, their tables told apart by name', async (t) => {
  const replica = await MysqlReplica.create(t, many.server, target.server, ITEMS);
  const other = `${replica.database}_other`;
  await many.server.createDatabase(other);
  await many.server.query(`CREATE TABLE ${other}.thing (id INT PRIMARY KEY)`);
  await replica.target.query('CREATE TABLE thing (id int PRIMARY KEY)');
  await replica.start(['--allDatabases'], { sourceConn: many.server.uri() });
  await many.server.query(`INSERT INTO ${other}.thing VALUES (1)`);
  await replica.source.query("INSERT INTO item VALUES (1, 'a')");
  await replica.settle();
  assert.equal((await replica.target.query('SELECT FROM thing')).rowCount, 1);
  assert.equal((await replica.target.query('SELECT FROM item')).rowCount, 1);
  await replica.engine?.kill();
  await many.server.query(`DROP DATABASE ${other}`);
});

const minimal = sharedMysql({ settings: { binlog_row_metadata: 'MINIMAL' } });

test('a log without the names of columns is refused, or read with those of the catalogue', async (t) => {
  const replica = await MysqlReplica.create(t, minimal.server, target.server, ITEMS);
  const refused = await replica.start();
  assert.equal((await refused.waitForExit()).code, 1);
  assert.match(refused.log, /MYSQL_ROW_METADATA/);
  await replica.start(['--fetchMetadata']);
  await replica.source.query("INSERT INTO item VALUES (1, 'a'), (2, 'b'); UPDATE item SET id = 3 WHERE id = 1");
  await replica.assertSettledEqual();
});

const mixed = sharedMysql({ flavour: 'mariadb-11' });

test('the search for what was prepared does not mind logs that could not be replicated', async (t) => {
  const replica = await MysqlReplica.create(t, mixed.server, target.server, ITEMS);
  await mixed.server.query("SET GLOBAL binlog_row_metadata = 'NO_LOG'");
  await mixed.server.query("INSERT INTO item VALUES (9, 'not to be read')", [], replica.database);
  await mixed.server.query("SET GLOBAL binlog_row_metadata = 'FULL'");
  await replica.target.query("INSERT INTO item VALUES (9, 'not to be read')");
  const session = await mixed.server.connect(replica.database);
  t.after(() => session.end());
  const xid = replica.database;
  await session.query(`XA START '${xid}'; INSERT INTO item VALUES (1, 'xa'); XA END '${xid}'; XA PREPARE '${xid}'`);
  replica.begin = await replica.executed();
  const engine = await replica.start();
  await replica.settle();
  await session.query(`XA COMMIT '${xid}'`);
  await replica.assertSettledEqual();
  assert.match(engine.log, /the log is searched for changes that were prepared/);
});

test('a transaction that takes back a part is read once more and gathered before any of it is applied', async (t) => {
  const replica = await MysqlReplica.create(t, mixed.server, target.server, {
    sourceSchema: `${ITEMS.sourceSchema}; CREATE TABLE note (id INT PRIMARY KEY) ENGINE = MyISAM`,
    targetSchema: `${ITEMS.targetSchema}; CREATE TABLE note (id int PRIMARY KEY)`,
  });
  const engine = await replica.start();
  await replica.source.query(
    `START TRANSACTION; INSERT INTO item VALUES (1, 'kept'); SAVEPOINT a; INSERT INTO item VALUES (2, 'taken back');
     INSERT INTO note VALUES (1); ROLLBACK TO a; INSERT INTO item VALUES (3, 'kept'); COMMIT`,
  );
  await replica.assertSettledEqual();
  assert.match(engine.log, /MYSQL_REREAD/);
  assert.equal(engine.running, true);
});
