/** One key as pressed, or one paste. */
export interface Key {
  /**
   * `up` `down` `left` `right` `pageup` `pagedown` `home` `end` `return` `escape` `tab` `backspace` `delete`; a single printable
   * character (`a`, `R`, `/`, a blank); `text` for several characters that arrived at once; `paste`.
   */
  readonly name: string;
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
  /** What was typed or pasted, where the key stands for text. */
  readonly text?: string;
}

/** What Ink tells of a key beside its text; the part of its `Key` that is used here. */
export interface RawKey {
  readonly upArrow: boolean;
  readonly downArrow: boolean;
  readonly leftArrow: boolean;
  readonly rightArrow: boolean;
  readonly pageUp: boolean;
  readonly pageDown: boolean;
  readonly home: boolean;
  readonly end: boolean;
  readonly return: boolean;
  readonly escape: boolean;
  readonly tab: boolean;
  readonly backspace: boolean;
  readonly delete: boolean;
  readonly ctrl: boolean;
  readonly shift: boolean;
  readonly meta: boolean;
}

const SPECIAL = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'return'],
  ['escape', 'escape'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  ['delete', 'delete'],
] as const;

/** The key that Ink's `useInput` reported as `input` and `key`; undefined for keys without a meaning here (F1, a mouse). */
export function keyFrom(input: string, key: RawKey): Key | undefined {
  const modifiers = { ctrl: key.ctrl, alt: key.meta, shift: key.shift };
  const special = SPECIAL.find(([flag]) => key[flag]);
  if (special !== undefined) return { name: special[1], ...modifiers };
  if (input === '\n' && !key.ctrl) return { name: 'return', ...modifiers };
  if (key.ctrl || key.meta) return input === '' ? undefined : { name: input.toLowerCase(), ...modifiers };
  const text = input.replace(/\p{Cc}/gu, '');
  if (text === '') return undefined;
  const single = isSingle(text);
  return { name: single ? text : 'text', ctrl: false, alt: false, shift: key.shift, text };
}

/** The key that stands for text pasted at once. */
export function pasteKey(text: string): Key {
  return { name: 'paste', ctrl: false, alt: false, shift: false, text };
}

/** Whether `key` is what `combination` names: `r`, `R`, `?`, `return`, `ctrl+p`, `alt+b`, `shift+tab`. */
export function matches(key: Key, combination: string): boolean {
  const wanted = parseCombination(combination);
  if (key.name !== wanted.name || key.ctrl !== wanted.ctrl || key.alt !== wanted.alt) return false;
  // A printable character has its shift in itself: "R", "?".
  return key.text !== undefined || key.shift === wanted.shift;
}

/** How a key is written for a reader: `ctrl+p` as `^P`, `return` as `enter`, arrows as arrows unless `ascii`. */
export function keyLabel(combination: string, ascii: boolean): string {
  const { name, ctrl, alt, shift } = parseCombination(combination);
  const arrows: Record<string, string> = ascii ? {} : { up: '↑', down: '↓', left: '←', right: '→' };
  const words: Record<string, string> = {
    return: 'enter',
    escape: 'esc',
    ' ': 'space',
    pageup: 'pgup',
    pagedown: 'pgdn',
    backspace: 'bksp',
    delete: 'del',
    ...arrows,
  };
  const word = words[name] ?? name;
  return `${ctrl ? '^' : ''}${alt ? 'alt+' : ''}${shift ? 'shift+' : ''}${ctrl && word.length === 1 ? word.toUpperCase() : word}`;
}

function parseCombination(combination: string): { name: string; ctrl: boolean; alt: boolean; shift: boolean } {
  let name = combination;
  const held = { ctrl: false, alt: false, shift: false };
  for (;;) {
    const prefix = /^(ctrl|alt|shift)\+(?=.)/.exec(name);
    if (prefix === null) return { name, ...held };
    held[prefix[1] as keyof typeof held] = true;
    name = name.slice(prefix[0].length);
  }
}

function isSingle(text: string): boolean {
  if (text.length === 1) return true;
  const [first, second] = new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text);
  return first !== undefined && second === undefined;
}
