import { clean } from './format.ts';
import type { Key } from './keys.ts';
import { graphemes } from './width.ts';

/** A line of text being edited; `cursor` counts what a reader takes for characters. */
export interface FieldState {
  readonly characters: readonly string[];
  readonly cursor: number;
}

/** A field that holds `value`, with the cursor behind it. */
export function emptyField(value = ''): FieldState {
  const characters = graphemes(value);
  return { characters, cursor: characters.length };
}

/** The text in the field. */
export function fieldValue(state: FieldState): string {
  return state.characters.join('');
}

/** Keys that edit or move, as in a shell's line. */
const EDITS: Readonly<Record<string, (state: FieldState) => FieldState>> = {
  left: (state) => moved(state, Math.max(0, state.cursor - 1)),
  right: (state) => moved(state, Math.min(state.characters.length, state.cursor + 1)),
  home: (state) => moved(state, 0),
  end: (state) => moved(state, state.characters.length),
  'alt+b': (state) => moved(state, wordStart(state)),
  'alt+f': (state) => moved(state, wordEnd(state)),
  backspace: (state) => without(state, Math.max(0, state.cursor - 1), state.cursor),
  delete: (state) => without(state, state.cursor, Math.min(state.characters.length, state.cursor + 1)),
  'ctrl+u': (state) => without(state, 0, state.cursor),
  'ctrl+k': (state) => without(state, state.cursor, state.characters.length),
  'ctrl+w': (state) => without(state, wordStart(state), state.cursor),
};
const SAME: Readonly<Record<string, string>> = {
  'ctrl+b': 'left',
  'ctrl+f': 'right',
  'ctrl+a': 'home',
  'ctrl+e': 'end',
  'ctrl+h': 'backspace',
  'ctrl+d': 'delete',
  'ctrl+left': 'alt+b',
  'alt+left': 'alt+b',
  'ctrl+right': 'alt+f',
  'alt+right': 'alt+f',
  'alt+backspace': 'ctrl+w',
};

/**
 * The field after `key`; undefined when the key means nothing to a field. Knows the keys of a shell's line: arrows, Home, End,
 * ctrl+a e b f d h k u w, alt+b f, alt+backspace. Pasted line breaks at the end are dropped, others become blanks.
 */
export function editField(state: FieldState, key: Key): FieldState | undefined {
  if (key.text !== undefined && !key.ctrl && !key.alt) return insert(state, key.text);
  const name = `${key.ctrl ? 'ctrl+' : ''}${key.alt ? 'alt+' : ''}${key.name}`;
  return EDITS[SAME[name] ?? name]?.(state);
}

/** The field after `key`: as editField, but the field itself for a key without a meaning. */
export function fieldReducer(state: FieldState, key: Key): FieldState {
  return editField(state, key) ?? state;
}

function insert(state: FieldState, text: string): FieldState {
  const added = clean(text.replace(/[\r\n]+$/, ''));
  if (added === '') return state;
  const before = state.characters.slice(0, state.cursor).join('') + added;
  // Split anew as a whole: a mark or joiner may belong to the character before it.
  const characters = graphemes(before + state.characters.slice(state.cursor).join(''));
  return { characters, cursor: Math.min(characters.length, graphemes(before).length) };
}

function moved(state: FieldState, cursor: number): FieldState {
  return cursor === state.cursor ? state : { ...state, cursor };
}

function without({ characters, cursor }: FieldState, from: number, to: number): FieldState {
  if (from === to) return { characters, cursor };
  return { characters: [...characters.slice(0, from), ...characters.slice(to)], cursor: from };
}

function wordStart({ characters, cursor }: FieldState): number {
  let at = cursor;
  while (at > 0 && characters[at - 1] === ' ') at--;
  while (at > 0 && characters[at - 1] !== ' ') at--;
  return at;
}

function wordEnd({ characters, cursor }: FieldState): number {
  let at = cursor;
  while (at < characters.length && characters[at] === ' ') at++;
  while (at < characters.length && characters[at] !== ' ') at++;
  return at;
}
