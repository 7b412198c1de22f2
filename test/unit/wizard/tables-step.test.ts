import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SourceChoices } from '../../../src/wizard/servers.ts';
import { TablesStep } from '../../../src/wizard/steps/tables.tsx';
import type { TerminalOptions } from '../../harness/terminal.ts';
import { showStep, SIZES, sizeName } from './setup-frames.ts';
import { KEYLESS, publication, setupOn, table } from './setup-rig.ts';

const CHOICES: SourceChoices = {
  tables: [table('public.customers'), table('public.orders', { rows: 1_200_000, bytes: 4.12e10 })],
  publications: [],
  slots: [],
};

async function open(t: TestContext, choices: Partial<SourceChoices> = {}, size: TerminalOptions = {}) {
  const session = await setupOn(t, { readChoices: async () => ({ ...CHOICES, ...choices }) });
  session.keepConnection('source', 'postgresql://app@db1/shop');
  const shown = await showStep(t, TablesStep, session, size);
  await shown.terminal.waitFor('Which tables?');
  return { session, ...shown };
}

for (const size of SIZES) {
  test(`all tables with their rows and sizes, unless some are ticked, ${sizeName(size)}`, async (t) => {
    const { terminal, session, went } = await open(t, {}, size);
    assert.match(terminal.screen(), /‹ all tables, also those that are made/);
    assert.match(terminal.screen(), /\[✓\] public\.orders +1\.2 M rows +41\.2 GB/);
    assert.match(terminal.screen(), /chosen: 2 tables, about 1\.2 M rows, 41\.2 GB/);
    await terminal.press('down', ' ');
    assert.match(terminal.screen(), /‹ those that I tick ›/);
    assert.match(terminal.screen(), /\[✓\] public\.customers\b/);
    assert.match(terminal.screen(), /\[ \] public\.orders\b/);
    assert.deepEqual(session.replication.answers.tables, ['public.customers']);
    await terminal.press('return');
    assert.deepEqual(went, ['next']);
    assert.deepEqual(session.replication.answers.publication, { name: 'molt_fetch', create: true });
  });
}

test('Enter alone takes all tables', async (t) => {
  const { terminal, session, went } = await open(t);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
  assert.equal(session.replication.answers.tables, 'all');
});

test('typing after / leaves the tables that match, and a ticks those alone', async (t) => {
  const many = Array.from({ length: 2000 }, (_, index) => table(`s${index % 7}.table_${index}`));
  const { terminal, session } = await open(t, { tables: many });
  await terminal.press('a');
  assert.match(terminal.screen(), /0 of 2,000 chosen/);
  await terminal.press('/');
  await terminal.type('s3 1999');
  await terminal.press('backspace');
  assert.match(terminal.screen(), /\/s3 199 +\d+ found/);
  await terminal.press('return', 'a');
  const chosen = session.replication.answers.tables as readonly string[];
  assert.ok(
    chosen.length > 0 && chosen.every((name) => name.startsWith('s3.') && name.includes('199')),
    String(chosen),
  );
});

test('no table is no choice', async (t) => {
  const { terminal, went } = await open(t);
  await terminal.press('a', 'return');
  assert.match(terminal.screen(), /no table is chosen/);
  assert.deepEqual(went, []);
});

test('a table without a key is warned of with its fix; going on takes a yes', async (t) => {
  const { terminal, went } = await open(t, { tables: [KEYLESS, ...CHOICES.tables] });
  assert.match(terminal.screen(), /public\.audit .*▲ no key/);
  assert.match(terminal.screen(), /source refuses UPDATE and DELETE/);
  assert.match(terminal.screen(), /ALTER TABLE "public"\."audit" REPLICA IDENTITY FULL;/);
  await terminal.press('return');
  assert.match(terminal.screen(), /Go on with a table without a usable key\?/);
  await terminal.press('return');
  assert.deepEqual(went, []);
  await terminal.press('return', 'y');
  assert.deepEqual(went, ['next']);
});

test('f runs the fix of a table and reads the tables again', async (t) => {
  let fixed = false;
  const statements: unknown[] = [];
  const session = await setupOn(t, {
    readChoices: async () => ({ ...CHOICES, tables: [fixed ? table('public.audit', { identity: 'full' }) : KEYLESS] }),
    runFix: async (fix) => {
      statements.push(fix.statements);
      fixed = true;
    },
  });
  session.keepConnection('source', 'postgresql://app@db1/shop');
  const { terminal, went } = await showStep(t, TablesStep, session);
  await terminal.waitFor('▲ no key');
  await terminal.press('f');
  await terminal.waitFor(/public\.audit +12,345 rows +41\.2 MB\n/);
  assert.deepEqual(statements, [['ALTER TABLE "public"."audit" REPLICA IDENTITY FULL;']]);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
});

test('an existing publication is chosen with the arrows, with what it leaves out', async (t) => {
  const theirs = publication('theirs', { publishes: { insert: true, update: true, delete: false, truncate: true } });
  const { terminal, session, went } = await open(t, { publications: [theirs] });
  await terminal.press('left');
  const screen = terminal.screen();
  assert.match(screen, /‹ those of the existing publication theirs ›/);
  assert.match(screen, /1 of 2 chosen/);
  assert.match(screen, /Publication theirs does not publish delete: those changes never reach the\s+target/);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
  assert.deepEqual(session.replication.answers.publication, { name: 'theirs', create: false });
  assert.deepEqual(session.replication.answers.tables, ['public.orders']);
});

test('what was chosen is there again', async (t) => {
  const { terminal, session } = await open(t);
  await terminal.press(' ', 'escape');
  const again = await showStep(t, TablesStep, session);
  await again.terminal.waitFor('1 of 2 chosen');
  assert.match(again.terminal.screen(), /\[ \] public\.customers/);
  // Passing through the other ways keeps the ticks.
  await again.terminal.press('right');
  assert.match(again.terminal.screen(), /2 of 2 chosen/);
  await again.terminal.press('left');
  assert.match(again.terminal.screen(), /1 of 2 chosen/);
});

test('tables that are gone are told of, and are chosen no longer', async (t) => {
  const session = await setupOn(t, { readChoices: async () => CHOICES });
  session.keepConnection('source', 'postgresql://app@db1/shop');
  session.change({ tables: ['public.orders', 'public.gone', 'public.too'] });
  const { terminal } = await showStep(t, TablesStep, session);
  await terminal.waitFor('1 of 2 chosen');
  assert.match(terminal.screen(), /not there any more: public\.gone and 1 more/);
  await terminal.press('return');
  assert.deepEqual(session.replication.answers.tables, ['public.orders']);
});

test('a source that does not answer can be asked again', async (t) => {
  let fails = true;
  const session = await setupOn(t, {
    readChoices: async () => {
      if (fails) throw new Error('connection lost');
      return CHOICES;
    },
  });
  session.keepConnection('source', 'postgresql://app@db1/shop');
  const { terminal, went } = await showStep(t, TablesStep, session);
  await terminal.waitFor('connection lost');
  fails = false;
  await terminal.press('r');
  await terminal.waitFor('Which tables?');
  assert.deepEqual(went, []);
});
