import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { createElement } from 'react';
import { parseCommandLine } from '../../../src/config/command-line.ts';
import { parseOracleConnectionString } from '../../../src/config/oracle-connection.ts';
import type { Answers } from '../../../src/sessions/replication.ts';
import { tableFilterPath } from '../../../src/sessions/table-filter.ts';
import { parseScn } from '../../../src/sources/oracle/scn.ts';
import { equivalentCommands } from '../../../src/wizard/equivalent-command.ts';
import { planText } from '../../../src/wizard/plan.ts';
import type { Servers } from '../../../src/wizard/servers.ts';
import { Setup } from '../../../src/wizard/setup.tsx';
import { OptionsStep } from '../../../src/wizard/steps/options.tsx';
import { OwnerStep } from '../../../src/wizard/steps/owner.tsx';
import { ScnStep } from '../../../src/wizard/steps/scn.tsx';
import { TablesStep } from '../../../src/wizard/steps/tables.tsx';
import { openTerminal, type TerminalOptions } from '../../harness/terminal.ts';
import { showStep, SIZES, sizeName } from './setup-frames.ts';
import { CONNECTED, savedPlace, setupOn } from './setup-rig.ts';

const URL = 'oracle://C%23%23APP:MARKER@db1:1521/ORCLCDB?pdb=PDB1';

const ORACLE: Partial<Servers> = {
  testConnection: async (_connection, side) =>
    side === 'source' ? { ...CONNECTED, product: 'oracle', version: '23.26.0.0.0' } : CONNECTED,
  readChoices: async () => ({
    tables: [{ name: 'APP.LINES' }, { name: 'APP.ORDERS', rows: 1_200_000 }],
    publications: [],
    slots: [],
  }),
};

const ANSWERS: Answers = {
  kind: 'oraclelogminer',
  source: { display: 'oracle://C%23%23APP:*****@db1:1521/ORCLCDB?pdb=PDB1' },
  target: { display: 'postgresql://root@crdb:26257/defaultdb' },
  sourceSchema: 'APP',
  tables: 'all',
  startScn: '26685786',
  backfillScn: '26685444',
  targetSchema: 'defaultdb.public',
  options: { stagingSchema: '_replicator', scnWindowSize: '5000' },
};

/** A source whose oldest transaction is one of REPORTS, and the users that it was asked about. */
function openTransactions() {
  const asked: (readonly string[])[] = [];
  const readScn: Servers['readScn'] = async (_source, users) => {
    asked.push(users);
    const scn = 1000n + BigInt(asked.length);
    const reports = { user: 'REPORTS', scn: 100n, since: '11/23/26 01:00:00' };
    const app = { user: 'APP', scn: 900n, since: '11/23/26 02:00:00' };
    if (users.length === 0) return { scn, backfillFrom: 100n, oldest: reports, unknown: 0, others: 0 };
    if (users.includes('APP')) return { scn, backfillFrom: 900n, oldest: app, unknown: 0, others: 1 };
    return { scn, backfillFrom: scn, oldest: undefined, unknown: 0, others: 2 };
  };
  return { asked, readScn };
}

async function oracleSession(t: TestContext, servers: Partial<Servers> = {}, place = savedPlace(t)) {
  const session = await setupOn(t, { ...ORACLE, ...servers }, place);
  session.choose('oraclelogminer');
  session.keepConnection('source', URL);
  session.change({ sourceSchema: 'APP', tables: 'all' });
  return session;
}

async function showScns(t: TestContext, servers: Partial<Servers> = {}, size: TerminalOptions = {}) {
  const session = await oracleSession(t, servers);
  const shown = await showStep(t, ScnStep, session, size);
  await shown.terminal.waitFor('From which SCN');
  return { session, ...shown };
}

