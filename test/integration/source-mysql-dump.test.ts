import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { parseMysqlConnectionString } from '../../src/config/mysql-connection.ts';
import { OperatorError } from '../../src/errors.ts';
import { connect } from '../../src/sources/mysql/connection.ts';
import type { DumpRequest } from '../../src/sources/mysql/dump.ts';
import { type MysqlPosition, parseMysqlPosition } from '../../src/sources/mysql/positions.ts';
import { SourceMonitor } from '../../src/sources/mysql/source-monitor.ts';
import { MysqlStatus } from '../../src/sources/mysql/status.ts';
import { BinlogStream } from '../../src/sources/mysql/stream.ts';
import { CollectingSink } from '../harness/collecting-sink.ts';
import { RecordingLogger } from '../harness/recording-logger.ts';
import { until } from '../harness/source-run.ts';
import { type MysqlServer, sharedMysql } from '../servers/mysql.ts';

const HEARTBEAT_EVENT = 27;

interface Event {
  readonly type: number;
  readonly size: number;
}

/** A stream whose events are only looked at: their types, and whether their bytes are what their checksums say. */
class Reading {
  readonly events: Event[] = [];
  readonly sink = new CollectingSink();
  readonly status = new MysqlStatus();
  readonly monitor: SourceMonitor;
  readonly stream: BinlogStream;
  /** How it ended; undefined while it goes on. */
  end: unknown;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(server: MysqlServer, serverId: number, query: string) {
    const flavour = server.flavour === 'mysql' ? 'mysql' : 'mariadb';
    const log = new RecordingLogger();
    const open = () => connect(parseMysqlConnectionString(server.uri('', { query }), 'source', {}));
    this.monitor = new SourceMonitor(open, flavour, this.status, log);
    const reader = {
      feed: (buffer: Buffer, start: number, end: number) => {
        assert.equal(buffer.readUInt32LE(start + 9), end - start);
        assert.equal(crc32(buffer.subarray(start, end - 4)), buffer.readUInt32LE(end - 4));
        this.events.push({ type: buffer[start + 4], size: end - start });
        return undefined;
      },
    };
    const context = { flavour, user: 'root', serverId } as const;
    const dumpState = (id: number) => this.monitor.dumpState(id);
    this.stream = new BinlogStream(reader, this.sink, this.status, context, dumpState, log);
  }

  /** Reads from `position`, or from where the server is now, until the test ends. */
  static async start(
    t: TestContext,
    server: MysqlServer,
    options: { serverId?: number; query?: string; position?: MysqlPosition; name?: string } = {},
  ): Promise<Reading> {
    const { serverId = 77, query = 'sslmode=disable', name = 'a' } = options;
    const reading = new Reading(server, serverId, query);
    t.after(() => reading.stop());
    const position = options.position ?? (await executed(server));
    const request: DumpRequest =
      server.flavour === 'mysql'
        ? { flavour: 'mysql', executed: position.encode() }
        : { flavour: 'mariadb', position: position.toString() };
    const connection = await connect(parseMysqlConnectionString(server.uri('', { query }), 'source', {}));
    const uuid = `00000000-0000-8000-a000-00000000000${name}`;
    await reading.stream.start(connection, { flavour: request.flavour, serverId, uuid }, request);
    reading.#running = reading.stream.run(reading.#stop.signal).catch((error: unknown) => {
      reading.end = error;
    });
    return reading;
  }

  count(type: number): number {
    return this.events.filter((event) => event.type === type).length;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.sink.drain();
    await this.#running;
    if (this.stream.threadId !== undefined) await this.monitor.kill(this.stream.threadId);
    this.monitor.stop();
  }

  async ended(): Promise<OperatorError> {
    await until(() => this.end !== undefined, 'the stream has ended');
    assert.ok(this.end instanceof OperatorError, String(this.end));
    return this.end;
  }
}

async function executed(server: MysqlServer): Promise<MysqlPosition> {
  const name = server.flavour === 'mysql' ? 'gtid_executed' : 'gtid_binlog_pos';
  const [{ text }] = await server.query<{ text: string }>(`SELECT @@GLOBAL.${name} AS text`);
  return parseMysqlPosition(text);
}

