import type { Intrinsics } from './intrinsics.ts';

export interface Input {
  /** A value of the source as the script sees it; `shown` is a Shown. */
  show(value: unknown, shown: number): unknown;
  /** Whether member `key` of a part of a JSON document was a number at the source. */
  wasNumber(parent: unknown, key: string): boolean;
}

/** Texts of the source as values for the script: JSON as objects, array literals as arrays, numbers as texts everywhere. */
export function createInput(intrinsics: Intrinsics): Input {
  const { parse, record, notes, put, slice, fold, toText, matches } = intrinsics;
  const DIGIT = /[0-9]/;
  /** For parts of documents, the members that were numbers. */
  const numbers = notes<Record<string, boolean>>();

  function fromJson(text: string): unknown {
    // Where there is no digit there is no number.
    if (!matches(DIGIT, text)) return parse(text);
    return parse(text, function (this: object, key: string, value: unknown, context?: { source?: string }) {
      if (typeof value !== 'number') return value;
      let noted = numbers.get(this);
      if (noted === undefined) {
        noted = record<boolean>();
        numbers.set(this, noted);
      }
      noted[key] = true;
      return context?.source ?? toText(value);
    } as (this: unknown, key: string, value: unknown) => unknown);
  }

  function element(raw: string, shown: number): unknown {
    if (shown === 4) return raw === 't' ? true : raw === 'f' ? false : raw;
    return shown === 5 ? fromJson(raw) : raw;
  }

  /** An array literal of PostgreSQL; undefined when an array cannot tell all that it says. */
  function fromArray(text: string, shown: number): unknown {
    let at = 0;
    let sound = text[0] === '{';
    const readQuoted = (): string => {
      let item = '';
      let from = ++at;
      while (at < text.length && text[at] !== '"') {
        if (text[at] === '\\') {
          item += slice(text, from, at);
          from = ++at;
        }
        at++;
      }
      return item + slice(text, from, at++);
    };
    const readItem = (): unknown => {
      if (text[at] === '{') return read();
      if (text[at] === '"') return element(readQuoted(), shown);
      const from = at;
      while (at < text.length && text[at] !== ',' && text[at] !== '}') at++;
      const item = slice(text, from, at);
      return fold(item) === 'null' ? null : element(item, shown);
    };
    const read = (): unknown[] => {
      const items: unknown[] = [];
      at++;
      if (text[at] === '}') at++;
      else {
        for (let count = 0; ; count++) {
          put(items, count, readItem());
          const next = text[at++];
          if (next === ',') continue;
          if (next !== '}') sound = false;
          break;
        }
      }
      return items;
    };
    const items = sound ? read() : undefined;
    return sound && at === text.length ? items : undefined;
  }

  return {
    show(value, shown) {
      if (shown < 2 || typeof value !== 'string') return value;
      try {
        return shown === 2 ? fromJson(value) : (fromArray(value, shown) ?? value);
      } catch {
        return value;
      }
    },
    wasNumber: (parent, key) => typeof parent === 'object' && parent !== null && numbers.get(parent)?.[key] === true,
  };
}
