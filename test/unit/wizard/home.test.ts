import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createElement } from 'react';
import type { Reading } from '../../../src/dashboard/reading.ts';
import type { Replication } from '../../../src/sessions/replication.ts';
import type { State } from '../../../src/sessions/state.ts';
import { around, Home, type HomeProps } from '../../../src/wizard/home.tsx';
import { openTerminal, type TerminalOptions } from '../../harness/terminal.ts';
import { launched, reading } from './saved.ts';

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3600_000).toISOString();

const SAVED: readonly [Replication, State][] = [
  [launched('shop'), 'running'],
  [
    launched('orders', {
      ending: { at: hoursAgo(3), how: 'stopped' },
      seen: { at: hoursAgo(3), checkpoint: '0/AA', lagBytes: 1_200_000_000 },
    }),
    'stopped',
  ],
  [
    launched('billing', {
      ending: {
        at: hoursAgo(50),
        how: 'failed',
        code: 'PG_SLOT_LOST',
        message: 'the source gave up replication slot molt_slot',
      },
    }),
    'crashed',
  ],
  [launched('draft', { answers: {}, made: [], run: undefined, step: 'tables', created: hoursAgo(1) }), 'unfinished'],
];

async function open(t: TestContext, change: Partial<HomeProps> = {}, options: TerminalOptions = {}) {
  const pressed: string[] = [];
  const note = (what: string) => (name?: string) => pressed.push(name === undefined ? what : `${what} ${name}`);
  const props: HomeProps = {
    look: () => SAVED.map(([replication, state]) => ({ replication, state })),
    problem: () => undefined,
    read: async () => reading(),
    onResume: note('resume'),
    onNew: note('new'),
    onWatch: note('watch'),
    onEdit: note('edit'),
    onRemove: note('remove'),
    onLeave: note('leave'),
    ...change,
  };
  const terminal = await openTerminal(createElement(Home, props), options);
  t.after(() => terminal.close());
  return { terminal, pressed };
}

test('each saved replication shows from where to where, its state, lag, checkpoint, and since when', async (t) => {
  const { terminal } = await open(t);
  const screen = await terminal.waitFor('following, 350 ms');
  assert.match(screen, /❯ shop +● running, for 2 h/);
  assert.match(screen, /app@db1:5432\/shop → root@crdb:26257\/defaultdb/);
  assert.match(screen, /following, 350 ms; checkpoint 0\/167A2F8/);
  assert.match(screen, /orders +○ stopped, 3 h ago/);
  assert.match(screen, /was 1\.20 GB behind; checkpoint 0\/AA/);
  assert.match(screen, /billing +✗ crashed, 2 d ago/);
  assert.match(screen, /PG_SLOT_LOST: the source gave up replication slot molt_slot/);
  assert.match(screen, /draft +▲ setup unfinished, 1 h ago\n.*\n +stopped at tables; nothing has been created/);
});

test('Enter or r resumes or attaches at once', async (t) => {
  const { terminal, pressed } = await open(t);
  assert.match(terminal.screen(), /enter attach/);
  await terminal.press('return', 'down');
  assert.match(terminal.screen(), /enter resume/);
  await terminal.press('r', 'down', 'down', 'return');
  assert.match(terminal.screen(), /enter continue the setup/);
  assert.deepEqual(pressed, ['resume shop', 'resume orders', 'resume draft']);
});

test('one key each for new, watch, options, remove and leaving', async (t) => {
  const { terminal, pressed } = await open(t);
  await terminal.press('n', 'w', 'e', 'x', 'q');
  assert.deepEqual(pressed, ['new', 'watch shop', 'edit shop', 'remove shop', 'leave']);
});

test('keys in one chunk do what they would do one by one', async (t) => {
  const { terminal, pressed } = await open(t);
  await terminal.pressAtOnce('down', 'down', 'return');
  assert.deepEqual(pressed, ['resume billing']);
});

