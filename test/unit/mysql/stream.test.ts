import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { type TestContext, test } from 'node:test';
import { OperatorError } from '../../../src/errors.ts';
import { protocolError } from '../../../src/sources/mysql/protocol-error.ts';
import type { MysqlStatus } from '../../../src/sources/mysql/status.ts';
import { BinlogStream, type DumpState, type EventReader } from '../../../src/sources/mysql/stream.ts';
import { CollectingSink } from '../../harness/collecting-sink.ts';
import { FakeDump } from '../../harness/fake-dump.ts';
import { RecordingLogger } from '../../harness/recording-logger.ts';

interface Rig {
  readonly server: FakeDump;
  readonly stream: BinlogStream;
  readonly sink: CollectingSink;
  readonly status: MysqlStatus;
  /** The events that were fed. */
  readonly fed: string[];
  readonly stop: AbortController;
  /** How the run ended. */
  readonly outcome: Promise<unknown>;
}

/** A stream that has begun. */
async function begin(
  options: { feed?: (event: string) => Promise<void> | undefined; dumpState?: () => Promise<DumpState> } = {},
): Promise<Rig> {
  const server = new FakeDump();
  const sink = new CollectingSink();
  const status = { received: 0, lastReceived: 0 } as MysqlStatus;
  const fed: string[] = [];
  const reader: EventReader = {
    feed(buffer, start, end) {
      const event = buffer.toString('utf8', start, end);
      fed.push(event);
      return options.feed?.(event);
    },
  };
  const context = { flavour: 'mysql', user: 'u', serverId: 10 } as const;
  const dumpState = options.dumpState ?? (async () => undefined);
  const stream = new BinlogStream(reader, sink, status, context, dumpState, new RecordingLogger());
  const identity = { flavour: 'mysql', serverId: 10, uuid: 'x' } as const;
  await stream.start(server.connection, identity, { flavour: 'mysql', executed: Buffer.alloc(8) });
  const stop = new AbortController();
  const outcome = stream.run(stop.signal).catch((error: unknown) => error);
  return { server, stream, sink, status, fed, stop, outcome };
}

