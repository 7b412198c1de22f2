import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseConnectionString } from '../../../src/config/connection.ts';
import { connect, type ConnectExtra } from '../../../src/config/postgres-client.ts';
import { OperatorError } from '../../../src/errors.ts';
import { type Behaviour, certificate, fakeServer } from './fake-server.ts';

const env = { HOME: '/nonexistent' };
const READY: Behaviour = { tls: true, answer: () => 'ready' };

function open(port: number, rest: string, extra?: ConnectExtra) {
  const text = `host=localhost port=${port} user=u dbname=d ${rest}`;
  return connect(parseConnectionString(text, '--sourceConn', env), 'source', extra);
}

async function failure(port: number, rest = 'sslmode=disable'): Promise<OperatorError> {
  try {
    await open(port, rest);
  } catch (error) {
    assert.ok(error instanceof OperatorError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'connected' });
}

test('the attempts of each sslmode reach the server in libpq order, and stop at the first success', async () => {
  const refusesPlain: Behaviour = {
    tls: true,
    answer: (tls) => (tls ? 'ready' : ['28000', 'no pg_hba.conf entry, no encryption']),
  };
  const refusesTls: Behaviour = {
    tls: true,
    answer: (tls) => (tls ? ['28000', 'no pg_hba.conf entry, SSL encryption'] : 'ready'),
  };
  const noTls: Behaviour = { tls: false, answer: () => 'ready' };
  const secureCockroach: Behaviour = {
    tls: true,
    answer: (tls) => (tls ? 'ready' : ['08P01', 'node is running secure mode, SSL connection required']),
  };
  const expected: [Behaviour, string, boolean[]][] = [
    [READY, 'disable', [false]],
    [READY, 'allow', [false]],
    [READY, 'prefer', [true]],
    [READY, 'require', [true]],
    [noTls, 'prefer', [false]],
    [noTls, 'allow', [false]],
    [refusesPlain, 'allow', [false, true]],
    [secureCockroach, 'allow', [false, true]],
    [refusesTls, 'prefer', [true, false]],
  ];
  for (const [behaviour, mode, attempts] of expected) {
    using server = await fakeServer(behaviour);
    await open(server.port, `sslmode=${mode}`);
    assert.deepEqual(
      server.startups.map(({ encrypted }) => encrypted),
      attempts,
      mode,
    );
  }
});

test('certificates: require does not look, a root certificate is verified, verify-full wants the host name', async () => {
  using server = await fakeServer(READY);
  const [good, other] = ['authority', 'other-authority'].map((name) => `sslrootcert=${certificate(name)}`);
  await open(server.port, 'sslmode=require');
  await open(server.port, `sslmode=require ${good}`);
  await open(server.port, `sslmode=verify-ca ${good}`);
  await open(server.port, `sslmode=verify-full ${good}`);
  await open(server.port, `hostaddr=127.0.0.1 sslmode=verify-full ${good}`);
  // The last of two equal keywords counts: the certificate is not for this address.
  await open(server.port, `host=127.0.0.1 sslmode=verify-ca ${good}`);
  for (const rest of [
    `sslmode=require ${other}`,
    `sslmode=verify-ca ${other}`,
    `sslmode=verify-full ${other}`,
    'sslmode=verify-full',
    `host=127.0.0.1 sslmode=verify-full ${good}`,
    `host=127.0.0.1 hostaddr=127.0.0.1 sslmode=verify-full ${good}`,
  ]) {
    const error = await failure(server.port, rest);
    assert.equal(error.code, 'PG_TLS', rest);
    assert.equal(error.transient, false);
  }
});

test('TLS is never given up where it was demanded, nor after a wrong password', async () => {
  using noTls = await fakeServer({ tls: false, answer: () => 'ready' });
  const error = await failure(noTls.port, 'sslmode=require');
  assert.equal(error.code, 'PG_TLS');
  assert.match(String(error.fix), /sslmode=prefer/);
  assert.equal(noTls.startups.length, 0);

  using wrongPassword = await fakeServer({ tls: true, answer: () => 'password' });
  assert.equal((await failure(wrongPassword.port, 'sslmode=prefer password=hunter22')).code, 'PG_PASSWORD');
  assert.deepEqual(
    wrongPassword.startups.map(({ encrypted }) => encrypted),
    [true],
  );
});

