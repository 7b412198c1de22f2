import { fileURLToPath } from 'node:url';
import type { TestContext } from 'node:test';
import pty from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { keySequence } from './key-sequences.ts';
import { screenText, shows, type Wanted } from './screen-text.ts';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

export interface PseudoTerminalOptions {
  /** Default 80. */
  readonly columns?: number;
  /** Default 24. */
  readonly rows?: number;
  /** Added to this process's environment; undefined takes a variable away. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export interface Ending {
  readonly code: number;
  /** Number of the signal that ended it, 0 when none did. */
  readonly signal: number;
}

/** A program in a terminal of its own, as an operator has it. */
export interface PseudoTerminal {
  /** Presses keys, each after the program has answered the one before or had a moment to: `press('down', 'return')`. */
  press(...keys: string[]): Promise<void>;
  /** Sends keys in a single write. */
  pressAtOnce(...keys: string[]): void;
  /** Sends text in a single write. */
  type(text: string): void;
  paste(text: string): void;
  screen(): string;
  /** Waits until the screen shows `wanted`, and returns the screen; throws with the screen after `milliseconds` (10,000). */
  waitFor(wanted: Wanted, milliseconds?: number): Promise<string>;
  resize(columns: number, rows: number): void;
  /** Everything that the program wrote, escape sequences included. */
  raw(): string;
  /** How many bytes it wrote. */
  bytes(): number;
  readonly exit: Promise<Ending>;
  readonly pid: number;
  kill(signal?: string): void;
  /** Whether the alternate screen is shown. */
  isAlternate(): boolean;
  cursorShown(): boolean;
  /** Whether the program asked for pastes to be marked. */
  marksPastes(): boolean;
  /** What was last copied by OSC 52. */
  clipboard(): string | undefined;
  readonly emulator: InstanceType<typeof xterm.Terminal>;
}

/** Starts the built program (`npm run build` first) with `args`; it is ended with the test. */
export function startTerminal(
  t: TestContext,
  args: readonly string[],
  options: PseudoTerminalOptions = {},
): PseudoTerminal {
  return startProgram(t, process.execPath, [cli, ...args], options);
}

/** Starts any program in a terminal; it is ended with the test. */
export function startProgram(
  t: TestContext,
  file: string,
  args: readonly string[],
  options: PseudoTerminalOptions = {},
): PseudoTerminal {
  const { columns = 80, rows = 24, cwd = root } = options;
  const emulator = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1000 });
  let copied: string | undefined;
  emulator.parser.registerOscHandler(52, (data) => {
    copied = Buffer.from(data.split(';')[1] ?? '', 'base64').toString();
    return true;
  });
  const child = pty.spawn(file, [...args], {
    name: 'xterm-256color',
    cols: columns,
    rows,
    cwd,
    env: environment(options.env),
  });
  let raw = '';
  let unparsed = 0;
  child.onData((data) => {
    raw += data;
    unparsed++;
    emulator.write(data, () => {
      unparsed--;
    });
  });
  // What a real terminal would answer to questions about itself.
  emulator.onData((answer) => child.write(answer));
  let ended: Ending | undefined;
  const exit = new Promise<Ending>((resolve) => {
    child.onExit(({ exitCode, signal }) => {
      ended = { code: exitCode, signal: signal ?? 0 };
      resolve(ended);
    });
  });
  const end = () => {
    if (ended === undefined) child.kill('SIGKILL');
  };
  t.after(async () => {
    end();
    await exit;
    emulator.dispose();
  });

  const screen = () => screenText(emulator);
  const drawn = async () => {
    const before = raw.length;
    const end = performance.now() + 150;
    while (performance.now() < end && (raw.length === before || unparsed > 0)) await moment();
  };
  return {
    async press(...keys) {
      for (const key of keys) {
        child.write(keySequence(key));
        await drawn();
      }
    },
    pressAtOnce: (...keys) => child.write(keys.map(keySequence).join('')),
    type: (text) => child.write(text),
    paste: (text) => child.write(`\x1b[200~${text}\x1b[201~`),
    screen,
    async waitFor(wanted, milliseconds = 10_000) {
      const end = performance.now() + milliseconds;
      for (;;) {
        if (unparsed === 0 && shows(screen(), wanted)) return screen();
        if (ended !== undefined && unparsed === 0) {
          throw new Error(`it ended with ${ended.code} before ${wanted} came:\n${screen()}`);
        }
        if (performance.now() > end) throw new Error(`${wanted} has not come to the screen:\n${screen()}`);
        await moment();
      }
    },
    resize(newColumns, newRows) {
      emulator.resize(newColumns, newRows);
      child.resize(newColumns, newRows);
    },
    raw: () => raw,
    bytes: () => Buffer.byteLength(raw),
    exit,
    pid: child.pid,
    kill: (signal) => child.kill(signal),
    isAlternate: () => emulator.buffer.active.type === 'alternate',
    cursorShown: () => raw.lastIndexOf('\x1b[?25h') >= raw.lastIndexOf('\x1b[?25l'),
    marksPastes: () => emulator.modes.bracketedPasteMode,
    clipboard: () => copied,
    emulator,
  };
}

/** That of an operator: no automation, English, colours as the terminal has them. */
function environment(added: NodeJS.ProcessEnv = {}): Record<string, string> {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of Object.keys(env)) {
    if (
      /^(CI|CI_.*|CONTINUOUS_INTEGRATION|NO_COLOR|FORCE_COLOR|NODE_TEST_CONTEXT|NODE_OPTIONS|TMUX|STY|LC_.*)$/.test(
        name,
      )
    )
      delete env[name];
  }
  Object.assign(env, { COLORTERM: 'truecolor', TZ: 'UTC', LANG: 'C.UTF-8' }, added);
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 8));
}
