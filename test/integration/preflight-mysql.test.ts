import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseMysqlConnectionString } from '../../src/config/mysql-connection.ts';
import { type CheckResult, isReady } from '../../src/preflight/check.ts';
import { testMysqlConnection } from '../../src/preflight/mysql-connection-test.ts';
import { checkMysqlSource, plannedMysqlSourceChecks } from '../../src/preflight/mysql-source.ts';
import type { SourceWishes } from '../../src/preflight/source-wishes.ts';
import { type MysqlFlavour, type MysqlServer, startMysql } from '../servers/mysql.ts';

const PASSWORD = 'a-long-secret';

function described(url: string) {
  return parseMysqlConnectionString(url, '--sourceConn', {});
}

function resultOf(results: readonly CheckResult[], id: string): CheckResult {
  const result = results.find((each) => each.id === `source.${id}`);
  assert.ok(result, id);
  return result;
}

/** Ids of the checks that did not pass, with their codes. */
function failures(results: readonly CheckResult[]): string[] {
  return results
    .filter(({ state }) => state !== 'passed')
    .map(({ id, state, code }) =>
      [id.replace('source.', ''), ...(state === 'failed' ? [] : [state]), ...(code ? [code] : [])].join(' '),
    );
}

for (const flavour of ['mysql', 'mariadb', 'mariadb-11'] as const satisfies MysqlFlavour[]) {
  test(`preflight of ${flavour}`, async (t) => {
    const maria = flavour !== 'mysql';
    let server: MysqlServer;
    before(async () => {
      server = await startMysql({ flavour });
      await server.query('CREATE DATABASE shop');
      await server.query('CREATE DATABASE other');
      await server.query('CREATE TABLE shop.customers (id INT PRIMARY KEY)');
      await server.query("CREATE USER replicator@'%' IDENTIFIED BY ?", [PASSWORD]);
    });
    after(() => server?.stop());
    const check = (wishes: SourceWishes = {}, url = server.uri('shop'), seen: CheckResult[] = []) =>
      checkMysqlSource(described(url), wishes, (result) => seen.push(result));

    await t.test('everything as it should be: ready, each result reported once and in the planned order', async () => {
      const seen: CheckResult[] = [];
      const results = await check({ tables: 'all', serverId: 4_000_000_000 }, undefined, seen);
      assert.deepEqual(failures(results), []);
      assert.ok(isReady(results));
      assert.deepEqual(
        results.map(({ id }) => id),
        plannedMysqlSourceChecks().map(({ id }) => id),
      );
      assert.deepEqual(new Set(seen), new Set(results));
      assert.equal(seen.length, results.length);
      for (const { id, title, why } of results) {
        assert.ok(title.length <= 40, id);
        assert.match(why, /[^.]\.$/, id);
      }
    });

    await t.test('who is there', async () => {
      const facts = await testMysqlConnection(described(server.uri('shop')));
      assert.equal(facts.product, maria ? 'mariadb' : 'mysql');
      assert.match(facts.version, /^\d+\.\d+\.\d+$/);
      assert.equal(facts.database, 'shop');
      assert.match(facts.user, /^root@/);
      assert.equal(facts.encrypted, flavour !== 'mariadb');
      assert.ok(facts.latency >= 0);
    });

    await t.test('a user without rights: each right by its name, nothing of the password', async () => {
      await server.query("GRANT INSERT ON shop.* TO replicator@'%'");
      const url = server.uri('shop', { user: 'replicator', password: PASSWORD });
      const results = await check({ fetchMetadata: true }, url);
      assert.deepEqual(failures(results), [
        'replication_right MYSQL_NO_REPLICATION_PRIVILEGE',
        'monitor_right MYSQL_NO_MONITOR_PRIVILEGE',
        'metadata_right MYSQL_NO_SELECT_PRIVILEGE',
        'read_right MYSQL_NO_SELECT_PRIVILEGE',
      ]);
      assert.doesNotMatch(JSON.stringify(results), new RegExp(PASSWORD));
      assert.equal(resultOf(await check({}, url), 'metadata_right').state, 'passed');
      for (const id of ['replication_right', 'monitor_right', 'read_right']) {
        for (const statement of String(resultOf(results, id).fix?.text).split(';')) {
          if (statement.trim() !== '') await server.query(statement);
        }
      }
      assert.deepEqual(failures(await check({ fetchMetadata: true }, url)), []);
    });

    await t.test('settings that are wrong come with statements that put them right', async () => {
      await server.query("SET GLOBAL binlog_format = 'STATEMENT', binlog_row_image = 'MINIMAL'");
      await server.query('SET GLOBAL binlog_expire_logs_seconds = 60');
      await server.query(`SET GLOBAL binlog_row_metadata = ${maria ? "'NO_LOG'" : "'MINIMAL'"}`);
      const results = await check();
      assert.deepEqual(failures(results), [
        'binlog_format MYSQL_BINLOG_FORMAT',
        'binlog_row_metadata MYSQL_ROW_METADATA',
        'retention MYSQL_RETENTION',
        'binlog_row_image MYSQL_ROW_IMAGE',
      ]);
      assert.equal(isReady(results), false);
      assert.equal(resultOf(await check({ fetchMetadata: true }), 'binlog_row_metadata').state, 'passed');
      for (const { fix } of results) for (const statement of fix?.statements ?? []) await server.query(statement);
      assert.deepEqual(failures(await check()), []);
    });

    await t.test('tables: missing ones, those without a key, and those that change with others', async () => {
      const missing = resultOf(await check({ tables: ['shop.customers', 'shop.nowhere'] }), 'tables');
      assert.equal(missing.code, 'MYSQL_TABLE_MISSING');
      assert.match(missing.found, /shop\.nowhere$/);
      assert.equal(resultOf(await check({}, server.uri('other')), 'tables').state, 'failed');

      await server.query('CREATE TABLE shop.plain (a INT)');
      await server.query(
        'CREATE TABLE shop.orders (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES customers (id) ON DELETE CASCADE)',
        [],
        'shop',
      );
      const results = await check();
      // From 9.6 on, MySQL logs the rows that its foreign keys change.
      assert.deepEqual(failures(results), ['primary_keys', ...(maria ? ['cascades'] : [])]);
      assert.ok(isReady(results));
      assert.match(resultOf(results, 'primary_keys').found, /shop\.plain/);
      if (maria)
        assert.match(
          String(resultOf(results, 'cascades').fix?.text),
          /orders: .* REFERENCES customers ON DELETE CASCADE/,
        );
      assert.deepEqual(failures(await check({ tables: ['shop.customers'] })), []);
    });

    await t.test('all databases: two tables of one name would be mixed', async () => {
      const url = server.uri('');
      assert.deepEqual(
        failures(await check({}, url)).filter((each) => each.startsWith('database')),
        ['database MYSQL_NO_DATABASE'],
      );
      await server.query('CREATE TABLE other.customers (id INT PRIMARY KEY)');
      assert.equal(resultOf(await check({ allDatabases: true }, url), 'tables').code, 'MYSQL_TABLE_NAME_CLASH');
      await server.query('DROP TABLE other.customers');
      assert.equal(resultOf(await check({ allDatabases: true }, url), 'tables').state, 'passed');
    });

    await t.test('the GTID set to begin with', async () => {
      const [{ now }] = await server.query<{ now: string }>(
        `SELECT @@GLOBAL.${maria ? 'gtid_binlog_pos' : 'gtid_executed'} AS now`,
      );
      const good = resultOf(await check({ startSet: now }), 'start');
      assert.equal(good.state, 'passed');
      assert.match(good.found, /nothing has been committed since/);
      const bad = resultOf(await check({ startSet: 'nonsense' }), 'start');
      assert.equal(bad.code, 'MYSQL_GTID_SYNTAX');
      const ahead = resultOf(await check({ startSet: now.replace(/\d+$/, '99999') }), 'start');
      assert.equal(ahead.code, 'MYSQL_GTID_AHEAD');
      assert.match(String(ahead.fix?.text), /DELETE FROM .*memo/);
    });

    await t.test("the source's own id is no id for a reader", async () => {
      const [{ id }] = await server.query<{ id: number }>('SELECT @@server_id AS id');
      assert.equal(resultOf(await check({ serverId: Number(id) }), 'reader_id').code, 'MYSQL_SERVER_ID_IN_USE');
    });
  });
}

test('a server that cannot be reached: one failure, everything else skipped because of it', async () => {
  const results = await checkMysqlSource(described('mysql://root@127.0.0.1:1/shop'), {});
  const [first, ...rest] = results;
  assert.equal(first.code, 'MYSQL_CONNECTION_REFUSED');
  for (const { state, found } of rest) {
    assert.equal(state, 'skipped');
    assert.match(found, /because of: connection/);
  }
});

test('checks that are broken off report nothing any more', async () => {
  const reported: CheckResult[] = [];
  const reason = new Error('left');
  await assert.rejects(
    checkMysqlSource(
      described('mysql://root@127.0.0.1:1/shop'),
      {},
      (each) => reported.push(each),
      AbortSignal.abort(reason),
    ),
    reason,
  );
  assert.deepEqual(reported, []);
});
