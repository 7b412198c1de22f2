import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createElement, useState } from 'react';
import { Checklist, type ChecklistItem } from '../../../src/terminal/checklist.tsx';
import { useKeys } from '../../../src/terminal/key-bindings.tsx';
import { MultiSelect, type MultiSelectItem } from '../../../src/terminal/multi-select.tsx';
import { Screen, useBodySize } from '../../../src/terminal/screen.tsx';
import { Scroll } from '../../../src/terminal/scroll.tsx';
import { Select, type SelectItem } from '../../../src/terminal/select.tsx';
import { fitColumns, Table } from '../../../src/terminal/table.tsx';
import { openTerminal, type TerminalOptions } from '../../harness/terminal.ts';

const kinds: SelectItem[] = [
  { value: 'pg', label: 'PostgreSQL', hint: 'logical replication' },
  { value: 'my', label: 'MySQL', hint: 'binlog with GTIDs' },
  { value: 'ora', label: 'Oracle', disabled: 'comes later' },
  { value: 'crdb', label: 'CockroachDB' },
];

async function openSelect(options: { initial?: string; limit?: number } & TerminalOptions = {}) {
  const chosen: string[] = [];
  const highlighted: string[] = [];
  const digits: string[] = [];
  function Kinds() {
    useKeys([{ keys: ['1', '2', '3'], label: 'digit', run: () => digits.push('digit') }]);
    return createElement(Select, {
      ...{ items: kinds, focus: true, initial: options.initial, limit: options.limit },
      onSelect: (value) => chosen.push(value),
      onHighlight: (value) => highlighted.push(value),
    });
  }
  const terminal = await openTerminal(createElement(Screen, { title: 'Kind' }, createElement(Kinds)), options);
  return { terminal, chosen, highlighted, digits };
}

test('select: keys in one write choose what keys one by one choose', async () => {
  for (const atOnce of [true, false]) {
    const { terminal, chosen, highlighted } = await openSelect();
    const keys = ['down', 'down', 'down', 'return'];
    if (atOnce) await terminal.pressAtOnce(...keys);
    else await terminal.press(...keys);
    assert.deepEqual(chosen, ['crdb']);
    assert.deepEqual(highlighted, ['my', 'ora', 'crdb']);
    await terminal.close();
  }
});

test('select: digits choose nothing and are left to the screen', async () => {
  const { terminal, chosen, digits } = await openSelect();
  await terminal.press('1', '2', '4');
  assert.deepEqual([chosen, digits], [[], ['digit', 'digit']]);
  await terminal.close();
});

test('select: an item that cannot be chosen gives its reason', async () => {
  const { terminal, chosen } = await openSelect({ initial: 'ora' });
  assert.match(terminal.screen(), /❯ Oracle +– comes later/);
  await terminal.press('return');
  assert.match(terminal.screen(), /▲ Oracle: comes later/);
  assert.deepEqual(chosen, []);
  await terminal.close();
});

test('select: behind a dialog or the help it does not move', async () => {
  const { terminal, chosen } = await openSelect();
  await terminal.press('?', 'down', 'return', 'return');
  assert.deepEqual(chosen, ['pg']);
  await terminal.close();
});

test('select: with fewer lines than items the list turns under the cursor, and no line is lost', async () => {
  const { terminal, chosen } = await openSelect({ columns: 40, rows: 10, limit: 2 });
  assert.match(terminal.screen(), /PostgreSQL.*\n.*MySQL/);
  await terminal.press('down', 'down', 'down');
  assert.match(terminal.screen(), /Oracle.*\n ❯ CockroachDB/);
  await terminal.press('return');
  assert.deepEqual(chosen, ['crdb']);
  await terminal.close();
});

const tables = Array.from(
  { length: 5000 },
  (_, index): MultiSelectItem => ({
    value: `t${index}`,
    label: `${index % 2 === 0 ? 'shop' : 'Audit'}.orders_${index}`,
    columns: [`${index * 37}`],
    warning: index === 1 ? 'no key' : undefined,
  }),
);

