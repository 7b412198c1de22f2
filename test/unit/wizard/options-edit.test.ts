import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createElement } from 'react';
import { EditOptions, type EditOptionsProps } from '../../../src/wizard/edit-options.tsx';
import { openTerminal } from '../../harness/terminal.ts';
import { launched } from './saved.ts';

async function open(t: TestContext, change: Partial<EditOptionsProps> = {}) {
  const done: unknown[] = [];
  const base = launched('shop');
  const props: EditOptionsProps = {
    replication: { ...base, answers: { ...base.answers, options: { flushSize: '500', gracePeriod: '5s' } } },
    running: false,
    save: (options) => done.push(options),
    onLeave: (news) => done.push(news),
    ...change,
  };
  const terminal = await openTerminal(createElement(EditOptions, props));
  t.after(() => terminal.close());
  return { terminal, done };
}

test('options of a launched replication are saved together, and it is said from when on they count', async (t) => {
  const { terminal, done } = await open(t, { running: true });
  assert.match(terminal.screen(), /Options of shop/);
  assert.match(terminal.screen(), /It is running: changes count from its next start on\./);
  await terminal.press('down', 'down');
  await terminal.type(':30005');
  assert.deepEqual(done, []);
  await terminal.press('return');
  assert.deepEqual(done, [
    { flushSize: '500', gracePeriod: '5s', metricsAddr: ':30005' },
    'shop: metricsAddr saved; counts from its next start on: stop it, then resume it',
  ]);
});

test('Escape saves nothing', async (t) => {
  const { terminal, done } = await open(t);
  await terminal.press('down', 'down');
  await terminal.type(':30005');
  await terminal.press('escape');
  assert.deepEqual(done, [undefined]);
});

test('Enter without a change saves nothing', async (t) => {
  const { terminal, done } = await open(t);
  await terminal.press('return');
  assert.deepEqual(done, [undefined]);
});

test('the staging schema of a launched replication stays', async (t) => {
  const { terminal } = await open(t);
  await terminal.type('other');
  assert.match(terminal.screen(), /❯ stagingSchema +_replicator\.public/);
  assert.match(terminal.screen(), /It cannot be changed any more: it holds the checkpoint/);
});
