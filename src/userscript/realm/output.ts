import type { Failures } from './failures.ts';
import type { Input } from './input.ts';
import type { Intrinsics } from './intrinsics.ts';

export interface Output {
  /**
   * JSON text of a value. A text that stands where the source had a number is a number again: by the object that it is in,
   * or by its place in `original`, the document that the column had.
   */
  json(value: unknown, number: boolean, original: unknown): string;
  /** The text of a value for a column that is shown as `shown` and is of `kind`; null is SQL NULL. `sent`: what the source had there. */
  text(value: unknown, shown: number, kind: string, sent: unknown): string | null;
  /** Whether a column shown as `shown` still has what the source sent. */
  unchanged(value: unknown, shown: number, sent: unknown): boolean;
}

/** What scripts return, as the texts that the target takes. `longest`: characters that a text may have. */
export function createOutput(intrinsics: Intrinsics, failures: Failures, input: Input, longest: number): Output {
  const {
    keys,
    hasOwn,
    isArray,
    isFiniteNumber,
    stringify,
    parse,
    toText,
    slice,
    codeAt,
    matches,
    wellFormed,
    dateText,
  } = intrinsics;
  const { fail } = failures;
  const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$/;
  const DEEPEST = 500;
  const DEEPEST_ARRAY = 16;

  function checkLength(text: string): void {
    if (text.length > longest) fail('SCRIPT_OUTPUT', `a value of more than ${longest} characters was returned`);
  }

  function member(parent: unknown, key: string): unknown {
    return typeof parent === 'object' && parent !== null && hasOwn(parent, key)
      ? (parent as Record<string, unknown>)[key]
      : undefined;
  }

  function members(value: object, original: unknown, depth: number): string {
    const names = keys(value);
    let text = '';
    for (let i = 0; i < names.length; i++) {
      const key = names[i];
      const item = (value as Record<string, unknown>)[key];
      if (item === undefined) continue;
      const number = input.wasNumber(value, key) || input.wasNumber(original, key);
      text += `${text === '' ? '' : ','}${stringify(key)}:${write(item, number, member(original, key), depth + 1)}`;
      checkLength(text);
    }
    return `{${text}}`;
  }

  function items(value: readonly unknown[], original: unknown, depth: number): string {
    let text = '';
    for (let i = 0; i < value.length; i++) {
      const key = toText(i);
      const number = input.wasNumber(value, key) || input.wasNumber(original, key);
      text += `${i > 0 ? ',' : ''}${write(value[i] ?? null, number, member(original, key), depth + 1)}`;
      checkLength(text);
    }
    return `[${text}]`;
  }

  function write(value: unknown, number: boolean, original: unknown, depth: number): string {
    if (depth > DEEPEST) fail('SCRIPT_VALUE', 'the value is nested too deeply, or holds itself');
    switch (typeof value) {
      case 'string':
        return number && matches(NUMBER, value) ? value : stringify(value);
      case 'boolean':
        return value ? 'true' : 'false';
      case 'number':
        return isFiniteNumber(value) ? toText(value) : fail('SCRIPT_VALUE', 'JSON has no text for NaN and Infinity');
      case 'bigint':
        return toText(value);
      case 'object': {
        if (value === null) return 'null';
        const date = dateText(value);
        if (date !== undefined) return stringify(date);
        return isArray(value) ? items(value, original, depth) : members(value, original, depth);
      }
      default:
        return fail('SCRIPT_VALUE', `a ${typeof value} cannot be written`);
    }
  }

  function quoted(text: string): string {
    let result = '';
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const code = codeAt(text, i);
      if (code !== 34 && code !== 92) continue;
      result += `${slice(text, from, i)}\\`;
      from = i;
    }
    return `"${result}${slice(text, from)}"`;
  }

  function arrayLiteral(list: readonly unknown[], shown: number, kind: string, depth: number): string {
    if (depth > DEEPEST_ARRAY) fail('SCRIPT_VALUE', 'the array is nested too deeply, or holds itself');
    let text = '';
    for (let i = 0; i < list.length; i++) {
      const item = list[i] ?? null;
      let part = 'NULL';
      if (isArray(item) && shown !== 5) part = arrayLiteral(item, shown, kind, depth + 1);
      else if (item !== null) part = quoted(plain(item, shown === 5 ? 2 : 0, kind, undefined));
      text += `${i > 0 ? ',' : ''}${part}`;
      checkLength(text);
    }
    return `{${text}}`;
  }

  function jsonColumn(value: unknown, sent: unknown): string {
    const original = input.show(sent, 2);
    const number = typeof original === 'string' && typeof sent === 'string' && matches(NUMBER, sent);
    // What a script has made with JSON.stringify is a document, and no text in one.
    if (typeof value === 'string' && (value[0] === '{' || value[0] === '[')) {
      try {
        parse(value);
        return value;
      } catch {
        return stringify(value);
      }
    }
    return write(value, number, original, 0);
  }

  function plain(value: unknown, shown: number, kind: string, sent: unknown): string {
    if (shown === 2) return jsonColumn(value, sent);
    const numeric = kind === 'int' || kind === 'decimal' || kind === 'float' || kind === 'bit';
    switch (typeof value) {
      case 'string':
        if (!wellFormed(value))
          fail('SCRIPT_VALUE', 'the text holds half of a surrogate pair, which UTF-8 cannot tell');
        return value;
      case 'boolean':
        return numeric ? (value ? '1' : '0') : value ? 'true' : 'false';
      case 'number':
      case 'bigint':
        return toText(value);
      case 'object': {
        const date = dateText(value as object);
        if (date !== undefined) return date;
        if (isArray(value) && shown > 2) return arrayLiteral(value, shown, kind, 0);
        if (kind === 'string' || kind === 'other' || kind === '') return write(value, false, undefined, 0);
        const what = isArray(value) ? 'an array' : 'an object';
        return fail('SCRIPT_VALUE', `${what} cannot be written to a column of type ${kind}`);
      }
      default:
        return fail('SCRIPT_VALUE', `a ${typeof value} cannot be written`);
    }
  }

  /** Whether two values have the same parts in the same order. The second is made of JSON, so that it has an end. */
  function equal(a: unknown, b: unknown): boolean {
    if (a === b) return true;
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
    if (isArray(a) !== isArray(b) || dateText(a) !== undefined) return false;
    if (isArray(a) && a.length !== (b as readonly unknown[]).length) return false;
    const names = keys(a);
    const others = keys(b);
    if (names.length !== others.length) return false;
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (name !== others[i]) return false;
      if (!equal((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name])) return false;
    }
    return true;
  }

  return {
    json: (value, number, original) => write(value, number, original, 0),
    text(value, shown, kind, sent) {
      if (value === null) return null;
      const text = plain(value, shown, kind, sent);
      checkLength(text);
      return text;
    },
    unchanged(value, shown, sent) {
      if (value === sent) return shown < 2 || typeof sent !== 'string' || input.show(sent, shown) === value;
      if (shown < 2 || typeof sent !== 'string') return false;
      return equal(value, input.show(sent, shown));
    },
  };
}
