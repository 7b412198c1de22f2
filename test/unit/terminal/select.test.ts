import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createElement } from 'react';
import { Screen } from '../../../src/terminal/screen.tsx';
import { Select } from '../../../src/terminal/select.tsx';
import { openTerminal } from '../../harness/terminal.ts';

const items = [
  { value: 'pg', label: 'PostgreSQL', hint: 'logical replication' },
  { value: 'my', label: 'MySQL', hint: 'binlog with GTIDs' },
  { value: 'ora', label: 'Oracle', disabled: 'comes later' },
  { value: 'crdb', label: 'CockroachDB', hint: 'changefeed' },
];

test('keys in one write choose what keys one by one choose', async () => {
  for (const atOnce of [true, false]) {
    const chosen: string[] = [];
    const terminal = await openTerminal(
      createElement(
        Screen,
        {
          title: 'New replication',
          status: 'not saved',
          trail: ['kind', 'source', 'checks', 'tables', 'target', 'options', 'review', 'launch'],
          current: 1,
        },
        createElement(Select, { items, onSelect: (value) => chosen.push(value), focus: true }),
      ),
    );
    const keys = ['down', 'down', 'down', 'return'];
    if (atOnce) await terminal.pressAtOnce(...keys);
    else await terminal.press(...keys);
    assert.deepEqual(chosen, ['crdb']);
    await terminal.press('?');
    await terminal.press('escape', ':');
    await terminal.press('m');
    await terminal.close();
  }
});