async function openTables(options: TerminalOptions = {}) {
  const state = { selected: new Set<string>() as ReadonlySet<string>, submitted: 0 };
  function Tables() {
    const [selected, setSelected] = useState<ReadonlySet<string>>(new Set(['t1']));
    const { rows } = useBodySize();
    state.selected = selected;
    return createElement(MultiSelect, {
      ...{ items: tables, selected, focus: true, rows },
      onChange: setSelected,
      onSubmit: () => state.submitted++,
    });
  }
  const terminal = await openTerminal(createElement(Screen, { title: 'Tables' }, createElement(Tables)), options);
  return { terminal, state };
}

test('multi-select: choosing, filtering and going on among 5,000, in one write and one by one', async () => {
  const keys = [
    'space',
    'down',
    'space',
    '/',
    'o',
    'r',
    'd',
    'e',
    'r',
    's',
    '_',
    '4',
    '9',
    '9',
    '8',
    'return',
    'a',
    'return',
  ];
  for (const atOnce of [true, false]) {
    const { terminal, state } = await openTables();
    assert.match(terminal.screen(), /1 of 5,000 chosen/);
    assert.match(terminal.screen(), /\[✓\] Audit\.orders_1 .*▲ no key/);
    if (atOnce) await terminal.pressAtOnce(...keys);
    else await terminal.press(...keys);
    assert.deepEqual([...state.selected].sort(), ['t0', 't4998']);
    assert.equal(state.submitted, 1);
    assert.match(terminal.screen(), /\/orders_4998 {2}1 found/);
    await terminal.close();
  }
});

test('multi-select: the filter takes several words in any case, and the other way round', async () => {
  const { terminal, state } = await openTables();
  await terminal.press('/');
  await terminal.type('AUDIT 4999');
  assert.match(terminal.screen(), /1 found/);
  await terminal.press('escape', '/');
  await terminal.type('!audit');
  assert.match(terminal.screen(), /2,500 found/);
  await terminal.press('return', 'a');
  assert.equal(state.selected.size, 2501);
  await terminal.press('a');
  assert.deepEqual([...state.selected], ['t1']);
  await terminal.press('escape', '/');
  await terminal.type('nowhere');
  assert.match(terminal.screen(), /nothing is found/);
  await terminal.press('return', 'space', 'return');
  assert.equal(state.selected.size, 1);
  await terminal.close();
});

test('multi-select: in a narrow window the names stay readable, columns go', async () => {
  const wide = [{ value: 'a', label: 'warehouse.order_lines', columns: ['12,345 rows', '41.2 GB'] }];
  for (const [columns, shown] of [
    [40, /warehouse\.order_lines$/m],
    [60, /warehouse\.order_lines {2}12,345 rows {2}41\.2 GB$/m],
  ] as const) {
    const list = createElement(MultiSelect, {
      ...{ items: wide, selected: new Set<string>(), focus: true, rows: 5 },
      onChange: () => {},
      onSubmit: () => {},
    });
    const terminal = await openTerminal(createElement(Screen, { title: 'Tables' }, list), { columns, rows: 12 });
    assert.match(terminal.screen(), shown);
    await terminal.close();
  }
});

test('multi-select: the end of the list is one key away, and a key is answered quickly', async () => {
  const { terminal, state } = await openTables({ columns: 40, rows: 10 });
  await terminal.press('end', 'space');
  assert.ok(state.selected.has('t4999'));
  assert.match(terminal.screen(), /❯ \[✓\] Audit\.orders_4999/);
  await terminal.press('pageup');
  assert.match(terminal.screen(), /❯ \[ \] shop\.orders_4994|❯ \[ \] Audit\.orders_4993/);
  const start = performance.now();
  await terminal.press(...Array<string>(20).fill('up'));
  const each = (performance.now() - start) / 20;
  assert.ok(each < 100, `${each.toFixed(0)} ms a key`);
  await terminal.close();
});