test('what the server answers becomes a named error, transient when waiting helps', async () => {
  const expected: [string, string, boolean][] = [
    ['28P01', 'PG_PASSWORD', false],
    ['3D000', 'PG_NO_DATABASE', false],
    ['28000', 'PG_HBA', false],
    ['42501', 'PG_PERMISSION', false],
    ['53300', 'PG_TOO_MANY_CONNECTIONS', true],
    ['57P03', 'PG_STARTING', true],
    ['57P01', 'PG_STARTING', true],
    ['53200', 'PG_CONNECT', true],
    ['08006', 'PG_CONNECT', true],
    ['XX000', 'PG_CONNECT', false],
  ];
  for (const [state, code, transient] of expected) {
    using server = await fakeServer({ tls: false, answer: () => [state, 'the server says no'] });
    const error = await failure(server.port);
    assert.deepEqual([error.code, error.transient], [code, transient], state);
    assert.match(
      error.message,
      new RegExp(`^source database at localhost:${server.port} \\(database "d", user "u"\\) `),
    );
    assert.match(error.message, /the server says no$/);
  }
});

test('what the network does becomes a named error', async () => {
  const closed = await fakeServer(READY);
  closed[Symbol.dispose]();
  const refused = await failure(closed.port);
  assert.deepEqual([refused.code, refused.transient], ['PG_CONNECTION_REFUSED', true]);
  assert.match(refused.message, /ECONNREFUSED/);
  assert.equal(refused.fix, `pg_isready -h localhost -p ${closed.port}`);

  const noSocket = await failure(closed.port, 'host=/nonexistent');
  assert.equal(noSocket.code, 'PG_CONNECTION_REFUSED');

  const unknown = await failure(closed.port, 'host=no-such-host.invalid');
  assert.deepEqual([unknown.code, unknown.transient], ['PG_HOST_NOT_FOUND', true]);

  using silent = await fakeServer({ tls: false, answer: () => 'nothing' });
  const started = performance.now();
  const timeout = await failure(silent.port, 'sslmode=disable connect_timeout=1');
  assert.deepEqual([timeout.code, timeout.transient], ['PG_TIMEOUT', true]);
  assert.ok(performance.now() - started < 5000);

  using rude = await fakeServer({ tls: false, answer: () => 'hang up' });
  const lost = await failure(rude.port);
  assert.deepEqual([lost.code, lost.transient], ['PG_CONNECTION_LOST', true]);
});

test('a password that was asked for and not given', async () => {
  using server = await fakeServer({ tls: false, answer: () => 'password' });
  assert.equal((await failure(server.port)).code, 'PG_PASSWORD');
});

test('no error holds the password', async () => {
  using server = await fakeServer({ tls: false, answer: () => ['28P01', 'you said password=hunter22'] });
  const error = await failure(server.port, 'sslmode=disable password=hunter22');
  assert.doesNotMatch(`${error.message} ${error.fix}`, /hunter22/);
});

test('the startup message carries our name, what the string says, and what the caller adds', async () => {
  using server = await fakeServer({ tls: false, answer: () => 'ready' });
  await open(server.port, 'sslmode=disable');
  await open(server.port, "sslmode=disable application_name=mine options='-c a=b'", { replication: 'database' });
  assert.match(server.startups[0].parameters, /application_name\0instar\0/);
  assert.match(server.startups[1].parameters, /application_name\0mine\0/);
  assert.match(server.startups[1].parameters, /options\0-c a=b\0/);
  assert.match(server.startups[1].parameters, /replication\0database\0/);
});

test('a lost idle connection does not end the process', async () => {
  using server = await fakeServer({ tls: false, answer: () => 'ready' });
  const client = await open(server.port, 'sslmode=disable');
  let lost = false;
  client.on('end', () => {
    lost = true;
  });
  server.cut();
  while (!lost) await sleep(5);
});
