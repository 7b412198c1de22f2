import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Box, Text } from 'ink';
import { createElement, useState } from 'react';
import { Confirm } from '../../../src/terminal/confirm.tsx';
import { useKeys } from '../../../src/terminal/key-bindings.tsx';
import { Line } from '../../../src/terminal/line.tsx';
import { Screen, useBodySize } from '../../../src/terminal/screen.tsx';
import { Busy } from '../../../src/terminal/spinner.tsx';
import { useToast } from '../../../src/terminal/toast.tsx';
import { openTerminal } from '../../harness/terminal.ts';

const TRAIL = ['kind', 'source', 'checks', 'tables', 'target', 'options', 'review', 'launch'];
const SIZES = [
  [80, 24],
  [60, 15],
  [40, 10],
  [120, 40],
] as const;

/** A body that fills its room, with keys of its own. */
function Filled() {
  const { columns, rows } = useBodySize();
  const tell = useToast();
  const [asked, setAsked] = useState(false);
  const [count, setCount] = useState(0);
  useKeys([
    { keys: ['+'], label: 'count', run: () => setCount(count + 1) },
    { keys: ['s'], label: 'stop', run: () => setAsked(true) },
    { keys: ['t'], label: 'tell', run: () => tell('it is told', 'success') },
    { keys: ['d'], label: 'drop', disabled: 'it is running', run: () => setCount(-1) },
    { keys: ['z'], label: 'throw', run: () => fail() },
  ]);
  return createElement(
    Box,
    { flexDirection: 'column' },
    ...Array.from({ length: rows }, (_, row) =>
      createElement(Line, { key: row }, `${row === 0 ? `count ${count}` : `row ${row}`} `.padEnd(columns, '.')),
    ),
    asked
      ? createElement(Confirm, {
          question: 'Stop it?',
          yes: 'Stop it',
          no: 'Leave it',
          onAnswer: () => setAsked(false),
        })
      : null,
  );
}

function fail(): never {
  throw new Error('a key has failed');
}

function screen() {
  return createElement(
    Screen,
    { title: 'New replication', trail: TRAIL, current: 2, status: 'saved' },
    createElement(Filled),
  );
}

test('header, body and footer are complete at every size, and nothing is wider or higher than the window', async () => {
  for (const [columns, rows] of SIZES) {
    const terminal = await openTerminal(screen(), { columns, rows });
    const lines = terminal.screen().split('\n');
    assert.ok(lines.length <= rows && lines.length >= rows - 1, `${columns}x${rows}`);
    assert.ok(lines.every((line) => line.length <= columns));
    assert.match(lines[0], /^ New replication .*saved$/);
    assert.match(terminal.screen(), columns >= 80 ? /✓ source {2}● checks {2}○ tables/ : /checks/);
    assert.match(lines.at(-1)!, /\? help$/);
    const body = lines.filter((line) => /^ (?:count|row) /.test(line));
    assert.deepEqual(
      body.map((line) => line.split('.')[0]),
      body.map((_, row) => (row === 0 ? ' count 0 ' : ` row ${row} `)),
    );
    assert.equal(body.at(-1)!.length, columns - 1);
    await terminal.close();
  }
});

test('below 40x10 it says so, and keeps what there was', async () => {
  const terminal = await openTerminal(screen());
  await terminal.press('+', '+');
  await terminal.resize(39, 9);
  assert.match(terminal.screen(), /terminal too small\n.*39x9, needs 40x10/);
  assert.doesNotMatch(terminal.screen(), /row/);
  await terminal.resize(80, 24);
  assert.match(terminal.screen(), /count 2/);
  await terminal.close();
});

test('after a change of size the screen is that of a terminal which had it from the start', async () => {
  for (const [columns, rows] of SIZES) {
    for (const [toColumns, toRows] of SIZES) {
      const terminal = await openTerminal(screen(), { columns, rows });
      await terminal.resize(toColumns, toRows);
      const fresh = await openTerminal(screen(), { columns: toColumns, rows: toRows });
      assert.equal(terminal.screen(), fresh.screen(), `${columns}x${rows} to ${toColumns}x${toRows}`);
      await terminal.close();
      await fresh.close();
    }
  }
});

test('lines that do not fit are cut off at the end; none in between is left out', async () => {
  const lines = Array.from({ length: 60 }, (_, index) => createElement(Line, { key: index }, `line ${index}.`));
  const body = createElement(Box, { flexDirection: 'column', height: 8 }, ...lines);
  const terminal = await openTerminal(createElement(Screen, { title: 'Many' }, body), { columns: 40, rows: 10 });
  const shown = terminal.screen().match(/line \d+\./g);
  assert.deepEqual(shown, ['line 0.', 'line 1.', 'line 2.', 'line 3.', 'line 4.', 'line 5.', 'line 6.', 'line 7.']);
  assert.match(terminal.screen(), /\? help$/);
  await terminal.close();
});

test('help and menu are made of the keys that can be pressed', async () => {
  const terminal = await openTerminal(screen());
  await terminal.press('?');
  assert.match(terminal.screen(), /Keys: New replication/);
  for (const key of [/\+ +count/, /s +stop/, /d +drop \(it is running\)/, /\^C +quit at once/]) {
    assert.match(terminal.screen(), key);
  }
  await terminal.press('+', 'escape');
  assert.match(terminal.screen(), /count 0/);
  assert.doesNotMatch(terminal.screen(), /Keys/);

  await terminal.press(':');
  await terminal.type('cou');
  assert.match(terminal.screen(), /❯ count/);
  assert.doesNotMatch(terminal.screen(), /tell/);
  await terminal.press('return');
  assert.match(terminal.screen(), /count 1/);
  await terminal.press('ctrl+p', 'x', 'x', 'return', 'escape');
  assert.match(terminal.screen(), /count 1/);
  await terminal.close();
});

