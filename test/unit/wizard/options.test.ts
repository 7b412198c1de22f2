import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createElement } from 'react';
import { OperatorError } from '../../../src/errors.ts';
import { Screen } from '../../../src/terminal/screen.tsx';
import type { ScriptDescription } from '../../../src/userscript/describe-script.ts';
import { OptionsEditor, type OptionsEditorProps } from '../../../src/wizard/options-editor.tsx';
import { openTerminal, type TerminalOptions } from '../../harness/terminal.ts';
import { Held } from './held.tsx';

type Options = Readonly<Record<string, string>>;

/** The editor on a screen, with the options kept as whoever shows it keeps them. */
async function open(t: TestContext, change: Partial<OptionsEditorProps> = {}, size: TerminalOptions = {}) {
  const done: string[] = [];
  const told: Options[] = [];
  const editor = (options: Options, set: (options: Options) => void) =>
    createElement(OptionsEditor, {
      onSubmit: () => done.push('submit'),
      onCancel: () => done.push('cancel'),
      labels: { submit: 'next', cancel: 'back' },
      ...change,
      options,
      onChange: (changed) => {
        told.push(changed);
        set(changed);
      },
    });
  const held = createElement(Held<Options>, { initial: change.options ?? {}, children: editor });
  const terminal = await openTerminal(createElement(Screen, { title: 'Options', children: held }), size);
  t.after(() => terminal.close());
  return { terminal, done, told };
}

/** Moves to the option called `name`. */
async function select(terminal: Awaited<ReturnType<typeof open>>['terminal'], name: string) {
  for (let presses = 0; !new RegExp(`❯ ${name}\\b`).test(terminal.screen()); presses++) {
    assert.ok(presses < 50, terminal.screen());
    await terminal.press('down');
  }
}

test('options show their defaults and what they mean; Enter is enough', async (t) => {
  const { terminal, done, told } = await open(t);
  const screen = terminal.screen();
  assert.match(screen, /❯ stagingSchema .*_replicator\.public/);
  assert.match(screen, /userscript +none/);
  assert.match(screen, /metricsAddr +a free port on 127\.0\.0\.1/);
  assert.match(screen, /flushSize +1000/);
  assert.match(screen, /Schema that keeps the progress: the same on every resume\./);
  assert.match(screen, /Default: _replicator\.public\./);
  await terminal.press('return');
  assert.deepEqual(done, ['submit']);
  assert.deepEqual(told, []);
});

test('a value is checked as it is typed, and one that does not fit is neither saved nor passed', async (t) => {
  const { terminal, done, told } = await open(t);
  await select(terminal, 'flushSize');
  await terminal.type('5x');
  assert.match(terminal.screen(), /✗ 5x/);
  assert.match(terminal.screen(), /✗ flushSize must be a whole number, not "5x"/);
  await terminal.press('return');
  assert.match(terminal.screen(), /flushSize does not fit yet; correct it to go on/);
  assert.deepEqual(done, []);
  assert.deepEqual(told.at(-1), { flushSize: '5' });
  await terminal.press('backspace');
  await terminal.type('00');
  assert.doesNotMatch(terminal.screen(), /✗/);
  assert.deepEqual(told.at(-1), { flushSize: '500' });
  await terminal.press('return');
  assert.deepEqual(done, ['submit']);
});

test('Enter leads to a value that does not fit, wherever the cursor is', async (t) => {
  const { terminal, done } = await open(t);
  await select(terminal, 'flushPeriod');
  await terminal.type('5');
  await terminal.press('down', 'down', 'return');
  assert.match(terminal.screen(), /❯ flushPeriod/);
  assert.match(terminal.screen(), /flushPeriod must be a duration such as/);
  assert.deepEqual(done, []);
});

test('a default that is typed, and an empty field, are not saved as a difference', async (t) => {
  const { terminal, told } = await open(t, { options: { flushSize: '500', gracePeriod: '5s' } });
  await select(terminal, 'flushSize');
  await terminal.press('ctrl+u');
  assert.deepEqual(told.at(-1), { gracePeriod: '5s' });
  await terminal.type('1000');
  assert.deepEqual(told.at(-1), { gracePeriod: '5s' });
});

