import assert from 'node:assert/strict';
import net, { type AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseMysqlConnectionString } from '../../src/config/mysql-connection.ts';
import { OperatorError } from '../../src/errors.ts';
import { type Connection, close, connect } from '../../src/sources/mysql/connection.ts';
import { type MysqlFlavour, type MysqlServer, startMysql } from '../servers/mysql.ts';
import { certificate } from '../unit/config/fake-server.ts';

const PASSWORD = "s3:cr/t @'\\%ü";

function open(url: string): Promise<Connection> {
  return connect(parseMysqlConnectionString(url, '--sourceConn', {}));
}

async function failure(opening: Promise<Connection>): Promise<OperatorError> {
  const error = await opening.then(
    (connection) => {
      close(connection);
      assert.fail('connected');
    },
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof OperatorError, String(error));
  assert.doesNotMatch(`${error.message} ${error.fix}`, /s3:cr|hunter22/);
  return error;
}

async function rowsOf<Row>(connection: Connection, sql: string): Promise<Row[]> {
  const [rows] = await connection.query(sql);
  return rows as Row[];
}

async function isEncrypted(connection: Connection): Promise<boolean> {
  const [{ Value }] = await rowsOf<{ Value: string }>(connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'");
  return Value !== '';
}

for (const flavour of ['mysql', 'mariadb', 'mariadb-11'] as const satisfies MysqlFlavour[]) {
  test(`connecting to ${flavour}`, async (t) => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql({ flavour });
      for (const [user, how] of [
        ['replicator', ''],
        ['careful', 'REQUIRE SSL'],
        ['locked', 'ACCOUNT LOCK'],
        ['expired', 'PASSWORD EXPIRE'],
        ['single', 'WITH MAX_USER_CONNECTIONS 1'],
      ]) {
        await server.query(`CREATE USER ${user}@'%' IDENTIFIED BY ? ${how}`, [PASSWORD]);
      }
      await server.query('CREATE DATABASE shop');
    });
    after(() => server?.stop());
    const as = (user: string, database = '', query = '') =>
      server.uri(database, { user, password: PASSWORD, ...(query !== '' && { query }) });

    await t.test(
      'any password opens it; statements are read by the rules of this program, and large numbers are exact',
      async () => {
        await server.query("SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', time_zone = '-11:00'");
        for (const sslmode of ['disable', 'prefer']) {
          const connection = await open(as('replicator', '', `sslmode=${sslmode}`));
          const [row] = await rowsOf<Record<string, unknown>>(
            connection,
            `SELECT 18446744073709551615 AS big, 'ü€😀' AS text, "double" AS quoted, TIMESTAMP'2024-02-29 12:00:00' AS at,
                  @@session.time_zone AS zone, @@session.sql_mode AS mode`,
          );
          assert.deepEqual(
            { ...row },
            {
              big: '18446744073709551615',
              text: 'ü€😀',
              quoted: 'double',
              at: '2024-02-29 12:00:00',
              zone: '+00:00',
              mode: '',
            },
          );
          close(connection);
        }
        await server.query("SET GLOBAL sql_mode = DEFAULT, time_zone = 'SYSTEM'");
      },
    );

    await t.test('what it refuses is named, and what passes by itself is told from what does not', async () => {
      for (const [url, code] of [
        [server.uri('', { user: 'replicator', password: 'hunter22' }), 'MYSQL_PASSWORD'],
        [server.uri('', { user: 'replicator' }), 'MYSQL_PASSWORD'],
        [as('nobody'), 'MYSQL_PASSWORD'],
        [as('careful', '', 'sslmode=disable'), 'MYSQL_PASSWORD'],
        [as('locked'), 'MYSQL_ACCOUNT_LOCKED'],
        [as('expired'), 'MYSQL_PASSWORD_EXPIRED'],
        [server.uri('nowhere'), 'MYSQL_NO_DATABASE'],
        [as('replicator', 'shop'), 'MYSQL_DATABASE_DENIED'],
      ]) {
        const error = await failure(open(url));
        assert.equal(error.code, code, error.message);
        assert.equal(error.transient, false, error.message);
        assert.ok(error.fix, error.code);
      }
      assert.match((await failure(open(server.uri('', { user: 'replicator' })))).message, /none was given/);
    });

    await t.test('having no connection left passes', async () => {
      const first = await open(as('single'));
      const second = await failure(open(as('single')));
      assert.equal(second.code, 'MYSQL_TOO_MANY_CONNECTIONS');
      assert.equal(second.transient, true);
      close(first);
      await server.query('SET GLOBAL max_connections = 10');
      const held: Connection[] = [];
      let full: unknown;
      while (full === undefined && held.length < 20) {
        await open(as('replicator')).then(
          (connection) => held.push(connection),
          (error: unknown) => {
            full = error;
          },
        );
      }
      for (const connection of held) close(connection);
      assert.ok(full instanceof OperatorError);
      assert.equal(full.code, 'MYSQL_TOO_MANY_CONNECTIONS');
      assert.equal(full.transient, true);
    });

    await t.test('TLS is used as each sslmode says', async () => {
      // MariaDB before 11.4 has a certificate only when it is given one.
      const hasTls = flavour !== 'mariadb';
      for (const [user, query, encrypted] of [
        ['replicator', 'sslmode=disable', false],
        ['replicator', 'sslmode=allow', false],
        ['replicator', '', hasTls],
        ['replicator', 'sslmode=prefer', hasTls],
        ...(hasTls
          ? ([
              ['replicator', 'sslmode=require', true],
              ['careful', 'sslmode=allow', true],
              ['careful', 'sslmode=prefer', true],
            ] as const)
          : []),
      ] as const) {
        const connection = await open(as(user, '', query));
        assert.equal(await isEncrypted(connection), encrypted, `${user} ${query}`);
        close(connection);
      }
      if (hasTls) return;
      assert.equal((await failure(open(as('replicator', '', 'sslmode=require')))).code, 'MYSQL_TLS');
      // The first refusal says more than that there is no TLS either.
      assert.equal((await failure(open(as('careful', '', 'sslmode=allow')))).code, 'MYSQL_PASSWORD');
    });

    await t.test('a connection that is closed is gone from the server, in the middle of a question too', async () => {
      const pair = [await open(as('replicator')), await open(as('replicator'))];
      const ids: string[] = [];
      for (const connection of pair)
        ids.push((await rowsOf<{ id: string }>(connection, 'SELECT CONNECTION_ID() AS id'))[0].id);
      pair[1].query('SELECT SLEEP(2)').catch(() => {});
      for (const connection of pair) close(connection);
      const deadline = Date.now() + 20_000;
      for (;;) {
        const left = await server.query('SELECT id FROM information_schema.PROCESSLIST WHERE id IN (?)', [ids]);
        if (left.length === 0) break;
        assert.ok(Date.now() < deadline, JSON.stringify(left));
        await sleep(20);
      }
    });

    await t.test('a connection that is ended while it is idle does not end the process', async () => {
      const connection = await open(as('replicator'));
      const [{ id }] = await rowsOf<{ id: string }>(connection, 'SELECT CONNECTION_ID() AS id');
      const lost = Promise.withResolvers<void>();
      connection.on('error', () => lost.resolve());
      await server.query(`KILL ${id}`);
      await lost.promise;
      await assert.rejects(connection.query('SELECT 1'));
    });
  });
}

