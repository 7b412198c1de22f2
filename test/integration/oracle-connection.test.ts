import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as netConnect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { parseOracleConnectionString } from '../../src/config/oracle-connection.ts';
import { OperatorError } from '../../src/errors.ts';
import { close, connect, rows, useThickMode } from '../../src/sources/oracle/connection.ts';
import { remedyOf } from '../../src/sources/oracle/ora-errors.ts';
import { StallingProxy } from '../harness/stalling-proxy.ts';
import { type Answer, OraError } from '../servers/oracle/answer.ts';
import { type DoubleOptions, type DoubleSession, OracleDouble } from '../servers/oracle/double.ts';

const USER = 'C##INSTAR';
const PASSWORD = 'o@ra/cle"37';
const DIGITS = ['9007199254740993', '12345678901234567890123456789012345678', '-0.00123', null];

const answers: readonly Answer<null, DoubleSession>[] = [
  {
    sql: 'SELECT n FROM numbers',
    answer: () => ({ columns: [{ name: 'N', type: 'NUMBER' }], rows: DIGITS.map((digits) => [digits]) }),
  },
  {
    sql: 'SELECT id, bytes, large FROM others WHERE id = :1 AND id < :2',
    answer: (_server, _session, binds) => ({
      columns: [
        { name: 'ID', type: 'NUMBER' },
        { name: 'BYTES', type: 'RAW', size: 10 },
        { name: 'LARGE', type: 'CLOB' },
      ],
      rows: [[String(binds[0]), Buffer.from('00ffa5', 'hex'), `${binds[1]}${'ž'.repeat(20_000)}`]],
    }),
  },
  { sql: 'SELECT day FROM days', answer: () => ({ columns: [{ name: 'DAY', type: 'DATE' }], rows: [['2024-03-31']] }) },
  {
    sql: 'SELECT name, value FROM settings',
    answer: (_server, { settings }) => ({
      columns: [
        { name: 'NAME', type: 'VARCHAR2' },
        { name: 'VALUE', type: 'VARCHAR2' },
      ],
      rows: [...settings],
    }),
  },
];

async function start(t: TestContext, profile: DoubleOptions<null>['profile'] = '19c') {
  const double = await OracleDouble.start({
    profile,
    users: { [USER]: PASSWORD },
    services: ['ORCLCDB'],
    answers,
    server: null,
  });
  t.after(() => double.close());
  const url = (password = PASSWORD, service = 'ORCLCDB', port = double.port) =>
    `oracle://${encodeURIComponent(USER)}:${encodeURIComponent(password)}@127.0.0.1:${port}/${service}`;
  return { double, url };
}

const describe = (url: string) => parseOracleConnectionString(url, '--sourceConn');

async function refusal(url: string): Promise<OperatorError> {
  try {
    await close(await connect(describe(url)));
  } catch (error) {
    assert.ok(error instanceof OperatorError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'connected' });
}

for (const profile of ['19c', '23ai'] as const) {
  test(`${profile}: the settings are in force on a connection, after those of the driver`, async (t) => {
    const { double, url } = await start(t, profile);
    const connection = await connect(describe(url()), { action: 'LogMiner', callTimeout: 60_000 });
    const settings = new Map(await rows<readonly [string, string]>(connection, 'SELECT name, value FROM settings'));
    for (const [name, value] of [
      ['NLS_DATE_FORMAT', 'SYYYY-MM-DD HH24:MI:SS'],
      ['NLS_TIMESTAMP_FORMAT', 'SYYYY-MM-DD HH24:MI:SS.FF9'],
      ['NLS_TIMESTAMP_TZ_FORMAT', 'SYYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM'],
      ['NLS_NUMERIC_CHARACTERS', '.,'],
      ['TIME_ZONE', '+00:00'],
    ]) {
      assert.equal(settings.get(name), value, name);
    }
    assert.equal(connection.callTimeout, 60_000);
    await close(connection);
    await close(connection);
    assert.deepEqual(double.refused, []);
  });

  test(`${profile}: numbers come with all their digits, bytes in hexadecimal, and SCNs are bound as they are`, async (t) => {
    const { double, url } = await start(t, profile);
    const connection = await connect(describe(url()));
    t.after(() => close(connection));
    assert.deepEqual(
      await rows(connection, 'SELECT n FROM numbers'),
      DIGITS.map((digits) => [digits?.replace('-0.', '-.') ?? null]),
    );
    const scn = 2n ** 63n - 25n;
    assert.deepEqual(
      await rows(connection, 'SELECT id, bytes, large FROM others WHERE id = :1 AND id < :2', [scn, 'x']),
      [[String(scn), '00FFA5', `x${'ž'.repeat(20_000)}`]],
    );
    await assert.rejects(
      rows(connection, 'SELECT day FROM days'),
      /DAY is a time: the query has to select it with TO_CHAR/,
    );
    assert.deepEqual(double.refused, []);
  });
}

