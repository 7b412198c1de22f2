import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createElement, type ReactNode } from 'react';
import { bar } from '../../../src/terminal/bar.ts';
import { clipboardSequence } from '../../../src/terminal/clipboard.ts';
import { Choice, Confirm, TypedConfirm } from '../../../src/terminal/confirm.tsx';
import { Notice } from '../../../src/terminal/notice.tsx';
import { foldWords } from '../../../src/terminal/prose.tsx';
import { Screen } from '../../../src/terminal/screen.tsx';
import { sparkline } from '../../../src/terminal/sparkline.ts';
import { themeFrom } from '../../../src/terminal/theme.ts';
import { openTerminal } from '../../harness/terminal.ts';

/** What `dialog` answers to `keys`, pressed in one write. */
async function answers<T>(dialog: (onAnswer: (answer: T) => void) => ReactNode, ...keys: string[]): Promise<T[]> {
  const given: T[] = [];
  const terminal = await openTerminal(
    createElement(
      Screen,
      { title: 'Asked' },
      dialog((answer) => given.push(answer)),
    ),
  );
  await terminal.pressAtOnce(...keys);
  await terminal.close();
  return given;
}

const stop = (onAnswer: (answer: boolean) => void) =>
  createElement(Confirm, {
    question: 'Stop it?',
    detail: 'It resumes.',
    yes: 'Stop it',
    no: 'Leave it running',
    onAnswer,
  });
const drop = (onAnswer: (answer: boolean) => void) =>
  createElement(TypedConfirm, { question: 'Drop the slot?', name: 'molt_slot', onAnswer });

test('a question is answered with the harmless answer unless another is chosen', async () => {
  assert.deepEqual(await answers(stop, 'return'), [false]);
  assert.deepEqual(await answers(stop, 'right', 'return'), [true]);
  assert.deepEqual(await answers(stop, 'tab', 'tab', 'return'), [false]);
  assert.deepEqual(await answers(stop, 'y'), [true]);
  assert.deepEqual(await answers(stop, 'n'), [false]);
  assert.deepEqual(await answers(stop, 'q', 'space', 'escape'), [false]);
});

test('what cannot be undone needs its name typed', async () => {
  assert.deepEqual(await answers(drop, 'return', 'y', 'return'), []);
  assert.deepEqual(await answers(drop, ...'molt_slo', 'return'), []);
  assert.deepEqual(await answers(drop, ...'molt_slot', 'return'), [true]);
  assert.deepEqual(await answers(drop, ...'molt_slot', 'escape'), [false]);
});

test('a wrong name is told', async () => {
  const terminal = await openTerminal(
    createElement(
      Screen,
      { title: 'Asked' },
      drop(() => {}),
    ),
    { columns: 40, rows: 10 },
  );
  await terminal.press('x', 'return');
  assert.match(terminal.screen(), /✗ that is not molt_slot/);
  await terminal.close();
});

test('a long explanation leaves the answers on a small screen, and says that there is more', async () => {
  const detail = 'Rows that were changed since then are missing on the target. '.repeat(12);
  const long = createElement(Confirm, { question: 'Go on without them?', detail, onAnswer: () => {} });
  for (const [columns, rows] of [
    [40, 10],
    [80, 24],
  ]) {
    const terminal = await openTerminal(createElement(Screen, { title: 'Asked' }, long), { columns, rows });
    assert.match(terminal.screen(), /^ Asked$/m);
    assert.match(terminal.screen(), /❯ No +Yes/);
    assert.match(terminal.screen(), rows === 10 ? /\(more in a larger window\)/ : /on the target\./);
    assert.match(terminal.screen(), /esc no$/);
    await terminal.close();
  }
});

test('of several answers one is chosen, or none', async () => {
  const items = [
    { value: 'a', label: 'Use it' },
    { value: 'b', label: 'Another name' },
  ];
  const choice = (onAnswer: (answer: string | undefined) => void) =>
    createElement(Choice, { question: 'It exists already', items, onAnswer });
  assert.deepEqual(await answers(choice, 'down', 'return'), ['b']);
  assert.deepEqual(await answers(choice, 'down', 'escape'), [undefined]);
});

