import type { Writable } from 'node:stream';
import { MASK, mask } from '../config/secrets.ts';
import { fluentLine, textLine } from './format.ts';
import { LogFileOutput, type OwnLine } from './log-file-output.ts';
import type { LogFields, Logger, LogLevel } from './logger.ts';
import type { Rotation } from './rotation.ts';

export interface LoggerOptions {
  readonly format: 'text' | 'fluent';
  /** 0: errors, warnings and information; 1: debug lines too; 2: also traces. */
  readonly verbosity: number;
  /** File to append to, made with mode 0600; standard output without it. */
  readonly destination?: string | undefined;
  /** When the file makes way for a fresh one; never unless given. */
  readonly rotation?: Rotation;
  /** Where lines go without a destination; `process.stdout` when not given. */
  readonly stdout?: Writable;
  /** Called for every line that is written, with what is written: metrics count them by level. */
  readonly onLine?: (level: LogLevel, message: string, fields: LogFields) => void;
}

export interface ClosableLogger extends Logger {
  /** Resolves when every line so far was handed to the operating system. */
  flush(): Promise<void>;
  readonly toFile: boolean;
  /** Opens the file by its name anew, after it was moved; nothing when the log goes to no file. */
  reopen(): void;
  /** Flushes and closes the file, if there is one. */
  close(): Promise<void>;
}

const NO_ROTATION: Rotation = { maxSize: 0, maxFiles: 1 };

const LEVELS: readonly LogLevel[] = ['error', 'warning', 'info', 'debug', 'trace'];

/**
 * A logger that masks every secret and writes each line at once, so that nothing is lost when the process dies. Standard
 * output that was closed by its reader, or a full disk, loses lines but never stops the replication.
 * @throws UsageError when the destination cannot be opened.
 */
export function createLogger(options: LoggerOptions): ClosableLogger {
  const { format, onLine } = options;
  const encode = format === 'fluent' ? fluentLine : textLine;
  const highest = 2 + Math.min(options.verbosity, 2);
  const own: OwnLine = (level, message) => encode({ time: new Date(), level, message, fields: {} });
  const output = options.destination
    ? fileOutput(new LogFileOutput(options.destination, options.rotation ?? NO_ROTATION, own))
    : streamOutput(options.stdout ?? process.stdout);

  const enabled = (level: LogLevel) => LEVELS.indexOf(level) <= highest;
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (!enabled(level)) return;
    const line = { message: mask(message), fields: masked(fields) };
    output.write(encode({ time: new Date(), level, ...line }));
    onLine?.(level, line.message, line.fields);
  };
  return {
    enabled,
    error: at('error'),
    warn: at('warning'),
    info: at('info'),
    debug: at('debug'),
    trace: at('trace'),
    flush: output.flush,
    toFile: Boolean(options.destination),
    reopen: output.reopen,
    close: output.close,
  };
}

function masked(fields: LogFields = {}): LogFields {
  const entries = Object.entries(fields).map(([key, value]) => {
    if (/password|secret|token/i.test(key)) return [key, MASK];
    return [key, typeof value === 'string' ? mask(value) : value];
  });
  return Object.fromEntries(entries);
}

interface Output {
  write(line: string): void;
  flush(): Promise<void>;
  reopen(): void;
  close(): Promise<void>;
}

function fileOutput(file: LogFileOutput): Output {
  return {
    write: (line) => file.write(line),
    async flush() {},
    reopen: () => file.reopen(),
    async close() {
      file.close();
    },
  };
}

function streamOutput(stream: Writable): Output {
  let broken = false;
  stream.on('error', () => {
    broken = true;
  });
  const flush = () =>
    new Promise<void>((resolve) => {
      if (broken || stream.writableEnded || stream.destroyed) resolve();
      else stream.write('', () => resolve());
    });
  return {
    write(line) {
      if (!broken) stream.write(line);
    },
    flush,
    reopen() {},
    close: flush,
  };
}