test('what refuses a logon is named, and tells nobody the password', async (t) => {
  const { double, url } = await start(t);
  for (const [address, code, transient] of [
    [url('tiger-three'), 'ORACLE_PASSWORD', false],
    [`oracle://${encodeURIComponent(USER)}@127.0.0.1:${double.port}/ORCLCDB`, 'ORACLE_PASSWORD', false],
    [url('tiger-three', 'NONE'), 'ORACLE_SERVICE', true],
    [url('tiger-three', '?sid=NONE'), 'ORACLE_SERVICE', true],
    [url('tiger-three', 'ORCLCDB', 1), 'ORACLE_UNREACHABLE', true],
    [`${url('tiger-three')}?ssl=true&wallet=/there/is/none`, 'ORACLE_WALLET', false],
  ] as const) {
    const error = await refusal(address);
    assert.deepEqual([error.code, error.transient], [code, transient], address);
    assert.ok(error.fix);
    assert.doesNotMatch(inspect(error, { depth: 9 }), /tiger/);
    assert.match(error.message, /^oracle:\/\/C%23%23INSTAR\S* \(user C##INSTAR\): (NJS|ORA)-\d+: /);
  }
  for (const [number, code] of [
    [12514, 'ORACLE_SERVICE'],
    [12528, 'ORACLE_UNAVAILABLE'],
    [12520, 'ORACLE_TOO_MANY_CONNECTIONS'],
    [12599, 'ORACLE_UNREACHABLE'],
  ] as const) {
    double.refuse(number);
    const error = await refusal(url());
    assert.deepEqual([error.code, error.transient], [code, true], String(number));
  }
});

test('a connection that cannot be set up is closed again', async (t) => {
  const { double, url } = await start(t);
  double.failNext(/ALTER SESSION.*NLS_DATE_FORMAT.*/, new OraError(1031, 'insufficient privileges'));
  assert.equal((await refusal(url())).code, 'ORACLE_PERMISSION');
  await untilNoConnection(double);
});

test('a server that accepts and says nothing, and one that falls silent, are given up', async (t) => {
  const silent = createServer();
  silent.on('connection', (socket) => t.after(() => socket.destroy()));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const { double, url } = await start(t);
  const { port } = silent.address() as AddressInfo;
  const error = await refusal(`${url(PASSWORD, 'ORCLCDB', port)}?connect_timeout=1`);
  assert.deepEqual([error.code, error.transient], ['ORACLE_UNREACHABLE', true]);

  const release = double.hold(/ALTER SESSION.*NLS_DATE_FORMAT.*/);
  const late = await refusal(`${url()}?connect_timeout=1`);
  release();
  assert.deepEqual([late.code, late.transient], ['ORACLE_TIMEOUT', true]);
});

test('a logon that the server never ends is given up', async (t) => {
  const { double, url } = await start(t);
  const half = createServer((client) => {
    const server = netConnect(double.port, '127.0.0.1');
    for (const socket of [client, server]) {
      socket.on('error', () => {});
      t.after(() => socket.destroy());
    }
    client.pipe(server);
    // The listener's answer, and nothing of the instance behind it.
    server.once('data', (bytes) => client.write(bytes));
  });
  half.listen(0, '127.0.0.1');
  await once(half, 'listening');
  t.after(() => half.close());
  const { port } = half.address() as AddressInfo;
  const error = await refusal(`${url('tiger-three', 'ORCLCDB', port)}?connect_timeout=1`);
  assert.deepEqual([error.code, error.transient], ['ORACLE_UNREACHABLE', true]);
  assert.match(error.message, /did not let the user in within 2 s/);
  assert.doesNotMatch(inspect(error, { depth: 9 }), /tiger/);
});

test('a lost connection is named with its cause, and whoever asks on it again is told to connect anew', async (t) => {
  const { double, url } = await start(t);
  const connection = await connect(describe(url()));
  double.dropNext(/SELECT n FROM numbers/);
  for (let i = 0; i < 2; i++) {
    await assert.rejects(rows(connection, 'SELECT n FROM numbers'), (error) => remedyOf(error) === 'reconnect');
  }
  await close(connection);
  await assert.rejects(rows(connection, 'SELECT n FROM numbers'), (error) => remedyOf(error) === 'reconnect');
});

test('closing interrupts what runs, and cuts the line to a server that does not answer', async (t) => {
  const { double, url } = await start(t);
  const busy = await connect(describe(url()));
  t.after(double.hold(/SELECT n FROM numbers/));
  const running = assert.rejects(rows(busy, 'SELECT n FROM numbers'), (error) => remedyOf(error) === 'shrink');
  await close(busy);
  await running;
  await untilNoConnection(double);

  const proxy = await StallingProxy.start(double.port);
  t.after(() => proxy.stop());
  const dead = await connect(describe(url(PASSWORD, 'ORCLCDB', proxy.port)));
  const asked = assert.rejects(rows(dead, 'SELECT n FROM numbers'), (error) => remedyOf(error) === 'reconnect');
  proxy.stall();
  const began = performance.now();
  await close(dead);
  assert.ok(performance.now() - began < 4000);
  await asked;
});

test('libraries that cannot be loaded are named', () => {
  assert.throws(
    () => useThickMode('/there/is/none'),
    (error) =>
      error instanceof OperatorError && error.code === 'ORACLE_CLIENT' && /\/there\/is\/none/.test(error.message),
  );
});

async function untilNoConnection(double: OracleDouble<null>): Promise<void> {
  while (double.connections > 0) await new Promise((resolve) => setImmediate(resolve));
}
