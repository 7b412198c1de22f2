import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { parseEndpoint } from '../../../src/dashboard/endpoint.ts';
import { Poller, readOnce } from '../../../src/dashboard/poller.ts';
import { OperatorError, UsageError } from '../../../src/errors.ts';
import { eventually } from '../../harness/engine.ts';
import { moltScrape } from './molt-scrape.ts';

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('addresses in the forms that operators have them in', () => {
  const cases: [text: string, varz: string][] = [
    ['http://127.0.0.1:30005', 'http://127.0.0.1:30005/_/varz'],
    ['127.0.0.1:30005', 'http://127.0.0.1:30005/_/varz'],
    [':30005', 'http://127.0.0.1:30005/_/varz'],
    ['db1.example:30005/', 'http://db1.example:30005/_/varz'],
    ['http://h:1/_/varz', 'http://h:1/_/varz'],
    ['http://h:1/_/diag', 'http://h:1/_/varz'],
    ['https://h/replicator/_/varz', 'https://h/replicator/_/varz'],
    ['https://h/replicator/', 'https://h/replicator/_/varz'],
    ['http://[::1]:30005', 'http://[::1]:30005/_/varz'],
  ];
  for (const [text, varz] of cases) assert.equal(parseEndpoint(text).varz.href, varz, text);
  const secret = parseEndpoint('https://me:p%40ss@h:9/_/varz?token=x');
  assert.equal(secret.authorization, `Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  assert(!secret.varz.href.includes('ss@') && !secret.display.includes('me'));
  assert.equal(secret.diag.href, 'https://h:9/_/diag?token=x');
  for (const wrong of ['', 'ftp://h:1', 'http://', 'h:port', 'postgresql://u:secret@h/db']) {
    assert.throws(
      () => parseEndpoint(wrong),
      (error) => error instanceof UsageError && !error.message.includes('secret'),
      wrong,
    );
  }
});

test('one reading with rates, of an endpoint without a diag page', async (t) => {
  let rows = 0;
  const url = await serve(t, (request, response) => {
    if (request.url === '/_/varz') {
      rows += 10;
      response.end(moltScrape({ received: rows, upserts: rows, queue: 0 }));
    }
    if (request.url !== '/_/varz') response.writeHead(404).end('not found');
  });
  const reading = await readOnce(`${url}/_/varz`, { interval: 50 });
  assert(reading.rowsPerSecond! > 0);
  assert.equal(reading.tables[0].upserts, 20);
  assert.equal(reading.engineState, undefined);
});

test('an answer that is no metrics, a status, a closed port: each is told in words', async (t) => {
  const html = await serve(t, (_, response) => response.end('<html><body>Welcome to nginx!</body></html>'));
  const refusing = await serve(t, (_, response) => response.writeHead(401).end());
  const reason = async (url: string) => {
    const error = await readOnce(url).catch((thrown: unknown) => thrown);
    assert(error instanceof OperatorError && error.code === 'WATCH_NO_ANSWER', String(error));
    return error.message;
  };
  assert.match(await reason(html), /has no metrics/);
  assert.match(await reason(refusing), /answers with status 401/);
  assert.match(await reason('http://127.0.0.1:9'), /nobody listens on 127\.0\.0\.1:9/);
  const other = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  assert.match(await reason(`127.0.0.1:${(other.address() as AddressInfo).port}`), /does not speak HTTP/);
});

test('the password of the address is presented to the server', async (t) => {
  let authorization: string | undefined;
  const url = await serve(t, (request, response) => {
    authorization = request.headers.authorization;
    response.end('m 1\n');
  });
  await readOnce(url.replace('//', '//user:word@'), { interval: 1 });
  assert.equal(authorization, `Basic ${Buffer.from('user:word').toString('base64')}`);
});

test('an endpoint that hangs is told of as stale while it hangs, and no second question is asked', async () => {
  let now = 1e12;
  let asked = 0;
  const answer = { varz: moltScrape({ received: 1, upserts: 1, queue: 0 }), diag: undefined, clockAhead: 0 };
  const poller = new Poller('h:1', {
    interval: 250,
    now: () => now,
    ask: (_, signal) => {
      asked++;
      if (asked === 1) return Promise.resolve(answer);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  const states: (number | undefined)[] = [];
  poller.subscribe(() => {
    states.push(poller.reading?.staleFor);
    now += 4000;
  });
  poller.start();
  try {
    await eventually(
      async () => states.length >= 4,
      () => `${states}`,
      5000,
    );
  } finally {
    poller.stop();
  }
  assert.equal(states[0], 0);
  assert(states[2]! > states[1]! && states[3]! > states[2]!, `${states}`);
  assert.equal(asked, 2);
  assert.equal(poller.reading!.lag.state, 'stalled');
  assert.equal(poller.reading!.tables[0].upserts, 1);
});

test('when it goes away it is stalled, when it comes back at another address it is followed there', async (t) => {
  const scrape: RequestListener = (_, response) => response.end(moltScrape({ received: 1, upserts: 1, queue: 0 }));
  const first = createServer(scrape);
  await new Promise<void>((resolve) => first.listen(0, '127.0.0.1', resolve));
  const poller = new Poller(`127.0.0.1:${(first.address() as AddressInfo).port}`, { interval: 250 });
  t.after(() => poller.stop());
  poller.start();
  await eventually(
    async () => poller.reading !== undefined,
    () => 'no reading',
  );
  first.closeAllConnections();
  await new Promise((resolve) => first.close(resolve));
  await eventually(
    async () => poller.reading!.silence !== undefined,
    () => 'not silent',
  );
  assert.match(poller.reading!.lag.reason!, /does not answer/);
  poller.watch(await serve(t, scrape));
  assert.equal(poller.reading, undefined, 'numbers of one engine are not shown as those of another');
  await eventually(
    async () => poller.reading?.silence === undefined && poller.reading !== undefined,
    () => 'not followed',
  );
});

test('a listener is called once per look, and not after it has left', async () => {
  const answer = { varz: 'm 1\n', diag: undefined, clockAhead: 0 };
  const poller = new Poller('h:1', { ask: () => Promise.resolve(answer) });
  let calls = 0;
  const leave = poller.subscribe(() => calls++);
  await poller.look();
  const state = poller.getState();
  assert.equal(poller.getState(), state);
  await poller.look();
  assert.notEqual(poller.getState(), state);
  leave();
  await poller.look();
  assert.equal(calls, 2);
});
