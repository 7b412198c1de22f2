import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../src/errors.ts';
import { Lsn } from '../../src/sources/postgres/lsn.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { publish, SourceRun, until } from '../harness/source-run.ts';
import { sharedServer, startPostgres, type TestDatabase } from '../servers/postgres.ts';

const TABLE = 'CREATE TABLE items (id int PRIMARY KEY, note text)';

async function confirmed(database: TestDatabase, slot: string): Promise<Lsn> {
  const [row] = await database.query<{ lsn: string }>(
    'SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
    [slot],
  );
  return Lsn.parse(row.lsn);
}

async function currentEnd(database: TestDatabase): Promise<Lsn> {
  const [row] = await database.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
  return Lsn.parse(row.lsn);
}

function failedWith(run: SourceRun, code: string, transient: boolean): void {
  assert(run.failure instanceof OperatorError, String(run.failure));
  assert.equal(run.failure.code, code, run.failure.message);
  assert.equal(run.failure.transient, transient);
}

for (const version of [14, 18] as const) {
  describe(`positions on PostgreSQL ${version}`, () => {
    const shared = sharedServer({ version, settings: { logical_decoding_work_mem: '64kB', wal_sender_timeout: '1s' } });

    test('the slot follows what was acknowledged, promptly, and never runs ahead of it', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(database, TABLE);
      const run = await SourceRun.start(t, { url: database.url, slotName, acknowledge: false, standbyTimeout: 60_000 });
      const before = await confirmed(database, slotName);
      await database.query(`INSERT INTO items VALUES (1, 'a')`);
      await run.transactions(1);
      const position = Lsn.parse(run.sink.transactions[0].position);
      await sleep(1500); // several status updates
      assert.equal(String(await confirmed(database, slotName)), String(before));
      run.source.acknowledge(position);
      const asked = Date.now();
      await until(async () => (await confirmed(database, slotName)).value === position.value, 'the slot has moved');
      assert(Date.now() - asked < 1000);
      assert.equal(run.source.status.acknowledged, position.value);
    });

    test('the slot moves on when nothing that is published changes (defect 11)', async (t) => {
      const database = await shared.freshDatabase(t);
      await database.query('CREATE TABLE busy (id int)');
      await database.query('CREATE TABLE items (id int PRIMARY KEY)');
      await database.query('CREATE PUBLICATION idle FOR TABLE items');
      const slotName = `slot_${database.name}`;
      await database.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slotName]);
      const run = await SourceRun.start(t, { url: database.url, slotName });
      for (let i = 0; i < 5; i++) await database.query('INSERT INTO busy SELECT generate_series(1, 100)');
      const end = await currentEnd(database);
      await until(
        async () => (await confirmed(database, slotName)).covers(end),
        'the slot has reached the end of the log',
      );
      assert.equal(run.sink.transactions.length, 0);
      await until(() => run.source.status.retainedBytes !== undefined, 'the retained log is known');
      assert((run.source.status.lagBytes ?? -1) >= 0);
      assert(run.source.status.head?.covers(end));
    });

    test('going on from a checkpoint neither doubles nor loses, also what was large', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(database, TABLE);
      const first = await SourceRun.start(t, { url: database.url, slotName, acknowledge: false });
      await database.query(`INSERT INTO items VALUES (1, 'a')`);
      await database.query(`INSERT INTO items SELECT i, repeat('x', 100) FROM generate_series(1001, 4000) i`);
      await database.query(`INSERT INTO items VALUES (2, 'b')`);
      await first.transactions(3);
      await first.stop();
      assert.deepEqual(
        first.sink.transactions.map((transaction) => transaction.spilled),
        [false, true, false],
      );

      for (const [applied, left] of [
        [0, 2],
        [1, 1],
        [2, 0],
      ]) {
        const checkpoint = Lsn.parse(first.sink.transactions[applied].position);
        const again = await SourceRun.start(t, { url: database.url, slotName, acknowledge: false, checkpoint });
        await database.query(`INSERT INTO items VALUES (${10 + applied}, 'new')`);
        await again.transactions(left + 1 + applied);
        assert.deepEqual(
          again.sink.transactions.slice(0, left).map((transaction) => transaction.position),
          first.sink.transactions.slice(applied + 1).map((transaction) => transaction.position),
        );
        await again.stop();
      }
    });

    test('a slot that was moved ahead of the checkpoint is refused, when resuming and when reconnecting', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(database, TABLE);
      const checkpoint = await confirmed(database, slotName);
      await database.query(`INSERT INTO items VALUES (1, 'lost')`);
      await database.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [slotName]);
      const run = await SourceRun.connect({ url: database.url, slotName });
      const refused = (error: unknown) => error instanceof OperatorError && error.code === 'PG_SLOT_AHEAD';
      await assert.rejects(run.source.verifyCheckpoint(checkpoint, run.source.identity), refused);
      await assert.rejects(run.source.verifyCheckpoint(checkpoint, undefined), refused);
      run.stream(checkpoint);
      await run.ended;
      failedWith(run, 'PG_SLOT_AHEAD', false);
      assert.equal(run.counted.failure, 1);
      await run.source.verifyCheckpoint(await confirmed(database, slotName), run.source.identity);
      await run.source.verifyCheckpoint(undefined, run.source.identity);
    });

    test('feedback goes on while the target is stalled, and nothing is lost by it (defect 11)', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(database, TABLE);
      const run = await SourceRun.start(t, { url: database.url, slotName });
      run.sink.full = true;
      for (let i = 0; i < 40; i++) {
        await database.query(
          `INSERT INTO items SELECT i, repeat('y', 1000) FROM generate_series(${i * 400 + 1}, ${i * 400 + 400}) i`,
        );
      }
      await sleep(3500); // more than three times what the server waits for a reader
      assert.equal(run.failure, undefined);
      assert(run.sink.transactions.length < 40, 'reading went on although the sink was full');
      run.sink.drain();
      await run.transactions(40);
      assert.equal(run.changes.length, 16_000);
      assert.equal(run.counted.success, 1);
    });

    test('a lost connection is transient, and the stream can start again', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(database, TABLE);
      const proxy = await FaultProxy.start(database.server);
      t.after(() => proxy.close());
      const run = await SourceRun.start(t, { url: proxy.url(database.url), slotName });
      await database.query(`INSERT INTO items VALUES (1, 'a')`);
      await run.transactions(1);
      proxy.cut();
      await run.ended;
      failedWith(run, 'PG_SOURCE_DISCONNECTED', true);
      assert.equal(run.source.status.state, 'waiting');
      await database.query(`INSERT INTO items VALUES (2, 'b')`);
      run.failure = undefined;
      await until(async () => {
        const [{ active }] = await database.query<{ active: boolean }>(
          'SELECT active FROM pg_replication_slots WHERE slot_name = $1',
          [slotName],
        );
        return !active;
      }, 'the server has noticed too');
      run.stream(run.sink.position);
      await run.transactions(2);
      assert.deepEqual(
        run.changes.map((change) => change.new?.[0]),
        ['1', '2'],
      );
      assert.equal(run.changes[0].table, run.changes[1].table);
    });

    test('a silent network is noticed soon after the server would have noticed', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(database, TABLE);
      const proxy = await FaultProxy.start(database.server);
      t.after(() => proxy.close());
      const run = await SourceRun.start(t, { url: proxy.url(database.url), slotName });
      await until(() => run.source.status.retainedBytes !== undefined, 'the side connection is open');
      proxy.stall();
      const began = Date.now();
      await run.ended;
      failedWith(run, 'PG_SOURCE_SILENT', true);
      assert(Date.now() - began < 3500, `${Date.now() - began} ms`);
    });

    test('a server that is busy for this stream and therefore silent is waited for', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(database, TABLE);
      const run = await SourceRun.start(t, { url: database.url, slotName });
      const [{ pid }] = await database.query<{ pid: number }>(
        'SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = $1',
        [slotName],
      );
      process.kill(pid, 'SIGSTOP');
      try {
        await run.until(
          () => run.log.find('the source is silent but still works for this stream').length > 0,
          'the silence was looked into',
        );
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await database.query(`INSERT INTO items VALUES (1, 'a')`);
      await run.transactions(1);
      assert.equal(run.counted.success, 1);
    });

    test('a stop is clean and quick, with the last acknowledgement delivered', async (t) => {
      const database = await shared.freshDatabase(t);
      const slotName = await publish(database, TABLE);
      const run = await SourceRun.start(t, { url: database.url, slotName, acknowledge: false });
      await database.query(`INSERT INTO items VALUES (1, 'a')`);
      await run.transactions(1);
      const position = Lsn.parse(run.sink.transactions[0].position);
      run.source.acknowledge(position);
      const began = Date.now();
      await run.stop();
      assert(Date.now() - began < 1000, `${Date.now() - began} ms`);
      assert.equal(run.failure, undefined);
      assert.equal(String(await confirmed(database, slotName)), String(position));
      // at once again: the server has let the slot go
      const again = await SourceRun.start(t, { url: database.url, slotName, checkpoint: position });
      await again.stop();
    });
  });
}

