import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KindStep } from '../../../src/wizard/steps/kind.tsx';
import { showStep, SIZES, sizeName } from './setup-frames.ts';
import { savedPlace, setupOn } from './setup-rig.ts';

for (const size of SIZES) {
  test(`a name and the kind of source, ${sizeName(size)}`, async (t) => {
    const place = savedPlace(t);
    const session = await setupOn(t, {}, place);
    const { terminal, went } = await showStep(t, KindStep, session, size);
    assert.match(terminal.screen(), /❯ Name {2}replication/);
    assert.match(terminal.screen(), /PostgreSQL +12 or newer/);
    assert.match(terminal.screen(), /MySQL or MariaDB +5\.7 or 10\.6 and newer/);
    assert.match(terminal.screen(), /Oracle +12\.2 and newer/);
    await terminal.press('ctrl+u');
    await terminal.type('shop');
    await terminal.press('return', 'return');
    assert.deepEqual(went, ['next']);
    assert.equal(place.store.get('shop')?.answers.kind, 'pglogical');
  });
}

test('Oracle is chosen like the others', async (t) => {
  const place = savedPlace(t);
  const session = await setupOn(t, {}, place);
  const { terminal, went } = await showStep(t, KindStep, session);
  await terminal.press('return', 'down', 'down', 'return');
  assert.deepEqual(went, ['next']);
  assert.equal(session.replication.answers.kind, 'oraclelogminer');
});

test('a name that is taken or does not fit is refused where it was typed', async (t) => {
  const place = savedPlace(t);
  const other = await setupOn(t, {}, place);
  await other.rename('shop');
  const session = await setupOn(t, {}, place);
  const { terminal, went } = await showStep(t, KindStep, session);
  await terminal.press('ctrl+u');
  await terminal.type('shop');
  await terminal.press('return', 'return');
  await terminal.waitFor('there is a replication shop already');
  assert.match(terminal.screen(), /❯ Name {2}shop/);
  await terminal.type('/x');
  await terminal.press('return', 'return');
  await terminal.waitFor(/"shop\/x" cannot be the name/);
  assert.deepEqual(went, []);
  await terminal.press('backspace', 'backspace', '2', 'return', 'return');
  assert.deepEqual(went, ['next']);
  assert.equal(session.replication.name, 'shop2');
});

test('a name that is half typed is there again', async (t) => {
  const place = savedPlace(t);
  const session = await setupOn(t, {}, place);
  const first = await showStep(t, KindStep, session);
  await first.terminal.press('ctrl+u');
  await first.terminal.type('sho');
  await first.terminal.press('escape');
  assert.deepEqual(first.went, ['back']);
  session.close();
  const again = await showStep(t, KindStep, await setupOn(t, {}, place, 'replication'));
  assert.match(again.terminal.screen(), /❯ Name {2}sho\b/);
});

test('another kind forgets what was answered for the former one, and keeps the target', async (t) => {
  const session = await setupOn(t);
  session.choose('pglogical');
  session.keepConnection('source', 'postgresql://app:MARKER@db1/shop');
  session.keepConnection('target', 'postgresql://root@crdb:26257/defaultdb');
  session.change({ tables: ['public.orders'], slot: { name: 'molt_slot', create: true }, options: { flushSize: '5' } });
  const { terminal, went } = await showStep(t, KindStep, session);
  await terminal.press('return', 'down', 'return');
  assert.deepEqual(went, ['next']);
  assert.deepEqual(session.replication.answers, {
    kind: 'mylogical',
    target: { display: 'postgresql://root@crdb:26257/defaultdb' },
  });
  assert.equal(session.connectionText('source'), undefined);
  assert.equal(session.secrets.get('replication', 'source'), undefined);
});

test('the same kind once more keeps everything', async (t) => {
  const session = await setupOn(t);
  session.choose('pglogical');
  session.keepConnection('source', 'postgresql://app@db1/shop');
  session.choose('pglogical');
  assert.equal(session.connectionText('source'), 'postgresql://app@db1/shop');
});
