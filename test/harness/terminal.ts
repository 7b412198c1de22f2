import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import xterm from '@xterm/headless';
import { render } from 'ink';
import { createElement, type ReactNode } from 'react';
import { Root } from '../../src/terminal/app.tsx';
import { OneKeyInput } from '../../src/terminal/one-key-input.ts';
import { redrawable, redrawOnResize } from '../../src/terminal/redraw.tsx';
import { themeFrom } from '../../src/terminal/theme.ts';
import { keySequence } from './key-sequences.ts';
import { screenText, shows, type Wanted } from './screen-text.ts';

export interface TerminalOptions {
  /** Default 80. */
  readonly columns?: number;
  /** Default 24. */
  readonly rows?: number;
  /** Default a terminal with colours and UTF-8. */
  readonly env?: NodeJS.ProcessEnv;
}

/** A component on a terminal emulator in this process. */
export interface Terminal {
  /** Presses keys one by one, each after the one before has been drawn: `press('down', 'return', 'ctrl+c', 'x')`. */
  press(...keys: string[]): Promise<void>;
  /** Sends text as one chunk, as a slow line does with what was typed meanwhile. */
  type(text: string): Promise<void>;
  /** Sends keys as one chunk. */
  pressAtOnce(...keys: string[]): Promise<void>;
  paste(text: string): Promise<void>;
  /** What is on the screen, a line each, without blanks at the ends. */
  screen(): string;
  /** Waits until the screen shows `wanted`, and returns the screen; throws with the screen after `milliseconds` (5000). */
  waitFor(wanted: Wanted, milliseconds?: number): Promise<string>;
  resize(columns: number, rows: number): Promise<void>;
  /** Everything that was written to the terminal. */
  raw(): string;
  /** How many times Ctrl-C asked to leave. */
  interrupts(): number;
  /** What was given to `useExit`, when the app has ended; rejects with what it failed with. */
  readonly ended: Promise<unknown>;
  readonly emulator: InstanceType<typeof xterm.Terminal>;
  close(): Promise<void>;
}

/** Ink asks its chalk, which asks the process's own output for colours: a test's output is no terminal. */
async function paintAnyway(): Promise<void> {
  const fromInk = createRequire(import.meta.resolve('ink'));
  const { default: chalk } = (await import(pathToFileURL(fromInk.resolve('chalk')).href)) as {
    default: { level: number };
  };
  chalk.level = 1;
}

/** Draws `element` as runApp does, on an emulator of the given size. */
export async function openTerminal(element: ReactNode, options: TerminalOptions = {}): Promise<Terminal> {
  const { columns = 80, rows = 24, env = { TERM: 'xterm-256color', LANG: 'C.UTF-8' } } = options;
  await paintAnyway();
  const emulator = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0, convertEol: true });
  const theme = themeFrom(env);
  const source = new FakeInput();
  const stdin = new OneKeyInput(source);
  const stdout = new FakeOutput(emulator, columns, rows);
  let interrupts = 0;
  const root = createElement(Root, {
    element,
    env,
    onInterrupt: () => void interrupts++,
    onRedraw: () => void redrawing.redraw(),
  });
  const app = render(redrawable(root), {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stdout as unknown as NodeJS.WriteStream,
    interactive: true,
    alternateScreen: !theme.screenReader,
    incrementalRendering: true,
    exitOnCtrlC: false,
    patchConsole: false,
    isScreenReaderEnabled: theme.screenReader,
  });
  stdin.rendered = () => app.waitUntilRenderFlush();
  const redrawing = redrawOnResize(app, root, stdout as unknown as NodeJS.WriteStream);
  const ended = app.waitUntilExit();
  ended.catch(() => {});

  const settle = async () => {
    await stdin.idle();
    await app.waitUntilRenderFlush();
    await new Promise<void>((resolve) => emulator.write('', resolve));
  };
  const send = async (text: string) => {
    source.emit('data', Buffer.from(text));
    await settle();
  };
  const screen = () => screenText(emulator);

  await settle();
  return {
    async press(...keys) {
      for (const key of keys) await send(keySequence(key));
    },
    type: send,
    pressAtOnce: (...keys) => send(keys.map(keySequence).join('')),
    paste: (text) => send(`\x1b[200~${text}\x1b[201~`),
    screen,
    async waitFor(wanted, milliseconds = 5000) {
      const end = performance.now() + milliseconds;
      for (;;) {
        await settle();
        const shown = screen();
        if (shows(shown, wanted)) return shown;
        if (performance.now() > end) throw new Error(`${wanted} has not come to the screen:\n${shown}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    async resize(newColumns, newRows) {
      emulator.resize(newColumns, newRows);
      stdout.resize(newColumns, newRows);
      await settle();
      await redrawing.redraw();
      await settle();
    },
    raw: () => stdout.written,
    interrupts: () => interrupts,
    ended,
    emulator,
    async close() {
      redrawing.stop();
      app.unmount();
      await ended.catch(() => {});
      emulator.dispose();
    },
  };
}

class FakeInput extends EventEmitter {
  readonly isTTY = true;
  setRawMode(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  pause(): this {
    return this;
  }
  resume(): this {
    return this;
  }
}

class FakeOutput extends EventEmitter {
  readonly isTTY = true;
  readonly writable = true;
  written = '';
  columns: number;
  rows: number;
  private readonly emulator: InstanceType<typeof xterm.Terminal>;

  constructor(emulator: InstanceType<typeof xterm.Terminal>, columns: number, rows: number) {
    super();
    this.emulator = emulator;
    this.columns = columns;
    this.rows = rows;
  }

  write(data: string, encodingOrDone?: string | (() => void), done?: () => void): boolean {
    const callback = typeof encodingOrDone === 'function' ? encodingOrDone : done;
    this.written += data;
    this.emulator.write(data, () => callback?.());
    return true;
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.emit('resize');
  }
}