test('values that can be counted are chosen with the arrows', async (t) => {
  const { terminal, told } = await open(t);
  await select(terminal, 'onApplyError');
  assert.match(terminal.screen(), /‹ stop ›/);
  await terminal.press('right');
  assert.match(terminal.screen(), /‹ dlq ›/);
  assert.deepEqual(told.at(-1), { onApplyError: 'dlq' });
  await terminal.press('left');
  assert.deepEqual(told.at(-1), {});
  await terminal.type('xyz');
  assert.match(terminal.screen(), /‹ stop ›/);
});

test('the path of a userscript is looked at', async (t) => {
  const { terminal, told } = await open(t);
  await select(terminal, 'userscript');
  await terminal.paste('/nowhere/script.ts\n');
  assert.match(terminal.screen(), /✗ \/nowhere\/script\.ts: there is no such file/);
  await terminal.press('ctrl+u');
  await terminal.paste(import.meta.filename);
  assert.doesNotMatch(terminal.screen(), /✗/);
  assert.deepEqual(told, [{ userscript: import.meta.filename }]);
});

const FILTER = { schemas: [], tables: [{ name: 'orders', rows: true, write: false }], errors: [] };

test('a userscript is looked at when it is named, and again before one goes on', async (t) => {
  const looked: string[] = [];
  let found: ScriptDescription = { ...FILTER, errors: [new OperatorError('SCRIPT_TYPES', 'line 3 is not TypeScript')] };
  const { terminal, done } = await open(t, {
    checkScript: async (path) => {
      looked.push(path);
      return found;
    },
  });
  await select(terminal, 'userscript');
  await terminal.paste(import.meta.filename);
  await terminal.waitFor(/✗ line 3 is not TypeScript/);
  await select(terminal, 'metricsAddr');
  await terminal.press('return');
  await terminal.waitFor(/userscript does not fit yet; correct it to go on/);
  assert.match(terminal.screen(), /❯ userscript/);
  assert.deepEqual(done, []);

  // It is mended in another window.
  found = FILTER;
  await terminal.press('return');
  await terminal.waitFor(/✓ sees the rows of the table orders/);
  assert.deepEqual(done, ['submit']);
  assert.deepEqual(looked, Array(3).fill(import.meta.filename));
});

test('an answer about a userscript that comes after Escape leads nowhere', async (t) => {
  const answers: ((found: ScriptDescription) => void)[] = [];
  const { terminal, done } = await open(t, {
    options: { userscript: import.meta.filename },
    checkScript: () => new Promise((resolve) => answers.push(resolve)),
  });
  await terminal.press('return');
  await terminal.waitFor(/looking at the userscript/);
  await terminal.press('escape');
  for (const answer of answers) answer(FILTER);
  await terminal.press('down');
  assert.deepEqual(done, ['cancel']);
});

test('a target that cannot be asked keeps nobody from naming a script', async (t) => {
  const { terminal, done } = await open(t, {
    options: { userscript: import.meta.filename },
    checkScript: async () => {
      throw new OperatorError('PG_UNREACHABLE', 'nobody answers');
    },
  });
  await select(terminal, 'userscript');
  await terminal.waitFor(/could not be compared with the tables of the target: nobody answers/);
  await terminal.press('return');
  assert.deepEqual(done, ['submit']);
});

test('what is locked cannot be changed and says why', async (t) => {
  const { terminal, told } = await open(t, { locked: { stagingSchema: 'it holds the checkpoint' } });
  await terminal.type('abc');
  assert.match(terminal.screen(), /❯ stagingSchema +_replicator\.public/);
  assert.match(terminal.screen(), /it holds the checkpoint/);
  assert.deepEqual(told, []);
});

test('Escape goes back, with what was typed kept', async (t) => {
  const { terminal, done, told } = await open(t);
  await terminal.type('mine');
  await terminal.press('escape');
  assert.deepEqual(done, ['cancel']);
  assert.deepEqual(told.at(-1), { stagingSchema: 'mine' });
});

test('in a small window the selected option and its explanation are in sight', async (t) => {
  const { terminal } = await open(t, {}, { columns: 60, rows: 15 });
  await select(terminal, 'memoryLimit');
  assert.match(terminal.screen(), /❯ memoryLimit +64MiB/);
  assert.match(terminal.screen(), /Bytes of changes held in memory\./);
  await terminal.press('pagedown', 'pagedown', 'pagedown', 'pagedown', 'pagedown');
  assert.match(terminal.screen(), /❯ enableDebugEndpoints/);
});
