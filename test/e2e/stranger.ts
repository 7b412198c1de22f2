import type { PseudoTerminal } from '../harness/pseudo-terminal.ts';

/** A key that the screen tells of, as the footer writes it and as a terminal sends it. */
const KEYS: Readonly<Record<string, string>> = { enter: 'return', f: 'f', r: 'r' };

/** How often the screen is looked at, and how long it has to stand still before somebody has read it, in milliseconds. */
const GLANCE = 60;
const STILL = 300;

/** What somebody has at hand who sets a replication up for the first time. */
export interface AtHand {
  readonly source: string;
  readonly target: string;
}

/** What a terminal is to somebody in front of it. */
export type Keyboard = Pick<PseudoTerminal, 'screen' | 'press' | 'paste'>;

/** What was done on one page of the setup. */
export interface Stage {
  readonly page: string;
  milliseconds: number;
  keys: string[];
}

/**
 * Somebody who has never seen the program and has read nothing: knows two connection strings, reads the screen, and presses only
 * what stands in the footer at that moment. Has no plan of the pages, and so does not notice when they come in another order.
 */
export class Stranger {
  readonly stages: Stage[] = [];
  readonly #terminal: Keyboard;
  readonly #hand: AtHand;

  constructor(terminal: Keyboard, hand: AtHand) {
    this.#terminal = terminal;
    this.#hand = hand;
  }

  /** Goes on until the screen matches `goal`; throws with the screen when nothing moves any more, or after `limit` milliseconds. */
  async goesOnUntil(goal: RegExp, limit: number): Promise<void> {
    const end = performance.now() + limit;
    let entered = performance.now();
    while (performance.now() < end) {
      const screen = await this.#read(end);
      const page = pageOf(screen);
      const stage = this.stages.at(-1);
      const now = performance.now();
      if (stage !== undefined) stage.milliseconds += now - entered;
      entered = now;
      if (goal.test(screen)) return;
      if (stage?.page !== page) this.stages.push({ page, milliseconds: 0, keys: [] });
      await this.#answer(screen);
    }
    throw new Error(`after ${limit} ms the screen is\n${this.#terminal.screen()}`);
  }

  /** Waits until the screen stands still with something to press on it. */
  async #read(end: number): Promise<string> {
    let screen = '';
    let since = performance.now();
    while (performance.now() < end) {
      const now = this.#terminal.screen();
      if (now !== screen) {
        screen = now;
        since = performance.now();
      } else if (hints(screen).size > 0 && performance.now() - since >= STILL) break;
      await new Promise((resolve) => setTimeout(resolve, GLANCE));
    }
    return screen;
  }

  /** One thing that the screen asks for. */
  async #answer(screen: string): Promise<void> {
    const empty = /^ ❯ URL +\S+:\/\/user:password@/m.test(screen);
    if (empty) {
      const text = /written to/.test(screen) ? this.#hand.target : this.#hand.source;
      this.#terminal.paste(text);
      this.stages.at(-1)!.keys.push('(paste)');
      return;
    }
    // What is under way is waited for.
    if (/(Connecting|Looking|Checking|Testing|Starting)\b/i.test(screen) && !/Connected to|Ready/.test(screen)) return;
    const offered = hints(screen);
    const wish = /Not ready/.test(screen) && offered.has('f') ? 'f' : 'enter';
    await this.#press(wish, screen);
  }

  /** Presses a key that the screen tells of, and no other. */
  async #press(key: string, screen: string): Promise<void> {
    if (!hints(screen).has(key)) throw new Error(`the screen does not tell of the key ${key}:\n${screen}`);
    this.stages.at(-1)!.keys.push(key);
    await this.#terminal.press(KEYS[key]);
  }
}

/** The keys in the footer, the last line or two under the last rule, with what they do: `enter go on   f run fix`. */
export function hints(screen: string): Map<string, string> {
  const lines = screen.split('\n');
  const rule = lines.findLastIndex((line) => /^ ?─+$/.test(line.trimEnd()) || /^ [✓▲✗●] /.test(line));
  const footer = lines.slice(Math.max(rule + 1, lines.length - 2));
  const pairs = footer.flatMap((line) => line.trim().split(/ {2,}/)).map((hint) => /^(\S+) (.+)$/.exec(hint));
  return new Map(pairs.filter((pair) => pair !== null).map(([, key, label]) => [key, label]));
}

/** The step that the trail marks, or the title. */
function pageOf(screen: string): string {
  return /● (\w+)/.exec(screen)?.[1] ?? screen.trim().split(/ {2,}|\n/, 1)[0];
}
