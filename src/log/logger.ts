import type { ErrorCode } from '../explanations/table.ts';

/**
 * Values that may stand beside a log message. Secrets must be masked before they come here. A warning that asks for
 * something has a `code`, which is explained like that of an error.
 */
export type LogFields = Readonly<Record<string, string | number | bigint | boolean | undefined>> & {
  readonly code?: ErrorCode | undefined;
};

export type LogLevel = 'error' | 'warning' | 'info' | 'debug' | 'trace';

/** Where the program tells what it does. Guard costly debug lines with `enabled('debug')`. */
export interface Logger {
  enabled(level: LogLevel): boolean;
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  trace(message: string, fields?: LogFields): void;
}
