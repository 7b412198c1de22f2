import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { savedPlace, setupOn } from './setup-rig.ts';

const SOURCE = 'postgresql://app:MARKER-pw@db1:5432/shop';

/** Everything that is written in a folder, by path. */
function filesIn(folder: string): Map<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    paths.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'utf8')]),
  );
}

test('a new setup gets a name that is free, and is saved with the first answer', async (t) => {
  const place = savedPlace(t);
  const one = await setupOn(t, {}, place);
  assert.equal(one.replication.name, 'replication');
  assert.deepEqual(place.store.list(), []);
  one.change({ kind: 'pglogical' });
  assert.equal(place.store.get('replication')?.answers.kind, 'pglogical');
  const two = await setupOn(t, {}, place);
  assert.equal(two.replication.name, 'replication-2');
});

test('a setup that is open is not opened a second time', async (t) => {
  const place = savedPlace(t);
  const session = await setupOn(t, {}, place);
  session.change({ kind: 'pglogical' });
  await assert.rejects(setupOn(t, {}, place, 'replication'), { code: 'SESSION_BUSY' });
  session.close();
  await setupOn(t, {}, place, 'replication');
  await assert.rejects(setupOn(t, {}, place, 'nothing'), { code: 'SESSION_MISSING' });
});

test('a connection goes to the secrets file, and nowhere else with its password', async (t) => {
  const place = savedPlace(t);
  const session = await setupOn(t, {}, place);
  session.keepConnection('source', SOURCE);
  const holders = [...filesIn(place.folder)].filter(([, text]) => text.includes('MARKER-pw'));
  assert.equal(holders.length, 1);
  const [[path]] = holders;
  assert.match(path, /secrets/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(session.connection('source').host, 'db1');
  assert.deepEqual(session.replication.answers.source?.reference, undefined);
});

test('a reference keeps the connection out of every file, and leads to it while the program runs', async (t) => {
  const place = savedPlace(t);
  const session = await setupOn(t, {}, place);
  session.keepConnection('source', SOURCE);
  session.keepConnection('source', SOURCE, 'SHOP_DB');
  for (const text of filesIn(place.folder).values()) assert.doesNotMatch(text, /MARKER-pw/);
  assert.equal(session.replication.answers.source?.reference, '$SHOP_DB');
  assert.equal(session.connection('source').host, 'db1');
  assert.equal(session.connectionText('source'), '$SHOP_DB');
});

test('what is typed is saved a moment later and at the latest when the setup is closed', async (t) => {
  const place = savedPlace(t);
  const session = await setupOn(t, {}, place);
  session.keepDraft('source', { host: 'db1.exam' });
  const read = () => place.store.get('replication')?.drafts?.source?.host;
  while (read() === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(read(), 'db1.exam');
  session.keepDraft('source', { host: 'db1.example' });
  session.close();
  assert.equal(read(), 'db1.example');
  const again = await setupOn(t, {}, place, 'replication');
  assert.deepEqual(again.draft('source'), { host: 'db1.example' });
});

test('a password that is typed is in memory alone', async (t) => {
  const place = savedPlace(t);
  const session = await setupOn(t, {}, place);
  session.keepDraft('source', { host: 'db1' });
  session.holdPassword('source', 'MARKER-pw');
  session.close();
  assert.equal(session.heldPassword('source'), 'MARKER-pw');
  for (const text of filesIn(place.folder).values()) assert.doesNotMatch(text, /MARKER-pw/);
});

test('another name takes everything along, and leaves nothing behind', async (t) => {
  const place = savedPlace(t);
  const session = await setupOn(t, {}, place);
  session.keepConnection('source', SOURCE);
  await session.rename('shop');
  assert.deepEqual(
    place.store.list().map(({ name }) => name),
    ['shop'],
  );
  assert.equal(session.connection('source').host, 'db1');
  assert.equal(place.secrets.get('replication', 'source'), undefined);
  await assert.rejects(setupOn(t, {}, place, 'shop'), { code: 'SESSION_BUSY' });
  const other = await setupOn(t, {}, place);
  assert.equal(other.replication.name, 'replication');
  await assert.rejects(other.rename('shop'), { code: 'SESSION_EXISTS' });
  await assert.rejects(other.rename('a/b'), { code: 'SESSION_NAME' });
  assert.equal(other.replication.name, 'replication');
});

test('fixes that have run are remembered, and tables that they made', async (t) => {
  const place = savedPlace(t);
  const sides: unknown[] = [];
  const session = await setupOn(
    t,
    { runFix: async (_fix, connections) => void sides.push(Object.keys(connections)) },
    place,
  );
  session.keepConnection('target', SOURCE);
  await session.runFix({
    text: 'x',
    statements: ['CREATE TABLE "shop"."Order Lines" (id INT8 PRIMARY KEY)', 'CREATE INDEX ON x (y)'],
    side: 'target',
  });
  assert.deepEqual(sides, [['target']]);
  assert.deepEqual(session.ran, [
    'target: CREATE TABLE "shop"."Order Lines" (id INT8 PRIMARY KEY)',
    'target: CREATE INDEX ON x (y)',
  ]);
  const [made] = place.store.get('replication')?.made ?? [];
  assert.deepEqual([made.what, made.side, made.name], ['table', 'target', '"shop"."Order Lines"']);
});

test('a disk that is full is told of, and the answer counts all the same', async (t) => {
  const place = savedPlace(t);
  const session = await setupOn(t, {}, place);
  const told: unknown[] = [];
  session.onTrouble = (error) => told.push(error);
  place.store.save = () => {
    throw new Error('no space left on device');
  };
  session.change({ kind: 'pglogical' });
  assert.equal(session.replication.answers.kind, 'pglogical');
  assert.equal(told.length, 1);
});

test('what is forgotten leaves no file', async (t) => {
  const place = savedPlace(t);
  const session = await setupOn(t, {}, place);
  session.keepConnection('source', SOURCE);
  session.keepDraft('target', { host: 'x' });
  session.forget();
  assert.deepEqual([...filesIn(place.folder).keys()], []);
});
