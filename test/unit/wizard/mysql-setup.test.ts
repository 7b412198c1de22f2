import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createElement } from 'react';
import { parseCommandLine } from '../../../src/config/command-line.ts';
import type { Answers } from '../../../src/sessions/replication.ts';
import { tableFilterPath } from '../../../src/sessions/table-filter.ts';
import { equivalentCommands } from '../../../src/wizard/equivalent-command.ts';
import { optionNames } from '../../../src/wizard/option-list.ts';
import { launchPlan, planText } from '../../../src/wizard/plan.ts';
import type { Servers } from '../../../src/wizard/servers.ts';
import { Setup } from '../../../src/wizard/setup.tsx';
import { OptionsStep } from '../../../src/wizard/steps/options.tsx';
import { SourceStep } from '../../../src/wizard/steps/connection.tsx';
import { TablesStep } from '../../../src/wizard/steps/tables.tsx';
import { openTerminal, type TerminalOptions } from '../../harness/terminal.ts';
import { showStep, SIZES, sizeName } from './setup-frames.ts';
import { CONNECTED, NEWEST_SET, savedPlace, setupOn, table } from './setup-rig.ts';

const MYSQL: Partial<Servers> = {
  testConnection: async (_connection, side) =>
    side === 'source' ? { ...CONNECTED, product: 'mysql', version: '9.7.4' } : CONNECTED,
  readChoices: async () => ({
    tables: [table('shop.customers'), table('shop.orders', { rows: 1_200_000 })],
    publications: [],
    slots: [],
  }),
};

const ANSWERS: Answers = {
  kind: 'mylogical',
  source: { display: 'mysql://app:*****@db1:3306/shop' },
  target: { display: 'postgresql://root@crdb:26257/defaultdb' },
  targetSchema: 'defaultdb.public',
  tables: 'all',
  startSet: NEWEST_SET,
  options: { stagingSchema: '_replicator', replicationProcessID: '4242424' },
};

async function open(t: TestContext, size: TerminalOptions = {}) {
  const place = savedPlace(t);
  const session = await setupOn(t, MYSQL, place);
  const element = createElement(Setup, { session, onDone: () => {}, onCancel: () => {} });
  const terminal = await openTerminal(element, size);
  t.after(() => terminal.close());
  return { terminal, session, place };
}

for (const size of SIZES) {
  test(`a whole MySQL setup by keys only, up to the launch, ${sizeName(size)}`, async (t) => {
    const { terminal, place } = await open(t, size);
    await terminal.waitFor('What do you replicate from');
    await terminal.press('ctrl+u');
    await terminal.type('shop');
    await terminal.press('return', 'down', 'return');
    await terminal.waitFor('Where are the changes read from?');
    await terminal.paste('mysql://app:MARKER@db1:3306/shop');
    await terminal.waitFor('Connected to MySQL 9.7.4');
    await terminal.press('return', 'return');
    await terminal.waitFor('✓ Ready');
    await terminal.press('return');
    await terminal.waitFor('Which tables?');
    await terminal.press('return');
    await terminal.waitFor('After which transactions');
    await terminal.press('return');
    await terminal.waitFor('Where are the changes written to?');
    await terminal.paste('postgresql://root@crdb:26257/defaultdb');
    await terminal.waitFor('Connected to PostgreSQL');
    await terminal.press('return', 'return');
    await terminal.waitFor('Which schema of the target');
    await terminal.press('return', 'return');
    await terminal.waitFor('Existing rows are not copied');
    await terminal.waitFor('✓ Ready');
    await terminal.press('return');
    await terminal.waitFor('stagingSchema');
    await terminal.press('return');
    await terminal.waitFor('Nothing has been created yet');
    const { answers, step } = place.store.get('shop') ?? {};
    assert.equal(step, 'review');
    assert.deepEqual(answers, {
      kind: 'mylogical',
      source: { display: 'mysql://app:*****@db1:3306/shop' },
      tables: 'all',
      startSet: NEWEST_SET,
      target: { display: 'postgresql://root@crdb:26257/defaultdb' },
      targetSchema: 'defaultdb.public',
      options: { replicationProcessID: '4242424' },
    });
    assert.doesNotMatch(terminal.raw(), /MARKER/);
  });
}

test('a MySQL connection by fields: the customary port, the TLS modes, and a URL in the form of other tools', async (t) => {
  const session = await setupOn(t, MYSQL);
  session.choose('mylogical');
  const { terminal } = await showStep(t, SourceStep, session);
  const empty = await terminal.waitFor('Where are the changes read from');
  assert.match(empty, /mysql:\/\/user:password@host:3306\/database/);
  assert.match(empty, /Port +3306/);
  await terminal.paste('mysql://app:p%40ss@tcp(db1:33306)/shop?ssl-mode=REQUIRED');
  const filled = await terminal.waitFor('Connected to MySQL');
  assert.match(filled, /Host +db1/);
  assert.match(filled, /Port +33306/);
  assert.match(filled, /Database +shop/);
  assert.match(filled, /TLS +‹?require/);
});

test('a connection of another kind is told of where it is typed', async (t) => {
  const session = await setupOn(t, MYSQL);
  session.choose('mylogical');
  const { terminal, went } = await showStep(t, SourceStep, session);
  await terminal.paste('postgresql://app@db1/shop');
  await terminal.press('return');
  await terminal.press('tab');
  assert.match(terminal.screen(), /it is for a PostgreSQL server/);
  assert.deepEqual(went, []);
});

