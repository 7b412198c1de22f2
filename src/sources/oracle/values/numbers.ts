import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import { Literal } from '../redo/redo-statement.ts';

const MINUS = 0x2d;
const DOT = 0x2e;

/** Digits, an exponent and all, with the zero in front of the point that Oracle leaves out. Nothing is lost: they never become a number here. */
export function writeNumber(sql: string, literal: Literal, start: number, end: number, out: TupleWriter): boolean {
  if ((literal !== Literal.plain && literal !== Literal.bare) || start === end) return false;
  let at = start;
  const negative = sql.charCodeAt(at) === MINUS;
  if (negative) at++;
  if (sql.charCodeAt(at) !== DOT) {
    out.ascii(sql.slice(start, end));
    return isNumeric(sql, at, end);
  }
  out.ascii(`${negative ? '-0' : '0'}${sql.slice(at, end)}`);
  return isNumeric(sql, at, end);
}

/** Digits, one point, and an exponent: what the target reads as a number. */
function isNumeric(sql: string, start: number, end: number): boolean {
  let digits = 0;
  for (let at = start; at < end; at++) {
    const code = sql.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) digits++;
    else if (code !== DOT && (code | 0x20) !== 0x65 && code !== MINUS && code !== 0x2b) return false;
  }
  return digits > 0;
}

/** A float of eight bytes: `Nan`, `Inf`, `-Inf`, else its shortest text. */
export function writeDouble(sql: string, literal: Literal, start: number, end: number, out: TupleWriter): boolean {
  return writeFloating(sql, literal, start, end, out, String);
}

/** A float of four bytes, whose binary value Oracle prints with more digits than it has. */
export function writeFloat(sql: string, literal: Literal, start: number, end: number, out: TupleWriter): boolean {
  return writeFloating(sql, literal, start, end, out, shortestFloat);
}

function writeFloating(
  sql: string,
  literal: Literal,
  start: number,
  end: number,
  out: TupleWriter,
  text: (value: number) => string,
): boolean {
  if (literal !== Literal.plain && literal !== Literal.bare) return false;
  const digits = sql.slice(start, end);
  const special = /^([+-]?)(nan|inf(?:inity)?)$/i.exec(digits);
  if (special !== null) {
    out.ascii(special[2].toLowerCase() === 'nan' ? 'NaN' : `${special[1] === '-' ? '-' : ''}Infinity`);
    return true;
  }
  const value = Number(digits);
  if (digits.trim() === '' || Number.isNaN(value)) return false;
  // JavaScript prints a negative zero without its sign.
  out.ascii(Object.is(value, -0) ? '-0' : text(value));
  return true;
}

/** The fewest digits that read as the same float of four bytes. */
function shortestFloat(value: number): string {
  const float = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const text = float.toPrecision(digits);
    if (Math.fround(Number(text)) === float) return String(Number(text));
  }
  return String(Number(float.toPrecision(9)));
}
