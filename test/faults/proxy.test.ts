import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type DatabaseError } from 'pg';
import { sharedServer } from '../servers/postgres.ts';
import type { Fault } from './faults.ts';
import { executeFrames, FrameReader, frameType, queryFrame } from './frames.ts';
import { FaultProxy } from './proxy.ts';

const shared = sharedServer();

async function setUp(
  t: TestContext,
): Promise<{ proxy: FaultProxy; connect: () => Promise<Client>; rows: () => Promise<number[]> }> {
  const database = await shared.freshDatabase(t);
  await database.query('CREATE TABLE t (n integer)');
  const proxy = await FaultProxy.start(shared.server);
  t.after(() => proxy.close());
  const connect = async (): Promise<Client> => {
    const client = new Client({ connectionString: proxy.url(database.url), pipeline: true });
    client.on('error', () => {});
    await client.connect();
    t.after(() => client.end().catch(() => {}));
    return client;
  };
  const rows = async (): Promise<number[]> =>
    (await database.query<{ n: number }>('SELECT n FROM t ORDER BY n')).map((row) => row.n);
  return { proxy, connect, rows };
}

/** The SQLSTATE that a statement fails with; `lost` when the connection went away instead. */
async function outcome(statement: Promise<unknown>): Promise<string> {
  try {
    await statement;
    return 'ok';
  } catch (error) {
    return (error as DatabaseError).severity === undefined ? 'lost' : (error as DatabaseError).code!;
  }
}

const commit = ({ sql }: { sql: string }) => /^commit/i.test(sql);
const insert = ({ sql }: { sql: string }) => /^insert/i.test(sql);

test('frames are found again whatever pieces they come in', () => {
  const frames = [queryFrame('SELECT 1'), ...executeFrames('a', 'SELECT 2'), queryFrame('x'.repeat(3000))];
  const bytes = Buffer.concat(frames);
  for (const size of [1, 2, 3, 5, 7, 64, 1000, bytes.length]) {
    const found: string[] = [];
    const reader = new FrameReader(true);
    for (let at = 0; at < bytes.length; at += size) {
      reader.push(bytes.subarray(at, at + size), (frame) => found.push(frameType(frame) + frame.length));
    }
    assert.deepEqual(
      found,
      frames.map((frame) => frameType(frame) + frame.length),
      `pieces of ${size} bytes`,
    );
  }
});

test('an untroubled connection passes everything, and records the statements', async (t) => {
  const { proxy, connect, rows } = await setUp(t);
  const seen: string[] = [];
  proxy.record((sql) => seen.push(sql));
  const client = await connect();
  const big = 'x'.repeat(3_000_000);
  const { rows: answer } = await client.query('SELECT $1::text AS big', [big]);
  assert.equal(answer[0].big, big);
  await client.query('INSERT INTO t VALUES (1)');
  assert.deepEqual(await rows(), [1]);
  assert.deepEqual(seen, ['SELECT $1::text AS big', 'INSERT INTO t VALUES (1)']);
});

for (const parameters of [[], [7]]) {
  const protocol = parameters.length === 0 ? 'simple' : 'extended';
  const insertSql = parameters.length === 0 ? 'INSERT INTO t VALUES (7)' : 'INSERT INTO t VALUES ($1)';

  test(`an injected error aborts the server's own transaction (${protocol} protocol)`, async (t) => {
    const { proxy, connect, rows } = await setUp(t);
    const client = await connect();
    const injection = proxy.inject({ match: insert, nth: 2, fault: { kind: 'error', sqlstate: '40001' } });
    // All of these are under way before the first answer is there.
    const pipelined = [
      client.query('BEGIN'),
      client.query(insertSql, parameters),
      client.query(insertSql, parameters),
      client.query(insertSql, parameters),
      client.query('COMMIT'),
      client.query('SELECT 1'),
    ].map(outcome);
    assert.deepEqual(await Promise.all(pipelined), ['ok', 'ok', '40001', '25P02', 'ok', 'ok']);
    assert.equal(injection.fired, 1);
    assert.deepEqual(await rows(), []);
    assert.equal(await outcome(client.query(insertSql, parameters)), 'ok');
    assert.deepEqual(await rows(), [7]);
  });
}

test('a replaced prepared statement can be executed again afterwards', async (t) => {
  const { proxy, connect, rows } = await setUp(t);
  const client = await connect();
  const run = (n: number) => client.query({ name: 'add', text: 'INSERT INTO t VALUES ($1)', values: [n] });
  await run(1);
  proxy.inject({ match: insert, fault: { kind: 'error', sqlstate: '40001' } });
  assert.equal(await outcome(run(2)), '40001');
  await run(3);
  assert.deepEqual(await rows(), [1, 3]);
});

