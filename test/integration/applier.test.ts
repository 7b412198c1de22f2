import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApplierRig, checkpointOf } from '../harness/applier-rig.ts';
import {
  assertStopped,
  fill,
  item,
  items,
  note,
  openApplier,
  openProxiedApplier,
  part,
  read,
} from '../harness/applier-tables.ts';
import { sourceTable } from '../harness/apply-rig.ts';
import { eventually } from '../harness/engine.ts';
import { sharedServer } from '../servers/postgres.ts';

const shared = sharedServer();

test('batches leave their rows, the checkpoint and one report for each commit', async (t) => {
  const { database, rig } = await openApplier(shared, t);
  rig.feed.transaction((feed) => fill(feed, 1, 30));
  rig.feed.transaction((feed) => feed.update(item, ['1', 'x', 'y']));
  const last = rig.feed.transaction((feed) => feed.delete(item, ['2', null, null]));
  await rig.finish();
  assert.equal(await read(database, '(SELECT count(*) FROM item)'), '29');
  assert.equal(await checkpointOf(database), last);
  assert.equal(rig.durable, last);
  assert.equal(
    rig.commits.reduce((sum, { transactions }) => sum + transactions, 0),
    3,
  );
  assert.equal(rig.feed.batcher.buffered, 0);
  assert.deepEqual(rig.events, []);
});

test('an idle stream moves the checkpoint, and says so once it is durable', async (t) => {
  const { database, rig } = await openApplier(shared, t);
  const position = rig.feed.progress();
  await eventually(
    async () => rig.durable === position,
    () => `durable is ${rig.durable}`,
  );
  assert.equal(await checkpointOf(database), position);
  assert.deepEqual(rig.commits, []);
});

test('nothing is called durable before the target has waited for its disk', async (t) => {
  const { database, proxy, rig } = await openProxiedApplier(shared, t);
  const sent: string[] = [];
  proxy.record((sql) => sent.push(sql));
  const position = rig.feed.transaction((feed) => fill(feed, 1, 1));
  await eventually(
    async () => rig.commits.length === 1,
    () => 'no commit',
  );
  assert.equal(rig.durable, 0);
  assert.equal(await checkpointOf(database), position);
  await eventually(
    async () => rig.durable === position,
    () => 'never durable',
  );
  const syncs = sent.filter((sql) => sql.includes('synchronous_commit TO on'));
  assert.equal(syncs.length, 1);
});

test('a wait for the disk that fails takes nothing with it, and keeps nothing behind it', async (t) => {
  for (const bytes of [10, 100_000]) {
    const { database, proxy, rig } = await openProxiedApplier(shared, t, { batching: { flushSize: 1 } });
    proxy.inject({
      match: ({ sql }) => sql.includes('synchronous_commit TO on'),
      fault: { kind: 'error', sqlstate: '40001' },
    });
    rig.feed.transaction((feed) => fill(feed, 1, 1));
    let behind = 0;
    proxy.record((sql) => {
      if (behind === 0 && sql.includes('synchronous_commit TO on')) {
        behind = rig.feed.transaction((feed) => fill(feed, 2, 100, bytes));
      }
    });
    await eventually(
      async () => rig.durable >= 2 || rig.failure !== undefined,
      () => `durable at ${rig.durable}`,
    );
    assert.equal(rig.failure, undefined);
    assert.equal(behind, 2);
    assert.equal(await checkpointOf(database), 2);
    assert.equal(await read(database, '(SELECT count(*) FROM item)'), '101');
  }
});

test('values that rows exchange within one batch are written in the source order', async (t) => {
  const { database, rig } = await openApplier(shared, t, {}, `INSERT INTO item VALUES (1, 'a'), (2, 'b')`);
  rig.feed.transaction((feed) => {
    feed.update(item, ['1', 'tmp', null]);
    feed.update(item, ['2', 'a', null]);
    feed.update(item, ['1', 'b', null]);
  });
  await rig.finish();
  assert.equal(await items(database), '1=b 2=a');
  assert.deepEqual(
    rig.commits.map(({ exact }) => exact),
    [true],
  );
  assert.equal(rig.events[0], 'refused item 23505');
});

