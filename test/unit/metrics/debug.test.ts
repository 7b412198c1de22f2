import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Diagnostics } from '../../../src/metrics/diagnostics.ts';
import { HeapReader } from '../../../src/metrics/debug/heap-constructors.ts';
import { isLoopback } from '../../../src/metrics/listen-address.ts';
import { Metrics } from '../../../src/metrics/registry.ts';
import { MetricsServer, type MetricsServerOptions } from '../../../src/metrics/server.ts';
import { RecordingLogger } from '../../harness/recording-logger.ts';

async function start(t: TestContext, options: Partial<MetricsServerOptions> = {}) {
  const logger = new RecordingLogger();
  const server = await MetricsServer.start({
    address: '127.0.0.1:0',
    metrics: new Metrics(),
    diagnostics: new Diagnostics(),
    health: () => undefined,
    logger,
    ...options,
  });
  t.after(() => server.close());
  const url = `http://127.0.0.1:${server.port}`;
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${url}${path}`, init);
    return { status: response.status, headers: response.headers, body: await response.text() };
  };
  return { server, get, lines: logger.lines };
}

/** Keeps the process computing, by a function with a name, until told to stop. */
function busyWith(t: TestContext) {
  const timer = setInterval(function burnsTheCore() {
    const end = performance.now() + 8;
    while (performance.now() < end) Math.sqrt(end);
  }, 10);
  t.after(() => clearInterval(timer));
}

test('the index says what each page is', async (t) => {
  const { get } = await start(t);
  for (const path of ['/debug', '/debug/']) {
    const { status, body } = await get(path);
    assert.equal(status, 200);
    for (const page of ['/debug/profile?seconds=15', '/debug/eventloop?seconds=15', '/debug/heap']) {
      assert(body.includes(`\n${page}\n`), page);
    }
  }
  assert.equal((await get('/debug/pprof/')).status, 404);
  assert.equal((await get('/debugger')).status, 404);
});

test('a CPU profile has nodes, samples, and the function that computed', async (t) => {
  const { get } = await start(t);
  busyWith(t);
  const began = performance.now();
  const { status, headers, body } = await get('/debug/profile?seconds=1');
  assert.equal(status, 200);
  assert(performance.now() - began >= 990);
  assert.match(headers.get('content-disposition')!, /filename="instar-\d+-\d{8}T\d{6}Z\.cpuprofile"/);
  const profile = JSON.parse(body) as {
    nodes: { callFrame: { functionName: string }; hitCount: number }[];
    samples: number[];
    timeDeltas: number[];
  };
  assert.equal(profile.samples.length, profile.timeDeltas.length);
  const hits = profile.nodes.filter(({ callFrame }) => callFrame.functionName === 'burnsTheCore');
  assert(hits.reduce((sum, { hitCount }) => sum + hitCount, 0) > 50, JSON.stringify(hits));
});

test('the event loop: how late, how busy, and the garbage', async (t) => {
  const { get } = await start(t);
  busyWith(t);
  const report = JSON.parse((await get('/debug/eventloop?seconds=1')).body);
  assert(report.utilization > 0.3 && report.utilization <= 1, `${report.utilization}`);
  assert(
    report.delay.max >= report.delay.percentiles.p99 && report.delay.percentiles.p99 >= report.delay.percentiles.p50,
  );
  assert(report.seconds >= 0.99 && report.seconds < 3);
});

test('the heap: spaces, and objects by constructor with counts and bytes; no data', async (t) => {
  class KeptForTheHeapTest {
    readonly secret = `hunter2-${Math.random()}-in-the-heap`;
  }
  const kept = Array.from({ length: 1000 }, () => new KeptForTheHeapTest());
  const { get } = await start(t);
  const { status, body } = await get('/debug/heap');
  assert.equal(status, 200);
  const heap = JSON.parse(body) as {
    used: number;
    spaces: { name: string; used: number }[];
    constructors: { name: string; count: number; bytes: number }[];
  };
  const ours = heap.constructors.find(({ name }) => name === 'KeptForTheHeapTest');
  assert(ours !== undefined && ours.count >= 1000 && ours.bytes >= 1000 * 16, JSON.stringify(ours));
  assert(heap.constructors.some(({ name }) => name === '(string)'));
  assert(heap.spaces.some(({ name, used }) => name === 'old_space' && used > 0));
  const sum = heap.constructors.reduce((all, { bytes }) => all + bytes, 0);
  assert(sum > heap.used / 2, `${sum} of ${heap.used}`);
  assert.equal(kept.length, 1000);
  assert.doesNotMatch(body, /hunter2/);
  const without = JSON.parse((await get('/debug/heap?constructors=no')).body);
  assert.equal(without.constructors, undefined);
});

test('a heap snapshot is read the same whatever pieces it comes in; names that could be data are not told', () => {
  const meta = {
    node_fields: ['type', 'name', 'id', 'self_size', 'edge_count'],
    node_types: [['hidden', 'object', 'string', 'native'], 'string'],
  };
  const nodes = [1, 1, 1, 100, 0, 1, 2, 3, 7, 0, 2, 3, 5, 40, 0, 3, 4, 7, 5, 0, 1, 1, 9, 20, 1];
  const strings = ['', 'Row', 'name, "quoted" \\ ] of a customer', 'hunter2', 'system / Context', 'unused'];
  const document = Buffer.from(
    `{"snapshot":{"meta":${JSON.stringify(meta)},"node_count":5},\n"nodes":[${nodes}],\n"edges":[1,2,3],\n"locations":[],\n"strings":${JSON.stringify(strings)}}\n`,
  );
  const expected = [
    { name: 'Row', count: 2, bytes: 120 },
    { name: '(string)', count: 1, bytes: 40 },
    { name: '(other objects)', count: 1, bytes: 7 },
    { name: 'system / Context', count: 1, bytes: 5 },
  ];
  for (const size of [1, 2, 3, 7, 16, 64, document.length]) {
    const reader = new HeapReader();
    for (let at = 0; at < document.length; at += size) reader.read(document.subarray(at, at + size));
    assert.deepEqual(reader.groups(), expected, `in pieces of ${size}`);
  }
});

test('one at a time: the second gets 409 with words, and the first is not disturbed', async (t) => {
  const { get } = await start(t);
  const first = get('/debug/profile?seconds=1');
  await new Promise((resolve) => setTimeout(resolve, 100));
  const second = await get('/debug/eventloop?seconds=1');
  assert.equal(second.status, 409);
  assert.match(second.body, /a CPU profile is being taken already.*\(DEBUG_BUSY\)\nfix: ask again in 1 s/);
  assert.equal((await get('/debug/heap')).status, 409);
  assert.equal((await first).status, 200);
  assert.equal((await get('/debug/heap?constructors=no')).status, 200);
});

test('a client that goes away ends it', async (t) => {
  const { get, lines } = await start(t);
  const gone = new AbortController();
  const first = get('/debug/profile?seconds=120', { signal: gone.signal });
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal((await get('/debug/profile?seconds=1')).status, 409);
  gone.abort();
  await assert.rejects(first);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal((await get('/debug/eventloop?seconds=1')).status, 200);
  assert(!lines.some(({ level }) => level === 'warning'), JSON.stringify(lines));
});

test('seconds are bounded, and other words are refused', async (t) => {
  const { get } = await start(t);
  for (const seconds of ['0', '0.5', '121', '-1', 'ten', '', '1e2', 'Infinity']) {
    const { status, body } = await get(`/debug/profile?seconds=${seconds}`);
    assert.equal(status, 400, seconds);
    assert.match(body, /seconds must be from 1 to 120, not .*\(DEBUG_PARAMETER\)/);
  }
  assert.equal((await get('/debug/heap?constructors=maybe')).status, 400);
  assert.equal((await get('/debug/profile', { method: 'POST' })).status, 405);
});

test('closing does not wait for a profile: who asked is told, within the grace of a close', async (t) => {
  const { get, server } = await start(t);
  const answer = get('/debug/profile?seconds=120');
  await new Promise((resolve) => setTimeout(resolve, 200));
  const began = performance.now();
  await server.close();
  assert(performance.now() - began < 1000);
  const { status, body } = await answer;
  assert.equal(status, 503);
  assert.match(body, /DEBUG_ENDING/);
});

test('on an address that others reach it is refused, unless that is allowed', async (t) => {
  const open = await start(t, { address: '0.0.0.0:0' });
  for (const path of ['/debug/', '/debug/profile?seconds=1', '/debug/heap', '/debug/eventloop']) {
    const { status, body } = await open.get(path);
    assert.equal(status, 403, path);
    assert.match(body, /DEBUG_NOT_LOCAL[\s\S]*--metricsAddr 127\.0\.0\.1[\s\S]*--enableDebugEndpoints/);
  }
  assert.equal((await open.get('/_/varz')).status, 200);
  const everywhere = await start(t, { address: ':0' });
  assert.equal((await everywhere.get('/debug/')).status, 403);
  const allowed = await start(t, { address: '0.0.0.0:0', debugEverywhere: true });
  assert.equal((await allowed.get('/debug/heap?constructors=no')).status, 200);
});

test('what is only reached from this machine', () => {
  for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1']) assert(isLoopback(address), address);
  for (const address of ['0.0.0.0', '::', '10.0.0.1', '::ffff:10.0.0.1', 'fe80::1', '1270.0.1']) {
    assert(!isLoopback(address), address);
  }
});
