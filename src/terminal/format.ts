import { stripVTControlCharacters } from 'node:util';
import { fitting, textWidth } from './width.ts';

const NONE = '-';
const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Bytes with a decimal unit and at most three digits, as in "41.2 GB"; "-" for what is not known. */
export function formatBytes(bytes: number | undefined): string {
  if (!isKnown(bytes)) return NONE;
  return scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']);
}

/** Seconds in one or two units, as in "350 ms", "3.2 s", "4 min 05 s", "2 h 10 min", "3 d 4 h"; "-" for what is not known. */
export function formatSeconds(seconds: number | undefined): string {
  if (!isKnown(seconds)) return NONE;
  const milliseconds = Math.round(Math.max(0, seconds) * 1000);
  if (milliseconds === 0) return seconds > 0 ? '<1 ms' : '0 s';
  if (milliseconds < 1000) return `${milliseconds} ms`;
  if (milliseconds < 9950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const whole = Math.round(milliseconds / 1000);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A number of things: "12,345", and from a million on "1.2 M"; "-" for what is not known. */
export function formatCount(count: number | undefined): string {
  if (!isKnown(count)) return NONE;
  const whole = Math.round(count);
  if (Math.abs(whole) < 1e6) return grouped.format(whole);
  const [unit, size] = Math.abs(whole) < 999_950_000 ? ['M', 1e6] : ['G', 1e9];
  const value = whole / size;
  return `${Math.abs(value) < 99.95 ? value.toFixed(1) : grouped.format(value)} ${unit}`;
}

/** Things per second: "1,234/s", below ten "0.4/s"; "-" for what is not known. */
export function formatRate(perSecond: number | undefined): string {
  if (!isKnown(perSecond)) return NONE;
  if (perSecond > 0 && perSecond < 9.95) return `${perSecond.toFixed(1)}/s`;
  return `${formatCount(perSecond)}/s`;
}

/** A time since something, given in milliseconds, in its largest unit: "12 s", "4 min", "2 h", "3 d"; "-" for what is not known. */
export function formatAge(milliseconds: number | undefined): string {
  if (!isKnown(milliseconds)) return NONE;
  const seconds = Math.floor(Math.max(0, milliseconds) / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `text` moved to the right of `width` columns of the terminal; longer text stays as it is. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - textWidth(text))) + text;
}

/** `text` filled with blanks to `width` columns of the terminal; longer text stays as it is. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** `text` in at most `width` columns of the terminal; `ellipsis` stands for what was cut off. */
export function cut(text: string, width: number, ellipsis = '…'): string {
  if (textWidth(text) <= width) return text;
  if (width <= textWidth(ellipsis)) return fitting(ellipsis, width);
  return fitting(text, width - textWidth(ellipsis)) + ellipsis;
}

/**
 * Text of others (rows, messages of servers, lines of a log) made harmless for a terminal: without escape sequences and
 * control characters, without marks that turn the direction of writing; tabs and line breaks become blanks.
 */
export function clean(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\t\r\n]+/g, ' ')
    .replace(/[\p{Cc}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/gu, '');
}

function isKnown(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}

function scaled(value: number, units: readonly string[]): string {
  let size = Math.abs(value);
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  const digits = unit === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  const sign = value < 0 ? '-' : '';
  return `${sign}${size.toFixed(digits).replace(/\.0+$/, '')} ${units[unit]}`;
}
