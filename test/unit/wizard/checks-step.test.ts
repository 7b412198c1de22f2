import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OperatorError } from '../../../src/errors.ts';
import type { CheckResult, Fix } from '../../../src/preflight/check.ts';
import type { Servers } from '../../../src/wizard/servers.ts';
import { SourceChecksStep } from '../../../src/wizard/steps/source-checks.tsx';
import { TargetChecksStep } from '../../../src/wizard/steps/target-checks.tsx';
import type { TerminalOptions } from '../../harness/terminal.ts';
import { showStep, SIZES, sizeName } from './setup-frames.ts';
import { result, setupOn } from './setup-rig.ts';

const WAL_LEVEL: Partial<CheckResult> = {
  state: 'failed',
  found: 'replica',
  expected: 'logical',
  why: 'Without it the log does not hold what is needed.',
  fix: {
    text: 'ALTER SYSTEM SET wal_level = logical;\n-- then restart the server',
    statements: ['ALTER SYSTEM SET wal_level = logical'],
    side: 'source',
    restart: true,
  },
};
const KEEP_SIZE: Partial<CheckResult> = {
  state: 'failed',
  severity: 'advisory',
  found: 'no limit',
  expected: 'a limit',
  fix: { text: 'Set a limit in the console of your provider.', side: 'source' },
};

/** A source whose checks come to what `results` says at the time, in rounds. */
async function open(
  t: TestContext,
  results: () => readonly CheckResult[],
  more: Partial<Servers> = {},
  size: TerminalOptions = {},
) {
  let rounds = 0;
  const fixes: Fix[] = [];
  const session = await setupOn(t, {
    plannedSourceChecks: () => results().map(({ id }) => result(id)),
    checkSource: async (_connection, _wishes, report = () => {}) => {
      rounds++;
      for (const each of results()) report(each);
      return [...results()];
    },
    runFix: async (fix) => void fixes.push(fix),
    ...more,
  });
  session.keepConnection('source', 'postgresql://app@db1/shop');
  return { session, fixes, rounds: () => rounds, ...(await showStep(t, SourceChecksStep, session, size)) };
}

const all = () => [
  result('source.connection'),
  result('source.wal_level', WAL_LEVEL),
  result('source.keep_size', KEEP_SIZE),
  result('source.slots', { state: 'skipped', found: 'not looked at, because of: wal_level' }),
];

for (const size of SIZES) {
  test(`what blocks, what is advised and what could not be looked at are told apart, ${sizeName(size)}`, async (t) => {
    const { terminal } = await open(t, all, {}, size);
    const screen = await terminal.waitFor('✗ Not ready');
    assert.match(screen, /1 must be put right, 1 advisory, 1 not look/);
    assert.match(screen, /✓ connection +fine/);
    assert.match(screen, /❯ ✗ wal_level +failed {2}replica/);
    assert.match(screen, /▲ keep_size +advice {2}no limit/);
    assert.match(screen, /– slots +skipped/);
    assert.match(screen, /Found +replica\n +Wanted +logical\n +Fix +ALTER SYSTEM SET wal_level = logical;/);
    await terminal.press('v');
    assert.match(await terminal.waitFor('╭─'), /Without it the log does not hold what is/);
    await terminal.press('escape', 'down');
    assert.match(terminal.screen(), /Fix +Set a limit in the console/);
    assert.match(terminal.screen(), /Replication can start without it\./);
  });
}

test('results come to the screen one by one, and what is still looked at says so', async (t) => {
  const gate = Promise.withResolvers<void>();
  const { terminal, went } = await open(t, all, {
    checkSource: async (_connection, _wishes, report = () => {}) => {
      report(result('source.wal_level', WAL_LEVEL));
      await gate.promise;
      return all();
    },
  });
  const screen = await terminal.waitFor('failed  replica');
  assert.match(screen, /Looking +1 must be put right, 3 still being looked at/);
  assert.match(screen, /looking/);
  await terminal.press('return');
  assert.match(terminal.screen(), /not everything has been looked at yet/);
  gate.resolve();
  await terminal.waitFor('✗ Not ready');
  assert.deepEqual(went, []);
});

