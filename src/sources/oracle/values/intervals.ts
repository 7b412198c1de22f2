import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import { Literal } from '../redo/redo-statement.ts';

/** `-03-06`: the sign is that of both. */
export function writeYearMonth(sql: string, literal: Literal, start: number, end: number, out: TupleWriter): boolean {
  if (literal !== Literal.yearMonth && literal !== Literal.plain) return false;
  const parts = /^\s*([+-]?)(\d+)-(\d+)\s*$/.exec(sql.slice(start, end));
  if (parts === null) return false;
  const sign = parts[1] === '-' ? '-' : '';
  out.ascii(`${sign}${Number(parts[2])} years ${sign}${Number(parts[3])} mons`);
  return true;
}

/** `-001 02:03:04.56`: the sign is that of all. */
export function writeDaySecond(sql: string, literal: Literal, start: number, end: number, out: TupleWriter): boolean {
  if (literal !== Literal.daySecond && literal !== Literal.plain) return false;
  const parts = /^\s*([+-]?)(\d+) (\d+):(\d+):(\d+)(?:[.,](\d*))?\s*$/.exec(sql.slice(start, end));
  if (parts === null) return false;
  const [, sign, days, hours, minutes, seconds, fraction = ''] = parts;
  const minus = sign === '-' ? '-' : '';
  const rest = fraction === '' ? '' : `.${fraction}`;
  out.ascii(`${minus}${Number(days)} days ${minus}${hours}:${minutes}:${seconds}${rest}`);
  return true;
}