test('references that hold step by step only are written in the source order', async (t) => {
  const { database, rig } = await openApplier(
    shared,
    t,
    {},
    'INSERT INTO item VALUES (1); INSERT INTO part VALUES (1, 1)',
  );
  rig.feed.transaction((feed) => {
    feed.insert(item, ['2', null, null]);
    feed.update(part, ['1', '2']);
    feed.delete(item, ['1', null, null]);
  });
  await rig.finish();
  assert.equal(await read(database, `(SELECT string_agg(id || '-' || item, ' ') FROM part)`), '1-2');
  assert.equal(rig.events[0], 'refused part 23503');
});

test('rows that are there already are replaced, and COPY rests for a while', async (t) => {
  const { database, proxy, rig } = await openProxiedApplier(shared, t);
  await database.query(`INSERT INTO item VALUES (5, 'old')`);
  let copies = 0;
  proxy.record((sql) => {
    if (sql.startsWith('COPY')) copies++;
  });
  rig.feed.transaction((feed) => fill(feed, 1, 40));
  await eventually(
    async () => rig.commits.length === 1,
    () => 'no commit',
  );
  rig.feed.transaction((feed) => fill(feed, 100, 40));
  await rig.finish();
  assert.equal(copies, 1);
  assert.equal(await read(database, '(SELECT count(*) FROM item)'), '80');
  assert.equal(await read(database, '(SELECT code FROM item WHERE id = 5)'), 'c5');
  assert.deepEqual(
    rig.commits.map(({ exact }) => exact),
    [false, false],
  );
});

test('batches behind a refused one are applied after it, in order', async (t) => {
  const { database, rig } = await openApplier(
    shared,
    t,
    { batching: { transactionLimit: 1 } },
    `INSERT INTO item VALUES (1, 'a')`,
  );
  rig.feed.transaction((feed) => {
    feed.update(item, ['1', 'tmp', null]);
    feed.insert(item, ['2', 'a', null]);
    feed.insert(item, ['1000', 'x', null]);
    feed.update(item, ['1', 'b', null]);
  });
  for (let i = 0; i < 20; i++) rig.feed.transaction((feed) => feed.update(item, ['1000', `x${i}`, null]));
  rig.feed.transaction((feed) => feed.update(item, ['1', 'c', null]));
  await rig.finish();
  assert.equal(await items(database), '1=c 2=a 1000=x19');
  assert.equal(await checkpointOf(database), rig.feed.position);
  assert.equal(
    rig.commits.reduce((sum, { transactions }) => sum + transactions, 0),
    22,
  );
});

test('a transaction that the target refuses stops the stream: nothing of it is there, everything before it is', async (t) => {
  const { database, rig } = await openApplier(shared, t);
  const before = rig.feed.transaction((feed) => feed.insert(item, ['1', 'a', null]));
  rig.feed.transaction((feed) => {
    feed.insert(item, ['2', 'b', null]);
    feed.insert(part, ['1', '99']);
  });
  rig.feed.transaction((feed) => feed.insert(item, ['3', 'c', null]));
  const error = await rig.failed();
  assertStopped(error, 'APPLY_FAILED');
  assert.match(error.message, /table part, constraint part_item_fkey/);
  assert.equal(await items(database), '1=a');
  assert.equal(await checkpointOf(database), before);
});