test('checklist: a line each with sign, word and finding, around the selected one', async () => {
  const states = ['passed', 'failed', 'advisory', 'skipped', 'waiting'] as const;
  const items = states.map(
    (state): ChecklistItem => ({ id: state, title: `check ${state}`, state, found: `found ${state}` }),
  );
  const whole = await openTerminal(
    createElement(Screen, { title: 'Checks' }, createElement(Checklist, { items, selected: 1, rows: 10 })),
  );
  assert.match(whole.screen(), /✓ check passed +found passed/);
  assert.match(whole.screen(), /❯ ✗ check failed +failed {2}found failed/);
  assert.match(whole.screen(), /▲ check advisory +advice {2}found advisory/);
  assert.match(whole.screen(), /– check skipped +skipped {2}found skipped/);
  await whole.close();
  const part = await openTerminal(
    createElement(Screen, { title: 'Checks' }, createElement(Checklist, { items, selected: 4, rows: 2 })),
  );
  assert.doesNotMatch(part.screen(), /check passed|check failed|check advisory/);
  assert.match(part.screen(), /check skipped.*\n.*❯ ○ check waiting/);
  await part.close();
});

test('table: columns leave by their priority, the first keeps its names readable', async () => {
  const columns = [
    { title: 'table', width: 12 },
    { title: 'upserts', width: 9, align: 'right' as const },
    { title: 'lag', width: 8, align: 'right' as const, priority: 1 },
    { title: 'errors', width: 7, align: 'right' as const, priority: 2 },
  ];
  assert.deepEqual(fitColumns(columns, 80, 20), { shown: [0, 1, 2, 3], firstWidth: 20 });
  assert.deepEqual(fitColumns(columns, 36, 20), { shown: [0, 1, 2], firstWidth: 15 });
  assert.deepEqual(fitColumns(columns, 25, 20), { shown: [0, 1], firstWidth: 14 });
  assert.deepEqual(fitColumns(columns, 10, 20), { shown: [0, 1], firstWidth: 4 });

  const rows = Array.from({ length: 300 }, (_, index) => [`shop.t${index}`, `${index}`, '1 s', '0']);
  const terminal = await openTerminal(
    createElement(Screen, { title: 'Tables' }, createElement(Table, { columns, rows, height: 5, selected: 299 })),
    { columns: 40, rows: 10 },
  );
  assert.match(terminal.screen(), /^ {3}table +upserts +lag$/m);
  assert.match(terminal.screen(), /shop\.t296 +296 +1 s\n.*t297.*\n.*t298.*\n ❯ shop\.t299 +299 +1 s$/m);
  assert.doesNotMatch(terminal.screen(), /t295|errors/);
  await terminal.close();
});

test('scroll: moves, folds long lines, finds, and stays at the end while lines come', async () => {
  const lines = Array.from({ length: 200 }, (_, index) => `line ${index} ${index % 50 === 10 ? 'ERROR here' : ''}`);
  const terminal = await openTerminal(
    createElement(Screen, { title: 'Log' }, createElement(Scroll, { text: lines, rows: 10, focus: true })),
  );
  assert.match(terminal.screen(), /1-9 of 200/);
  await terminal.press('pagedown', 'down');
  assert.match(terminal.screen(), /10-18 of 200/);
  await terminal.press('end');
  assert.match(terminal.screen(), /line 199/);
  await terminal.press('home', '/');
  await terminal.type('error');
  await terminal.press('return');
  assert.match(terminal.screen(), /11-19 of 200 {3}\/error {2}4 found/);
  await terminal.press('n');
  assert.match(terminal.screen(), /61-69 of 200/);
  await terminal.press('N', 'N');
  assert.match(terminal.screen(), /161-169 of 200/);
  await terminal.close();

  const long = await openTerminal(
    createElement(
      Screen,
      { title: 'Log' },
      createElement(Scroll, { text: `${'a'.repeat(90)}\x1b[2J!\nb`, rows: 10, focus: true }),
    ),
  );
  assert.match(long.screen(), /^ a{78}\n a{12}!\n b$/m);
  await long.close();

  let add = () => {};
  function Growing() {
    const [count, setCount] = useState(30);
    add = () => setCount((now) => now + 1);
    const text = Array.from({ length: count }, (_, index) => `line ${index}.`);
    return createElement(Scroll, { text, rows: 10, focus: true, follow: true });
  }
  const growing = await openTerminal(createElement(Screen, { title: 'Log' }, createElement(Growing)));
  assert.match(growing.screen(), /line 29\./);
  add();
  await growing.waitFor('line 30.');
  await growing.press('up');
  add();
  await growing.waitFor('of 32');
  assert.doesNotMatch(growing.screen(), /line 31\./);
  await growing.press('end');
  add();
  await growing.waitFor('line 32.');
  await growing.close();
});
