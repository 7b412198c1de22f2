import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createElement } from 'react';
import { OperatorError } from '../../../src/errors.ts';
import type { Verdict } from '../../../src/preflight/resume.ts';
import { type ResumeProps, ResumeScreen } from '../../../src/wizard/resume-screen.tsx';
import { openTerminal, type TerminalOptions } from '../../harness/terminal.ts';
import { launched } from './saved.ts';

const SAFE: Verdict = {
  safe: true,
  lastRun: 'stopped as asked 3 h ago',
  behind: { bytes: 1_200_000_000, seconds: 10_800 },
  catchUp: 120,
  findings: [],
  lines: [
    'Stopped as asked 3 h ago; 1.20 GB behind, caught up in about 2 min.',
    'Safe: the source still has all log since 0/167A220.',
  ],
  waysOut: [],
};

const LOST: Verdict = {
  ...SAFE,
  safe: false,
  findings: [
    {
      id: 'source.slot',
      title: 'slot molt_slot',
      side: 'source',
      severity: 'blocking',
      why: 'Changes in the log that was removed cannot be delivered any more.',
      state: 'failed',
      found: 'wal_status is lost',
      code: 'PG_SLOT_LOST',
    },
    {
      id: 'target.reachable',
      title: 'target',
      side: 'target',
      severity: 'blocking',
      why: '',
      state: 'passed',
      found: 'ok',
    },
  ],
  lines: ['Crashed 2 d ago; 64 GB behind.', 'Not safe: the source removed log that is still needed.'],
  waysOut: [
    { label: 'Copy the data again', text: "SELECT pg_drop_replication_slot('molt_slot');\n-- then copy" },
    { label: 'Keep more log next time', text: "ALTER SYSTEM SET max_slot_wal_keep_size = '200GB';" },
  ],
};

/** A promise that somebody else keeps. */
function later<T>() {
  return Promise.withResolvers<T>();
}

async function open(t: TestContext, change: Partial<ResumeProps>, size: TerminalOptions = {}) {
  const done: string[] = [];
  const props: ResumeProps = {
    name: 'shop',
    judge: async () => SAFE,
    start: async () => ({ verdict: SAFE, replication: launched('shop') }),
    onRunning: ({ name }) => done.push(`running ${name}`),
    onEdit: () => done.push('edit'),
    onRemove: () => done.push('remove'),
    onLeave: () => done.push('leave'),
    ...change,
  };
  const terminal = await openTerminal(createElement(ResumeScreen, props), size);
  t.after(() => terminal.close());
  return { terminal, done };
}

test('what is looked at is told while it is looked at', async (t) => {
  const { terminal, done } = await open(t, {
    judge: ({ report }) => {
      report('slot molt_slot at the source');
      return later<Verdict>().promise;
    },
  });
  await terminal.waitFor('slot molt_slot at the source');
  await terminal.press('escape');
  assert.deepEqual(done, ['leave']);
});

test('when it is safe the verdict is shown in two lines and the engine starts without a question', async (t) => {
  const started = later<{ verdict: Verdict; replication: ReturnType<typeof launched> }>();
  const { terminal, done } = await open(t, { start: () => started.promise });
  const screen = await terminal.waitFor('starting the engine');
  assert.match(screen, /Stopped as asked 3 h ago; 1\.20 GB behind, caught up in about 2 min\.\n ✓ Safe: the source/);
  await terminal.press('q');
  assert.deepEqual(done, [], 'an engine that is being started is waited for');
  started.resolve({ verdict: SAFE, replication: launched('shop') });
  await terminal.waitFor(/./);
  assert.deepEqual(done, ['running shop']);
});

test('what is worth knowing is told though it is safe', async (t) => {
  const advice = { ...LOST.findings[0], severity: 'advisory' as const, title: 'log about to be removed', found: 'now' };
  const { terminal } = await open(t, {
    judge: async () => ({ ...SAFE, findings: [advice] }),
    start: () => later<never>().promise,
  });
  await terminal.waitFor('▲ log about to be removed: now');
});

