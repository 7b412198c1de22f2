import type { LogFields, LogLevel } from './logger.ts';

/** One record, its strings already masked. */
export interface LogRecord {
  readonly time: Date;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Fields of several lines that people read or paste: `text` writes them below the line, indented. */
const BLOCKS: readonly string[] = ['fix', 'more', 'stack'];

const TEXT_LEVELS: Readonly<Record<LogLevel, string>> = {
  error: 'ERROR',
  warning: 'WARN ',
  info: 'INFO ',
  debug: 'DEBUG',
  trace: 'TRACE',
};

/** Severities as log collectors know them: there is none below DEBUG. */
const SEVERITIES: Readonly<Record<LogLevel, string>> = {
  error: 'ERROR',
  warning: 'WARNING',
  info: 'INFO',
  debug: 'DEBUG',
  trace: 'DEBUG',
};

/** `[2026-02-02T10:20:32-05:00] INFO  message key=value`, with a line break at its end. */
export function textLine({ time, level, message, fields }: LogRecord): string {
  let line = `[${localTime(time)}] ${TEXT_LEVELS[level]} ${printable(message)}`;
  let below = '';
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (BLOCKS.includes(key)) below += `    ${key}: ${String(value).split('\n').map(printable).join('\n        ')}\n`;
    else line += ` ${key}=${quoted(String(value))}`;
  }
  return `${line}\n${below}`;
}

/** A JSON object for Fluentd and its kin: `severity`, `time`, `message`, then the fields; with a line break at its end. */
export function fluentLine({ time, level, message, fields }: LogRecord): string {
  const record: Record<string, unknown> = { severity: SEVERITIES[level], time: time.toISOString(), message };
  for (const [key, value] of Object.entries(fields)) {
    record[key in record ? `fields.${key}` : key] = typeof value === 'bigint' ? String(value) : value;
  }
  return `${printable(JSON.stringify(record))}\n`;
}

/** RFC 3339 to the second, with the offset of the local time zone. */
function localTime(time: Date): string {
  const offset = -time.getTimezoneOffset();
  const local = new Date(time.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const minutes = Math.abs(offset);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}

/** Without control characters: a message must not look like a second line of the log, nor move the cursor. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) =>
    character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function quoted(text: string): string {
  return text === '' || /[\s"'=\\\p{Cc}]/u.test(text) ? printable(JSON.stringify(text)) : text;
}
