import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createElement } from 'react';
import { OperatorError } from '../../../src/errors.ts';
import type { Replication } from '../../../src/sessions/replication.ts';
import type { ChecklistItem } from '../../../src/terminal/checklist.tsx';
import { Screen } from '../../../src/terminal/screen.tsx';
import { LaunchView, type LaunchViewProps } from '../../../src/wizard/launch-view.tsx';
import { openTerminal } from '../../harness/terminal.ts';
import { POSTGRES_SETUP } from '../../../src/wizard/postgres-setup.ts';
import { launched } from './saved.ts';

/** A launch that a test leads step by step. */
class Launch {
  attempts = 0;
  report: (step: ChecklistItem) => void = () => {};
  ended = Promise.withResolvers<Replication>();

  readonly launch = (report: (step: ChecklistItem) => void) => {
    this.attempts++;
    this.report = report;
    this.ended = Promise.withResolvers<Replication>();
    return this.ended.promise;
  };
}

async function open(t: TestContext, change: Partial<LaunchViewProps> = {}) {
  const done: string[] = [];
  const lead = new Launch();
  const view = createElement(LaunchView, {
    launch: lead.launch,
    left: () => ['On the source: slot molt_slot'],
    begun: ({ made, answers }) => POSTGRES_SETUP.launched(made, answers),
    onRunning: () => done.push('running'),
    onBack: () => done.push('back'),
    ...change,
  });
  const terminal = await openTerminal(createElement(Screen, { title: 'Launch', children: view }));
  t.after(() => terminal.close());
  return { terminal, done, lead };
}

test('the steps are shown as they happen; the slot with its first position; then the dashboard', async (t) => {
  const { terminal, done, lead } = await open(t);
  lead.report({ id: 'publication', title: 'publication molt_fetch', state: 'running' });
  await terminal.waitFor('publication molt_fetch');
  lead.report({ id: 'publication', title: 'publication molt_fetch', state: 'passed', found: 'created' });
  lead.report({ id: 'slot', title: 'slot molt_slot', state: 'running' });
  await terminal.waitFor(/✓ publication molt_fetch +created\n.*slot molt_slot/);
  await terminal.press('escape', 'ctrl+x');
  assert.match(terminal.screen(), /it is being launched; a moment/);
  assert.deepEqual(done, [], 'a launch under way is waited for');
  lead.report({ id: 'slot', title: 'slot molt_slot', state: 'passed', found: '(molt_slot,0/167A220)' });
  lead.ended.resolve(launched('shop'));
  const screen = await terminal.waitFor('It is replicating.');
  assert.match(screen, /Slot \(molt_slot,0\/167A220\)\. The dashboard opens\./);
  await terminal.press('return');
  assert.deepEqual(done, ['running']);
});

test('the dashboard opens by itself', async (t) => {
  const opened = Promise.withResolvers<void>();
  const { lead } = await open(t, { onRunning: opened.resolve });
  lead.ended.resolve(launched('shop'));
  await opened.promise;
});

test('a failure says what it is, what is left on which server, and can be tried again', async (t) => {
  const { terminal, done, lead } = await open(t);
  lead.report({ id: 'slot', title: 'slot molt_slot', state: 'failed' });
  lead.ended.reject(
    new OperatorError('PG_SLOT_EXISTS', 'the source has a replication slot molt_slot already', {
      fix: 'Use the one that is there, or choose another name.',
    }),
  );
  const screen = await terminal.waitFor('It could not be launched');
  assert.match(screen, /✗ slot molt_slot/);
  assert.match(screen, /the source has a replication slot molt_slot already \(PG_SLOT_EXISTS\)/);
  assert.match(screen, /fix: Use the one that is there/);
  assert.match(screen, /On the source: slot molt_slot/);
  await terminal.press('r');
  await terminal.waitFor(/^(?!.*could not be launched)/s);
  assert.equal(lead.attempts, 2);
  lead.ended.reject(new OperatorError('PG_SLOT_EXISTS', 'again'));
  await terminal.waitFor('again');
  await terminal.press('escape');
  assert.deepEqual(done, ['back']);
});

test('a slot is written as PostgreSQL prints it', () => {
  const { made, answers } = launched('shop');
  assert.equal(POSTGRES_SETUP.launched(made, answers), 'Slot (molt_slot,0/167A220).');
  assert.equal(POSTGRES_SETUP.launched([], answers), undefined);
});
