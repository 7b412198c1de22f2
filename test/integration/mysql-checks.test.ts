import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseMysqlConnectionString } from '../../src/config/mysql-connection.ts';
import { type Connection, close, connect } from '../../src/sources/mysql/connection.ts';
import { mayMonitor, mayReplicate, maySelect } from '../../src/sources/mysql/grants.ts';
import { readReplicas } from '../../src/sources/mysql/replicas.ts';
import { checkServer, serverFindings } from '../../src/sources/mysql/server-checks.ts';
import { askBinlogStatus, readServer, type ServerFacts, statusColumn } from '../../src/sources/mysql/server-facts.ts';
import {
  binlogFormatFinding,
  gtidModeFinding,
  rowMetadataFinding,
} from '../../src/sources/mysql/server-requirements.ts';
import { listDatabases, listTables, readBinlogStatus } from '../../src/sources/mysql/setup.ts';
import { readCascades } from '../../src/sources/mysql/tables.ts';
import { RecordingLogger } from '../harness/recording-logger.ts';
import { type MysqlFlavour, type MysqlServer, startMysql } from '../servers/mysql.ts';

const WISHES = { database: 'shop', fetchMetadata: false };

async function using<T>(url: string, ask: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(parseMysqlConnectionString(url, '--sourceConn', {}));
  try {
    return await ask(connection);
  } finally {
    close(connection);
  }
}

function codes(server: ServerFacts): string[] {
  return serverFindings(server, WISHES).flatMap(({ refusal }) => refusal?.error.code ?? []);
}

