import assert from 'node:assert/strict';
import { connect as dial, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { sharedServer } from '../servers/postgres.ts';
import type { FaultRule } from './faults.ts';
import { executeFrames, FrameReader, frameType, queryFrame, readText } from './frames.ts';
import { FaultProxy } from './proxy.ts';

/**
 * Requests as the engine sends them: many in one write, before the first answer. The `pg` client cannot, so this one speaks the
 * protocol itself; it needs a server that asks for no password.
 */
const shared = sharedServer();

const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);
const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

function copyData(text: string): Buffer {
  const frame = Buffer.from(`d0000${text}`);
  frame.writeInt32BE(4 + Buffer.byteLength(text), 1);
  return frame;
}

function startup(database: string): Buffer {
  const payload = Buffer.from(`user\0postgres\0database\0${database}\0\0`);
  const header = Buffer.alloc(8);
  header.writeInt32BE(8 + payload.length, 0);
  header.writeInt32BE(0x30000, 4);
  return Buffer.concat([header, payload]);
}

/** Tells what a frame of the server means for these tests. */
function meaning(frame: Buffer): string | undefined {
  switch (frameType(frame)) {
    case 'C':
      return readText(frame, 5).text;
    case 'E':
      return /\0C(.{5})\0/.exec(frame.toString('latin1'))?.[1];
    case 'Z':
      return `ready ${String.fromCharCode(frame[5])}`;
    case '1':
      return 'parsed';
    case '2':
      return 'bound';
    default:
      return undefined;
  }
}

interface Wire {
  /** Sends all frames in one write and returns what came back until `ready` answers were there or the connection was lost. */
  exchange(frames: Buffer[], ready: number): Promise<string[]>;
}

async function openWire(proxy: FaultProxy, database: string): Promise<Wire> {
  const socket: Socket = dial({ host: proxy.host, port: proxy.port });
  const reader = new FrameReader(true);
  let heard: string[] = [];
  let changed = (): void => {};
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    reader.push(chunk, (frame) => {
      const text = meaning(frame);
      if (text !== undefined) heard.push(text);
    });
    changed();
  });
  socket.once('close', () => {
    heard.push('lost');
    changed();
  });
  const exchange = async (frames: Buffer[], ready: number): Promise<string[]> => {
    heard = [];
    const done = new Promise<void>((resolve) => {
      changed = () => {
        const answers = heard.filter((text) => text.startsWith('ready')).length;
        if (answers >= ready || heard.includes('lost')) resolve();
      };
    });
    socket.write(Buffer.concat(frames));
    await done;
    return heard;
  };
  await exchange([startup(database)], 1);
  return { exchange };
}

async function setUp(t: TestContext, rule: FaultRule): Promise<{ wire: Wire; rows: () => Promise<string> }> {
  const database = await shared.freshDatabase(t);
  await database.query('CREATE TABLE t (n integer)');
  const proxy = await FaultProxy.start(shared.server);
  t.after(() => proxy.close());
  const wire = await openWire(proxy, database.name);
  proxy.inject(rule);
  const rows = async (): Promise<string> => {
    const [row] = await database.query<{ all: string }>(
      `SELECT coalesce(string_agg(n::text, ' ' ORDER BY n), '') AS all FROM t`,
    );
    return row.all;
  };
  return { wire, rows };
}

const SCRIPT = [
  queryFrame('BEGIN'),
  ...executeFrames('first', 'INSERT INTO t VALUES (1)'),
  ...executeFrames('second', 'INSERT INTO t VALUES (2)'),
  SYNC,
  queryFrame('COPY t FROM STDIN'),
  copyData('3\n'),
  copyData('4\n'),
  COPY_DONE,
  ...executeFrames('third', 'INSERT INTO t VALUES (5)'),
  SYNC,
  queryFrame('COMMIT'),
  queryFrame('SELECT 1'),
];
const ANSWERS = 6;

