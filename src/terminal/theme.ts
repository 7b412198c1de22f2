import { createContext, useContext } from 'react';

/** What the environment of a terminal allows, and the signs and colours that are used in it. */
export interface Theme {
  /** The terminal's own sixteen colours, which follow its palette; each undefined where none are wanted. */
  readonly color: {
    readonly accent: string | undefined;
    readonly success: string | undefined;
    readonly warning: string | undefined;
    readonly danger: string | undefined;
    readonly muted: string | undefined;
    readonly text: string | undefined;
  };
  readonly symbol: {
    readonly passed: string;
    readonly failed: string;
    readonly skipped: string;
    readonly running: string;
    readonly advisory: string;
    readonly waiting: string;
    readonly info: string;
    readonly arrow: string;
    readonly bullet: string;
    readonly selected: string;
    readonly separator: string;
    readonly rule: string;
    readonly ellipsis: string;
    readonly mask: string;
    readonly checked: string;
    readonly unchecked: string;
    readonly left: string;
    readonly right: string;
    /** From nothing to full, in even steps. */
    readonly bar: readonly string[];
    readonly spinner: readonly string[];
  };
  readonly border: 'round' | 'classic';
  /** Only characters of ASCII are to be written. */
  readonly ascii: boolean;
  /** A screen reader listens: plain lines, no frames, nothing that moves. */
  readonly screenReader: boolean;
  /** The environment that the theme came from, for what depends on the terminal's kind. */
  readonly env: NodeJS.ProcessEnv;
}

const UNICODE = {
  passed: '✓',
  failed: '✗',
  skipped: '–',
  running: '●',
  advisory: '▲',
  waiting: '○',
  info: '•',
  arrow: '→',
  bullet: '•',
  selected: '❯',
  separator: '›',
  rule: '─',
  ellipsis: '…',
  mask: '•',
  checked: '[✓]',
  unchecked: '[ ]',
  left: '‹',
  right: '›',
  bar: [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
};

const ASCII = {
  passed: '+',
  failed: 'x',
  skipped: '-',
  running: '*',
  advisory: '!',
  waiting: '.',
  info: 'i',
  arrow: '->',
  bullet: '*',
  selected: '>',
  separator: '>',
  rule: '-',
  ellipsis: '~',
  mask: '*',
  checked: '[x]',
  unchecked: '[ ]',
  left: '<',
  right: '>',
  bar: [' ', '-', '=', '#'],
  spinner: ['|', '/', '-', '\\'],
};

/**
 * The theme for an environment: no colour when NO_COLOR is set (https://no-color.org), signs of ASCII when the locale is not
 * UTF-8 or INSTAR_ASCII=1, plain lines with INSTAR_SCREEN_READER=1.
 */
export function themeFrom(env: NodeJS.ProcessEnv): Theme {
  const coloured = env.NO_COLOR === undefined || env.NO_COLOR === '';
  const ascii = isOn(env.INSTAR_ASCII) || !showsUnicode(env);
  return {
    color: {
      accent: coloured ? 'cyan' : undefined,
      success: coloured ? 'green' : undefined,
      warning: coloured ? 'yellow' : undefined,
      danger: coloured ? 'red' : undefined,
      muted: coloured ? 'gray' : undefined,
      text: undefined,
    },
    symbol: ascii ? ASCII : UNICODE,
    border: ascii ? 'classic' : 'round',
    ascii,
    screenReader: isOn(env.INSTAR_SCREEN_READER) || env.INK_SCREEN_READER === 'true',
    env,
  };
}

export const ThemeContext = createContext<Theme>(themeFrom({ LANG: 'C.UTF-8' }));

/** The theme that the surrounding runApp took from its environment. */
export function useTheme(): Theme {
  return useContext(ThemeContext);
}

function showsUnicode(env: NodeJS.ProcessEnv): boolean {
  if (env.TERM === 'linux') return false;
  if (env.WT_SESSION !== undefined) return true;
  // The first of the three that is set decides, as in locale(7).
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return /utf-?8/i.test(locale);
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(1|true|yes|on)$/i.test(value);
}
