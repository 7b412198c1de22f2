import type { LogFields, Logger, LogLevel } from '../../src/log/logger.ts';

export interface LogLine {
  level: LogLevel;
  message: string;
  fields: LogFields;
}

const ORDER: readonly LogLevel[] = ['error', 'warning', 'info', 'debug', 'trace'];

/** Keeps what is logged, for tests to look at. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = [];
  readonly #level: LogLevel;

  constructor(level: LogLevel = 'trace') {
    this.#level = level;
  }

  enabled(level: LogLevel): boolean {
    return ORDER.indexOf(level) <= ORDER.indexOf(this.#level);
  }

  /** Lines with exactly this message. */
  find(message: string): LogLine[] {
    return this.lines.filter((line) => line.message === message);
  }

  error(message: string, fields?: LogFields): void {
    this.#keep('error', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#keep('warning', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#keep('info', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#keep('debug', message, fields);
  }

  trace(message: string, fields?: LogFields): void {
    this.#keep('trace', message, fields);
  }

  #keep(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (this.enabled(level)) this.lines.push({ level, message, fields });
  }
}
