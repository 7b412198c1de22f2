import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { parseOracleConnectionString } from '../../src/config/oracle-connection.ts';
import { OperatorError } from '../../src/errors.ts';
import { close, connect, rows } from '../../src/sources/oracle/connection.ts';
import type { Answer } from '../servers/oracle/answer.ts';
import { type DoubleOptions, type DoubleSession, OracleDouble } from '../servers/oracle/double.ts';
import { certificate } from '../unit/config/fake-server.ts';

const PASSWORD = 'tiger-three';
const pem = (name: string) => readFileSync(certificate(name), 'utf8');
const answers: readonly Answer<null, DoubleSession>[] = [
  { sql: 'SELECT n FROM t', answer: () => ({ columns: [{ name: 'N', type: 'NUMBER' }], rows: [['7']] }) },
];

type Profile = DoubleOptions<null>['profile'];

/** A server whose certificate is for localhost, of an authority that nobody else knows. */
async function start(t: TestContext, profile: Profile, encrypted: boolean) {
  const tls = encrypted ? { tls: { cert: pem('server'), key: pem('server-key') } } : {};
  const users = { U: PASSWORD };
  const double = await OracleDouble.start({ profile, users, services: ['ORCLCDB'], answers, server: null, ...tls });
  t.after(() => double.close());
  return {
    double,
    url: (host: string, query: string) =>
      `oracle://U:${PASSWORD}@${host}:${double.port}/ORCLCDB?connect_timeout=1&${query}`,
  };
}

/** A directory with that in its ewallet.pem. */
function wallet(t: TestContext, ...content: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'instar-wallet-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'ewallet.pem'), content.join(''), { mode: 0o600 });
  return directory;
}

async function ask(url: string): Promise<unknown> {
  const connection = await connect(parseOracleConnectionString(url, '--sourceConn'));
  try {
    return await rows(connection, 'SELECT n FROM t');
  } finally {
    await close(connection);
  }
}

async function refusal(url: string): Promise<OperatorError> {
  const error = await ask(url).catch((thrown: unknown) => thrown);
  assert(error instanceof OperatorError, `connected, or ${String(error)}`);
  assert.doesNotMatch(inspect(error, { depth: 9 }), /tiger|PRIVATE KEY/);
  return error;
}

for (const profile of ['19c', '23ai'] as const) {
  test(`${profile}: over TLS with a wallet of the authority alone, and with one that has a certificate and key too`, async (t) => {
    const { double, url } = await start(t, profile, true);
    const authority = wallet(t, pem('authority'));
    const whole = wallet(t, pem('server-key'), pem('server'), pem('authority'));
    for (const [host, query] of [
      ['localhost', `ssl=true&wallet=${authority}`],
      ['localhost', `ssl=true&wallet=${whole}`],
      ['localhost', `ssl=true&wallet=${authority}&ssl_server_cert_dn=CN%3Dlocalhost`],
      ['127.0.0.1', `ssl=true&wallet=${authority}&ssl_server_cert_dn=CN%3Dlocalhost`],
      ['127.0.0.1', `ssl=true&wallet=${authority}&ssl_server_dn_match=false`],
    ]) {
      assert.deepEqual(await ask(url(host, query)), [['7']], `${host} ${query}`);
    }
    assert.deepEqual(await ask(url('localhost', `wallet=${authority}`).replace('oracle:', 'oracles:')), [['7']]);
    assert.deepEqual(double.refused, []);
  });
}

test('a certificate that is not trusted, or for another name, is named with what can be done about it', async (t) => {
  const { url } = await start(t, '23ai', true);
  const authority = wallet(t, pem('authority'));
  const other = wallet(t, pem('other-authority'));
  for (const [host, query, code, fix] of [
    ['localhost', `ssl=true&wallet=${other}`, 'ORACLE_CERTIFICATE', /wallet=DIR/],
    ['localhost', 'ssl=true', 'ORACLE_CERTIFICATE', /wallet=DIR/],
    // Names are not compared, and the authority is all the same.
    ['localhost', `ssl=true&wallet=${other}&ssl_server_dn_match=false`, 'ORACLE_CERTIFICATE', /wallet=DIR/],
    ['127.0.0.1', `ssl=true&wallet=${authority}`, 'ORACLE_CERTIFICATE', /host name that the certificate is for/],
    [
      'localhost',
      `ssl=true&wallet=${authority}&ssl_server_cert_dn=CN%3Dother`,
      'ORACLE_CERTIFICATE',
      /ssl_server_cert_dn/,
    ],
    ['localhost', `ssl=true&wallet=${wallet(t, 'nothing')}`, 'ORACLE_WALLET', /ewallet\.pem/],
    ['localhost', `ssl=true&wallet=${wallet(t, pem('server-key'), pem('authority'))}`, 'ORACLE_WALLET', /ewallet\.pem/],
  ] as const) {
    const error = await refusal(url(host, query));
    assert.deepEqual([error.code, error.transient], [code, false], `${query}: ${error.message}`);
    assert.match(error.fix ?? '', fix);
    assert.doesNotMatch(error.message, /system-ca|\n/);
  }
});

test('TLS with a port that has none, and none with a port that has it, end with a name in time', async (t) => {
  const plain = await start(t, '19c', false);
  const began = performance.now();
  const error = await refusal(plain.url('localhost', `ssl=true&wallet=${wallet(t, pem('authority'))}`));
  assert(performance.now() - began < 6000);
  assert.equal(error.code, 'ORACLE_UNREACHABLE', error.message);
  assert.match(error.fix ?? '', /that ssl=true is given for a port with TLS \(tcps\) and for no other/);

  // One that answers, as a listener without TLS or something else does.
  const other = createServer((socket) => {
    t.after(() => socket.destroy());
    socket.on('error', () => {}).on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const answered = await refusal(`oracle://U:${PASSWORD}@127.0.0.1:${port}/ORCLCDB?ssl=true&connect_timeout=1`);
  assert.deepEqual([answered.code, answered.transient], ['ORACLE_TLS', false], answered.message);
  assert.match(answered.fix ?? '', /tcps[\s\S]*leave ssl=true out/);

  const secure = await start(t, '19c', true);
  const lost = await refusal(secure.url('localhost', 'ssl=false'));
  assert.deepEqual([lost.code, lost.transient], ['ORACLE_CONNECTION_LOST', true]);
  assert.match(lost.fix ?? '', /TLS \(tcps\) needs ssl=true/);
});