for (const flavour of ['mysql', 'mariadb', 'mariadb-11'] as const satisfies MysqlFlavour[]) {
  test(`what ${flavour} says of itself`, async (t) => {
    let server: MysqlServer;
    const maria = flavour !== 'mysql';
    before(async () => {
      server = await startMysql({ flavour });
      await server.query('CREATE DATABASE shop');
      await server.query('CREATE TABLE shop.customers (id INT PRIMARY KEY)');
      await server.query('CREATE ROLE reader');
      await server.query('GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO reader');
      await server.query('GRANT SELECT ON shop.* TO reader');
      for (const user of ['plain', 'member', 'idle']) await server.query(`CREATE USER ${user}@'%'`);
      await server.query("GRANT REPLICATION SLAVE ON *.* TO plain@'%'");
      await server.query("GRANT reader TO member@'%'");
      await server.query("GRANT reader TO idle@'%'");
      await server.query(maria ? "SET DEFAULT ROLE reader FOR member@'%'" : "SET DEFAULT ROLE reader TO member@'%'");
    });
    after(() => server?.stop());
    const facts = (user = 'root') => using(server.uri('', { user }), readServer);

    await t.test('a server made for replication passes, and nobody is told of anything', async () => {
      const log = new RecordingLogger();
      const found = await using(server.uri('shop'), (connection) => checkServer(connection, WISHES, log));
      assert.equal(found.version.flavour, maria ? 'mariadb' : 'mysql');
      assert.equal(found.replica, 'no');
      assert.deepEqual(codes(found), []);
      assert.deepEqual(log.lines, []);
    });

    await t.test('rights are those of the user and of the roles that are active', async () => {
      for (const [user, replicate, monitor, select] of [
        ['root', true, true, true],
        ['member', true, true, true],
        ['plain', true, false, false],
        ['idle', false, false, false],
      ] as const) {
        const { grants, status } = await facts(user);
        assert.equal(mayReplicate(grants), replicate, user);
        assert.equal(mayMonitor(grants), monitor, user);
        assert.equal(maySelect(grants, 'shop'), select, user);
        // What the server lets the user ask is what was read from the grants.
        assert.equal(status !== undefined, monitor, user);
      }
      assert.deepEqual(codes(await facts('idle')), ['MYSQL_NO_REPLICATION_PRIVILEGE']);
      assert.equal((await facts('plain')).replica, 'unknown');
    });

    await t.test(
      'the status of the binary log is as the server prints it, and the set is what it has committed',
      async () => {
        const { set, status, flavour: product } = await using(server.uri(), readBinlogStatus);
        assert.equal(product, maria ? 'mariadb' : 'mysql');
        assert.equal(status?.statement, maria ? 'SHOW MASTER STATUS' : 'SHOW BINARY LOG STATUS');
        assert.match(String(statusColumn(status, 'file')), /^binlog\.\d+$|-bin\.\d+$/);
        assert.match(set, maria ? /^0-\d+-\d+$/ : /^[0-9a-f-]{36}:1-\d+$/);
        // A user who may not see the status still learns the set.
        const unseen = await using(server.uri('', { user: 'plain' }), readBinlogStatus);
        assert.equal(unseen.status, undefined);
        assert.equal(unseen.set, set);
      },
    );

    await t.test('settings that are wrong are found, and mended by the statements of their fix', async () => {
      await server.query("SET GLOBAL binlog_format = 'MIXED'");
      await server.query(`SET GLOBAL binlog_row_metadata = ${maria ? "'NO_LOG'" : "'MINIMAL'"}`);
      const wrong = await facts();
      assert.deepEqual(codes(wrong), ['MYSQL_BINLOG_FORMAT', 'MYSQL_ROW_METADATA']);
      await assert.rejects(
        using(server.uri('shop'), (connection) => checkServer(connection, WISHES, new RecordingLogger())),
        { code: 'MYSQL_BINLOG_FORMAT', transient: false },
      );
      for (const finding of [binlogFormatFinding(wrong), rowMetadataFinding(wrong, false)]) {
        for (const statement of finding.refusal?.statements ?? []) await server.query(statement);
      }
      assert.deepEqual(codes(await facts()), []);
    });

    if (!maria) {
      await t.test('gtid_mode goes from OFF to ON by the statements of its fix', async () => {
        for (const mode of ['ON_PERMISSIVE', 'OFF_PERMISSIVE', 'OFF'])
          await server.query(`SET GLOBAL gtid_mode = ${mode}`);
        await server.query('SET GLOBAL enforce_gtid_consistency = OFF');
        const off = await facts();
        assert.deepEqual(codes(off), ['MYSQL_GTID_MODE', 'MYSQL_GTID_CONSISTENCY']);
        for (const statement of gtidModeFinding(off).refusal?.statements ?? []) await server.query(statement);
        assert.deepEqual(codes(await facts()), []);
      });
    }

    await t.test('a replica is told from a primary', async () => {
      await server.query(
        maria
          ? "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_USER = 'x'"
          : "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_USER = 'x'",
      );
      const replica = await facts();
      assert.equal(replica.replica, 'yes');
      // MariaDB does not log what it gets unless it is told to.
      assert.deepEqual(codes(replica), maria ? ['MYSQL_REPLICA_NOT_LOGGING'] : []);
      await server.query(maria ? 'RESET SLAVE ALL' : 'RESET REPLICA ALL');
      assert.equal((await facts()).replica, 'no');
    });

    await t.test('readers that made themselves known', async () => {
      assert.deepEqual(await using(server.uri(), readReplicas), []);
      const asPlain = await using(server.uri('', { user: 'plain' }), readReplicas);
      assert.deepEqual(asPlain, maria ? undefined : []);
    });

    await t.test('databases and tables are listed with what keeps them from being replicated well', async () => {
      await server.query('CREATE DATABASE `we``ird`');
      await server.query('CREATE TABLE shop.plain (a INT)');
      await server.query('CREATE TABLE shop.nullable (a INT, UNIQUE (a))');
      await server.query('CREATE TABLE shop.prefixed (a VARCHAR(20) NOT NULL, UNIQUE (a(5)))');
      await server.query('CREATE TABLE shop.coded (a INT NOT NULL, b INT, UNIQUE (a))');
      await server.query('CREATE TABLE shop.old (a INT PRIMARY KEY) ENGINE = MyISAM');
      await server.query(
        'CREATE TABLE shop.orders (id INT PRIMARY KEY, customer INT, FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE ON UPDATE SET NULL)',
        [],
        'shop',
      );
      await server.query(
        'CREATE TABLE shop.strict (id INT PRIMARY KEY, customer INT, FOREIGN KEY (customer) REFERENCES customers (id))',
        [],
        'shop',
      );
      await server.query('CREATE VIEW shop.seen AS SELECT 1 AS one');
      await server.query('INSERT INTO shop.customers VALUES (1), (2), (3)');
      await server.query('ANALYZE TABLE shop.customers');

      const databases = await using(server.uri(), listDatabases);
      assert.deepEqual(
        databases.filter(({ name }) => name !== 'test').map(({ name, tables }) => [name, tables]),
        [
          ['shop', 8],
          ['we`ird', 0],
        ],
      );
      const tables = await using(server.uri(), (connection) => listTables(connection, 'shop'));
      assert.deepEqual(
        tables.map(({ name, key, engine, warning }) => [name, key, engine, warning?.split(/[ :]/, 1)[0]]),
        [
          ['coded', 'unique', 'InnoDB', undefined],
          ['customers', 'primary', 'InnoDB', undefined],
          ['nullable', 'none', 'InnoDB', 'no'],
          ['old', 'primary', 'MyISAM', 'MyISAM'],
          ['orders', 'primary', 'InnoDB', undefined],
          ['plain', 'none', 'InnoDB', 'no'],
          ['prefixed', 'none', 'InnoDB', 'no'],
          ['strict', 'primary', 'InnoDB', undefined],
        ],
      );
      const customers = tables.find(({ name }) => name === 'customers');
      assert.equal(customers?.rows, 3);
      assert.ok(customers.bytes >= 16384);
      const fix = tables.find(({ name }) => name === 'plain')?.fix;
      await server.query(String(fix));
      assert.equal(
        (await using(server.uri(), (c) => listTables(c, 'shop'))).find(({ name }) => name === 'plain')?.key,
        'primary',
      );

      const cascades = await using(server.uri(), (connection) => readCascades(connection, 'shop'));
      assert.deepEqual(
        cascades.map(({ name, referenced, action }) => [name, referenced, action]),
        [['orders', 'customers', 'ON DELETE CASCADE ON UPDATE SET NULL']],
      );
      assert.deepEqual(await using(server.uri(), (connection) => readCascades(connection, undefined)), cascades);
    });

    if (maria) {
      await t.test('columns in the format of MariaDB 5.3 are found, and mended by their fix', async () => {
        await server.query('SET GLOBAL mysql56_temporal_format = OFF');
        await server.query('CREATE TABLE shop.aged (id INT PRIMARY KEY, at DATETIME(3), later DATETIME(6))');
        await server.query('SET GLOBAL mysql56_temporal_format = ON');
        const aged = async () =>
          (await using(server.uri(), (connection) => listTables(connection, 'shop'))).find(
            ({ name }) => name === 'aged',
          );
        const found = await aged();
        assert.match(String(found?.warning), /: at, later$/);
        await server.query(String(found?.fix));
        assert.equal((await aged())?.warning, undefined);
      });
    }
  });
}

test('a server without a binary log, or one that leaves the database out, is refused', async (t) => {
  const filtered = await startMysql({ settings: { binlog_ignore_db: 'shop' } });
  t.after(() => filtered.stop());
  const found = await using(filtered.uri(), readServer);
  assert.deepEqual(codes(found), ['MYSQL_BINLOG_FILTER']);
  assert.deepEqual(
    serverFindings(found, { database: 'other', fetchMetadata: false }).flatMap(({ refusal }) => refusal ?? []),
    [],
  );

  const silent = await startMysql({
    settings: { 'disable-log-bin': 'TRUE', gtid_mode: 'OFF', enforce_gtid_consistency: 'OFF' },
  });
  t.after(() => silent.stop());
  assert.deepEqual(codes(await using(silent.uri(), readServer)), [
    'MYSQL_LOG_BIN',
    'MYSQL_GTID_MODE',
    'MYSQL_GTID_CONSISTENCY',
  ]);
  assert.equal(await using(silent.uri(), askBinlogStatus), undefined);
});