test('a restart of the source is transient; a promotion is followed; commits that a failover lost are not passed over', async (t) => {
  const server = await startPostgres({ version: 18 });
  t.after(() => server.stop());
  const url = await server.createDatabase('shop');
  const database: TestDatabase = {
    server,
    name: 'shop',
    url,
    query: (sql, params) => server.query(sql, params, 'shop'),
  };
  const slotName = await publish(database, TABLE);
  const run = await SourceRun.start(t, { url, slotName });
  await database.query(`INSERT INTO items VALUES (1, 'a')`);
  await run.transactions(1);
  const former = run.source.identity;
  assert.equal(former.timeline, '1');
  assert.equal(former.database, 'shop');

  await server.restart();
  await run.ended;
  assert(run.failure instanceof OperatorError && run.failure.transient, String(run.failure));

  const checkpoint = run.sink.position;
  await server.stop({ keepData: true });
  await writeFile(join(server.dataDir, 'standby.signal'), '');
  await server.restart();
  await assert.rejects(
    run.source.verifyCheckpoint(checkpoint, former),
    (error) => error instanceof OperatorError && error.code === 'PG_IN_RECOVERY' && error.transient,
  );
  await server.query('SELECT pg_promote()');
  await until(async () => {
    const [row] = await server.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
    return !row.standby;
  }, 'the server is promoted');

  await run.source.verifyCheckpoint(checkpoint, former);
  assert.equal(run.source.identity.timeline, '2');
  run.failure = undefined;
  run.stream(checkpoint);
  await database.query(`INSERT INTO items VALUES (2, 'b')`);
  await run.transactions(2);
  await run.stop();

  // A checkpoint of the first timeline that lies behind the branch: those commits are on the target only.
  await assert.rejects(
    run.source.verifyCheckpoint(run.sink.position, former),
    (error) => error instanceof OperatorError && error.code === 'PG_FAILOVER_LOST_COMMITS',
  );
  await assert.rejects(
    run.source.verifyCheckpoint(new Lsn((await currentEnd(database)).value + 0x1000000n), run.source.identity),
    (error) => error instanceof OperatorError && error.code === 'PG_SOURCE_BEHIND',
  );
});