test('a certificate is trusted as each sslmode says, the address in the place of a name included', async (t) => {
  const server = await startMysql({
    settings: {
      ssl_ca: certificate('authority'),
      ssl_cert: certificate('server'),
      ssl_key: certificate('server-key'),
      tls_version: 'TLSv1.3',
    },
  });
  t.after(() => server.stop());
  const url = (host: string, query: string) => server.uri('', { query }).replace('127.0.0.1', host);
  const root = `sslrootcert=${certificate('authority')}`;
  const other = `sslrootcert=${certificate('other-authority')}`;
  for (const good of [
    url('127.0.0.1', 'sslmode=require'),
    url('127.0.0.1', `sslmode=verify-ca&${root}`),
    url('localhost', `sslmode=verify-full&${root}`),
  ]) {
    const connection = await open(good);
    assert.equal(await isEncrypted(connection), true);
    close(connection);
  }
  for (const [bad, code, fix] of [
    [url('127.0.0.1', `sslmode=verify-full&${root}`), 'MYSQL_CERTIFICATE', /host name that the certificate is for/],
    [url('127.0.0.1', `sslmode=verify-ca&${other}`), 'MYSQL_CERTIFICATE', /sslrootcert=FILE/],
    [url('localhost', `sslmode=verify-full&${other}`), 'MYSQL_CERTIFICATE', /sslrootcert=FILE/],
    [url('localhost', 'sslmode=require&ssl_max_protocol_version=TLSv1.2'), 'MYSQL_TLS', /tls_version/],
  ] as const) {
    const error = await failure(open(bad));
    assert.equal(error.code, code, error.message);
    assert.match(String(error.fix), fix);
    assert.doesNotMatch(error.message, /system-ca|openssl\/ssl|\n/);
  }
  await server.query('SET GLOBAL require_secure_transport = ON');
  const insecure = await failure(open(url('127.0.0.1', 'sslmode=disable')));
  assert.equal(insecure.code, 'MYSQL_TLS_REQUIRED');
  const secured = await open(url('127.0.0.1', 'sslmode=allow'));
  assert.equal(await isEncrypted(secured), true);
  close(secured);
});

test('peers that are no MySQL server, or not there, are told apart', async () => {
  for (const [greeting, code, transient] of [
    ['HTTP/1.1 400 Bad Request\r\n\r\n', 'MYSQL_NOT_MYSQL', false],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'MYSQL_NOT_MYSQL', false],
    // The greeting of MySQL's X protocol.
    [Buffer.from('050000000b08051a00', 'hex'), 'MYSQL_NOT_MYSQL', false],
    ['no', 'MYSQL_SILENT', true],
    [undefined, 'MYSQL_SILENT', true],
    ['', 'MYSQL_CONNECTION_LOST', true],
  ] as const) {
    const sockets = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      if (greeting === '') socket.destroy();
      else if (greeting !== undefined) socket.write(greeting);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const error = await failure(open(`mysql://root@127.0.0.1:${port}/?connect_timeout=1`));
    assert.equal(error.code, code, error.message);
    assert.equal(error.transient, transient);
    for (const socket of sockets) socket.destroy();
    server.close();
  }
  assert.equal((await failure(open('mysql://root@127.0.0.1:1/'))).code, 'MYSQL_CONNECTION_REFUSED');
  assert.equal((await failure(open('mysql://root@nowhere.invalid:3306/'))).code, 'MYSQL_HOST_NOT_FOUND');
});