for (const size of SIZES) {
  test(`a whole Oracle setup by keys only, up to the launch, ${sizeName(size)}`, async (t) => {
    const place = savedPlace(t);
    const session = await setupOn(t, ORACLE, place);
    const element = createElement(Setup, { session, onDone: () => {}, onCancel: () => {} });
    const terminal = await openTerminal(element, size);
    t.after(() => terminal.close());
    await terminal.waitFor('What do you replicate from');
    await terminal.press('ctrl+u');
    await terminal.type('shop');
    await terminal.press('return', 'down', 'down', 'return');
    await terminal.waitFor('Where are the changes read from?');
    await terminal.paste(URL);
    await terminal.waitFor('Connected to Oracle 23.26');
    await terminal.press('return', 'return');
    await terminal.waitFor('Whose tables are replicated?');
    await terminal.press('return');
    await terminal.waitFor('✓ Ready');
    await terminal.press('return');
    await terminal.waitFor('Which tables?');
    await terminal.press('return');
    await terminal.waitFor('From which SCN');
    await terminal.press('return', 'return');
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
      kind: 'oraclelogminer',
      source: { display: 'oracle://C%23%23APP:*****@db1:1521/ORCLCDB?pdb=PDB1' },
      sourceSchema: 'APP',
      tables: 'all',
      startScn: '26685786',
      backfillScn: '26685444',
      target: { display: 'postgresql://root@crdb:26257/defaultdb' },
      targetSchema: 'defaultdb.public',
      options: {},
    });
    assert.doesNotMatch(terminal.raw(), /MARKER/);
  });

  test(`both SCNs are shown and filled in, ${sizeName(size)}`, async (t) => {
    const { terminal, session, went } = await showScns(t, {}, size);
    const screen = terminal.screen().replaceAll(/\s+/g, ' ');
    assert.match(screen, /The newest one is 26685786\./);
    assert.match(screen, /Oldest open transaction: BATCH since 11\/23\/26 02:00:00, SCN 26685444\./);
    assert.match(screen, /❯ SCN of the copy 26685786/);
    assert.match(screen, /Oldest open transaction 26685444/);
    assert.match(screen, /Users that count everybody/);
    await terminal.press('return', 'return');
    assert.deepEqual(went, ['next']);
    assert.deepEqual(
      [session.replication.answers.startScn, session.replication.answers.backfillScn],
      ['26685786', '26685444'],
    );
  });

  test(`naming the users whose transactions count reads anew, and narrows the SCN that is filled in, ${sizeName(size)}`, async (t) => {
    const { asked, readScn } = openTransactions();
    const { terminal, session, went } = await showScns(t, { readScn }, size);
    await terminal.waitFor(/Oldest open transaction +100\b/);
    await terminal.press('up');
    await terminal.type('app, "Batch"');
    await terminal.press('return');
    await terminal.waitFor(/❯ Oldest open transaction +900\b/);
    const screen = terminal.screen().replaceAll(/\s+/g, ' ');
    assert.match(screen, /Oldest open one that counts: APP since/);
    assert.match(screen, /One of another user does not count\./);
    assert.match(screen, /SCN of the copy 1002/, 'the newest of the second reading');
    assert.deepEqual(asked, [[], ['APP', 'Batch']]);
    await terminal.press('return');
    assert.deepEqual(went, ['next']);
    const { startScn, backfillScn, options } = session.replication.answers;
    assert.deepEqual([startScn, backfillScn], ['1002', '900']);
    assert.deepEqual(options, { 'oracle-application-users': 'app, "Batch"' });
  });
}

test('an SCN that was typed stays when the users change; a name that nobody has is noticed; none is everybody again', async (t) => {
  const { asked, readScn } = openTransactions();
  const { terminal, session } = await showScns(t, { readScn });
  await terminal.press('ctrl+u');
  await terminal.type('950');
  assert.match(terminal.screen().replaceAll(/\s+/g, ' '), /take both SCNs from the tool that copied/);
  await terminal.press('up');
  await terminal.type('typo');
  await terminal.press('tab');
  await terminal.waitFor(/No transaction of TYPO is open\.\s+2 of other users do not count\./);
  assert.match(terminal.screen(), /SCN of the copy +950/);
  await terminal.press('down', 'ctrl+u', 'return');
  await terminal.waitFor(/Oldest open transaction +100\b/);
  assert.deepEqual(asked, [[], ['TYPO'], []]);
  assert.deepEqual(session.replication.answers.options, {});
});

test('what is typed is there again, and one key brings back the newest', async (t) => {
  const { terminal, session } = await showScns(t);
  await terminal.press('ctrl+u');
  await terminal.type('12');
  const again = await showStep(t, ScnStep, session);
  await again.terminal.waitFor(/SCN of the copy +12\b/);
  await again.terminal.press('ctrl+n');
  assert.match(again.terminal.screen(), /SCN of the copy +26685786/);
});

test('transactions of which the server does not tell when they began are warned of', async (t) => {
  const readScn: Servers['readScn'] = async () => ({
    scn: 1000n,
    backfillFrom: 1000n,
    oldest: undefined,
    unknown: 2,
    others: 0,
  });
  const { terminal } = await showScns(t, { readScn });
  assert.match(
    terminal.screen().replaceAll(/\s+/g, ' '),
    /▲ The server does not tell when 2 open transactions began: read again once none is open/,
  );
});

test('the users are shown among the options, and are changed where the SCNs are', async (t) => {
  const session = await oracleSession(t);
  const { terminal } = await showStep(t, OptionsStep, session);
  for (let i = 0; i < 30 && !/❯ oracle-application-users/.test(terminal.screen()); i++) await terminal.press('down');
  assert.match(terminal.screen().replaceAll(/\s+/g, ' '), /It is given beside the SCNs, which it narrows/);
  await terminal.type('x');
  assert.equal(session.replication.answers.options?.['oracle-application-users'], undefined);
});

