import type { TargetKind } from '../../../changes/table.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import type { OracleColumnType } from '../column-type.ts';
import { Literal } from '../redo/redo-statement.ts';
import type { LiteralWriter } from './column-writer.ts';
import { joinedText } from './expressions.ts';
import { valueError } from './value-error.ts';

/** Text of any kind. The blanks that fill a CHAR up are no part of its value. A column of bytes gets the text's UTF-8. */
export function textWriter(column: OracleColumnType, kind: TargetKind | undefined): LiteralWriter {
  const padded = column.type === 'CHAR' || column.type === 'NCHAR';
  const write = kind === 'bytes' ? writeUtf8Bytes : writeText;
  return (sql, literal, start, end, out) => {
    switch (literal) {
      case Literal.plain:
      case Literal.bare:
        write(column, sql.slice(start, padded ? blanksStart(sql, start, end) : end), out);
        return true;
      case Literal.quoted:
        write(column, sql.slice(start, padded ? blanksStart(sql, start, end) : end).replaceAll("''", "'"), out);
        return true;
      case Literal.expression: {
        const text = joinedText(sql, start, end);
        if (text === undefined) return false;
        write(column, padded ? text.slice(0, blanksStart(text, 0, text.length)) : text, out);
        return true;
      }
      case Literal.emptyLob:
        write(column, '', out);
        return true;
      default:
        return false;
    }
  };
}

/** Where the blanks begin that [start, end) ends with. */
function blanksStart(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && text.charCodeAt(at - 1) === 0x20) at--;
  return at;
}

function writeText(column: OracleColumnType, text: string, out: TupleWriter): void {
  if (text.includes('\0')) {
    throw valueError(column, 'it holds the character U+0000, which PostgreSQL and CockroachDB cannot store');
  }
  out.utf8(text);
}

/** In digits, because the target would read backslashes of the text as escapes. */
function writeUtf8Bytes(_column: OracleColumnType, text: string, out: TupleWriter): void {
  out.ascii(`\\x${Buffer.from(text, 'utf8').toString('hex')}`);
}