test('a failed COMMIT has rolled back and leaves the session idle', async (t) => {
  const { proxy, connect, rows } = await setUp(t);
  for (const text of ['COMMIT', { name: 'done', text: 'COMMIT' }]) {
    const client = await connect();
    proxy.inject({ match: commit, fault: { kind: 'error', sqlstate: '40001' } });
    await client.query('BEGIN');
    await client.query('INSERT INTO t VALUES (1)');
    assert.equal(await outcome(client.query(text)), '40001');
    const { rows: state } = await client.query('SELECT pg_current_xact_id_if_assigned() AS id');
    assert.equal(state[0].id, null);
    assert.deepEqual(await rows(), []);
  }
});

const ambiguous: { fault: Fault; expected: string }[] = [
  { fault: { kind: 'ambiguous', sqlstate: '40003' }, expected: '40003' },
  { fault: { kind: 'lostAnswer' }, expected: 'lost' },
];
for (const { fault, expected } of ambiguous) {
  test(`the outcome of a COMMIT is hidden although it took place: ${fault.kind}`, async (t) => {
    const { proxy, connect, rows } = await setUp(t);
    const client = await connect();
    proxy.inject({ match: commit, fault });
    await client.query('BEGIN');
    await client.query('INSERT INTO t VALUES (1)');
    assert.equal(await outcome(client.query('COMMIT')), expected);
    assert.deepEqual(await rows(), [1]);
    assert.equal(await outcome(client.query('SELECT 1')), expected === 'lost' ? 'lost' : 'ok');
  });
}

test('a session is terminated by 57P01, and its transaction with it', async (t) => {
  const { proxy, connect, rows } = await setUp(t);
  const client = await connect();
  proxy.inject({ match: insert, nth: 2, fault: { kind: 'error', sqlstate: '57P01' } });
  const pipelined = ['BEGIN', 'INSERT INTO t VALUES (1)', 'INSERT INTO t VALUES (2)', 'COMMIT'];
  const outcomes = await Promise.all(pipelined.map((sql) => outcome(client.query(sql))));
  assert.deepEqual(outcomes.slice(0, 3), ['ok', 'ok', '57P01']);
  assert.deepEqual(await rows(), []);
});

test('a cut before the statement leaves nothing of it', async (t) => {
  const { proxy, connect, rows } = await setUp(t);
  const client = await connect();
  proxy.inject({ match: insert, fault: { kind: 'cut' } });
  assert.equal(await outcome(client.query('INSERT INTO t VALUES (1)')), 'lost');
  assert.deepEqual(await rows(), []);
});

test('all connections are cut, and new ones are accepted or refused as asked', async (t) => {
  const { proxy, connect } = await setUp(t);
  const client = await connect();
  const running = outcome(client.query('SELECT pg_sleep(30)'));
  await sleep(50);
  assert.equal(proxy.connections, 1);
  proxy.cut();
  assert.equal(await running, 'lost');
  proxy.refuse();
  assert.equal(await outcome(connect()), 'lost');
  proxy.refuse({ sqlstate: '53300' });
  assert.equal(await outcome(connect()), '53300');
  proxy.accept();
  assert.equal(await outcome(connect()), 'ok');
});

test('stalled bytes arrive after resuming, in the direction that was held', async (t) => {
  const { proxy, connect, rows } = await setUp(t);
  const client = await connect();
  let answered = false;
  proxy.stall('toClient');
  const first = client.query('INSERT INTO t VALUES (1)').then(() => {
    answered = true;
  });
  await sleep(150);
  assert.equal(answered, false);
  assert.deepEqual(await rows(), [1]);
  proxy.resume();
  await first;
  proxy.stall('toServer');
  const second = client.query('INSERT INTO t VALUES (2)');
  await sleep(150);
  assert.deepEqual(await rows(), [1]);
  proxy.resume();
  await second;
  assert.deepEqual(await rows(), [1, 2]);
});

test('delay is paid once for a pipeline, and once for each of a sequence', async (t) => {
  const { proxy, connect } = await setUp(t);
  const client = await connect();
  proxy.delayMs = 40;
  const timed = async (action: () => Promise<unknown>): Promise<number> => {
    const from = performance.now();
    await action();
    return performance.now() - from;
  };
  const sequence = await timed(async () => {
    for (let n = 0; n < 5; n++) await client.query('SELECT 1');
  });
  assert.ok(sequence >= 200, `five round trips took ${sequence} ms`);
  const big = await timed(() => client.query(`SELECT repeat('x', 20000000)`));
  assert.ok(big < 1500, `20 MB took ${big} ms`);
});

test('random faults are the same for the same seed, and stop when told', async (t) => {
  const { proxy, connect } = await setUp(t);
  const strike = async (): Promise<readonly string[]> => {
    const chaos = proxy.chaos({ seed: 42, rate: 0.3 });
    let client = await connect();
    for (let n = 0; n < 30; n++) {
      if ((await outcome(client.query(n % 3 === 2 ? 'COMMIT' : 'SELECT 1'))) === 'lost') client = await connect();
    }
    chaos.stop();
    return chaos.log;
  };
  const first = await strike();
  assert.ok(first.length > 3, `struck ${first.length} times`);
  const client = await connect();
  for (let n = 0; n < 30; n++) await client.query('SELECT 1');
  const second = await strike();
  assert.deepEqual(second, first);
});