test('with a dead-letter table a refused transaction goes there, whole and once, and the others go on', async (t) => {
  const { database, rig } = await openApplier(shared, t, { applying: { onApplyError: 'dlq' } });
  rig.feed.transaction((feed) => feed.insert(item, ['1', 'a', null]));
  rig.feed.transaction((feed) => {
    feed.insert(item, ['2', 'b', null]);
    feed.insert(part, ['1', '99']);
  });
  const last = rig.feed.transaction((feed) => feed.insert(item, ['3', 'c', null]));
  await rig.finish();
  assert.equal(await items(database), '1=a 3=c');
  assert.equal(await checkpointOf(database), last);
  const letters = await database.query('SELECT dlq_name, source_logical::int, data_after FROM letters ORDER BY 2');
  assert.deepEqual(letters, [
    { dlq_name: 'item', source_logical: 0, data_after: { id: '2', code: 'b', body: null } },
    { dlq_name: 'part', source_logical: 1, data_after: { id: '1', item: '99' } },
  ]);
  assert.equal(rig.events.filter((event) => event.startsWith('dead-lettered')).join(), 'dead-lettered 2 2');
});

test('what may pass is tried again, each time after a longer wait, and only so often', async (t) => {
  const { database, proxy, rig } = await openProxiedApplier(shared, t);
  const twice = proxy.inject({
    match: ({ sql, kind }) => kind !== 'copyEnd' && sql.startsWith('COPY'),
    fault: { kind: 'error', sqlstate: '40001' },
    times: 2,
  });
  rig.feed.transaction((feed) => fill(feed, 1, 30));
  await eventually(
    async () => rig.commits.length === 1,
    () => 'no commit',
  );
  assert.equal(twice.fired, 2);
  assert.deepEqual(rig.events, ['retried 40001', 'retried 40001']);
  const position = await checkpointOf(database);

  proxy.inject({
    match: ({ sql, kind }) => kind !== 'copyEnd' && sql.startsWith('COPY'),
    fault: { kind: 'error', sqlstate: '40001' },
    times: Infinity,
  });
  rig.feed.transaction((feed) => fill(feed, 100, 30));
  const error = await rig.failed();
  assertStopped(error, 'APPLY_RETRIES');
  assert.equal(rig.events.length, 2 + 4);
  assert.equal(await read(database, '(SELECT count(*) FROM item)'), '30');
  assert.equal(await checkpointOf(database), position);
});

test('behind a BEGIN that fails nothing is carried out, and all of it once when it is sent again', async (t) => {
  const { database, proxy, rig } = await openProxiedApplier(shared, t);
  const begin = {
    match: ({ sql }: { sql: string }) => sql.startsWith('BEGIN'),
    fault: { kind: 'error', sqlstate: '57014' },
  } as const;
  proxy.inject(begin);
  const position = rig.feed.transaction((feed) => {
    feed.insert(note, ['once']);
    fill(feed, 1, 30);
  });
  await eventually(
    async () => rig.commits.length === 1,
    () => 'no commit',
  );
  assert.equal(await read(database, '(SELECT count(*) FROM note)'), '1');

  // Without its transaction each of these statements would stand for itself, the checkpoint's too.
  proxy.inject(begin);
  rig.feed.transaction((feed) => {
    feed.insert(note, ['never']);
    feed.insert(part, ['1', '99']);
  });
  assertStopped(await rig.failed(), 'APPLY_FAILED');
  assert.equal(await read(database, `(SELECT string_agg(text, ' ') FROM note)`), 'once');
  assert.equal(await checkpointOf(database), position);
});

test('a lost connection is a failure that can pass; a commit whose answer was lost is not repeated', async (t) => {
  const { database, proxy, rig } = await openProxiedApplier(shared, t);
  proxy.inject({ match: ({ sql }) => sql === 'COMMIT', fault: { kind: 'lostAnswer' } });
  const position = rig.feed.transaction((feed) => {
    fill(feed, 1, 3);
    feed.insert(note, ['once']);
  });
  assertStopped(await rig.failed(), 'TARGET_LOST', true);
  assert.equal(await checkpointOf(database), position);
  const again = await ApplierRig.open(t, database);
  assert.equal(again.feed.position, position);
  again.feed.transaction((feed) => feed.insert(note, ['twice']));
  await again.finish();
  assert.equal(await read(database, `(SELECT string_agg(text, ' ') FROM note)`), 'once twice');
});

