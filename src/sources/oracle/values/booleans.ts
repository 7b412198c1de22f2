import { Literal } from '../redo/redo-statement.ts';
import type { LiteralWriter } from './column-writer.ts';

const TRUE = new Set(['1', 'true', 't', 'y', 'yes']);
const FALSE = new Set(['0', 'false', 'f', 'n', 'no']);

/** For a boolean at the target: 1 and 0, or the words that people keep in a column of one character. */
export function booleanWriter(): LiteralWriter {
  return (sql, literal, start, end, out) => {
    if (literal !== Literal.plain && literal !== Literal.bare) return false;
    const word = sql.slice(start, end).trimEnd().toLowerCase();
    if (!TRUE.has(word) && !FALSE.has(word)) return false;
    out.ascii(TRUE.has(word) ? 't' : 'f');
    return true;
  };
}
