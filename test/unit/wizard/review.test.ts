import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createElement } from 'react';
import type { Created } from '../../../src/sessions/replication.ts';
import { Screen } from '../../../src/terminal/screen.tsx';
import { launchPlan, planText } from '../../../src/wizard/plan.ts';
import { ReviewStep } from '../../../src/wizard/steps/review.tsx';
import { openTerminal, type TerminalOptions } from '../../harness/terminal.ts';
import { launched } from './saved.ts';
import { sessionOf } from './setup-session.ts';

const { answers } = launched('shop');

async function open(t: TestContext, size: TerminalOptions = {}, made: readonly Created[] = []) {
  const done: string[] = [];
  const step = createElement(ReviewStep, {
    session: sessionOf(launched('shop', { made, run: undefined, step: 'review' })),
    onNext: () => done.push('next'),
    onBack: () => done.push('back'),
  });
  const terminal = await openTerminal(createElement(Screen, { title: 'Review', children: step }), size);
  t.after(() => terminal.close());
  return { terminal, done };
}

/** Everything that scrolling to the end brings to the screen. */
async function everything(terminal: Awaited<ReturnType<typeof open>>['terminal']): Promise<string> {
  const seen = [terminal.screen()];
  for (;;) {
    await terminal.press('pagedown');
    if (terminal.screen() === seen.at(-1)) return seen.join('\n');
    seen.push(terminal.screen());
  }
}

test('the plan says what is created where, how to undo it, and the same by hand', () => {
  const text = planText(answers).join('\n');
  assert.match(text, /source postgresql:\/\/app:\*{5}@db1:5432\/shop\n {2}\+ publication molt_fetch: for all tables/);
  assert.match(text, /\+ slot molt_slot: from here on nothing is missed/);
  assert.match(text, /\+ staging schema _replicator\.public: keeps the checkpoint; created unless it is there/);
  assert.match(text, /-- on the source\nSELECT pg_drop_replication_slot\('molt_slot'\);\nDROP PUBLICATION/);
  assert.match(text, /-- on the target\nDROP TABLE .*\nDROP SCHEMA "_replicator"/);
  assert.match(text, /replicator pglogical --sourceConn "\$SOURCE" --targetConn "\$TARGET"/);
});

test('what exists and is used is neither created nor undone', () => {
  const existing = {
    ...answers,
    publication: { name: 'theirs', create: false },
    slot: { name: 'theirs_too', create: false },
    tables: ['public.orders', 'public.lines'],
  };
  const { undo } = launchPlan(existing);
  assert.deepEqual(
    undo.map(({ side }) => side),
    ['target'],
  );
  const text = planText(existing).join('\n');
  assert.match(text, /= publication theirs: is there already and is used/);
  assert.match(text, /TABLES\n {2}public\.orders\n {2}public\.lines/);
});

test('the review can be read to its end, and Enter launches', async (t) => {
  const { terminal, done } = await open(t);
  assert.match(terminal.screen(), /Nothing has been created yet\. Enter launches\./);
  const text = await everything(terminal);
  assert.match(text, /WHAT WILL BE CREATED/);
  assert.match(text, /HOW TO UNDO IT/);
  assert.match(text, /replicator pglogical/);
  assert.match(text, /# every later one/);
  await terminal.press('return');
  assert.deepEqual(done, ['next']);
});

test('c copies the commands, u the undo script, neither with a secret', async (t) => {
  const { terminal, done } = await open(t);
  await terminal.press('c');
  await terminal.waitFor(/copied \d+ lines/);
  await terminal.press('u', 'escape');
  const copies = terminal
    .raw()
    .split('\u001b]52;c;')
    .slice(1)
    .map((rest) => atob(rest.slice(0, rest.indexOf('\u0007'))));
  assert.match(copies[0], /^# \$SOURCE: postgresql:\/\/app@db1:5432\/shop, with its password\n/);
  assert.match(copies[0], /replicator pglogical --sourceConn "\$SOURCE"/);
  assert.match(copies[1], /^-- on the source\nSELECT pg_drop_replication_slot/);
  assert.deepEqual(done, ['back']);
});

test('in a small window it is all there, by scrolling', async (t) => {
  const { terminal } = await open(t, { columns: 60, rows: 15 });
  assert.match(terminal.screen(), /keeps the\n {7}checkpoint; created/);
  assert.match(await everything(terminal), /# every later one/);
});

test('what a launch that was cut off has made is not denied', async (t) => {
  const { terminal } = await open(t, {}, launched('shop').made.slice(0, 1));
  assert.match(terminal.screen(), /There already: publication molt_fetch on the source\. Enter launches\./);
});