test('an engine that runs already is attached to without a verdict', async (t) => {
  const { terminal, done } = await open(t, { judge: async () => undefined });
  await terminal.waitFor(/./);
  assert.deepEqual(done, ['running shop']);
});

test('when it is not safe nothing starts; what is wrong, why, and the ways out are shown', async (t) => {
  let starts = 0;
  const { terminal, done } = await open(t, {
    judge: async () => LOST,
    start: async () => {
      starts++;
      return { verdict: LOST };
    },
  });
  const screen = await terminal.waitFor('Ways out');
  assert.match(screen, /✗ Problem {2}Not resumed; nothing was started or changed\./);
  assert.match(screen, /Crashed 2 d ago; 64 GB behind\./);
  assert.match(screen, /slot molt_slot: wal_status is lost\n +Changes in the log that was removed cannot/);
  assert.doesNotMatch(screen, /target: ok/);
  assert.match(screen, /❯ Copy the data again\n +Keep more log next time/);
  assert.match(screen, /SELECT pg_drop_replication_slot\('molt_slot'\);/);
  assert.equal(starts, 0);
  await terminal.press('down', 'return');
  await terminal.waitFor("ALTER SYSTEM SET max_slot_wal_keep_size = '200GB';");
  await terminal.press('c');
  assert.ok(terminal.raw().includes(Buffer.from(`${LOST.waysOut[1].text}\n`).toString('base64')));
  await terminal.press('escape');
  await terminal.waitFor('Ways out');
  await terminal.press('x', 'escape');
  assert.deepEqual(done, ['remove', 'leave']);
});

test('r checks again, and goes on when it has become safe', async (t) => {
  const verdicts = [LOST, SAFE];
  const { terminal, done } = await open(t, { judge: async () => verdicts.shift()! });
  await terminal.waitFor('Ways out');
  await terminal.press('r');
  await terminal.waitFor(/./);
  assert.deepEqual(done, ['running shop']);
});

test('tables that are published no more can be gone on without, after a question', async (t) => {
  const gone: Verdict = {
    ...LOST,
    waysOut: [{ label: 'go on without them', text: 'instar resume shop --acceptTables' }],
  };
  const { terminal, done } = await open(t, { judge: async ({ acceptTables }) => (acceptTables ? SAFE : gone) });
  await terminal.waitFor(/❯ go on without them +can be done from here/);
  await terminal.press('return');
  await terminal.waitFor('Go on without the tables');
  await terminal.press('return');
  await terminal.waitFor('Ways out');
  assert.deepEqual(done, [], 'the first answer is the harmless one');
  await terminal.press('return');
  await terminal.waitFor('Go on without the tables');
  await terminal.press('y');
  await terminal.waitFor(/./);
  assert.deepEqual(done, ['running shop']);
});

test('what became unsafe between verdict and start is not started either', async (t) => {
  const { terminal, done } = await open(t, { start: async () => ({ verdict: LOST }) });
  await terminal.waitFor('Not resumed');
  assert.deepEqual(done, []);
});

test('a failure is told with its code and fix', async (t) => {
  const { terminal, done } = await open(t, {
    judge: async () => {
      throw new OperatorError('PG_CONNECTION_REFUSED', 'source database at db1:5432 does not accept connections', {
        fix: 'pg_isready -h db1',
      });
    },
  });
  const screen = await terminal.waitFor('It does not run');
  assert.match(screen, /does not accept connections\n?.*\(PG_CONNECTION_REFUSED\)/);
  assert.match(screen, /fix: pg_isready -h db1/);
  await terminal.press('escape');
  assert.deepEqual(done, ['leave']);
});

test('in a small window the verdict and the ways out are all there', async (t) => {
  const { terminal } = await open(t, { judge: async () => LOST }, { columns: 60, rows: 15 });
  const screen = await terminal.waitFor('Ways out');
  assert.match(screen, /Not resumed/);
  assert.match(screen, /slot molt_slot: wal_status is lost/);
  assert.match(screen, /❯ Copy the data again\n +Keep more log next time/);
});
