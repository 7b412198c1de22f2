import type { Binding, KeyLayer } from './key-registry.ts';
import { keyLabel } from './keys.ts';
import { textWidth } from './width.ts';

/** A key as it is told of: how it is written, and what it does. */
export interface Hint {
  readonly key: string;
  readonly label: string;
}

/** Columns between two hints. */
export const HINT_GAP = 3;

/**
 * The hints for a footer, most important first. While text is being typed, keys that would be typed are left out; a key that
 * somebody nearer takes is not told of twice.
 */
export function footerHints(layers: readonly KeyLayer[], ascii: boolean): Hint[] {
  const taken = new Set<string>();
  const hints: Hint[] = [];
  let typing = false;
  for (const { scope, bindings, onOther } of layers) {
    for (const binding of merged(bindings)) {
      const free = binding.keys.filter((key) => !taken.has(key) && !(typing && isPrintable(key)));
      for (const key of binding.keys) taken.add(key);
      if (free.length === 0 || binding.footer === false || binding.disabled !== undefined) continue;
      hints.push({ key: shownKeys(free, ascii), label: binding.label });
    }
    typing ||= scope === 'control' && onOther !== undefined;
  }
  return hints;
}

/** The hints that fit in `rows` lines of `columns`; the help, if it is among them, always does. */
export function fitHints(hints: readonly Hint[], columns: number, rows: number): Hint[][] {
  const help = hints.find(({ label }) => label === 'help');
  const others = hints.filter((hint) => hint !== help);
  const lines: Hint[][] = [];
  for (let row = 0; row < rows; row++) {
    const last = row === rows - 1;
    const line: Hint[] = [];
    let left = columns - (help !== undefined && last ? hintWidth(help) + HINT_GAP : 0);
    while (others.length > 0 && hintWidth(others[0]) <= left) {
      left -= hintWidth(others[0]) + HINT_GAP;
      line.push(others.shift()!);
    }
    if (help !== undefined && (last || others.length === 0)) {
      lines.push([...line, help]);
      return lines;
    }
    lines.push(line);
  }
  return lines;
}

function hintWidth({ key, label }: Hint): number {
  return textWidth(key) + 1 + textWidth(label);
}

/** Bindings that follow each other under one name (up and down of "move") as one. */
export function merged(bindings: readonly Binding[]): Binding[] {
  const result: Binding[] = [];
  for (const binding of bindings) {
    const last = result.at(-1);
    const same = last !== undefined && last.label === binding.label && last.footer === binding.footer;
    if (same) result.splice(-1, 1, { ...last, keys: [...last.keys, ...binding.keys] });
    else result.push(binding);
  }
  return result;
}

/** Whether the key moves or answers: such keys mean nothing in a menu. */
export function isNavigation(key: string): boolean {
  return /^(up|down|left|right|pageup|pagedown|home|end|return|escape|(shift\+)?tab| )$/.test(key);
}

/** Arrows are told of together; of other keys the first is enough. */
function shownKeys(keys: readonly string[], ascii: boolean): string {
  const arrows = keys.filter((key) => /^(up|down|left|right)$/.test(key));
  if (arrows.length > 1) return arrows.map((key) => keyLabel(key, ascii)).join(ascii ? '/' : '');
  return keyLabel(keys[0], ascii);
}

function isPrintable(key: string): boolean {
  return !/^(ctrl|alt)\+./.test(key) && [...key].length === 1;
}
