import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createElement } from 'react';
import { Setup } from '../../../src/wizard/setup.tsx';
import type { Servers } from '../../../src/wizard/servers.ts';
import { openTerminal, type TerminalOptions } from '../../harness/terminal.ts';
import { SIZES, sizeName } from './setup-frames.ts';
import { result, savedPlace, setupOn } from './setup-rig.ts';

async function open(t: TestContext, place = savedPlace(t), servers: Partial<Servers> = {}, size: TerminalOptions = {}) {
  const session = await setupOn(t, servers, place, place.store.list()[0]?.name);
  const ended: string[] = [];
  const element = createElement(Setup, {
    session,
    onDone: ({ name }) => ended.push(`done ${name}`),
    onCancel: () => ended.push('cancelled'),
  });
  const terminal = await openTerminal(element, size);
  t.after(() => terminal.close());
  return { terminal, session, ended, place };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Answers everything up to the review, by keys only. */
async function answerAll({ terminal }: Pick<Opened, 'terminal'>) {
  await terminal.waitFor('What do you replicate from');
  await terminal.press('ctrl+u');
  await terminal.type('shop');
  await terminal.press('return', 'return');
  await terminal.waitFor('Where are the changes read from?');
  await terminal.paste('postgresql://app:MARKER@db1:5432/shop');
  await terminal.waitFor('Connected');
  await terminal.press('return', 'return');
  await terminal.waitFor('✓ Ready');
  await terminal.press('return');
  await terminal.waitFor('Which tables?');
  await terminal.press('return');
  await terminal.waitFor('What shall they be called');
  await terminal.press('return');
  await terminal.waitFor('Where are the changes written to?');
  await terminal.paste('postgresql://root@crdb:26257/defaultdb');
  await terminal.waitFor('Connected');
  await terminal.press('return', 'return');
  await terminal.waitFor('Which schema of the target');
  await terminal.press('return', 'return');
  await terminal.waitFor('Existing rows are not copied');
  await terminal.waitFor('✓ Ready');
  await terminal.press('return');
  await terminal.waitFor('stagingSchema');
  await terminal.press('return');
  await terminal.waitFor('Nothing has been created yet');
}

for (const size of SIZES) {
  test(`a whole setup by keys only, up to the launch, ${sizeName(size)}`, async (t) => {
    const { terminal, place } = await open(t, undefined, {}, size);
    await answerAll({ terminal });
    const { answers, step } = place.store.get('shop') ?? {};
    assert.equal(step, 'review');
    assert.deepEqual(answers, {
      kind: 'pglogical',
      source: { display: 'postgresql://app:*****@db1:5432/shop' },
      tables: 'all',
      publication: { name: 'molt_fetch', create: true },
      slot: { name: 'molt_slot', create: true },
      target: { display: 'postgresql://root@crdb:26257/defaultdb' },
      targetSchema: 'defaultdb.public',
      options: {},
    });
    assert.doesNotMatch(terminal.raw(), /MARKER/);
  });
}

test('from the review back to the beginning and forth again nothing is lost', async (t) => {
  const { terminal, session } = await open(t);
  await answerAll({ terminal });
  const before = session.replication.answers;
  const titles = [
    'stagingSchema',
    'Existing rows are not copied',
    'Which schema of the target',
    'Where are the changes written to?',
    'What shall they be called',
    'Which tables?',
    /✓ Ready/,
    'Where are the changes read from?',
    'What do you replicate from',
  ];
  for (const title of titles) {
    await terminal.press('escape');
    await terminal.waitFor(title);
  }
  assert.match(terminal.screen(), /❯ Name {2}shop/);
  await terminal.press('return', 'return');
  await terminal.waitFor('Connected');
  assert.match(terminal.screen(), /app:••••••••@db1:5432\/shop/);
  await terminal.press('return', 'return');
  await terminal.waitFor('✓ Ready');
  assert.deepEqual(session.replication.answers, before);
});

test('the trail says where one is, in one line or as a number', async (t) => {
  const { terminal } = await open(t);
  await terminal.waitFor('What do you replicate from');
  assert.match(
    terminal.screen(),
    /● kind {2}○ source {2}○ checks {2}○ tables {2}○ target {2}○ options {2}○ review {2}○ launch/,
  );
  await terminal.press('return', 'return');
  await terminal.waitFor(/✓ kind {2}● source/);
  await terminal.resize(60, 15);
  assert.match(terminal.screen(), /2\/8 source/);
});

test('a setup that was killed goes on at the same step', async (t) => {
  const place = savedPlace(t);
  const first = await open(t, place);
  await answerAll(first);
  first.session.close();
  const again = await open(t, place);
  await again.terminal.waitFor('Nothing has been created yet');
  assert.match(again.terminal.screen(), /Set up shop/);
});

test('a connection whose variable is gone is asked for again', async (t) => {
  const place = savedPlace(t);
  const first = await open(t, place);
  await answerAll(first);
  first.session.keepConnection('source', 'postgresql://app:MARKER@db1:5432/shop', 'SHOP_DB');
  first.session.close();
  delete place.env.SHOP_DB;
  const again = await open(t, place);
  await again.terminal.waitFor('✗ The variable is not set');
  assert.match(again.terminal.screen(), /● source/);
});

test('leaving says what is on the servers, and keeps the answers', async (t) => {
  const { terminal, ended, place } = await open(t);
  await terminal.waitFor('What do you replicate from');
  await terminal.press('return', 'return');
  await terminal.waitFor('Where are the changes read from?');
  await terminal.press('ctrl+x');
  const screen = await terminal.waitFor('Leave the setup of replication?');
  assert.match(screen, /Nothing has been created on any server\./);
  await terminal.press('return');
  assert.doesNotMatch(terminal.screen(), /Leave the setup/);
  assert.deepEqual(ended, []);
  await terminal.press('ctrl+x', 'down', 'return');
  assert.deepEqual(ended, ['cancelled']);
  assert.equal(place.store.get('replication')?.step, 'source');
});

test('leaving names what fixes have made and changed', async (t) => {
  const fixable = (id: string, statement: string) =>
    result(id, { state: 'failed', fix: { text: statement, statements: [statement], side: 'source' } });
  const found = [
    fixable('source.a', 'CREATE TABLE "t" ("id" INT8)'),
    fixable('source.b', 'ALTER SYSTEM SET wal_level = logical'),
  ];
  const { terminal } = await open(t, undefined, {
    plannedSourceChecks: () => found,
    checkSource: async () => found,
  });
  await terminal.waitFor('What do you replicate from');
  await terminal.press('return', 'return');
  await terminal.waitFor('Where are the changes read from?');
  await terminal.paste('postgresql://app@db1:5432/shop');
  await terminal.waitFor('Connected');
  await terminal.press('return', 'return');
  await terminal.waitFor('✗ Not ready');
  await terminal.press('F', 'y');
  await terminal.waitFor('✗ Not ready');
  await terminal.press('ctrl+x');
  const screen = await terminal.waitFor('Leave the setup of');
  assert.match(screen, /Created: .*"t"/);
  assert.match(screen, /Run on the source: ALTER SYSTEM SET wal_level = logical/);
});

test('leaving can forget everything', async (t) => {
  const { terminal, ended, place } = await open(t);
  await terminal.waitFor('What do you replicate from');
  await terminal.press('return', 'return');
  await terminal.waitFor('Where are the changes read from?');
  await terminal.press('ctrl+x', 'up', 'return');
  assert.deepEqual(ended, ['cancelled']);
  assert.deepEqual(place.store.list(), []);
});

test('Escape on the first page asks before it leaves', async (t) => {
  const { terminal, ended } = await open(t);
  await terminal.waitFor('What do you replicate from');
  await terminal.press('escape');
  assert.match(terminal.screen(), /Leave the setup of replication\?/);
  await terminal.press('escape');
  assert.deepEqual(ended, []);
  assert.match(terminal.screen(), /What do you replicate from/);
});

test('without UTF-8 and without colours every sign is plain', async (t) => {
  const place = savedPlace(t);
  const session = await setupOn(t, {}, place);
  const element = createElement(Setup, { session, onDone: () => {}, onCancel: () => {} });
  const terminal = await openTerminal(element, { env: { TERM: 'xterm', LANG: 'C', NO_COLOR: '1' } });
  t.after(() => terminal.close());
  const plain = () => assert.doesNotMatch(terminal.screen(), /[^ -~\n]/);
  await terminal.waitFor('What do you replicate from');
  plain();
  await terminal.press('return', 'return');
  await terminal.waitFor('Where are the changes read from?');
  plain();
  await terminal.paste('postgresql://app:MARKER@db1:5432/shop');
  await terminal.waitFor('+ Connected');
  plain();
  await terminal.press('return', 'right', 'return');
  plain();
  await terminal.press('return');
  await terminal.waitFor('+ Ready');
  plain();
  await terminal.press('return');
  await terminal.waitFor('Which tables?');
  plain();
  for (const colour of [31, 32, 33, 36, 90])
    assert.ok(!terminal.raw().includes(`\u001b[${colour}m`), `colour ${colour}`);
});

test('a screen reader hears the question, the fields and how the connection is', async (t) => {
  const session = await setupOn(t);
  const element = createElement(Setup, { session, onDone: () => {}, onCancel: () => {} });
  const terminal = await openTerminal(element, {
    rows: 60,
    env: { TERM: 'xterm', LANG: 'C.UTF-8', INSTAR_SCREEN_READER: '1' },
  });
  t.after(() => terminal.close());
  await terminal.waitFor('What do you replicate from');
  await terminal.press('return', 'return');
  const screen = await terminal.waitFor('Where are the changes read from?');
  assert.match(screen, /step 2 of 8: source/);
  await terminal.paste('postgresql://app:MARKER@db1:5432/shop');
  await terminal.waitFor('Connected to PostgreSQL 18.1');
  assert.doesNotMatch(terminal.raw(), /MARKER/);
});