test('a checkpoint that somebody else has moved stops the stream, and nothing is written', async (t) => {
  const { database, rig } = await openApplier(shared, t);
  rig.feed.transaction((feed) => fill(feed, 1, 1));
  await eventually(
    async () => rig.durable === 1,
    () => 'not durable',
  );
  const other = await ApplierRig.open(t, database);
  other.feed.transaction((feed) => feed.insert(item, ['2', 'other', null]));
  await other.finish();
  rig.feed.transaction((feed) => feed.insert(item, ['3', 'mine', null]));
  assertStopped(await rig.failed(), 'CHECKPOINT_MOVED', true);
  assert.equal(await items(database), '1=c1 2=other');
});

test('a trigger of the target that divides by zero is not taken for a moved checkpoint', async (t) => {
  const { database, rig } = await openApplier(
    shared,
    t,
    {},
    `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM 1 / 0; RETURN NEW; END';
     CREATE TRIGGER fail BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION fail();`,
  );
  rig.feed.transaction((feed) => feed.insert(note, ['x']));
  assertStopped(await rig.failed(), 'APPLY_FAILED');
  assert.equal(await checkpointOf(database), 0);
});

test('a column that appears on the target while the stream runs is found', async (t) => {
  const { database, rig } = await openApplier(shared, t);
  rig.feed.transaction((feed) => fill(feed, 1, 1));
  await eventually(
    async () => rig.commits.length === 1,
    () => 'no commit',
  );
  await database.query('ALTER TABLE item ADD COLUMN more text; CREATE TABLE late (id int PRIMARY KEY)');
  rig.feed.transaction((feed) => {
    feed.insert(sourceTable('item', ['id', 'code', 'more'], ['id']), ['2', 'b', 'm']);
    feed.insert(sourceTable('late', ['id'], ['id']), ['1']);
  });
  await rig.finish();
  assert.equal(await read(database, '(SELECT more FROM item WHERE id = 2)'), 'm');
  assert.equal(await read(database, '(SELECT count(*) FROM late)'), '1');
});

test('a table that the target lacks stops the stream by its name', async (t) => {
  const { database, rig } = await openApplier(shared, t);
  const before = rig.feed.transaction((feed) => fill(feed, 1, 1));
  await eventually(
    async () => rig.commits.length === 1,
    () => 'no commit',
  );
  rig.feed.transaction((feed) => feed.insert(sourceTable('nowhere', ['id'], ['id']), ['1']));
  const error = await rig.failed();
  assertStopped(error, 'TARGET_SCHEMA_DRIFT');
  assert.match(error.message, /nowhere/);
  assert.equal(await checkpointOf(database), before);
});

test('with the checkpoint on another server nothing is committed behind a transaction that fails', async (t) => {
  const { database, proxy, rig } = await openProxiedApplier(shared, t, { apart: true, batching: { flushSize: 1 } });
  const fault = proxy.inject({
    match: ({ sql }) => /^(INSERT INTO|COPY) "public"."item"/.test(sql),
    fault: { kind: 'error', sqlstate: '40001' },
    times: 2,
  });
  for (let i = 1; i <= 20; i++) {
    rig.feed.transaction((feed) => feed.insert(item, [String(i), `c${i}`, null]));
  }
  await rig.finish();
  assert.equal(fault.fired, 2);
  assert.equal(await read(database, '(SELECT count(*) FROM item)'), '20');
  // In source order, each once: commits take their numbers in order.
  assert.equal(
    await read(database, "(SELECT string_agg(id::text, ',' ORDER BY xmin::text::bigint, id) FROM item)"),
    Array.from({ length: 20 }, (_, i) => i + 1).join(),
  );
  await eventually(
    async () => (await checkpointOf(database)) === 20,
    () => 'no checkpoint',
  );
});
