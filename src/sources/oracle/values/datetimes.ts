import type { TargetKind } from '../../../changes/table.ts';
import type { TupleWriter } from '../../../changes/tuple-writer.ts';
import { Literal } from '../redo/redo-statement.ts';
import type { LiteralWriter } from './column-writer.ts';

const SPACE = 0x20;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;

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
 * `[ |-]YYYY-MM-DD[ HH:MM:SS[.fraction]][ zone]`, year first because the session is told to write them so. Years before Christ have
 * a minus sign, and the target wants ` BC` behind. The year 0 does not exist, neither here nor there.
 */
function write(sql: string, start: number, end: number, out: TupleWriter, dayOnly: boolean, zone: string): boolean {
  let at = blanksEnd(sql, start, end);
  const sign = sql.charCodeAt(at);
  if (sign === MINUS || sign === PLUS) at++;
  const day = at;
  if (!isDay(sql, day, end)) return false;
  const time = day + 10;
  const timed = isClock(sql, time, end);
  at = timed ? time + 9 : time;
  let digits = 0;
  let micros = 0;
  let up = false;
  const mark = at < end ? sql.charCodeAt(at) : 0;
  if (timed && (mark === DOT || mark === COMMA)) {
    for (at++; at < end && isDigit(sql.charCodeAt(at)); at++, digits++) {
      const digit = sql.charCodeAt(at) - ZERO;
      if (digits < 6) micros = micros * 10 + digit;
      else if (digits === 6) up = digit >= 5;
    }
  }
  const zoneStart = blanksEnd(sql, at, end);
  let zoneEnd = end;
  while (zoneEnd > zoneStart && sql.charCodeAt(zoneEnd - 1) === SPACE) zoneEnd--;
  if (zoneEnd > zoneStart && !(timed && isZone(sql, zoneStart, zoneEnd))) return false;
  const open = out.open();
  let before = sign === MINUS;
  if (dayOnly) writeSpan(sql, day, time, out);
  else {
    if (up && micros === 999_999) {
      micros = 0;
      before = writeNextSecond(sql, day, before, out);
    } else {
      if (up) micros++;
      writeSpan(sql, day, timed ? time + 9 : time, out);
      if (!timed) out.writeAscii(' 00:00:00');
    }
    if (micros > 0) {
      out.writeByte(DOT);
      out.writePadded(micros, Math.min(digits, 6));
    }
    if (zoneEnd > zoneStart) {
      if (!isSign(sql.charCodeAt(zoneStart))) out.writeByte(SPACE);
      writeSpan(sql, zoneStart, zoneEnd, out);
    } else if (zone !== '') out.writeAscii(zone);
  }
  if (before) out.writeAscii(' BC');
  out.close(open);
  return true;
}

/** The second after the one at `day`, up to which it was rounded; true when that is before Christ. */
function writeNextSecond(sql: string, day: number, before: boolean, out: TupleWriter): boolean {
  const year = number(sql, day, 2) * 100 + number(sql, day + 2, 2);
  const date = new Date(0);
  // For this clock 1 before Christ is the year 0.
  date.setUTCFullYear(before ? 1 - year : year, number(sql, day + 5, 2) - 1, number(sql, day + 8, 2));
  date.setUTCHours(number(sql, day + 11, 2), number(sql, day + 14, 2), number(sql, day + 17, 2) + 1);
  const next = date.getUTCFullYear();
  const shown = next > 0 ? next : 1 - next;
  out.writeAscii(`${String(shown).padStart(4, '0')}${date.toISOString().slice(-20, -5).replace('T', ' ')}`);
  return next <= 0;
}

/** Characters below U+0080. */
function writeSpan(sql: string, start: number, end: number, out: TupleWriter): void {
  out.ensure(end - start);
  const { buffer } = out;
  let to = out.length;
  for (let at = start; at < end; at++) buffer[to++] = sql.charCodeAt(at);
  out.length = to;
}

function blanksEnd(sql: string, start: number, end: number): number {
  let at = start;
  while (at < end && sql.charCodeAt(at) === SPACE) at++;
  return at;
}

/** `YYYY-MM-DD`; how long a month is, the target knows. */
function isDay(sql: string, at: number, end: number): boolean {
  if (at + 10 > end || sql.charCodeAt(at + 4) !== MINUS || sql.charCodeAt(at + 7) !== MINUS) return false;
  const century = number(sql, at, 2);
  const year = number(sql, at + 2, 2);
  const month = number(sql, at + 5, 2);
  const day = number(sql, at + 8, 2);
  return century >= 0 && year >= 0 && century + year > 0 && month > 0 && month <= 12 && day > 0 && day <= 31;
}

/** ` HH:MM:SS`. */
function isClock(sql: string, at: number, end: number): boolean {
  if (at + 9 > end || sql.charCodeAt(at) !== SPACE) return false;
  if (sql.charCodeAt(at + 3) !== COLON || sql.charCodeAt(at + 6) !== COLON) return false;
  const hours = number(sql, at + 1, 2);
  const minutes = number(sql, at + 4, 2);
  const seconds = number(sql, at + 7, 2);
  return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && seconds >= 0 && seconds < 60;
}

/** `+01:00`, or the name of a region, whose rules the target has to know. */
function isZone(sql: string, start: number, end: number): boolean {
  if (isSign(sql.charCodeAt(start))) {
    if (number(sql, start + 1, 2) < 0) return false;
    return (
      end === start + 3 || (end === start + 6 && sql.charCodeAt(start + 3) === COLON && number(sql, start + 4, 2) >= 0)
    );
  }
  for (let at = start; at < end; at++) {
    const code = sql.charCodeAt(at);
    const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
    // `America/Port-au-Prince`, `Etc/GMT+1`, `America/New_York`
    const other = at > start && (isDigit(code) || isSign(code) || code === 0x2f || code === 0x5f);
    if (!letter && !other) return false;
  }
  return true;
}

/** The value of as many digits; negative when there are none. */
function number(sql: string, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const code = sql.charCodeAt(i);
    if (!isDigit(code)) return -1;
    value = value * 10 + code - ZERO;
  }
  return value;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9;
}

function isSign(code: number): boolean {
  return code === PLUS || code === MINUS;
}
