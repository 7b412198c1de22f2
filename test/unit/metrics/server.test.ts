import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { OperatorError, UsageError } from '../../../src/errors.ts';
import { Diagnostics } from '../../../src/metrics/diagnostics.ts';
import { Metrics } from '../../../src/metrics/registry.ts';
import { type Control, MetricsServer, type MetricsServerOptions } from '../../../src/metrics/server.ts';

interface Fixture {
  readonly server: MetricsServer;
  readonly options: MetricsServerOptions;
  readonly log: string[];
  /** What the health check answers next. */
  sickness: string | undefined;
  readonly url: string;
}

async function start(context: TestContext, address = '127.0.0.1:0', control?: Control): Promise<Fixture> {
  const log: string[] = [];
  const write = (message: string) => void log.push(message);
  const options: MetricsServerOptions = {
    address,
    metrics: new Metrics(),
    diagnostics: new Diagnostics(),
    health: () => fixture.sickness,
    logger: { enabled: () => true, error: write, warn: write, info: write, debug: write, trace: write },
    control,
  };
  const server = await MetricsServer.start(options);
  context.after(() => server.close());
  const fixture: Fixture = { server, options, log, sickness: undefined, url: `http://${server.address}` };
  return fixture;
}

test('varz: text by default, OpenMetrics when asked for, scrapes counted', async (context) => {
  const { url, options } = await start(context);
  options.metrics.table('public', 'orders').upserts.inc(7);
  const plain = await fetch(`${url}/_/varz?name=ignored`);
  assert.equal(plain.status, 200);
  assert.equal(plain.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.ok((await plain.text()).includes('apply_upserts_total{schema="public",table="orders"} 7\n'));
  const open = await fetch(`${url}/_/varz`, { headers: { accept: 'application/openmetrics-text;version=1.0.0' } });
  assert.equal(open.headers.get('content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  const body = await open.text();
  assert.ok(body.includes('# TYPE apply_upserts counter\n'));
  assert.ok(body.includes('promhttp_metric_handler_requests_total{code="200"} 1\n'));
  assert.ok(body.includes('promhttp_metric_handler_requests_in_flight 1\n'), 'this one');
});

test('healthz: OK, or 503 with the reason', async (context) => {
  const fixture = await start(context);
  const well = await fetch(`${fixture.url}/_/healthz`);
  assert.deepEqual([well.status, await well.text()], [200, 'OK']);
  fixture.sickness = 'nothing applied for 61 s; source postgres://u:hunter2@h/db is disconnected';
  const ill = await fetch(`${fixture.url}/_/healthz`);
  assert.equal(ill.status, 503);
  const reason = await ill.text();
  assert.match(reason, /nothing applied for 61 s/);
  assert.doesNotMatch(reason, /hunter2/);
});

test('diag: every provider, no secret, and one that fails does not hide the others', async (context) => {
  const { url, options } = await start(context);
  options.diagnostics.register('target', () => ({
    connection: 'postgresql://app:hunter2@db.example:5432/app?sslmode=require',
    nested: [{ deep: 'postgres://app:hunter2@h/db' }],
    sslPassword: 'hunter2',
    rows: 12345678901234567890n,
    since: new Date(0),
    tables: new Map([['public.t', new Set(['postgres://a:hunter2@h/d'])]]),
  }));
  options.diagnostics.register('broken', () => {
    throw new Error('cannot connect to postgres://app:hunter2@h/db');
  });
  options.diagnostics.register('nothing', () => undefined);
  const response = await fetch(`${url}/_/diag`);
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
  const text = await response.text();
  assert.doesNotMatch(text, /hunter2/);
  const document = JSON.parse(text);
  assert.match(document.target.connection, /^postgresql:\/\/app:.*@db\.example:5432\/app\?sslmode=require$/);
  assert.equal(document.target.rows, '12345678901234567890');
  assert.equal(document.target.since, '1970-01-01T00:00:00.000Z');
  assert.match(document.broken.error, /cannot connect/);
  assert.equal(document.nothing, null);
});

test('HEAD answers with the headers alone; other methods and paths are refused', async (context) => {
  const { url } = await start(context);
  const head = await fetch(`${url}/_/healthz`, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '2', '']);
  const post = await fetch(`${url}/_/varz`, { method: 'POST', body: 'x' });
  assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  await post.body?.cancel();
  const missing = await fetch(`${url}/metrics`);
  assert.equal(missing.status, 404);
  assert.match(await missing.text(), /\/_\/varz/);
});

const TOKEN = 'Ts_8-only-for-this-test';

function controlled(calls: string[]): Control {
  return { token: TOKEN, pause: () => void calls.push('pause'), continue: () => void calls.push('continue') };
}

test('pause and continue are for those who know the token', async (context) => {
  const calls: string[] = [];
  const { url, log } = await start(context, '127.0.0.1:0', controlled(calls));
  const post = async (path: string, authorization?: string) => {
    const headers = authorization === undefined ? undefined : { authorization };
    const response = await fetch(`${url}${path}`, { method: 'POST', headers });
    return [response.status, await response.text()];
  };
  for (const wrong of [
    undefined,
    '',
    'Bearer',
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
  ]) {
    for (const path of ['/_/pause', '/_/continue']) {
      const [status, text] = await post(path, wrong);
      assert.equal(status, 403, `${path} ${wrong}`);
      assert.doesNotMatch(String(text), new RegExp(TOKEN.slice(1)));
    }
  }
  assert.deepEqual(calls, []);
  assert.deepEqual(await post('/_/pause?why=maintenance', `Bearer ${TOKEN}`), [200, 'paused\n']);
  assert.deepEqual(await post('/_/continue', `bearer ${TOKEN}`), [200, 'continued\n']);
  assert.deepEqual(calls, ['pause', 'continue']);
  assert.doesNotMatch(log.join(), new RegExp(TOKEN));
});

test('a GET pauses nothing, whoever sends it', async (context) => {
  const calls: string[] = [];
  const { url } = await start(context, '127.0.0.1:0', controlled(calls));
  const response = await fetch(`${url}/_/pause`, { headers: { authorization: `Bearer ${TOKEN}` } });
  assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST']);
  await response.body?.cancel();
  assert.deepEqual(calls, []);
});

test('without a token in the environment there is nothing to control', async (context) => {
  const { url } = await start(context);
  for (const path of ['/_/pause', '/_/continue']) {
    const response = await fetch(`${url}${path}`, { method: 'POST', headers: { authorization: 'Bearer undefined' } });
    assert.equal(response.status, 404);
    await response.body?.cancel();
  }
});

test('the log tells the real address, for a free port and for IPv6 alike', async (context) => {
  const { server, log } = await start(context, '[::1]:0');
  assert.notEqual(server.port, 0);
  assert.deepEqual(log, [`metrics server bound to [::1]:${server.port}`]);
  assert.equal((await fetch(`http://[::1]:${server.port}/_/healthz`)).status, 200);
});

test('without a host every address of the machine is served', async (context) => {
  const { server } = await start(context, ':0');
  assert.equal((await fetch(`http://127.0.0.1:${server.port}/_/healthz`)).status, 200);
});

test('an address that is taken, one that is not ours and one that is none', async (context) => {
  const { server, options } = await start(context);
  await assert.rejects(
    MetricsServer.start({ ...options, address: `127.0.0.1:${server.port}` }),
    (error) => error instanceof OperatorError && error.code === 'METRICS_ADDRESS_IN_USE' && error.fix !== undefined,
  );
  await assert.rejects(
    MetricsServer.start({ ...options, address: '192.0.2.1:9' }),
    (error) => error instanceof OperatorError && error.code === 'METRICS_ADDRESS_REFUSED',
  );
  await assert.rejects(MetricsServer.start({ ...options, address: 'nine' }), UsageError);
});

test('close ends within a second, whatever the clients do', async (context) => {
  const { server, url } = await start(context);
  await (await fetch(`${url}/_/healthz`)).text();
  const silent = connect(server.port, '127.0.0.1').on('error', () => {});
  const halfWay = request({ port: server.port, path: '/_/varz', method: 'POST', headers: { 'content-length': 9 } });
  halfWay.on('error', () => {}).write('x');
  await new Promise((resolve) => silent.once('connect', resolve));
  const started = performance.now();
  await server.close();
  assert.ok(performance.now() - started < 1000);
  await assert.rejects(fetch(`${url}/_/healthz`));
  silent.destroy();
});
