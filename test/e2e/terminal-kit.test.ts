import assert from 'node:assert/strict';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type PseudoTerminal,
  type PseudoTerminalOptions,
  startProgram,
  startTerminal,
} from '../harness/pseudo-terminal.ts';
import { svgOf } from '../harness/screenshot.ts';

const fixture = fileURLToPath(new URL('../harness/terminal-kit-app.tsx', import.meta.url));
const jsx = fileURLToPath(new URL('../harness/jsx.ts', import.meta.url));
/** Ways to clear the whole screen. */
const FULL_CLEARS = ['\x1b[2J', '\x1b[3J', '\x1b[H\x1b[J', '\x1b[1;1H\x1b[J'];

/** The fixture under a shell that tells the terminal's settings afterwards. */
async function start(t: TestContext, options: PseudoTerminalOptions = {}): Promise<PseudoTerminal> {
  const command = `"${process.execPath}" --import "${jsx}" "${fixture}"; echo "status $?"; stty -a`;
  const terminal = startProgram(t, 'bash', ['-c', command], { rows: 20, columns: 80, ...options });
  await terminal.waitFor('ready');
  await terminal.waitFor('help');
  return terminal;
}

async function assertRestored(terminal: PseudoTerminal, status: number, ...shown: string[]): Promise<void> {
  await terminal.exit;
  const screen = await terminal.waitFor(`status ${status}`);
  await terminal.waitFor(/ echo /);
  assert.equal(terminal.isAlternate(), false, 'the normal screen is back');
  assert.equal(terminal.cursorShown(), true, 'the cursor is shown');
  assert.equal(terminal.marksPastes(), false, 'pastes are not marked any more');
  for (const setting of ['icanon', 'echo', 'isig']) assert.match(terminal.screen(), new RegExp(`[^-]\\b${setting}\\b`));
  for (const text of shown) assert.ok(screen.includes(text), `${text} is not in\n${screen}`);
}

test('the terminal is taken while the program runs, and given back when it ends', async (t) => {
  const terminal = await start(t);
  assert.equal(terminal.isAlternate(), true);
  assert.equal(terminal.marksPastes(), true);
  assert.equal(terminal.cursorShown(), false);
  await terminal.press('q');
  await assertRestored(terminal, 0, 'ended with done');
});

test('Ctrl-C ends with 130, also behind keys that nobody has answered yet', async (t) => {
  const terminal = await start(t);
  terminal.type('jjjjjjkkk\x03');
  await assertRestored(terminal, 130, 'told of SIGINT');
});

test('Ctrl-C ends in a dialog and in a field', async (t) => {
  for (const key of ['s', 'tab']) {
    const terminal = await start(t);
    await terminal.press(key);
    await terminal.press('ctrl+c');
    await assertRestored(terminal, 130);
  }
});

test('SIGTERM and SIGHUP end with their status, the terminal restored', async (t) => {
  for (const [signal, status] of [
    ['TERM', 143],
    ['HUP', 129],
  ] as const) {
    const terminal = await start(t);
    const [child] = await childrenOf(terminal.pid);
    process.kill(child, `SIG${signal}`);
    await assertRestored(terminal, status, `told of SIG${signal}`);
  }
});

test('an error given to exit, and one thrown by a timer, are told on the restored screen', async (t) => {
  for (const [key, message] of [
    ['e', 'it failed on purpose'],
    ['t', 'thrown by a timer'],
  ]) {
    const terminal = await start(t);
    await terminal.press(key);
    await assertRestored(terminal, 1, `kit: ${message}`);
  }
});

test('a screen that fails says so, can be drawn again, and can be left', async (t) => {
  const terminal = await start(t);
  await terminal.press('k');
  // "k" moves in the list; the binding of the screen is reached from elsewhere.
  await terminal.press('b');
  await terminal.waitFor('thrown while drawing');
  await terminal.press('r');
  await terminal.waitFor('chosen=nothing');
  await terminal.press('b');
  await terminal.waitFor('thrown while drawing');
  await terminal.press('q');
  await assertRestored(terminal, 1, 'kit: thrown while drawing');
});

test('keys in one write choose and type what keys one by one do', async (t) => {
  const ends: string[] = [];
  for (const atOnce of [true, false]) {
    const terminal = await start(t);
    const keys = [
      'down',
      'down',
      'return',
      'tab',
      'a',
      'b',
      'c',
      'backspace',
      'backspace',
      'left',
      'X',
      'return',
      'down',
      'return',
    ];
    if (atOnce) terminal.pressAtOnce(...keys);
    else await terminal.press(...keys);
    ends.push(await terminal.waitFor('chosen=CockroachDB. text=Xa.'));
  }
  assert.equal(ends[0], ends[1]);
});

test('digits choose nothing', async (t) => {
  const terminal = await start(t);
  await terminal.press('3', 'tab', 'z');
  await terminal.waitFor('chosen=nothing. text=z.');
});

test('a paste with line breaks is text and no Enter', async (t) => {
  const terminal = await start(t);
  await terminal.press('tab');
  terminal.paste('postgres://u@h/db\r\n');
  await terminal.waitFor('text=postgres://u@h/db.');
  await terminal.press('!');
  await terminal.waitFor('text=postgres://u@h/db!.');
});

