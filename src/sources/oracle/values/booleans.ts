import type { TargetKind } from '../../../changes/table.ts';
import { Literal } from '../redo/redo-statement.ts';
import type { LiteralWriter } from './column-writer.ts';
import { joinedText } from './expressions.ts';

const TRUE = new Set(['1', 'true', 't', 'y', 'yes']);
const FALSE = new Set(['0', 'false', 'f', 'n', 'no']);

/** For or of a boolean: 1 and 0, or the words that people keep in a column of one character. A column of numbers gets 1 and 0. */
export function booleanWriter(kind: TargetKind | undefined): LiteralWriter {
  const numbers = kind === 'int' || kind === 'decimal' || kind === 'float';
  const [yes, no] = numbers ? ['1', '0'] : ['t', 'f'];
  return (sql, literal, start, end, out) => {
    const word = wordOf(sql, literal, start, end);
    if (word === undefined || !(TRUE.has(word) || FALSE.has(word))) return false;
    out.ascii(TRUE.has(word) ? yes : no);
    return true;
  };
}

function wordOf(sql: string, literal: Literal, start: number, end: number): string | undefined {
  if (literal === Literal.expression) return joinedText(sql, start, end)?.trimEnd().toLowerCase();
  if (literal !== Literal.plain && literal !== Literal.bare) return undefined;
  return sql.slice(start, end).trimEnd().toLowerCase();
}
