import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import { Literal } from '../redo/redo-statement.ts';

const SPECIAL = /^([+-]?)(nan|inf(?:inity)?)$/i;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A float of eight bytes: `Nan`, `Inf`, `-Inf`, else its shortest text. */
export function writeDouble(sql: string, literal: Literal, start: number, end: number, out: TupleWriter): boolean {
  return writeFloating(sql, literal, start, end, out, Number, String);
}

/** A float of four bytes, whose binary value Oracle prints with more digits than it has. */
export function writeFloat(sql: string, literal: Literal, start: number, end: number, out: TupleWriter): boolean {
  return writeFloating(sql, literal, start, end, out, Math.fround, shortestFloat);
}

function writeFloating(
  sql: string,
  literal: Literal,
  start: number,
  end: number,
  out: TupleWriter,
  rounded: (value: number) => number,
  text: (value: number) => string,
): boolean {
  if (literal !== Literal.plain && literal !== Literal.bare) return false;
  const digits = sql.slice(start, end);
  if (!DECIMAL.test(digits)) {
    const special = SPECIAL.exec(digits);
    if (special === null) return false;
    out.ascii(special[2].toLowerCase() === 'nan' ? 'NaN' : `${special[1] === '-' ? '-' : ''}Infinity`);
    return true;
  }
  const value = rounded(Number(digits));
  // A number that is too large for the type would become an infinity that it is not.
  if (!Number.isFinite(value)) return false;
  // JavaScript prints a negative zero without its sign.
  out.ascii(Object.is(value, -0) ? '-0' : text(value));
  return true;
}

/** The fewest digits that read as the same float of four bytes. */
function shortestFloat(float: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const near = Number(float.toPrecision(digits));
    if (Math.fround(near) === float) return String(near);
  }
  return String(Number(float.toPrecision(9)));
}