test('a key that cannot be used says why', async () => {
  const terminal = await openTerminal(screen());
  await terminal.press('d');
  assert.match(terminal.screen(), /▲ it is running/);
  await terminal.close();
});

test('what is told appears between body and footer, moves nothing, and goes after four seconds', async () => {
  for (const [columns, rows] of SIZES) {
    const terminal = await openTerminal(screen(), { columns, rows });
    const before = terminal.screen();
    await terminal.press('t');
    const unlike = terminal
      .screen()
      .split('\n')
      .filter((line, row) => line !== before.split('\n')[row]);
    assert.deepEqual(unlike, [' ✓ it is told']);
    if (rows === 24) {
      await terminal.waitFor((shown) => shown === before, 8000);
    }
    await terminal.close();
  }
});

test('a dialog is in front of the body, has the keys, and gives them back', async () => {
  const terminal = await openTerminal(screen());
  await terminal.press('s', '+');
  assert.match(terminal.screen(), /│ Stop it\? +│/);
  assert.match(terminal.screen(), /❯ Leave it/);
  assert.match(terminal.screen(), /esc leave it$/);
  assert.match(terminal.screen(), /row 1 /);
  await terminal.press('return', '+');
  assert.doesNotMatch(terminal.screen(), /Stop it\?/);
  assert.match(terminal.screen(), /count 1/);
  await terminal.close();
});

test('Ctrl-C asks to leave, in a dialog and in the menu too', async () => {
  const terminal = await openTerminal(screen());
  await terminal.press('ctrl+c', 's', 'ctrl+c', 'escape', ':', 'ctrl+c');
  assert.equal(terminal.interrupts(), 3);
  await terminal.close();
});

test('a screen that fails says what runs on, and is drawn again or left', async () => {
  const terminal = await openTerminal(screen());
  await terminal.press('z');
  assert.match(terminal.screen(), /a key has failed/);
  assert.match(terminal.screen(), /runs on|goes on running/);
  await terminal.press('r');
  assert.match(terminal.screen(), /count 0/);
  await terminal.press('z', 'q');
  await assert.rejects(terminal.ended, /a key has failed/);
  await terminal.close();
});

test('after the first frame nothing is cleared as a whole, and what stands still costs nothing', async () => {
  const terminal = await openTerminal(screen(), { columns: 120, rows: 40 });
  const start = terminal.raw().length;
  await terminal.press('+', '?', 'escape', 's', 'escape', ':', 'escape', 't');
  const written = terminal.raw().slice(start);
  for (const clear of ['\x1b[2J', '\x1b[3J', '\x1b[H\x1b[J', '\x1b[1;1H\x1b[J']) assert.ok(!written.includes(clear));
  const before = terminal.raw().length;
  await terminal.press('+');
  assert.ok(terminal.raw().length - before < 400, `${terminal.raw().length - before} characters for one digit`);
  const still = terminal.raw().length;
  await terminal.press('f1');
  assert.equal(terminal.raw().length, still);
  await terminal.close();
});

test('without colours and beyond ASCII nothing is lost', async () => {
  const terminal = await openTerminal(screen(), { env: { NO_COLOR: '1', LANG: 'C' } });
  await terminal.press('s', 't');
  assert.match(terminal.screen(), /^[\n\x20-\x7e]*$/);
  assert.match(terminal.screen(), /\+ kind {2}\+ source {2}\* checks {2}\. tables/);
  for (const color of [31, 32, 33, 36, 90]) assert.ok(!terminal.raw().includes(`\x1b[${color}m`));
  const coloured = await openTerminal(screen());
  assert.ok(coloured.raw().includes('\x1b[36m'));
  await terminal.close();
  await coloured.close();
});

test('whatever is pressed, the screen keeps its header, its footer and its width', async () => {
  const keys = [
    '+',
    's',
    't',
    'd',
    '?',
    ':',
    'escape',
    'return',
    'tab',
    'up',
    'down',
    'left',
    'x',
    'y',
    'n',
    'backspace',
    'ctrl+p',
    'ctrl+l',
    'home',
    'f1',
  ];
  let seed = 20261123;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * below);
  };
  const terminal = await openTerminal(screen(), { columns: 60, rows: 15 });
  for (let press = 0; press < 60; press++) {
    const some = Array.from({ length: 5 }, () => keys[random(keys.length)]);
    await terminal.pressAtOnce(...some);
    const lines = terminal.screen().split('\n');
    assert.ok(lines[0].startsWith(' New replication'), `${some}:\n${lines.join('\n')}`);
    assert.ok(lines.length <= 15 && lines.every((line) => line.length <= 60));
    assert.match(lines.at(-1)!, /help|close|answer|told|running/, `${some}:\n${lines.join('\n')}`);
  }
  await terminal.close();
});

test('a screen reader gets lines, no frames and nothing that moves', async () => {
  const env = { INSTAR_SCREEN_READER: '1', LANG: 'C.UTF-8' };
  const body = createElement(
    Box,
    { flexDirection: 'column' },
    createElement(Busy, { label: 'looks' }),
    createElement(Text, null, 'the end'),
  );
  const terminal = await openTerminal(createElement(Screen, { title: 'Checks', trail: TRAIL, current: 2 }, body), {
    env,
  });
  const shown = terminal.screen();
  assert.match(shown, /^Checks\nstep 3 of 8: checks\nworking: looks\nthe end\n/);
  assert.doesNotMatch(shown, /[─│╭╰]/);
  assert.equal(terminal.emulator.buffer.active.type, 'normal');
  await terminal.close();
});
