import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../src/errors.ts';
import { Rewind } from '../../src/engine/large-mode.ts';
import { ApplierRig, checkpointOf, type RigOptions } from '../harness/applier-rig.ts';
import { assertStopped, fill, item, openApplier, part, read } from '../harness/applier-tables.ts';
import { sharedServer } from '../servers/postgres.ts';

const shared = sharedServer();

for (const deferred of [true, false]) {
  test(`a refused value is told with its table and column, ${deferred ? 'with' : 'without'} deferred durability`, async (t) => {
    const { rig } = await openApplier(shared, t, { deferred });
    rig.feed.transaction((feed) => {
      feed.insert(item, ['1', 'a', null]);
      feed.insert(item, ['2', 'b', null]);
      feed.insert(part, ['1', 'not a number']);
    });
    const error = await rig.failed();
    assertStopped(error, 'APPLY_FAILED');
    assert.match(error.message, /table part, column item of type integer/);
  });
}

test('a refused value in a later piece of a large transaction is told with its table and column', async (t) => {
  const { rig } = await openApplier(shared, t, { largeMode: 'exact' });
  rig.feed.transaction((feed) => {
    fill(feed, 1, 250, 10_000);
    feed.insert(part, ['1', 'not a number']);
  });
  const error = await rig.failed();
  assertStopped(error, 'APPLY_FAILED');
  assert.match(error.message, /table part, column item of type integer/);
});

const ways: Readonly<Record<string, RigOptions>> = {
  'as it comes': {},
  'change by change': { applying: { collapse: false } },
  'in a large transaction': { largeMode: 'upsert', applying: { onApplyError: 'dlq' } },
};
for (const [way, options] of Object.entries(ways)) {
  test(`a missing privilege is told with user and table, and the fix mends it: ${way}`, async (t) => {
    const { database } = await openApplier(shared, t);
    const user = `limited-${database.name}`;
    await database.query(`CREATE USER "${user}"; GRANT ALL ON item TO "${user}"`);
    // The database, which holds what the user was granted, is gone by then.
    t.after(async () => void (await shared.server.query(`DROP USER "${user}"`)));
    await database.query(`GRANT USAGE ON SCHEMA _replicator TO "${user}"; GRANT ALL ON _replicator.memo TO "${user}"`);
    const url = database.url.replace('postgres@', `${user}@`);
    assert.notEqual(url, database.url);
    const change = (rig: ApplierRig) =>
      rig.feed.transaction((feed) => {
        fill(feed, 1, way === 'in a large transaction' ? 150 : 2, 10_000);
        feed.insert(part, ['1', '1']);
      });
    const rig = await ApplierRig.open(t, database, { ...options, url });
    change(rig);
    const error = await rig.failed();
    assert.ok(!(error instanceof Rewind), 'nothing is asked for again');
    assertStopped(error, 'TARGET_DENIED');
    assert.ok(error instanceof OperatorError);
    assert.ok(error.message.includes(`user ${user} lacks a privilege on "public"."part"`), error.message);
    assert.equal(await checkpointOf(database), 0);
    assert.equal(await read(database, '(SELECT count(*) FROM item)'), '0');
    await database.query(error.fix!);
    const again = await ApplierRig.open(t, database, { ...options, url });
    change(again);
    await again.finish();
    assert.equal(await read(database, '(SELECT count(*) FROM part)'), '1');
  });
}