test('what does not run cannot be watched, and an unfinished setup has no options to edit', async (t) => {
  const { terminal, pressed } = await open(t);
  await terminal.press('down', 'w');
  assert.match(terminal.screen(), /nothing to watch: it does not run/);
  await terminal.press('down', 'down', 'e');
  assert.match(terminal.screen(), /its setup asks for everything/);
  assert.deepEqual(pressed, []);
});

test('an engine that does not answer is told so', async (t) => {
  const { terminal } = await open(t, { read: () => Promise.reject(new Error('refused')) });
  await terminal.waitFor('its engine does not answer');
});

test('a paused engine is not called running', async (t) => {
  const { terminal } = await open(t, { read: async (): Promise<Reading> => reading({ paused: true }) });
  await terminal.waitFor(/▲ paused, for 2 h/);
});

test('a damaged store is told of, and what has just happened', async (t) => {
  const { terminal } = await open(t, {
    look: () => [],
    problem: () => 'what was saved of shop cannot be read; it was set aside as shop.json.damaged',
    news: { kind: 'success', title: 'orders is forgotten', text: 'dropped slot molt_slot' },
  });
  assert.match(terminal.screen(), /▲ Warning {2}Some of what was saved cannot be used\n.*shop\.json\.damaged/);
  assert.match(terminal.screen(), /✓ Done {2}orders is forgotten\n +dropped slot molt_slot/);
  await terminal.press('return');
  assert.match(terminal.screen(), /there is none yet/);
});

test('in a small window the selected one is always in sight, whole', async (t) => {
  const { terminal } = await open(t, {}, { columns: 60, rows: 15 });
  await terminal.waitFor('following, 350 ms');
  assert.match(terminal.screen(), /❯ shop/);
  await terminal.press('down', 'down');
  assert.match(terminal.screen(), /❯ billing +✗ crashed, 2 d ago/);
  assert.match(terminal.screen(), /PG_SLOT_LOST/);
  await terminal.press('down');
  assert.match(terminal.screen(), /❯ draft +▲ setup unfinished/);
  await terminal.resize(80, 24);
  assert.match(terminal.screen(), /shop.*orders.*billing.*❯ draft/s);
});

test('without colour and without Unicode everything is still told', async (t) => {
  const env = { TERM: 'xterm', LANG: 'C', NO_COLOR: '1' };
  const { terminal } = await open(t, {}, { env });
  await terminal.waitFor('following, 350 ms');
  assert.match(terminal.screen(), /> shop +\* running/);
  assert.match(terminal.screen(), /x crashed/);
  for (const colour of [31, 32, 33, 36, 90]) assert.ok(!terminal.raw().includes(`\u001b[${colour}m`));
});

test('neighbours of the selected are shown as far as they fit', () => {
  assert.deepEqual(around([4, 4, 4], 0, 20), [0, 3]);
  assert.deepEqual(around([4, 4, 4], 2, 8), [1, 3]);
  assert.deepEqual(around([4, 5, 4], 1, 5), [1, 2]);
  assert.deepEqual(around([4, 5, 4], 1, 9), [1, 3]);
  assert.deepEqual(around([], 0, 9), [0, 0]);
});

test('a MySQL source is told of by its transactions, its GTID set short enough to be read', async (t) => {
  const uuid = '77263736-7899-11f0-81a5-0242ac120002';
  const mysql = launched('shop', {
    answers: {
      kind: 'mylogical',
      source: { display: 'mysql://app:*****@db1:3306/shop' },
      target: { display: 'postgresql://root@crdb:26257/defaultdb' },
    },
    ending: { at: new Date(Date.now() - 3 * 3_600_000).toISOString(), how: 'stopped' },
    seen: { at: '', checkpoint: `${uuid}:1-1234567,aaaaaaaa-7899-11f0-81a5-0242ac120002:1-5`, lagTransactions: 12 },
  });
  const { terminal } = await open(t, { look: () => [{ replication: mysql, state: 'stopped' }] });
  assert.match(terminal.screen(), /app@db1:3306\/shop → root@crdb/);
  assert.match(terminal.screen(), /was 12 transactions behind; checkpoint 77263736…:1-1234567,aaaaaaaa…:1-5/);
});
