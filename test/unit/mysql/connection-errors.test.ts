import assert from 'node:assert/strict';
import net, { type AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { parseMysqlConnectionString } from '../../../src/config/mysql-connection.ts';
import { OperatorError } from '../../../src/errors.ts';
import { connect } from '../../../src/sources/mysql/connection.ts';
import { connectionError, mayFallBack } from '../../../src/sources/mysql/connection-errors.ts';

const description = parseMysqlConnectionString('mysql://me:hunter22@db.example:3306/shop', '--sourceConn', {});

function answered(errno: number, message = 'refused'): Error {
  return Object.assign(new Error(message), { errno, code: `ER_${errno}` });
}

function named(error: unknown, encrypted = false): OperatorError {
  return connectionError(error, description, encrypted);
}

test('what a server answers has a name, and passes or does not', () => {
  for (const [errno, code, transient] of [
    [1040, 'MYSQL_TOO_MANY_CONNECTIONS', true],
    [1044, 'MYSQL_DATABASE_DENIED', false],
    [1045, 'MYSQL_PASSWORD', false],
    [1049, 'MYSQL_NO_DATABASE', false],
    [1053, 'MYSQL_STARTING', true],
    [1129, 'MYSQL_HOST_BLOCKED', false],
    [1130, 'MYSQL_HOST_DENIED', false],
    [1203, 'MYSQL_TOO_MANY_CONNECTIONS', true],
    [1226, 'MYSQL_TOO_MANY_CONNECTIONS', true],
    [1251, 'MYSQL_AUTH_PLUGIN', false],
    [1698, 'MYSQL_PASSWORD', false],
    [3032, 'MYSQL_STARTING', true],
    [3118, 'MYSQL_ACCOUNT_LOCKED', false],
    [3159, 'MYSQL_TLS_REQUIRED', false],
    [4151, 'MYSQL_ACCOUNT_LOCKED', false],
    [9999, 'MYSQL_CONNECT', false],
  ] as const) {
    const error = named(answered(errno));
    assert.equal(error.code, code);
    assert.equal(error.transient, transient, code);
    assert.match(error.message, /^source database at db\.example:3306 \(database "shop", user "me"\) .*: refused$/);
  }
  assert.equal(named(answered(4000, 'Connections using insecure transport are prohibited')).code, 'MYSQL_TLS_REQUIRED');
});

test('what the operating system or TLS says has a name', () => {
  for (const [code, expected, transient] of [
    ['ECONNREFUSED', 'MYSQL_CONNECTION_REFUSED', true],
    ['ENOTFOUND', 'MYSQL_HOST_NOT_FOUND', true],
    ['EHOSTUNREACH', 'MYSQL_UNREACHABLE', true],
    ['ETIMEDOUT', 'MYSQL_TIMEOUT', true],
    ['ECONNRESET', 'MYSQL_CONNECTION_LOST', true],
    ['PROTOCOL_CONNECTION_LOST', 'MYSQL_CONNECTION_LOST', true],
    ['HANDSHAKE_NO_SSL_SUPPORT', 'MYSQL_TLS', false],
    ['HANDSHAKE_SSL_ERROR', 'MYSQL_TLS', false],
  ] as const) {
    const error = named(Object.assign(new Error('no'), { code, errno: -1 }));
    assert.equal(error.code, expected);
    assert.equal(error.transient, transient, code);
  }
  const certificate = (message: string) =>
    named(Object.assign(new Error(message), { code: 'HANDSHAKE_SSL_ERROR' }), true);
  assert.equal(certificate('certificate has expired').code, 'MYSQL_CERTIFICATE');
  const untrusted = certificate(
    'self-signed certificate; if the root CA is installed locally, try running Node.js with --use-system-ca',
  );
  assert.match(untrusted.message, /: self-signed certificate$/);
  assert.match(String(certificate("Hostname/IP does not match certificate's altnames: …").fix), /verify-ca/);
  // One for each address of a name.
  const several = Object.assign(new AggregateError([new Error('a'), new Error('b')]), { code: 'ECONNREFUSED' });
  assert.match(named(several).message, /: a; b$/);
});

test('a password is asked for, or not accepted; without TLS it may be that which is missing', () => {
  assert.match(named(answered(1045, "Access denied for user 'me'@'h' (using password: NO)")).message, /none was given/);
  const wrong = answered(1045, "Access denied for user 'me'@'h' (using password: YES)");
  assert.match(String(named(wrong, false).fix), /REQUIRE SSL/);
  assert.doesNotMatch(String(named(wrong, true).fix), /REQUIRE SSL/);
  assert.doesNotMatch(named(answered(1045, 'me:hunter22')).message, /hunter22/);
});

test('another attempt is made only where TLS is what is in the way', () => {
  const tls = Object.assign(new Error('no'), { code: 'HANDSHAKE_SSL_ERROR' });
  const none = Object.assign(new Error('no'), { code: 'HANDSHAKE_NO_SSL_SUPPORT' });
  for (const [error, encrypted, may] of [
    [tls, true, true],
    [none, true, true],
    [answered(1045), true, false],
    [answered(1045), false, true],
    [answered(3159), false, true],
    [answered(1049), false, false],
    [Object.assign(new Error('no'), { code: 'ECONNREFUSED' }), false, false],
  ] as const) {
    assert.equal(mayFallBack(error, encrypted), may);
  }
});

/** A packet of the protocol. */
function packet(sequence: number, ...parts: (string | number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string, 'latin1')));
  return Buffer.concat([Buffer.from([body.length, body.length >> 8, 0, sequence]), body]);
}

