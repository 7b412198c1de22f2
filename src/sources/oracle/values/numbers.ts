import type { TargetKind } from '../../../changes/table.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import { Literal } from '../redo/redo-statement.ts';
import type { LiteralWriter } from './column-writer.ts';

const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;

/** Oracle's exponents go from -130 to 125; more is no number of its, and would be a very long text. */
const LARGEST_EXPONENT = 200;

/**
 * A NUMBER, to the last digit: it never becomes a number here. What Oracle leaves out is added, the zero in front of the point; what
 * targets do not take is not written: a plus sign, a point with nothing behind, and for an integer column an exponent.
 */
export function numberWriter(kind: TargetKind | undefined): LiteralWriter {
  const expanded = kind === 'int';
  return (sql, literal, start, end, out) => {
    if (literal !== Literal.plain && literal !== Literal.bare) return false;
    const sign = sql.charCodeAt(start);
    const first = start < end && (sign === MINUS || sign === PLUS) ? start + 1 : start;
    const point = digitsEnd(sql, first, end);
    let mantissa = point;
    if (point < end && sql.charCodeAt(point) === DOT) mantissa = digitsEnd(sql, point + 1, end);
    const fraction = mantissa > point + 1;
    if (point === first && !fraction) return false;
    if (mantissa < end && !isExponent(sql, mantissa, end)) return false;
    if (expanded && mantissa < end) return writeExpanded(sql, sign === MINUS, first, point, mantissa, end, out);
    const open = out.open();
    out.ensure(end - start + 1);
    if (sign === MINUS) out.buffer[out.length++] = MINUS;
    if (point === first) out.buffer[out.length++] = ZERO;
    copy(sql, first, fraction ? mantissa : point, out);
    copy(sql, mantissa, end, out);
    out.close(open);
    return true;
  };
}

function digitsEnd(sql: string, start: number, end: number): number {
  let at = start;
  while (at < end && isDigit(sql.charCodeAt(at))) at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9;
}

/** `E+125` up to the end. */
function isExponent(sql: string, start: number, end: number): boolean {
  if ((sql.charCodeAt(start) | 0x20) !== 0x65) return false;
  const sign = sql.charCodeAt(start + 1);
  const digits = sign === PLUS || sign === MINUS ? start + 2 : start + 1;
  return digits < end && digitsEnd(sql, digits, end) === end;
}

/** Room for them must have been made. */
function copy(sql: string, start: number, end: number, out: TupleWriter): void {
  const { buffer } = out;
  let to = out.length;
  for (let at = start; at < end; at++) buffer[to++] = sql.charCodeAt(at);
  out.length = to;
}

/** Without an exponent, and without zeros behind the point. */
function writeExpanded(
  sql: string,
  negative: boolean,
  first: number,
  point: number,
  mantissa: number,
  end: number,
  out: TupleWriter,
): boolean {
  const exponent = Number(sql.slice(mantissa + 1, end));
  if (Math.abs(exponent) > LARGEST_EXPONENT) return false;
  let digits = sql.slice(first, point) + sql.slice(point + 1, mantissa);
  let whole = point - first + exponent;
  if (whole < 1) {
    digits = '0'.repeat(1 - whole) + digits;
    whole = 1;
  }
  const integer = digits
    .slice(0, whole)
    .padEnd(whole, '0')
    .replace(/^0+(?=\d)/, '');
  const fraction = digits.slice(whole).replace(/0+$/, '');
  out.ascii(`${negative ? '-' : ''}${integer}${fraction === '' ? '' : `.${fraction}`}`);
  return true;
}