for (const flavour of ['mysql', 'mariadb-11'] as const) {
  const source = sharedMysql({ flavour });
  const xid = 16;
  const make = (t: TestContext) =>
    source.freshDatabase(t).then(async (database) => {
      await database.query('CREATE TABLE item (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT)');
      return database;
    });

  test(`${flavour}: what is committed comes at once, whole, also above 16 MiB and over TLS`, async (t) => {
    const { query } = await make(t);
    const tls = flavour === 'mysql' ? 'sslmode=require' : 'sslmode=disable';
    const reading = await Reading.start(t, source.server, { query: tls });
    const sizes = [1, 8_000, 70_000, 16_777_100, 16_777_215, 20_000_000];
    for (const size of sizes) await query(`INSERT INTO item (v) VALUES (repeat('x', ${size}))`);
    await until(() => reading.count(xid) === sizes.length || reading.end !== undefined, 'all have come');
    assert.equal(reading.end, undefined);
    const big = reading.events.filter(({ size }) => size > 16_000_000).length;
    assert.equal(big, 3);
    assert.ok(reading.status.received > 50_000_000);
  });

  test(`${flavour}: the reader is to be seen, and a stop ends it at the server too`, async (t) => {
    const reading = await Reading.start(t, source.server, { serverId: 4711 });
    const list = flavour === 'mysql' ? 'SHOW REPLICAS' : 'SHOW SLAVE HOSTS';
    const [row] = await source.server.query<Record<string, unknown>>(list);
    const values = Object.values(row).map(String);
    assert.ok(values.includes('4711') && values.some((value) => value.startsWith('instar@')), values.join());
    await reading.stop();
    await until(async () => (await source.server.query(list)).length === 0, 'the server knows it no more');
  });

  test(`${flavour}: heartbeats come when nothing else does, and the server says that it waits`, async (t) => {
    const reading = await Reading.start(t, source.server);
    await until(() => reading.count(HEARTBEAT_EVENT) > 0, 'a heartbeat has come');
    const { threadId } = reading.stream;
    assert.ok(threadId !== undefined);
    assert.equal(await reading.monitor.dumpState(threadId), 'waiting');
    assert.equal(await reading.monitor.dumpState(threadId + 1000), undefined);
  });

  test(`${flavour}: what the source has committed and the target has not is counted`, async (t) => {
    const { query } = await make(t);
    const reading = await Reading.start(t, source.server);
    reading.monitor.start();
    reading.status.acknowledge(await executed(source.server));
    await query('INSERT INTO item (v) VALUES (1); INSERT INTO item (v) VALUES (2)');
    await until(() => reading.status.waitingTransactions === 2, 'two wait');
    reading.status.acknowledge(await executed(source.server));
    await until(() => reading.status.waitingTransactions === 0, 'none waits');
  });

  test(`${flavour}: a killed dump is worth another try, a second reader of the same id is not`, async (t) => {
    const killed = await Reading.start(t, source.server);
    await source.server.query(`KILL ${killed.stream.threadId}`);
    const lost = await killed.ended();
    assert.deepEqual([lost.code, lost.transient], ['MYSQL_SOURCE_DISCONNECTED', true]);
    const first = await Reading.start(t, source.server);
    const second = await Reading.start(t, source.server);
    const { code, transient, fix } = await first.ended();
    assert.deepEqual([code, transient], ['MYSQL_SERVER_ID_IN_USE', false]);
    assert.match(fix ?? '', /--replicationProcessID/);
    await until(() => second.events.length > 0, 'the second one goes on');
    assert.equal(second.end, undefined);
  });

  test(`${flavour}: another id lives beside it`, async (t) => {
    const first = await Reading.start(t, source.server, { serverId: 78, name: 'b' });
    const second = await Reading.start(t, source.server, { serverId: 79, name: 'c' });
    const { query } = await make(t);
    await query('INSERT INTO item (v) VALUES (1)');
    for (const reading of [first, second]) {
      await until(() => reading.count(xid) > 0, 'it reads');
      assert.equal(reading.end, undefined);
    }
  });

  test(`${flavour}: a reader that waits longer than net_write_timeout is not cut off, and gets everything`, async (t) => {
    const { query } = await make(t);
    await source.server.query('SET GLOBAL net_write_timeout = 1');
    t.after(() => source.server.query('SET GLOBAL net_write_timeout = 60').then(() => {}));
    const reading = await Reading.start(t, source.server);
    reading.sink.full = true;
    await until(() => reading.events.length > 0, 'it has begun to wait');
    const heard = reading.status.received;
    // More than all buffers on the way hold.
    for (let i = 0; i < 60; i++) await query(`INSERT INTO item (v) VALUES (repeat('x', 1000000))`);
    // Four times what the server would wait for others.
    await sleep(4000);
    assert.equal(reading.end, undefined);
    assert.ok(reading.status.received - heard < 1_000_000, 'it has read on');
    reading.sink.drain();
    await until(() => reading.count(xid) === 60 || reading.end !== undefined, 'all have come');
    assert.equal(reading.end, undefined);
  });

  test(`${flavour}: a log that is gone and a server that is gone have names`, async (t) => {
    const { query } = await make(t);
    const before = await executed(source.server);
    await query('INSERT INTO item (v) VALUES (1)');
    await query('FLUSH BINARY LOGS');
    // MariaDB keeps a log for a moment longer, until its engine is done with it.
    await until(async () => {
      const logs = await source.server.query<{ Log_name: string }>('SHOW BINARY LOGS');
      if (logs.length > 1) await source.server.query('PURGE BINARY LOGS TO ?', [logs[logs.length - 1].Log_name]);
      return logs.length === 1;
    }, 'the older logs are gone');
    const purged = await Reading.start(t, source.server, { position: before });
    const { code, transient } = await purged.ended();
    assert.deepEqual([code, transient], ['MYSQL_GTID_PURGED', false]);
    const reading = await Reading.start(t, source.server);
    await source.server.kill();
    const lost = await reading.ended();
    assert.deepEqual([lost.code, lost.transient], ['MYSQL_SOURCE_DISCONNECTED', true]);
    await source.server.restart();
  });
}