test('single tables make a script of their own; all tables make none', async (t) => {
  const place = savedPlace(t);
  const session = await setupOn(t, MYSQL, place);
  session.choose('mylogical');
  session.change({ options: { userscript: '/tmp/mine.ts', flushSize: '5' } });
  session.keepConnection('source', 'mysql://app@db1/shop');
  const { terminal, went } = await showStep(t, TablesStep, session);
  await terminal.waitFor('Which tables?');
  assert.match(terminal.screen(), /Every table of this database is replicated/);
  await terminal.press('down', ' ');
  assert.match(terminal.screen(), /A script is written for you that lets only these through/);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
  const script = tableFilterPath('replication', place.env);
  assert.deepEqual(session.replication.answers.tables, ['shop.customers']);
  assert.equal(session.replication.answers.script, script);
  assert.deepEqual(session.replication.answers.options, { flushSize: '5' }, 'one script can run, not two');
  const options = await showStep(t, OptionsStep, session);
  await options.terminal.press('down');
  assert.match(options.terminal.screen(), /A script is written for the tables that you chose/);

  const all = await showStep(t, TablesStep, session);
  await all.terminal.waitFor('Which tables?');
  await all.terminal.press('left', 'return');
  assert.equal(session.replication.answers.tables, 'all');
  assert.equal(session.replication.answers.script, undefined);
});

test('a fix that changes a table of the application is asked about first', async (t) => {
  const ran: string[] = [];
  const fix = 'ALTER TABLE `shop`.`audit` ADD COLUMN id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY;';
  const session = await setupOn(t, {
    ...MYSQL,
    readChoices: async () => ({
      tables: [table('shop.audit', { warning: 'no primary key: rows are found by all of their columns', fix })],
      publications: [],
      slots: [],
    }),
    runFix: async ({ text }) => {
      ran.push(text);
    },
  });
  session.choose('mylogical');
  session.keepConnection('source', 'mysql://app@db1/shop');
  const { terminal, went } = await showStep(t, TablesStep, session);
  await terminal.waitFor('Which tables?');
  await terminal.press('f');
  await terminal.waitFor('Run the fix of shop.audit on the source?');
  assert.deepEqual(ran, []);
  await terminal.press('right', 'return');
  await terminal.waitFor('done');
  assert.deepEqual(ran, [fix]);
  await terminal.press('return');
  assert.deepEqual(went, ['next'], 'such a table can be replicated as it is');
});

test('the first start names the GTID set, later ones do not; both are what the engine understands', () => {
  const { start, resume, variables } = equivalentCommands({ ...ANSWERS, script: '/home/me/table filter.ts' });
  assert.match(start, /^replicator mylogical --sourceConn "\$SOURCE" --targetConn "\$TARGET"/);
  assert.match(start, new RegExp(`--defaultGTIDSet ${NEWEST_SET}`));
  assert.match(start, /--userscript '\/home\/me\/table filter\.ts'/);
  assert.match(start, /--replicationProcessID 4242424/);
  assert.doesNotMatch(resume, /defaultGTIDSet|targetSchema|stagingCreateSchema/);
  assert.match(resume, /--replicationProcessID 4242424/);
  assert.match(resume, /--userscript/);
  assert.deepEqual(variables[0], '# $SOURCE: mysql://app@db1:3306/shop, with its password');
  const words = (text: string) =>
    text
      .replaceAll(/\\\n/g, ' ')
      .replaceAll(/--userscript '[^']*'/g, '')
      .replaceAll(/"\$\w+"/g, 'mysql://app@db1/shop')
      .split(/\s+/)
      .slice(2);
  assert.equal(parseCommandLine('mylogical', words(start), {}).settings.defaultGTIDSet, NEWEST_SET);
  assert.equal(parseCommandLine('mylogical', words(resume), {}).settings.defaultGTIDSet, undefined);
});

test('the review shows the script, where it begins, and that rows are not copied', () => {
  const script = '/state/scripts/shop/table_filter.ts';
  const answers: Answers = { ...ANSWERS, tables: ['shop.orders', 'shop."Order lines"'], script };
  const text = planText(answers).join('\n');
  assert.match(text, new RegExp(`after ${NEWEST_SET}`));
  assert.match(text, /Rows that are there already are not copied/);
  assert.match(text, /\+ script \/state\/scripts\/shop\/table_filter\.ts: lets 2 tables through, and no other/);
  assert.match(text, /api\.configureTargetSchema\("defaultdb\.public"/);
  assert.match(text, /"Order lines"/);
  assert.match(text, /-- on this machine\nrm \/state\/scripts\/shop\/table_filter\.ts/);
  const { things, undo } = launchPlan(ANSWERS);
  assert.deepEqual(
    things.map(({ what }) => what),
    ['staging schema'],
  );
  assert.deepEqual(
    undo.map(({ side }) => side),
    ['target'],
  );
});

test('the options are those of this kind of engine', () => {
  const names = optionNames('mylogical');
  for (const name of ['allDatabases', 'fetchMetadata', 'replicationProcessID', 'zeroDates', 'truncate'] as const) {
    assert.ok(names.includes(name), name);
  }
  for (const name of ['defaultGTIDSet', 'slotName', 'standbyTimeout', 'sourceConn'] as const) {
    assert.ok(!names.includes(name), name);
  }
});
