import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OperatorError } from '../../../src/errors.ts';
import type { StartSetVerdict } from '../../../src/sources/mysql/setup.ts';
import type { Servers } from '../../../src/wizard/servers.ts';
import { StartStep } from '../../../src/wizard/steps/start.tsx';
import type { TerminalOptions } from '../../harness/terminal.ts';
import { showStep, SIZES, sizeName } from './setup-frames.ts';
import { NEWEST_SET, setupOn, table } from './setup-rig.ts';

const OLDER_SET = '77263736-7899-11f0-81a5-0242ac120002:1-30';

async function open(t: TestContext, servers: Partial<Servers> = {}, size: TerminalOptions = {}) {
  const session = await setupOn(t, servers);
  session.choose('mylogical');
  session.keepConnection('source', 'mysql://app@db1/shop');
  const shown = await showStep(t, StartStep, session, size);
  await shown.terminal.waitFor('After which transactions');
  return { session, ...shown };
}

/** A source that answers as told, and what it was asked. */
function answering(verdict: StartSetVerdict) {
  const asked: string[] = [];
  const checkStart: Servers['checkStart'] = async (_source, set) => {
    asked.push(set);
    return verdict;
  };
  return { asked, servers: { checkStart } };
}

for (const size of SIZES) {
  test(`the state of the log as the server prints it, its set filled in, ${sizeName(size)}`, async (t) => {
    const { terminal, session, went } = await open(t, {}, size);
    const screen = terminal.screen();
    assert.match(screen, /SHOW BINARY LOG STATUS:/);
    if (size.columns === undefined) assert.match(screen, /File +binlog\.000003/);
    assert.match(screen, /Position +4711/);
    assert.match(screen, /Executed_Gtid_Set +77263736/);
    assert.match(screen, /❯ GTID set {2}.*1-38/);
    await terminal.press('return');
    assert.deepEqual(went, ['next']);
    assert.equal(session.replication.answers.startSet, NEWEST_SET);
    assert.equal(session.replication.answers.options?.replicationProcessID, '4242424');
  });
}

test('rows that are there already are told of, with what they mean for the starting point', async (t) => {
  const { terminal } = await open(t, {
    readChoices: async () => ({
      tables: [table('shop.orders', { rows: 1_200_000 }), table('shop.empty', { rows: 0 })],
      publications: [],
      slots: [],
    }),
  });
  assert.match(
    terminal.screen().replaceAll(/\s+/g, ' '),
    /▲ 1 table holds rows already, about 1\.2 M: they are not copied\. Load them first/,
  );
});

test('an older set is asked about, and what it means is read before it counts', async (t) => {
  const { asked, servers } = answering({
    state: 'good',
    set: OLDER_SET,
    warnings: [{ code: 'MYSQL_GTID_DOMAIN_NEW', message: 'a domain is new' }],
    pending: '77263736-7899-11f0-81a5-0242ac120002:31-38',
  });
  const { terminal, session, went } = await open(t, servers);
  await terminal.press('ctrl+u');
  await terminal.type(OLDER_SET);
  await terminal.press('return');
  const screen = (await terminal.waitFor('Enter goes on')).replaceAll(/\s+/g, ' ');
  assert.match(screen, /a domain is new/);
  assert.match(screen, /is sent first: 77263736-7899-11f0-81a5-0242ac120002:31-38/);
  assert.deepEqual(asked, [OLDER_SET]);
  assert.deepEqual(went, []);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
  assert.equal(session.replication.answers.startSet, OLDER_SET);
  assert.deepEqual(asked, [OLDER_SET], 'it is not asked a second time');
});

test('a set that the source cannot start from is refused in the form, with the way out', async (t) => {
  const { servers } = answering({
    state: 'refused',
    error: new OperatorError('MYSQL_GTID_PURGED', 'the source has removed the binary logs with x:1-20', {
      fix: 'SELECT @@GLOBAL.gtid_purged;',
    }),
  });
  for (const size of SIZES) {
    const { terminal, session, went } = await open(t, servers, size);
    await terminal.press('return');
    const screen = await terminal.waitFor('✗ the source has removed the binary logs');
    assert.match(screen, /SELECT @@GLOBAL\.gtid_purged;/);
    assert.deepEqual(went, []);
    assert.equal(session.replication.answers.startSet, undefined);
  }
});

test('what is typed is there again, and one key brings back the newest', async (t) => {
  const { terminal, session } = await open(t);
  await terminal.press('ctrl+u');
  await terminal.type('half');
  const again = await showStep(t, StartStep, session);
  await again.terminal.waitFor(/GTID set {2}half/);
  await again.terminal.press('ctrl+n');
  assert.match(again.terminal.screen(), /GTID set {2}77263736/);
});

test('an option that was answered before is not replaced by what fits the server', async (t) => {
  const { terminal, session } = await open(t);
  session.change({ options: { replicationProcessID: '7' } });
  await terminal.press('return');
  assert.deepEqual(session.replication.answers.options, { replicationProcessID: '7' });
});

test('a way out that is longer than the screen is read in a dialog', async (t) => {
  const fix = Array.from({ length: 30 }, (_, line) => `SELECT ${line};`).join('\n');
  const { servers } = answering({
    state: 'refused',
    error: new OperatorError('MYSQL_GTID_PURGED', 'it is gone', { fix }),
  });
  for (const size of SIZES) {
    const { terminal } = await open(t, servers, size);
    await terminal.press('return');
    await terminal.waitFor('✗ it is gone');
    assert.match(terminal.screen(), /SELECT 0;[\s\S]*\^O shows all of it/);
    await terminal.press('ctrl+o');
    await terminal.waitFor('It cannot begin there');
    await terminal.press('end');
    await terminal.waitFor('SELECT 29;');
    await terminal.press('escape');
    assert.match(terminal.screen(), /❯ GTID set/);
  }
});

test('an older set without warnings tells what is sent first, and an Enter more goes on', async (t) => {
  const pending = '77263736-7899-11f0-81a5-0242ac120002:31-38';
  const { servers } = answering({ state: 'good', set: OLDER_SET, warnings: [], pending });
  const { terminal, went } = await open(t, servers);
  await terminal.press('ctrl+u');
  await terminal.type(OLDER_SET);
  await terminal.press('return');
  await terminal.waitFor('Enter goes on');
  assert.deepEqual(went, []);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
});

test('transactions that are committed while the page is open do not ask for a second Enter', async (t) => {
  const { servers } = answering({ state: 'good', set: NEWEST_SET, warnings: [], pending: 'x:39' });
  const { terminal, went } = await open(t, servers);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
});
