import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointOf } from '../harness/applier-rig.ts';
import { item, openApplier, read } from '../harness/applier-tables.ts';
import { sourceTable } from '../harness/apply-rig.ts';
import { eventually } from '../harness/engine.ts';
import { connect } from '../harness/replica.ts';
import { sharedServer } from '../servers/postgres.ts';

const shared = sharedServer();

const wider = sourceTable('item', ['id', 'code', 'more'], ['id']);
const other = sourceTable('other', ['id'], ['id']);

test('rows that were written before a change of the schema was noticed are counted once', async (t) => {
  const { database, rig } = await openApplier(shared, t, { applying: { collapse: false } });
  rig.feed.transaction((feed) => feed.insert(item, ['1', 'a', null]));
  await eventually(
    async () => rig.commits.length === 1,
    () => 'no commit',
  );
  await database.query('ALTER TABLE item ADD COLUMN more text');
  rig.feed.transaction((feed) => {
    feed.insert(item, ['2', 'b', null]);
    feed.insert(item, ['3', 'c', null]);
    feed.insert(wider, ['4', 'd', 'm']);
  });
  await rig.finish();
  const counted = rig.commits.flatMap(({ written }) => written).flatMap((text) => text.match(/\+\d+/g) ?? []);
  assert.equal(
    counted.reduce((sum, text) => sum + Number(text), 0),
    4,
  );
  assert.equal(await read(database, '(SELECT count(*) FROM item)'), '4');
});

test('a batch whose table has changed does not overtake those that are still on lanes', async (t) => {
  const { database, rig } = await openApplier(
    shared,
    t,
    { applying: { lanes: 4 }, batching: { flushSize: 1 } },
    '; CREATE TABLE other (id int PRIMARY KEY)',
  );
  const before = rig.feed.transaction((feed) => feed.insert(item, ['1', 'a', null]));
  await eventually(
    async () => rig.durable === before,
    () => 'no commit',
  );
  const blocker = await connect(database.url);
  t.after(() => blocker.end());
  await blocker.query('BEGIN; LOCK TABLE other');
  rig.feed.transaction((feed) => feed.insert(other, ['1']));
  await eventually(
    async () => rig.applier.inFlight === 1,
    () => 'not on a lane',
  );
  await database.query('ALTER TABLE item ADD COLUMN more text');
  const last = rig.feed.transaction((feed) => feed.insert(wider, ['2', 'b', 'm']));
  // Its statements are carried out on a lane of its own, and its commit waits for its turn.
  await eventually(
    async () => rig.applier.inFlight === 2 || rig.commits.length > 1,
    () => 'the batch behind was not begun',
  );
  assert.equal(rig.commits.length, 1);
  assert.equal(await checkpointOf(database), before);
  await blocker.query('COMMIT');
  await rig.finish();
  assert.deepEqual(
    rig.commits.flatMap(({ written }) => written),
    ['item +1 -0', 'other +1 -0', 'item +1 -0'],
  );
  assert.equal(await checkpointOf(database), last);
});
