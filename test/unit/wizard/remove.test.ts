import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createElement } from 'react';
import { OperatorError } from '../../../src/errors.ts';
import type { Created } from '../../../src/sessions/replication.ts';
import { Remove, type RemoveProps } from '../../../src/wizard/remove.tsx';
import { openTerminal, type TerminalOptions } from '../../harness/terminal.ts';
import { launched } from './saved.ts';

async function open(t: TestContext, change: Partial<RemoveProps> = {}, size: TerminalOptions = {}) {
  const done: string[] = [];
  const props: RemoveProps = {
    replication: launched('shop'),
    running: false,
    stop: async () => {
      done.push('stop');
      return { at: '', how: 'stopped' };
    },
    retire: async (drops: readonly Created[]) => {
      done.push(`retire ${drops.map(({ what, name }) => `${what} ${name}`).join(', ')}`);
    },
    onRemoved: (news) => done.push(news),
    onLeave: () => done.push('leave'),
    ...change,
  };
  const terminal = await openTerminal(createElement(Remove, props), size);
  t.after(() => terminal.close());
  return { terminal, done };
}

test('it says what stays behind where, and what happens when it stays', async (t) => {
  const { terminal, done } = await open(t);
  const screen = terminal.screen();
  assert.match(screen, /❯ \[ \] slot molt_slot on the source: stays/);
  assert.match(screen, /the source keeps all its log for it,\s+until the\s+source's disk is full/);
  assert.match(screen, /\[ \] publication molt_fetch on the source: stays/);
  assert.match(screen, /\[ \] staging schema _replicator\.public on the target: stays/);
  assert.match(screen, /holds the checkpoint\. Once dropped, this\s+replication\s+can\s+never\s+be\s+resumed/);
  await terminal.press('escape');
  assert.deepEqual(done, ['leave']);
});

test('keeping everything asks once, with the harmless answer first', async (t) => {
  const { terminal, done } = await open(t);
  await terminal.press('return');
  const screen = await terminal.waitFor('Forget shop and leave');
  assert.match(screen, /Nobody will read slot molt_slot any more/);
  await terminal.press('return');
  assert.deepEqual(done, [], 'Enter alone keeps it');
  await terminal.press('return', 'right', 'return');
  assert.deepEqual(done, [
    'retire ',
    'shop is forgotten; left slot molt_slot on the source, publication molt_fetch on the source, staging schema _replicator.public on the target',
  ]);
});

test('dropping asks for the name to be typed', async (t) => {
  const { terminal, done } = await open(t);
  await terminal.press('space', 'down', 'space', 'return');
  const screen = await terminal.waitFor('Drop slot molt_slot, publication molt_fetch');
  assert.match(screen, /cannot be undone/);
  await terminal.press('return');
  await terminal.type('sho');
  await terminal.press('return');
  assert.match(terminal.screen(), /that is not shop/);
  assert.deepEqual(done, []);
  await terminal.type('p');
  await terminal.press('return');
  assert.deepEqual(done, [
    'retire slot molt_slot, publication molt_fetch',
    'shop is forgotten; dropped slot molt_slot, publication molt_fetch; left staging schema _replicator.public on the target',
  ]);
});

test('what runs is stopped first, after a question', async (t) => {
  const { terminal, done } = await open(t, { running: true });
  await terminal.waitFor('shop is running. Stop it?');
  await terminal.press('right', 'return');
  await terminal.waitFor('slot molt_slot on the source: stays');
  assert.deepEqual(done, ['stop']);
});

test('what runs is left alone when the answer is no', async (t) => {
  const { terminal, done } = await open(t, { running: true });
  await terminal.waitFor('shop is running. Stop it?');
  await terminal.press('return');
  assert.deepEqual(done, ['leave']);
});

test('a failure says what it is, and one can choose again', async (t) => {
  const { terminal, done } = await open(t, {
    retire: async () => {
      throw new OperatorError('PG_SLOT_ACTIVE', 'replication slot molt_slot is in use by another connection', {
        fix: 'Stop the other reader',
      });
    },
  });
  await terminal.press('space', 'return');
  await terminal.waitFor('Drop slot');
  await terminal.type('shop');
  await terminal.press('return');
  const screen = await terminal.waitFor('Not everything could be dropped');
  assert.match(screen, /molt_slot is in use by another connection \(PG_SLOT_ACTIVE\)/);
  await terminal.press('return');
  await terminal.waitFor('[✓] slot molt_slot on the source: will be dropped');
  assert.deepEqual(done, []);
});

test('an unfinished setup that created nothing says so', async (t) => {
  const draft = launched('draft', { made: [], run: undefined, step: 'tables' });
  const { terminal, done } = await open(t, { replication: draft });
  await terminal.waitFor('Nothing was created for draft on either server');
  await terminal.press('return');
  await terminal.waitFor('Forget draft?');
  await terminal.press('y');
  assert.deepEqual(done, ['retire ', 'draft is forgotten']);
});

test('things that were used but not made are named as such', async (t) => {
  const base = launched('shop');
  const replication = launched('shop', {
    answers: { ...base.answers, slot: { name: 'theirs', create: false } },
    made: base.made.filter(({ what }) => what !== 'slot'),
  });
  const { terminal } = await open(t, { replication });
  assert.match(terminal.screen(), /slot theirs on the source: stays\n +Not made by this program\. If it stays: while/);
});

test('in a small window the list still fits', async (t) => {
  const { terminal } = await open(t, {}, { columns: 60, rows: 15 });
  assert.match(terminal.screen(), /slot molt_slot/);
  assert.match(terminal.screen(), /staging schema _replicator\.public/);
});

test('of a MySQL source the staging schema and the script of its tables stay behind', async (t) => {
  const script = '/state/scripts/shop/table_filter.ts';
  const at = '2026-11-20T10:05:00.000Z';
  const replication = launched('shop', {
    answers: {
      kind: 'mylogical',
      source: { display: 'mysql://app:*****@db1:3306/shop' },
      target: { display: 'postgresql://root@crdb:26257/defaultdb' },
      tables: ['shop.orders'],
      startSet: '77263736-7899-11f0-81a5-0242ac120002:1-38',
      script,
      targetSchema: 'defaultdb.public',
    },
    made: [
      { what: 'script', side: 'here', name: script, at },
      { what: 'staging schema', side: 'target', name: '_replicator.public', at },
    ],
  });
  const { terminal, done } = await open(t, { replication });
  assert.match(terminal.screen(), /\[ \] script \/state\/scripts\/shop\/table_filter\.ts on this machine: stays/);
  assert.match(terminal.screen(), /\[ \] staging schema _replicator\.public on the target: stays/);
  assert.doesNotMatch(terminal.screen(), /slot|publication|Not made by/);
  await terminal.press('space', 'return');
  await terminal.waitFor('Drop script');
  await terminal.type('shop');
  await terminal.press('return');
  assert.match(done.join(), /retire script \/state\/scripts\/shop\/table_filter\.ts/);
});
