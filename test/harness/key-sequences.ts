const SEQUENCES: Readonly<Record<string, string>> = {
  up: '\x1b[A',
  down: '\x1b[B',
  right: '\x1b[C',
  left: '\x1b[D',
  home: '\x1b[H',
  end: '\x1b[F',
  pageup: '\x1b[5~',
  pagedown: '\x1b[6~',
  delete: '\x1b[3~',
  return: '\r',
  tab: '\t',
  'shift+tab': '\x1b[Z',
  escape: '\x1b',
  backspace: '\x7f',
  space: ' ',
  f1: '\x1bOP',
};

/** What a terminal sends for a key, named as in src/terminal/keys.ts: 'down', 'return', 'ctrl+c', 'alt+b', 'x'. */
export function keySequence(key: string): string {
  const known = SEQUENCES[key];
  if (known !== undefined) return known;
  const held = /^(ctrl|alt)\+(.+)$/.exec(key);
  if (held?.[1] === 'ctrl' && /^[a-z]$/.test(held[2])) return String.fromCharCode(held[2].charCodeAt(0) - 96);
  if (held?.[1] === 'alt') return `\x1b${keySequence(held[2])}`;
  if ([...new Intl.Segmenter('en').segment(key)].length === 1) return key;
  throw new Error(`no key is called ${key}; text is sent with type()`);
}