/** The greeting of a MySQL 8 server without TLS, which logs in by caching_sha2_password. */
const GREETING = packet(
  0,
  [10],
  '8.0.42\0',
  [1, 0, 0, 0],
  'abcdefgh\0',
  [0xff, 0xf7],
  [255],
  [2, 0],
  [0xff, 0xdf],
  [21],
  '\0'.repeat(10),
  'ijklmnopqrst\0',
  'caching_sha2_password\0',
);

/**
 * A server that greets and gives one answer to the log-in. It is there for what the servers at hand cannot be made to do; it
 * checks nothing and has no data.
 */
async function answering(t: TestContext, greeting: Buffer, answer: Buffer | 'hang up' = 'hang up'): Promise<string> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(greeting);
    socket.once('data', () => {
      if (answer === 'hang up') socket.destroy();
      else socket.write(answer);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `mysql://me:hunter22@127.0.0.1:${(server.address() as AddressInfo).port}/?sslmode=disable&connect_timeout=5`;
}

async function failure(url: string): Promise<OperatorError> {
  const error = await connect(parseMysqlConnectionString(url, '--sourceConn', {})).then(
    () => assert.fail('connected'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof OperatorError, String(error));
  return error;
}

test('ways to log in that are not known here', async (t) => {
  for (const plugin of ['client_ed25519', 'parsec', 'auth_gssapi_client', 'mysql_clear_password']) {
    const answer = packet(2, [0xfe], `${plugin}\0`, 'x'.repeat(20), '\0');
    const error = await failure(await answering(t, GREETING, answer));
    assert.equal(error.code, 'MYSQL_AUTH_PLUGIN', error.message);
    assert.match(error.message, new RegExp(plugin));
    assert.doesNotMatch(error.message, /TODO|enableCleartextPlugin/);
    assert.equal(error.transient, false);
  }
});

test('a server that lets nobody in from here says so in the place of its greeting', async (t) => {
  const words = "Host 'h' is not allowed to connect to this MySQL server";
  const error = await failure(await answering(t, packet(0, [0xff, 0x6a, 0x04], words)));
  assert.equal(error.code, 'MYSQL_HOST_DENIED', error.message);
  const full = await failure(await answering(t, packet(0, [0xff, 0x10, 0x04], 'Too many connections')));
  assert.equal(full.code, 'MYSQL_TOO_MANY_CONNECTIONS');
  assert.equal(full.transient, true);
});

test('a server that hangs up in the middle of the log-in', async (t) => {
  const error = await failure(await answering(t, GREETING));
  assert.equal(error.code, 'MYSQL_CONNECTION_LOST', error.message);
  assert.equal(error.transient, true);
});
