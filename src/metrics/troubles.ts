import type { LogFields, LogLevel } from '../log/logger.ts';

/** A problem that was told of. */
export interface Trouble {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Stable and searchable; empty where there is none. */
  readonly code: string;
  readonly message: string;
  /** Commands or SQL that mend it. */
  readonly fix: string | undefined;
  readonly table: string | undefined;
}

/** Problems that are kept. */
const KEPT = 20;

/** The newest problems that the log has told of: every error, and warnings that have a code. */
export class Troubles {
  #list: Trouble[] = [];

  /** Newest first. One that comes again and again is there once, with the time of its last coming. */
  get list(): readonly Trouble[] {
    return this.#list;
  }

  /** Takes a line of the log, as it is written there: without secrets. */
  line(level: LogLevel, message: string, fields: LogFields): void {
    const code = text(fields.code) ?? '';
    if (level !== 'error' && (level !== 'warning' || code === '')) return;
    const table = text(fields.table);
    const cause = level === 'error' ? text(fields.error) : undefined;
    const trouble = {
      at: Date.now(),
      code,
      message: cause === undefined ? message : `${message}: ${cause}`,
      fix: text(fields.fix),
      table,
    };
    const others = this.#list.filter(
      (old) => old.code !== code || old.message !== trouble.message || old.table !== table,
    );
    this.#list = [trouble, ...others].slice(0, KEPT);
  }
}

function text(value: LogFields[string]): string | undefined {
  return value === undefined || value === '' ? undefined : String(value);
}