test('single tables make a script of their own; another owner has other tables', async (t) => {
  const place = savedPlace(t);
  const session = await oracleSession(t, {}, place);
  session.change({ tables: undefined, options: { userscript: '/tmp/mine.ts', flushSize: '5' } });
  const { terminal, went } = await showStep(t, TablesStep, session);
  await terminal.waitFor('Which tables?');
  assert.match(terminal.screen(), /Every table of this owner is replicated/);
  assert.match(terminal.screen(), /APP\.LINES/);
  assert.match(terminal.screen(), /APP\.ORDERS +1\.2 M rows/);
  assert.match(terminal.screen(), /chosen: 2 tables *$/m, 'no sum of what is not known');
  await terminal.press('down', ' ');
  assert.match(terminal.screen(), /A script is written for you that lets only these through/);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
  const { answers } = session.replication;
  assert.deepEqual(answers.tables, ['APP.LINES']);
  assert.equal(answers.script, tableFilterPath('replication', place.env));
  assert.deepEqual(answers.options, { flushSize: '5' }, 'one script can run, not two');
  assert.match(planText({ ...ANSWERS, ...answers }).join('\n'), /THE SCRIPT .*table_filter\.ts\n[\s\S]*"LINES"/);

  const same = await showStep(t, OwnerStep, session);
  await same.terminal.waitFor('Whose tables');
  await same.terminal.press('return');
  assert.deepEqual(session.replication.answers.tables, ['APP.LINES']);
  const other = await showStep(t, OwnerStep, session);
  await other.terminal.waitFor('Whose tables');
  await other.terminal.press('down', 'return');
  assert.equal(session.replication.answers.sourceSchema, 'HR');
  assert.equal(session.replication.answers.tables, undefined);
  assert.equal(session.replication.answers.script, undefined);
});

test('tables that cannot be replicated are asked about before they are chosen', async (t) => {
  const session = await oracleSession(t, {
    readChoices: async () => ({
      tables: [
        { name: 'APP.LINES' },
        { name: 'APP.SHAPES', warning: 'cannot be replicated: column G: a type that a user has defined' },
      ],
      publications: [],
      slots: [],
    }),
  });
  const { terminal, went } = await showStep(t, TablesStep, session);
  await terminal.waitFor('Which tables?');
  assert.match(terminal.screen(), /APP\.SHAPES.*▲ cannot be replicated/);
  await terminal.press('return');
  const asked = (await terminal.waitFor('Go on with a table that cannot be replicated?')).replaceAll(/\s+/g, ' ');
  assert.match(asked, /APP\.SHAPES: nothing of them will reach the target/);
  await terminal.press('escape');
  assert.deepEqual(went, []);
});

test('a shell reads the commands of the review as the engine expects them: SCNs at the first start alone, the pluggable database always', () => {
  const { start, resume, variables } = equivalentCommands({
    ...ANSWERS,
    tables: ['APP.LINES'],
    script: "/home/it's me/table_filter.ts",
  });
  const shell = (command: string) => {
    const script = `replicator() { printf '%s\\n' "$@"; }; ${command}`;
    const words = execFileSync('sh', ['-c', script], {
      env: { SOURCE: URL, TARGET: 'postgresql://t' },
      encoding: 'utf8',
    });
    const [name, ...args] = words.trimEnd().split('\n');
    assert.equal(name, 'oraclelogminer');
    return parseCommandLine('oraclelogminer', args, {}).settings;
  };
  const first = shell(start);
  assert.equal(parseScn(first.scn ?? ''), 26_685_786n);
  assert.equal(parseScn(first.backfillFromSCN ?? ''), 26_685_444n);
  assert.equal(first.targetSchema, 'defaultdb.public');
  assert.equal(first.stagingCreateSchema, true);
  const later = shell(resume);
  assert.equal(later.scn, undefined);
  assert.equal(later.backfillFromSCN, undefined);
  for (const settings of [first, later]) {
    assert.equal(parseOracleConnectionString(settings.sourceConn, '--sourceConn').pdb?.service, 'PDB1');
    assert.equal(settings.sourceSchema, 'APP');
    assert.equal(settings.stagingSchema, '_replicator');
    assert.equal(settings.userscript, "/home/it's me/table_filter.ts");
    assert.equal(settings.scnWindowSize, 5000);
  }
  assert.match(variables[0], /^# \$SOURCE: oracle:\/\/C%23%23APP@db1:1521\/ORCLCDB\?pdb=PDB1, with its password$/);
});

test('the review says where it begins, and what an SCN without the other leaves out', () => {
  const text = (more: Partial<Answers>) => planText({ ...ANSWERS, ...more }).join('\n');
  assert.match(text({}), /after SCN 26685786, with what was open then since SCN 26685444/);
  assert.match(text({ backfillScn: '26685786' }), /after SCN 26685786\n/);
  assert.match(
    text({ backfillScn: undefined }),
    /after SCN 26685786; of transactions that were open then, only what they did after it/,
  );
});