/** Lets everything happen that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
}

async function failure(outcome: Promise<unknown>): Promise<OperatorError> {
  const error = await outcome;
  assert.ok(error instanceof OperatorError, String(error));
  return error;
}

test('the server is told who reads, and asked for what comes after the position', async () => {
  const { server, stream, stop, outcome } = await begin();
  assert.equal(server.statements.length, 1);
  assert.match(server.statements[0], /@source_binlog_checksum = \?.*@replica_uuid = \?.*net_write_timeout = 3600/);
  await settle();
  const [register, dump] = server.commands;
  assert.equal(register.readUInt32LE(1), 10);
  assert.match(register.toString('latin1'), /instar@/);
  assert.equal(dump[0], 0x1e);
  assert.equal(dump.readUInt32LE(3), 10);
  assert.equal(stream.threadId, 7);
  stop.abort();
  assert.equal(await outcome, undefined);
  assert.equal(stream.cutOff, 7, 'the server does not know yet');
});

test('events come in order and are counted', async () => {
  const { server, fed, status, stop, outcome } = await begin();
  server.sendAll([server.event('one'), server.event('two')]);
  server.send(server.event('three'));
  await settle();
  assert.deepEqual(fed, ['one', 'two', 'three']);
  assert.equal(status.received, 3 * 5 + 'onetwothree'.length);
  stop.abort();
  await outcome;
});

test('while the decoder needs time no other event comes', async () => {
  const first = Promise.withResolvers<void>();
  const { server, fed, stop, outcome } = await begin({
    feed: (event) => (event === 'one' ? first.promise : undefined),
  });
  server.sendAll([server.event('one'), server.event('two')]);
  server.send(server.event('three'));
  await settle();
  assert.deepEqual(fed, ['one']);
  first.resolve();
  await settle();
  assert.deepEqual(fed, ['one', 'two', 'three']);
  stop.abort();
  await outcome;
});

test('while the sink is full nothing is read, also in the middle of what has come', async () => {
  const { server, client, fed, sink, stop, outcome } = await begin().then((rig) => ({
    ...rig,
    client: rig.server.client,
  }));
  sink.full = true;
  server.sendAll([server.event('one'), server.event('two')]);
  await settle();
  assert.deepEqual(fed, ['one']);
  assert.equal(client.isPaused(), true);
  sink.drain();
  await settle();
  assert.deepEqual(fed, ['one', 'two']);
  assert.equal(client.isPaused(), false);
  stop.abort();
  await outcome;
});

test('what the server refuses has a name; a lost connection is worth another try', async () => {
  const refused = await begin();
  refused.server.fail(
    1236,
    'A replica with the same server_uuid/server_id as this replica has connected to the source',
  );
  const first = await failure(refused.outcome);
  assert.deepEqual([first.code, first.transient], ['MYSQL_SERVER_ID_IN_USE', false]);
  const lost = await begin();
  lost.server.hangUp();
  const second = await failure(lost.outcome);
  assert.deepEqual([second.code, second.transient], ['MYSQL_SOURCE_DISCONNECTED', true]);
  assert.deepEqual([refused.stream.cutOff, lost.stream.cutOff], [undefined, undefined], 'the server knows');
  const over = await begin();
  over.server.send(Buffer.from([0xfe, 0, 0, 2, 0]));
  assert.equal((await failure(over.outcome)).code, 'MYSQL_SOURCE_DISCONNECTED');
});

test('a refusal of the reader itself has a name', async () => {
  const server = new FakeDump();
  const context = { flavour: 'mysql', user: 'u', serverId: 10 } as const;
  const stream = new BinlogStream(
    { feed: () => undefined },
    new CollectingSink(),
    { received: 0 } as MysqlStatus,
    context,
    async () => undefined,
    new RecordingLogger(),
  );
  server.packet = () =>
    Buffer.from('\x2f\0\0\x01\xff\xcb\x04#42000Access denied; you need REPLICATION SLAVE', 'latin1');
  await assert.rejects(
    stream.start(
      server.connection,
      { flavour: 'mysql', serverId: 10, uuid: 'x' },
      { flavour: 'mysql', executed: Buffer.alloc(8) },
    ),
    { code: 'MYSQL_NO_REPLICATION_PRIVILEGE' },
  );
  assert.equal(server.client.destroyed, true);
});

test('what the decoder throws ends the stream, at once or later', async () => {
  const now = await begin({
    feed: () => {
      throw protocolError('X', 'y');
    },
  });
  now.server.send(now.server.event('one'));
  assert.equal((await failure(now.outcome)).code, 'MYSQL_PROTOCOL');
  assert.equal(now.server.client.destroyed, true);
  const later = await begin({ feed: () => Promise.reject(protocolError('X', 'y')) });
  later.server.send(later.server.event('one'));
  assert.equal((await failure(later.outcome)).code, 'MYSQL_PROTOCOL');
});

test('a stop ends the stream and nothing is fed afterwards', async () => {
  const { server, fed, stop, outcome } = await begin();
  stop.abort();
  server.send(server.event('late'));
  await settle();
  assert.equal(await outcome, undefined);
  assert.deepEqual(fed, []);
  assert.equal(server.client.destroyed, true);
});

/** Lets `seconds` pass, one by one, as the stream looks at the clock once a second. */
async function pass(t: TestContext, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    t.mock.timers.tick(1000);
    await settle();
  }
}

test('fifteen seconds of silence end the stream when the server has nothing under way', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  for (const state of ['waiting', undefined] as const) {
    const { outcome } = await begin({ dumpState: async () => state });
    let over = false;
    void outcome.then(() => {
      over = true;
    });
    await pass(t, 15);
    assert.equal(over, false);
    await pass(t, 1);
    assert.equal(over, true);
    const { code, transient } = await failure(outcome);
    assert.deepEqual([code, transient], ['MYSQL_SOURCE_SILENT', true]);
  }
});

test('a server that works is given a minute; one that does not answer is not', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const working = await begin({ dumpState: async () => 'working' });
  let over = false;
  void working.outcome.then(() => {
    over = true;
  });
  await pass(t, 59);
  assert.equal(over, false);
  await pass(t, 2);
  assert.equal((await failure(working.outcome)).code, 'MYSQL_SOURCE_SILENT');
  const mute = await begin({ dumpState: () => Promise.reject(new Error('no answer')) });
  await pass(t, 16);
  assert.equal((await failure(mute.outcome)).code, 'MYSQL_SOURCE_SILENT');
});

test('heartbeats keep a stream alive, and so does a target that makes it wait', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const { server, sink, stop, outcome } = await begin();
  let over = false;
  void outcome.then(() => {
    over = true;
  });
  for (let i = 0; i < 10; i++) {
    await pass(t, 5);
    server.send(server.event('heartbeat'));
    await settle();
  }
  assert.equal(over, false);
  sink.full = true;
  server.send(server.event('row'));
  await settle();
  await pass(t, 3600);
  assert.equal(over, false);
  sink.drain();
  await settle();
  await pass(t, 14);
  assert.equal(over, false);
  stop.abort();
  assert.equal(await outcome, undefined);
});

test('a process that was held up does not take its own silence for that of the server', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const { stop, outcome } = await begin();
  let over = false;
  void outcome.then(() => {
    over = true;
  });
  t.mock.timers.setTime(Date.now() + 600_000);
  await pass(t, 14);
  assert.equal(over, false);
  stop.abort();
  await outcome;
});