test('the first key that is told of is the one to press: the fix of what blocks, Enter once it is ready', async (t) => {
  let mended = false;
  const { terminal } = await open(
    t,
    () => (mended ? [result('source.connection'), result('source.wal_level')] : all()),
    {
      runFix: async () => {
        mended = true;
      },
    },
  );
  await terminal.waitFor('✗ Not ready');
  assert.match(terminal.screen(), /^ ?f run fix {3}enter go on anyway {3}c copy/m);
  await terminal.press('down');
  assert.match(terminal.screen(), /^ ?enter go on anyway {3}c copy/m);
  await terminal.press('up', 'f');
  await terminal.waitFor('✓ Ready');
  assert.match(terminal.screen(), /^ ?enter go on {3}r again/m);
});

test('f runs the fix and everything is looked at again', async (t) => {
  let mended = false;
  const fixes: Fix[] = [];
  const { terminal, rounds, session, went } = await open(
    t,
    () => (mended ? [result('source.connection'), result('source.wal_level')] : all()),
    {
      runFix: async (fix) => {
        fixes.push(fix);
        mended = true;
      },
    },
  );
  await terminal.waitFor('✗ Not ready');
  assert.equal(rounds(), 1);
  await terminal.press('f');
  await terminal.waitFor('✓ Ready');
  assert.match(terminal.screen(), /done; it counts once the server has been restarted/);
  assert.equal(fixes[0].statements?.[0], 'ALTER SYSTEM SET wal_level = logical');
  assert.equal(rounds(), 2);
  assert.deepEqual(session.ran, ['source: ALTER SYSTEM SET wal_level = logical']);
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
});

test('a fix that the user may not run says so, and what to do', async (t) => {
  const { terminal } = await open(t, all, {
    runFix: async () => {
      throw new OperatorError('FIX_NOT_PERMITTED', 'the source user may not run this; nothing was changed', {
        fix: 'Have a user with more rights run it',
      });
    },
  });
  await terminal.waitFor('✗ Not ready');
  await terminal.press('f');
  const screen = await terminal.waitFor('Not done');
  assert.match(screen, /the source user may not run this; nothing was changed\s+\(FIX_NOT_PERMITTED\)/);
  assert.match(screen, /fix: Have a user with more rights run it/);
});

test('what only a person can do is not run, but copied with c', async (t) => {
  const { terminal, fixes } = await open(t, all);
  await terminal.waitFor('✗ Not ready');
  await terminal.press('down', 'f');
  assert.match(terminal.screen(), /this has to be done by hand; c copies what to do/);
  await terminal.press('c');
  await terminal.waitFor('copied 1 line');
  const [, copied] = terminal.raw().split('\u001b]52;c;');
  assert.equal(atob(copied.slice(0, copied.indexOf('\u0007'))), 'Set a limit in the console of your provider.');
  assert.deepEqual(fixes, []);
});

test('several fixes run after one question, and the first that fails ends it', async (t) => {
  const broken = ['a', 'b', 'c'].map((name) =>
    result(`source.${name}`, { ...WAL_LEVEL, fix: { text: name, statements: [name], side: 'source' } }),
  );
  const fixes: Fix[] = [];
  const { terminal } = await open(t, () => broken, {
    runFix: async (fix) => {
      fixes.push(fix);
      if (fix.text === 'b') throw new OperatorError('FIX_FAILED', 'the source refused b');
    },
  });
  await terminal.waitFor('F run all 3');
  await terminal.press('F');
  assert.match(terminal.screen(), /Run 3 fixes\?/);
  await terminal.press('escape');
  assert.deepEqual(fixes, []);
  await terminal.press('F', 'y');
  await terminal.waitFor('the fix did not work');
  assert.deepEqual(
    fixes.map(({ text }) => text),
    ['a', 'b'],
  );
  assert.match(await terminal.waitFor('Not done'), /the source refused b/);
  assert.match(terminal.screen(), /❯ . b/);
});

test('r looks again', async (t) => {
  let state: CheckResult['state'] = 'failed';
  const { terminal, rounds } = await open(t, () => [result('source.wal_level', { ...WAL_LEVEL, state })]);
  await terminal.waitFor('✗ Not ready');
  state = 'passed';
  await terminal.press('r');
  await terminal.waitFor('✓ Ready');
  assert.equal(rounds(), 2);
});

test('Enter goes on when everything is as it has to be, else it asks', async (t) => {
  const { terminal, went } = await open(t, all);
  await terminal.waitFor('✗ Not ready');
  await terminal.press('return');
  assert.match(terminal.screen(), /Go on although not everything is as it has to be\?/);
  assert.match(terminal.screen(), /│ wal_level, slots\. Nothing is created before the launch/);
  await terminal.press('return');
  assert.deepEqual(went, []);
  await terminal.press('return', 'right', 'return');
  assert.deepEqual(went, ['next']);
  await terminal.press('escape');
  assert.deepEqual(went, ['next', 'back']);
});

