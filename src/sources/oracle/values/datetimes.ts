import type { TargetKind } from '../../../changes/table.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import { Literal } from '../redo/redo-statement.ts';
import type { LiteralWriter } from './column-writer.ts';

const ZERO = 0x30;
const SPACE = 0x20;

/** A DATE has a time of day. */
export function writeDate(sql: string, literal: Literal, start: number, end: number, out: TupleWriter): boolean {
  return isTime(literal) && write(sql, start, end, out, false, '');
}

/** A DATE for a column without times: as the target's own cast, the day alone. */
export function writeDay(sql: string, literal: Literal, start: number, end: number, out: TupleWriter): boolean {
  return isTime(literal) && write(sql, start, end, out, true, '');
}

/** A TIMESTAMP, with its time zone where it has one. Nanoseconds are rounded to the microseconds that the target keeps. */
export function writeTimestamp(type: string, kind: TargetKind | undefined): LiteralWriter {
  // The session's time zone is UTC, so that is what those in local time come in.
  const zone = type.includes('LOCAL') ? '+00:00' : '';
  const dayOnly = kind === 'date';
  return (sql, literal, start, end, out) => isTime(literal) && write(sql, start, end, out, dayOnly, zone);
}

function isTime(literal: Literal): boolean {
  return (
    literal === Literal.date ||
    literal === Literal.timestamp ||
    literal === Literal.timestampTz ||
    literal === Literal.timestampLtz ||
    literal === Literal.plain
  );
}

/**
 * `[ |-]YYYY-MM-DD HH:MM:SS[.fraction][ zone]`, year first because the session is told to write them so. Years before Christ have a minus sign, and
 * the target wants ` BC` behind.
 */
function write(sql: string, start: number, end: number, out: TupleWriter, dayOnly: boolean, zone: string): boolean {
  let at = start;
  while (at < end && sql.charCodeAt(at) === SPACE) at++;
  const before = sql[at] === '-';
  if (before || sql[at] === '+') at++;
  const day = at;
  if (!isPattern(sql, day, end, 'dddd-dd-dd')) return false;
  at += 10;
  const open = out.open();
  let fraction = '';
  let carry = false;
  let rest = at;
  if (at < end && !isPattern(sql, at, end, ' dd:dd:dd')) return false;
  const time = at;
  if (at < end) {
    at += 9;
    rest = at;
    const mark = sql.charCodeAt(at);
    if (mark === 0x2e || mark === 0x2c) {
      rest = at + 1;
      while (rest < end && isDigit(sql.charCodeAt(rest))) rest++;
      fraction = sql.slice(at + 1, rest);
      if (fraction.length > 6) {
        carry = fraction.charCodeAt(6) >= ZERO + 5;
        fraction = fraction.slice(0, 6);
      }
    }
  }
  const offset = sql.slice(rest, end).trim();
  if (carry) {
    const rounded = String(Number(fraction) + 1).padStart(6, '0');
    if (rounded.length === 6) {
      carry = false;
      fraction = rounded;
    } else fraction = '';
  }
  if (carry && !dayOnly) out.writeAscii(nextSecond(sql.slice(day, time + 9), before));
  else {
    out.writeAscii(sql.slice(day, dayOnly || time >= end ? day + 10 : time + 9));
    if (!dayOnly && time >= end) out.writeAscii(' 00:00:00');
  }
  if (!dayOnly) {
    if (/[1-9]/.test(fraction)) out.writeAscii(`.${fraction}`);
    const shown = offset === '' ? zone : offset;
    if (shown !== '') out.writeUtf8(/^[+-]/.test(shown) ? shown : ` ${shown}`);
  }
  if (before) out.writeAscii(' BC');
  out.close(open);
  return true;
}

/** The second after one that was rounded up. `text` is `YYYY-MM-DD HH:MM:SS`. */
function nextSecond(text: string, before: boolean): string {
  const [year, month, day, hours, minutes, seconds] = text.split(/[- :]/).map(Number);
  const date = new Date(0);
  // There is no year 0: 1 before Christ is 0 for the clock.
  date.setUTCFullYear(before ? 1 - year : year, month - 1, day);
  date.setUTCHours(hours, minutes, seconds + 1);
  const shown = before ? 1 - date.getUTCFullYear() : date.getUTCFullYear();
  return `${String(shown).padStart(4, '0')}${date.toISOString().slice(-20, -5).replace('T', ' ')}`;
}

/** True when the text from `at` on has that form: `d` is a digit, everything else itself. */
function isPattern(sql: string, at: number, end: number, pattern: string): boolean {
  if (at + pattern.length > end) return false;
  for (let i = 0; i < pattern.length; i++) {
    const code = sql.charCodeAt(at + i);
    const wanted = pattern.charCodeAt(i);
    if (wanted === 0x64 ? !isDigit(code) : code !== wanted) return false;
  }
  return true;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9;
}
