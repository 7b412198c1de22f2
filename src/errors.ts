import type { ErrorCode } from './explanations/table.ts';

/** What an operator needs to know about a failure, beyond the one-line message. */
export interface ErrorDetails {
  /** Commands or SQL that mend it, one per line. */
  fix?: string;
  /** True when trying again can succeed without anybody's help (lost connection, serialization failure). */
  transient?: boolean;
  cause?: unknown;
}

/**
 * A failure told in the operator's words. `code` is stable and searchable (`PG_SLOT_LOST`); the message says what
 * happened and what it means for the data; `fix` says what to do. Never holds a secret.
 */
export class OperatorError extends Error {
  readonly code: ErrorCode;
  readonly fix: string | undefined;
  readonly transient: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'OperatorError';
    this.code = code;
    this.fix = details.fix;
    this.transient = details.transient ?? false;
  }
}

/** The command line, environment or configuration file is wrong: exit status 2. */
export class UsageError extends OperatorError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('USAGE', message, details);
    this.name = 'UsageError';
  }
}

/** An error that nobody foresaw. Keeps the stack of what was thrown, which is what its report needs. */
export class DefectError extends OperatorError {
  constructor(thrown: unknown) {
    const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
    super('INTERNAL', `a defect in this program: ${text}; what is committed on the target is safe`, {
      fix: 'Please report it with these lines. Then resume with the same command.',
      cause: thrown,
    });
    this.name = 'DefectError';
    if (thrown instanceof Error) this.stack = thrown.stack;
  }
}
