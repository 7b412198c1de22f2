import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseConnectionString } from '../../src/config/connection.ts';
import { connect } from '../../src/config/postgres-client.ts';
import { OperatorError } from '../../src/errors.ts';
import { startPostgres } from '../servers/postgres.ts';
import { certificate } from '../unit/config/fake-server.ts';

const PASSWORD = "s3:cr/t @'\\%ü";
let server: Awaited<ReturnType<typeof startPostgres>>;

before(async () => {
  server = await startPostgres({ version: 18, password: PASSWORD });
  const { uid, gid } = statSync(server.dataDir);
  for (const name of ['server', 'server-key']) {
    const file = join(server.dataDir, `${name}.pem`);
    copyFileSync(certificate(name), file);
    chmodSync(file, 0o600);
    chownSync(file, uid, gid);
  }
  await server.stop({ keepData: true });
  await server.restart({ ssl: 'on', ssl_cert_file: 'server.pem', ssl_key_file: 'server-key.pem' });
});
after(() => server?.stop());

function open(text: string, replication?: 'database') {
  return connect(parseConnectionString(text, '--sourceConn', { HOME: '/nonexistent' }), 'source', { replication });
}

const url = (query = '', host = '127.0.0.1') =>
  `postgresql://postgres:${encodeURIComponent(PASSWORD)}@${host}:${server.port}/postgres${query}`;

test('any password opens a connection, in both forms; values arrive as the text of the server', async () => {
  const quoted = `'${PASSWORD.replaceAll(/[\\']/g, '\\$&')}'`;
  for (const text of [url(), `host=127.0.0.1 port=${server.port} user=postgres dbname=postgres password=${quoted}`]) {
    const client = await open(text);
    const { rows } = await client.query("SELECT 12345678901234567890.10::numeric AS n, true AS b, '{1,2}'::int[] AS a");
    assert.deepEqual(rows, [{ n: '12345678901234567890.10', b: 't', a: '{1,2}' }]);
    await client.end();
  }
});

test('a real server is asked for TLS as each sslmode says', async () => {
  const root = `sslrootcert=${certificate('authority')}`;
  for (const [query, host, encrypted] of [
    ['?sslmode=disable', '127.0.0.1', 'f'],
    ['?sslmode=allow', '127.0.0.1', 'f'],
    ['', '127.0.0.1', 't'],
    ['?sslmode=require', '127.0.0.1', 't'],
    [`?sslmode=verify-ca&${root}`, '127.0.0.1', 't'],
    [`?sslmode=verify-full&${root}`, 'localhost', 't'],
    [`?sslmode=require&sslnegotiation=direct`, 'localhost', 't'],
  ]) {
    const client = await open(url(query, host));
    const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
    assert.equal(rows[0].ssl, encrypted, query);
    await client.end();
  }
  await assert.rejects(open(url(`?sslmode=verify-full&${root}`)), { code: 'PG_TLS' });
});

test('a replication connection, under our name', async () => {
  const client = await open(url(), 'database');
  const { rows } = await client.query('IDENTIFY_SYSTEM');
  assert.equal(rows[0].dbname, 'postgres');
  assert.deepEqual(
    await server.query(
      "SELECT 1 AS one FROM pg_stat_activity WHERE backend_type = 'walsender' AND application_name = 'instar'",
    ),
    [{ one: 1 }],
  );
  await client.end();
});

test('what a real server refuses becomes a named error', async () => {
  const wrong = url().replace(encodeURIComponent(PASSWORD), 'hunter22');
  for (const [text, code] of [
    [wrong, 'PG_PASSWORD'],
    [url().replace(`:${encodeURIComponent(PASSWORD)}`, ''), 'PG_PASSWORD'],
    [url().replace(/postgres$/, 'nowhere'), 'PG_NO_DATABASE'],
  ]) {
    const error = await open(text).then(
      () => assert.fail(`connected: ${code}`),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof OperatorError);
    assert.equal(error.code, code, error.message);
    assert.equal(error.transient, false);
    assert.doesNotMatch(error.message, /hunter22|s3:cr/);
  }
});

test('a connection that the server ends while it is idle does not end the process', async () => {
  const client = await open(url());
  let lost = false;
  client.on('end', () => {
    lost = true;
  });
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  await server.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
  const deadline = Date.now() + 10_000;
  while (!lost && Date.now() < deadline) await sleep(10);
  assert.ok(lost);
});