test('sentences are folded between words', () => {
  assert.deepEqual(foldWords('Nothing is lost: it resumes.\n\nwhere', 11), [
    'Nothing is',
    'lost: it',
    'resumes.',
    '',
    'where',
  ]);
  assert.deepEqual(foldWords('abcdefghij kl', 4), ['abcd', 'efgh', 'ij', 'kl']);
  assert.deepEqual(foldWords('日本 語', 4), ['日本', '語']);
});

test('a notice says its kind in a word', async () => {
  const terminal = await openTerminal(
    createElement(
      Screen,
      { title: 'x' },
      createElement(Notice, { kind: 'danger', title: 'The slot is lost' }, 'Copy the rows again.'),
    ),
    { env: { NO_COLOR: '1', LANG: 'C' } },
  );
  assert.match(terminal.screen(), /x Problem {2}The slot is lost\n {3}Copy the rows again\./);
  await terminal.close();
});

test('a sparkline is as wide as asked, newest at the right, gaps where nothing is known', () => {
  assert.equal(sparkline([0, 1, 2, 7], 6, { ascii: false }), '  ▁▂▃█');
  assert.equal(sparkline([9, 9, 0, Number.NaN, 1e-9], 3, { ascii: false, max: 7 }), '▁ ▂');
  assert.equal(sparkline([0, 7, 100], 3, { ascii: true, max: 7 }), '_##');
  assert.equal(sparkline([0, 0], 2, { ascii: false }), '▁▁');
  assert.equal(sparkline([], 3, { ascii: false }), '   ');
  assert.equal(sparkline([1], 0, { ascii: false }), '');
});

test('a bar shows its share', () => {
  const [unicode, ascii] = [themeFrom({ LANG: 'C.UTF-8' }), themeFrom({ LANG: 'C' })];
  assert.equal(bar(0.5, 4, unicode), '██  ');
  assert.equal(bar(0.3125, 4, unicode), '█▎  ');
  assert.equal(bar(2, 3, unicode), '███');
  assert.equal(bar(Number.NaN, 3, unicode), '   ');
  assert.equal(bar(0.5, 4, ascii), '##  ');
});

test('the clipboard is that of the terminal, through tmux and screen as well', () => {
  const encoded = Buffer.from('äb').toString('base64');
  assert.equal(clipboardSequence('äb', {}), `\x1b]52;c;${encoded}\x07`);
  assert.equal(clipboardSequence('äb', { TMUX: 'x' }), `\x1bPtmux;\x1b\x1b]52;c;${encoded}\x07\x1b\\`);
  const long = clipboardSequence('y'.repeat(600), { STY: '1.pts' })!;
  assert.ok(long.split('\x1b\\').every((piece) => piece.length <= 242));
  assert.equal(long.replaceAll('\x1bP', '').replaceAll('\x1b\\', ''), clipboardSequence('y'.repeat(600), {}));
  assert.equal(clipboardSequence('y'.repeat(60_000), {}), undefined);
});

test('the theme follows the environment', () => {
  assert.equal(themeFrom({ LANG: 'C.UTF-8' }).color.accent, 'cyan');
  assert.equal(themeFrom({ NO_COLOR: '1' }).color.accent, undefined);
  assert.equal(themeFrom({ NO_COLOR: '' }).color.accent, 'cyan');
  const ascii = (env: NodeJS.ProcessEnv) => themeFrom(env).ascii;
  assert.deepEqual(
    [
      { LANG: 'en_GB.UTF-8' },
      { LANG: 'de_DE' },
      {},
      { LC_ALL: 'C', LANG: 'C.UTF-8' },
      { LANG: 'C.UTF-8', INSTAR_ASCII: '1' },
    ].map(ascii),
    [false, true, true, true, true],
  );
  assert.equal(ascii({ LANG: 'C.UTF-8', TERM: 'linux' }), true);
});