test('copies through the terminal, and says so', async (t) => {
  const terminal = await start(t);
  await terminal.press('c');
  await terminal.waitFor('copied 2 lines');
  assert.equal(terminal.clipboard(), 'replicator pglogical\n--slotName a\n');
});

test('inside tmux the copy is wrapped for it', async (t) => {
  const terminal = await start(t, { env: { TMUX: '/tmp/tmux-0/default,1,0' } });
  await terminal.press('c');
  await terminal.waitFor('copied 2 lines');
  assert.ok(terminal.raw().includes('\x1bPtmux;\x1b\x1b]52;c;'));
});

test('moving about never clears the whole screen, and colours are the sixteen of the terminal', async (t) => {
  const terminal = await start(t);
  const before = terminal.raw().length;
  await terminal.press('down', 'down', '?', 'escape', ':', 's', 'escape', 'tab', 'x', 'return', 's', 'escape', 'down');
  const written = terminal.raw().slice(before);
  for (const clear of FULL_CLEARS) assert.ok(!written.includes(clear), `cleared by ${JSON.stringify(clear)}`);
  for (const extended of ['\x1b[38;', '\x1b[48;']) assert.ok(!terminal.raw().includes(extended));
  assert.ok(written.length < 25_000, `${written.length} characters for 13 keys`);
});

test('without colours, and in ASCII, everything is still said', async (t) => {
  const terminal = await start(t, { env: { NO_COLOR: '1', LANG: 'C' } });
  for (const color of [31, 32, 33, 36, 90]) assert.ok(!terminal.raw().includes(`\x1b[${color}m`));
  assert.match(terminal.screen(), /> PostgreSQL/);
  await terminal.press('?');
  assert.match(await terminal.waitFor('Keys: Kit'), /^[\n\x20-\x7e]*$/);
});

test('a screen after resizing is the screen of a terminal that had that size from the start', async (t) => {
  for (const [columns, rows] of [
    [60, 15],
    [40, 10],
    [120, 40],
    [100, 18],
  ]) {
    const terminal = await start(t);
    terminal.resize(columns, rows);
    const fresh = await start(t, { columns, rows });
    const wanted = fresh.screen();
    await terminal.waitFor((screen) => screen === wanted);
    terminal.resize(80, 20);
    const back = (await start(t)).screen();
    await terminal.waitFor((screen) => screen === back);
  }
});

test('Ctrl-L draws anew what another program has spoilt', async (t) => {
  const terminal = await start(t);
  const whole = terminal.screen();
  terminal.emulator.write('\x1b[5;1Hgarbage from elsewhere');
  await terminal.waitFor('garbage');
  await terminal.press('ctrl+l');
  await terminal.waitFor((screen) => screen === whole);
});

test('Ctrl-Z gives the terminal back to the shell, fg draws the screen again', async (t) => {
  const terminal = startProgram(t, 'bash', ['--norc', '--noprofile', '-i'], {
    env: { PS1: 'prompt$ ', BASH_SILENCE_DEPRECATION_WARNING: '1' },
  });
  await terminal.waitFor('prompt$');
  terminal.type(`"${process.execPath}" --import "${jsx}" "${fixture}"\r`);
  await terminal.waitFor('chosen=nothing');
  await terminal.press('down');
  await terminal.press('ctrl+z');
  await terminal.waitFor('Stopped');
  assert.equal(terminal.isAlternate(), false);
  terminal.type('stty -a | tr ";" "\\n"\r');
  await terminal.waitFor(/[^-]icanon/);
  terminal.type('fg\r');
  await terminal.waitFor('chosen=nothing');
  assert.equal(terminal.isAlternate(), true);
  await terminal.press('return');
  await terminal.waitFor('chosen=MySQL');
  await terminal.press('q');
  await terminal.waitFor('ended with done');
});

test('Ctrl-Z where no shell could take the terminal just draws the screen again', async (t) => {
  const terminal = await start(t);
  await terminal.press('down', 'ctrl+z');
  await terminal.waitFor('chosen=nothing');
  await terminal.press('return');
  await terminal.waitFor('chosen=MySQL');
  assert.equal(terminal.isAlternate(), true);
});

test('a picture of the screen shows its text and its colours', async (t) => {
  const terminal = await start(t);
  const picture = svgOf(terminal);
  assert.match(picture, /^<svg [^>]*>\n/);
  assert.match(picture, /fill="#56b6c2" font-weight="bold">Kit</);
  assert.match(picture, />❯ ?</);
  assert.equal(picture, svgOf(terminal));
});

test('the built program runs in a terminal', async (t) => {
  const terminal = startTerminal(t, ['version']);
  assert.deepEqual(await terminal.exit, { code: 0, signal: 0 });
  await terminal.waitFor(/\d+\.\d+\.\d+/);
  assert.equal(terminal.isAlternate(), false);
});

/** Processes whose parent is `pid`. */
async function childrenOf(pid: number): Promise<number[]> {
  const { execFile } = await import('node:child_process');
  const { promisify } = await import('node:util');
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child);
}
