import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { OracleColumnType } from '../column-type.ts';
import { Literal } from '../redo/redo-statement.ts';
import type { LiteralWriter } from './column-writer.ts';
import { valueError } from './value-error.ts';

/** Text of any kind. The blanks that fill a CHAR up are no part of its value. */
export function textWriter(column: OracleColumnType): LiteralWriter {
  const padded = column.type === 'CHAR' || column.type === 'NCHAR';
  return (sql, literal, start, end, out) => {
    switch (literal) {
      case Literal.plain:
        write(column, padded ? trimBlanks(sql.slice(start, end)) : sql.slice(start, end), out);
        return true;
      case Literal.quoted: {
        const text = sql.slice(start, end).replaceAll("''", "'");
        write(column, padded ? trimBlanks(text) : text, out);
        return true;
      }
      case Literal.expression: {
        const text = joined(sql.slice(start, end));
        if (text === undefined) return false;
        write(column, padded ? trimBlanks(text) : text, out);
        return true;
      }
      case Literal.emptyLob:
        out.ascii('');
        return true;
      case Literal.bare:
      case Literal.hex:
        write(column, sql.slice(start, end), out);
        return true;
      default:
        return false;
    }
  };
}

function trimBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0x20) end--;
  return text.slice(0, end);
}

function write(column: OracleColumnType, text: string, out: TupleWriter): void {
  if (text.includes('\0')) {
    throw valueError(column, 'it holds the character U+0000, which PostgreSQL and CockroachDB cannot store');
  }
  out.utf8(text);
}

/** The text of `UNISTR('…') || '…'`; undefined for a function that is not known. */
function joined(expression: string): string | undefined {
  const part = /\s*(?:\|\|\s*)?(?:([A-Z_]+)\s*\(\s*)?[Nn]?'((?:[^']|'')*)'(\s*\))?/gy;
  let text = '';
  let at = 0;
  while (at < expression.length) {
    part.lastIndex = at;
    const found = part.exec(expression);
    if (found === null) return expression.slice(at).trim() === '' ? text : undefined;
    const [whole, name, quoted] = found;
    const content = quoted.replaceAll("''", "'");
    if (name === 'UNISTR') text += unescaped(content);
    else if (name === undefined || name === 'TO_NCHAR' || name === 'N') text += content;
    else return undefined;
    at += whole.length;
  }
  return text;
}

/** `\0412` is a UTF-16 unit, `\\` a backslash. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(\\|[0-9A-Fa-f]{4})/g, (_, code: string) =>
    code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
