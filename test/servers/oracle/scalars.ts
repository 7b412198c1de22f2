import type { Writer } from './wire.ts';

/** Two decimal digits are in each byte of a NUMBER, and there are 20 such bytes at most. */
const MOST_PAIRS = 20;
const digits = new Uint8Array(MOST_PAIRS * 2);

/** A NUMBER from its digits: `-12.5`, `1e-7`. Digits after the 40th are cut off, as no NUMBER has them. */
export function writeNumber(w: Writer, text: string): void {
  const negative = text.startsWith('-');
  let count = 0;
  /** Where the point is, in digits after the first that is not 0. */
  let point = 0;
  let fraction = false;
  let read = 0;
  for (let at = negative ? 1 : 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) {
      read++;
      if (count === 0 && code === 0x30) {
        if (fraction) point--;
        continue;
      }
      if (count < digits.length) digits[count] = code - 0x30;
      count++;
      if (!fraction) point++;
    } else if (code === 0x2e && !fraction) {
      fraction = true;
    } else if ((code === 0x65 || code === 0x45) && /^[+-]?\d+$/.test(text.slice(at + 1))) {
      point += Number(text.slice(at + 1));
      break;
    } else {
      throw new TypeError(`${JSON.stringify(text)} is not a NUMBER`);
    }
  }
  if (read === 0) throw new TypeError(`${JSON.stringify(text)} is not a NUMBER`);
  count = Math.min(count, digits.length);
  while (count > 0 && digits[count - 1] === 0) count--;
  if (count === 0) {
    w.u8(1).u8(0x80);
    return;
  }
  const shift = point & 1;
  const pairs = Math.min((count + shift + 1) >> 1, MOST_PAIRS);
  const exponent = (point + shift) / 2 + 192;
  if (exponent < 128 || exponent > 255) throw new TypeError(`${JSON.stringify(text)} is out of the range of a NUMBER`);
  const end = negative && pairs < MOST_PAIRS;
  w.u8(1 + pairs + (end ? 1 : 0)).u8(negative ? ~exponent & 0xff : exponent);
  for (let pair = 0; pair < pairs; pair++) {
    const first = pair * 2 - shift;
    const value = (first < 0 ? 0 : digits[first]) * 10 + (first + 1 < count ? digits[first + 1] : 0);
    w.u8(negative ? 101 - value : value + 1);
  }
  if (end) w.u8(102);
}

/** The digits of a NUMBER, without an exponent. */
export function readNumber(bytes: Buffer): string {
  const positive = (bytes[0] & 0x80) !== 0;
  if (bytes.length === 1) return positive ? '0' : '-1e126';
  const pairs = bytes.subarray(1, !positive && bytes.at(-1) === 102 ? -1 : undefined);
  let text = '';
  for (const byte of pairs) text += String(positive ? byte - 1 : 101 - byte).padStart(2, '0');
  let point = ((positive ? bytes[0] : ~bytes[0] & 0xff) - 192) * 2;
  if (point < 0) {
    text = '0'.repeat(-point) + text;
    point = 0;
  }
  text = text.padEnd(point, '0');
  const whole = text.slice(0, point).replace(/^0+(?=\d)/, '') || '0';
  const fraction = text.slice(point).replace(/0+$/, '');
  return `${positive ? '' : '-'}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

const DATE = /^(-?\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d))?$/;

/** A DATE from `YYYY-MM-DD` or `YYYY-MM-DD HH:MM:SS`. */
export function writeDate(w: Writer, text: string): void {
  const match = DATE.exec(text);
  if (match === null) throw new TypeError(`${JSON.stringify(text)} is not a DATE`);
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  w.u8(7)
    .u8(Math.trunc(year / 100) + 100)
    .u8((year % 100) + 100);
  w.u8(month)
    .u8(day)
    .u8(hour + 1)
    .u8(minute + 1)
    .u8(second + 1);
}

/** `YYYY-MM-DD HH:MM:SS`, and nine digits of a second when it has a fraction; zones are left away. */
export function readDate(bytes: Buffer): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const year = (bytes[0] - 100) * 100 + bytes[1] - 100;
  const sign = year < 0 ? '-' : '';
  const date = `${sign}${String(Math.abs(year)).padStart(4, '0')}-${two(bytes[2])}-${two(bytes[3])}`;
  const time = `${two(bytes[4] - 1)}:${two(bytes[5] - 1)}:${two(bytes[6] - 1)}`;
  const nanos = bytes.length >= 11 ? bytes.readUInt32BE(7) : 0;
  return `${date} ${time}${nanos === 0 ? '' : `.${String(nanos).padStart(9, '0')}`}`;
}

/** A BINARY_DOUBLE or BINARY_FLOAT: IEEE 754, with bits turned over so that its bytes sort. */
export function readBinary(bytes: Buffer): number {
  const plain = Buffer.from(bytes);
  if (plain[0] & 0x80) plain[0] &= 0x7f;
  else for (let at = 0; at < plain.length; at++) plain[at] ^= 0xff;
  return plain.length === 8 ? plain.readDoubleBE() : plain.readFloatBE();
}