test('advice does not keep anybody from going on', async (t) => {
  const { terminal, went } = await open(t, () => [result('source.connection'), result('source.keep_size', KEEP_SIZE)]);
  await terminal.waitFor('▲ Ready, with advice');
  await terminal.press('return');
  assert.deepEqual(went, ['next']);
});

test('checks that cannot be made at all say why', async (t) => {
  const { terminal } = await open(t, all, { checkSource: () => Promise.reject(new Error('defect')) });
  await terminal.waitFor(/The checks could not be made: defect/);
});

test('leaving the checks ends them', async (t) => {
  let signal: AbortSignal | undefined;
  const { terminal } = await open(t, all, {
    checkSource: (_connection, _wishes, _report, given) => {
      signal = given;
      return new Promise(() => {});
    },
  });
  await terminal.waitFor('Looking');
  assert.equal(signal?.aborted, false);
  await terminal.close();
  assert.equal(signal?.aborted, true);
});

test('the target is asked about the chosen tables, and it is said that existing rows are not copied', async (t) => {
  const asked: unknown[] = [];
  const session = await setupOn(t, {
    plannedTargetChecks: (tables) => [
      result('target.version'),
      ...(tables === 'all' ? [] : tables.map((name) => result(`target.table ${name}`))),
    ],
    checkTarget: async (_target, wishes, report = () => {}) => {
      asked.push([wishes.targetSchema, wishes.stagingSchema, wishes.source.host, wishes.tables]);
      const found = [
        result('target.version'),
        result('target.table orders', {
          state: 'failed',
          found: 'it is not there',
          fix: {
            text: 'CREATE TABLE "orders" (\n  "id" INT8 PRIMARY KEY\n);',
            statements: ['CREATE TABLE "orders" ("id" INT8 PRIMARY KEY)'],
            side: 'target',
          },
        }),
      ];
      for (const each of found) report(each);
      return found;
    },
  });
  session.keepConnection('source', 'postgresql://app@db1/shop');
  session.keepConnection('target', 'postgresql://root@crdb/defaultdb');
  session.change({ targetSchema: 'defaultdb.public', tables: ['orders'] });
  const { terminal } = await showStep(t, TargetChecksStep, session);
  const screen = await terminal.waitFor('✗ Not ready');
  assert.match(screen, /Existing rows are not copied: only what changes from the launch on is\./);
  assert.match(screen, /Fix {6}CREATE TABLE "orders" \(\n {12}"id" INT8 PRIMARY KEY\n {10}\);/);
  assert.deepEqual(asked, [['defaultdb.public', '_replicator.public', 'db1', ['orders']]]);
});

test('what keeps the source from sending the chosen tables is told with the target', async (t) => {
  const session = await setupOn(t, {
    checkSource: async (_source, { slot, publication }) => [
      result('source.advice', { ...KEEP_SIZE }),
      result('source.slot', { state: 'failed', found: `${slot?.name} of ${publication?.name} is in use` }),
    ],
  });
  session.keepConnection('source', 'postgresql://app@db1/shop');
  session.keepConnection('target', 'postgresql://root@crdb/defaultdb');
  session.change({ targetSchema: 'x', publication: { name: 'p', create: true }, slot: { name: 's', create: false } });
  const { terminal } = await showStep(t, TargetChecksStep, session);
  const screen = await terminal.waitFor('✗ Not ready');
  assert.match(screen, /✗ source: slot +failed +s of p is in use/);
  assert.doesNotMatch(screen, /advice/);
});

test('after a fix the cursor goes to what is still to be put right', async (t) => {
  const mended = new Set<string>();
  const found = () =>
    ['a', 'b', 'c'].map((name) =>
      result(
        `source.${name}`,
        mended.has(name) ? {} : { ...WAL_LEVEL, fix: { text: name, statements: [name], side: 'source' } },
      ),
    );
  const { terminal } = await open(t, found, { runFix: async ({ text }) => void mended.add(text) });
  await terminal.waitFor('❯ ✗ a');
  await terminal.press('down', 'f');
  await terminal.waitFor('1 passed');
  await terminal.waitFor('❯ ✗ a');
  await terminal.press('f');
  await terminal.waitFor('❯ ✗ c');
});