test('without a fault the whole pipeline is answered', async (t) => {
  const { wire, rows } = await setUp(t, { match: () => false, fault: { kind: 'cut' } });
  assert.deepEqual(
    (await wire.exchange(SCRIPT, ANSWERS)).join(', '),
    [
      'BEGIN, ready T',
      'parsed, bound, INSERT 0 1, parsed, bound, INSERT 0 1, ready T',
      'COPY 2, ready T',
      'parsed, bound, INSERT 0 1, ready T',
      'COMMIT, ready I, SELECT 1, ready I',
    ].join(', '),
  );
  assert.equal(await rows(), '1 2 3 4 5');
});

test('an error inside a pipelined extended request fails the rest of the transaction with 25P02', async (t) => {
  const { wire, rows } = await setUp(t, {
    match: ({ sql }) => sql.includes('VALUES (2)'),
    fault: { kind: 'error', sqlstate: '40001' },
  });
  assert.deepEqual(
    (await wire.exchange(SCRIPT, ANSWERS)).join(', '),
    [
      'BEGIN, ready T',
      'parsed, bound, INSERT 0 1, parsed, 40001, ready E',
      '25P02, ready E',
      '25P02, ready E',
      'ROLLBACK, ready I, SELECT 1, ready I',
    ].join(', '),
  );
  assert.equal(await rows(), '');
});

test('an error at a statement behind a real error of the same request is the real one', async (t) => {
  const { wire } = await setUp(t, {
    match: ({ sql }) => sql.includes('VALUES (2)'),
    fault: { kind: 'error', sqlstate: '40001' },
  });
  const script = [
    ...executeFrames('bad', 'INSERT INTO missing VALUES (1)'),
    ...executeFrames('second', 'INSERT INTO t VALUES (2)'),
    SYNC,
    queryFrame('SELECT 1'),
  ];
  assert.deepEqual(await wire.exchange(script, 2), ['42P01', 'ready I', 'SELECT 1', 'ready I']);
});

test('an error at the end of COPY data undoes the COPY and fails the rest', async (t) => {
  const { wire, rows } = await setUp(t, {
    match: ({ kind }) => kind === 'copyEnd',
    fault: { kind: 'error', sqlstate: '40001' },
  });
  assert.deepEqual((await wire.exchange(SCRIPT, ANSWERS)).slice(-8), [
    ...['40001', 'ready E'],
    ...['25P02', 'ready E'],
    ...['ROLLBACK', 'ready I'],
    ...['SELECT 1', 'ready I'],
  ]);
  assert.equal(await rows(), '');
});

test('a COMMIT in a pipeline that fails has rolled back; what follows runs outside of a transaction', async (t) => {
  const { wire, rows } = await setUp(t, {
    match: ({ sql }) => sql === 'COMMIT',
    fault: { kind: 'error', sqlstate: '40001' },
  });
  assert.deepEqual((await wire.exchange(SCRIPT, ANSWERS)).slice(-4), ['40001', 'ready I', 'SELECT 1', 'ready I']);
  assert.equal(await rows(), '');
});

test('a COMMIT in a pipeline takes place although its outcome is reported as unknown', async (t) => {
  const { wire, rows } = await setUp(t, {
    match: ({ sql }) => sql === 'COMMIT',
    fault: { kind: 'ambiguous', sqlstate: '40003' },
  });
  assert.deepEqual((await wire.exchange(SCRIPT, ANSWERS)).slice(-4), ['40003', 'ready I', 'SELECT 1', 'ready I']);
  assert.equal(await rows(), '1 2 3 4 5');
});

test('a COMMIT in a pipeline takes place although its answer is lost', async (t) => {
  const { wire, rows } = await setUp(t, { match: ({ sql }) => sql === 'COMMIT', fault: { kind: 'lostAnswer' } });
  const heard = await wire.exchange(SCRIPT, ANSWERS);
  assert.equal(heard.at(-1), 'lost');
  assert.ok(!heard.includes('COMMIT'));
  assert.equal(await rows(), '1 2 3 4 5');
});

test('a COPY outside of a transaction takes place although its answer is lost', async (t) => {
  const { wire, rows } = await setUp(t, { match: ({ kind }) => kind === 'copyEnd', fault: { kind: 'lostAnswer' } });
  const script = [queryFrame('COPY t FROM STDIN'), copyData('3\n'), COPY_DONE];
  assert.deepEqual(await wire.exchange(script, 1), ['lost']);
  assert.equal(await rows(), '3');
});
