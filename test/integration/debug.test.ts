import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { freePort } from '../harness/engine.ts';
import { Replica } from '../harness/replica.ts';
import { sharedServer } from '../servers/postgres.ts';

const PASSWORD = 'pr0file-Marker';
const ROW = 'a-value-of-a-customer';
const source = sharedServer({ password: PASSWORD });
const target = sharedServer({ password: PASSWORD });

const create = (t: TestContext) =>
  Replica.create(t, source.server, target.server, { schema: 'create table item (id integer primary key, v text)' });

test('profiles of an engine that replicates, which goes on meanwhile; without passwords and data', async (t) => {
  const replica = await create(t);
  const engine = await replica.start();
  await engine.waitForLog(/streaming/);
  const get = async (path: string) => {
    const { status, body } = await engine.fetch(path, { signal: AbortSignal.timeout(30_000) });
    assert.equal(status, 200, body);
    for (const secret of [PASSWORD, ROW]) assert(!body.includes(secret), `${path} holds ${secret}`);
    return body;
  };
  let id = 0;
  const write = async () => {
    for (let times = 0; times < 20; times++) {
      await replica.source.query(`insert into item select n, $2 || n from generate_series($1::int + 1, $1 + 100) n`, [
        id,
        ROW,
      ]);
      id += 100;
    }
  };
  const [profile] = await Promise.all([get('/debug/profile?seconds=2'), write().then(() => replica.settle())]);
  const { nodes, samples } = JSON.parse(profile) as { nodes: { callFrame: { url: string } }[]; samples: number[] };
  assert(samples.length > 100 && nodes.some(({ callFrame }) => callFrame.url.includes('/dist/')));
  const heap = JSON.parse(await get('/debug/heap')) as { constructors: { name: string; count: number }[] };
  assert(heap.constructors.some(({ name, count }) => name === 'Socket' && count >= 2));
  const { utilization } = JSON.parse(await get('/debug/eventloop?seconds=1'));
  assert(utilization >= 0 && utilization <= 1);
  await get('/debug/');
  await replica.assertSettledEqual();
});

test('a stop is not held up by a profile that is under way', async (t) => {
  const replica = await create(t);
  const engine = await replica.start();
  await engine.waitForLog(/streaming/);
  const answer = engine
    .fetch('/debug/profile?seconds=120', { signal: AbortSignal.timeout(60_000) })
    .catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const began = Date.now();
  assert.deepEqual(await engine.stop(), { code: 0, signal: null });
  assert(Date.now() - began < 5000, `${Date.now() - began} ms`);
  const given = await answer;
  assert(given === undefined || given.status === 503, JSON.stringify(given));
});

test('on all addresses it is refused, even to this machine, unless --enableDebugEndpoints is given', async (t) => {
  const replica = await create(t);
  for (const [flags, status] of [
    [[], 403],
    [['--enableDebugEndpoints'], 200],
  ] as const) {
    const port = await freePort();
    const engine = await replica.start([...flags, '--metricsAddr', `0.0.0.0:${port}`], { metrics: false });
    await engine.waitForLog(/metrics server bound to 0\.0\.0\.0/);
    const answer = await fetch(`http://127.0.0.1:${port}/debug/`);
    assert.equal(answer.status, status);
    if (status === 403) assert.match(await answer.text(), /DEBUG_NOT_LOCAL[\s\S]*--enableDebugEndpoints/);
    await engine.stop();
  }
});
