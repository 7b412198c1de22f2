import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import { Literal } from '../redo/redo-statement.ts';

const YEAR_MONTH = /^\s*([+-]?)(\d+)-(\d+)\s*$/;
const DAY_SECOND = /^\s*([+-]?)(\d+) (\d+):(\d+):(\d+)(?:[.,](\d*))?\s*$/;

/** `-03-06`: the sign is that of both. */
export function writeYearMonth(sql: string, literal: Literal, start: number, end: number, out: TupleWriter): boolean {
  if (literal !== Literal.yearMonth && literal !== Literal.plain) return false;
  const parts = YEAR_MONTH.exec(sql.slice(start, end));
  if (parts === null) return false;
  const sign = parts[1] === '-' ? '-' : '';
  out.ascii(`${sign}${Number(parts[2])} years ${sign}${Number(parts[3])} mons`);
  return true;
}

/** `-001 02:03:04.56`: the sign is that of all. Nanoseconds are rounded to microseconds, away from zero when in the middle. */
export function writeDaySecond(sql: string, literal: Literal, start: number, end: number, out: TupleWriter): boolean {
  if (literal !== Literal.daySecond && literal !== Literal.plain) return false;
  const parts = DAY_SECOND.exec(sql.slice(start, end));
  if (parts === null) return false;
  const [, sign, days, hours, minutes, seconds, fraction = ''] = parts;
  const minus = sign === '-' ? '-' : '';
  let day = Number(days);
  let clock = `${hours}:${minutes}:${seconds}`;
  let rest = fraction.slice(0, 6);
  if (fraction.charCodeAt(6) >= 0x35) {
    const micros = Number(rest) + 1;
    rest = micros < 1_000_000 ? String(micros).padStart(6, '0') : '';
    if (rest === '') {
      const next = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds) + 1;
      day += Math.floor(next / 86_400);
      clock = new Date((next % 86_400) * 1000).toISOString().slice(11, 19);
    }
  }
  out.ascii(`${minus}${day} days ${minus}${clock}${rest === '' ? '' : `.${rest}`}`);
  return true;
}
