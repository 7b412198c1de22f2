import type { ErrorCode } from '../../explanations/table.ts';
import type { Intrinsics } from './intrinsics.ts';
import type { ThrownText } from './io.ts';

export interface Failures {
  /** What runs at the moment, for errors. */
  readonly running: { handler: string; table: string };
  /** Throws an error that the outside knows by its code. */
  fail(code: ErrorCode, message: string): never;
  codeOf(error: unknown): ErrorCode | '';
  /** An error for a request that the database refused. */
  refusal(request: number, message: string): Error;
  /** What was thrown, in texts; nothing that the script can put in its way makes this fail. */
  thrown(error: unknown): ThrownText;
  /** A property's text, also of a getter that throws. */
  textOf(value: unknown, name: string): string;
}

export function createFailures(intrinsics: Intrinsics): Failures {
  const { ErrorType, notes, toText } = intrinsics;
  const codes = notes<ErrorCode>();
  const requests = notes<number>();
  const running = { handler: '', table: '' };

  const isObject = (value: unknown): value is object =>
    (typeof value === 'object' && value !== null) || typeof value === 'function';

  function textOf(value: unknown, name: string): string {
    try {
      const found = (value as Record<string, unknown>)[name];
      return typeof found === 'string' ? found : '';
    } catch {
      return '';
    }
  }

  return {
    running,
    textOf,
    fail(code, message) {
      const error = new ErrorType(message);
      codes.set(error, code);
      throw error;
    },
    codeOf: (error) => (isObject(error) ? (codes.get(error) ?? '') : ''),
    refusal(request, message) {
      const error = new ErrorType(message);
      requests.set(error, request);
      return error;
    },
    thrown(error) {
      const { handler, table } = running;
      if (isObject(error)) {
        return {
          code: codes.get(error) ?? '',
          name: textOf(error, 'name'),
          message: textOf(error, 'message'),
          stack: textOf(error, 'stack'),
          request: requests.get(error) ?? 0,
          handler,
          table,
        };
      }
      let message = 'a value that has no text';
      try {
        message = toText(error);
      } catch {
        // A symbol or the like.
      }
      return { code: '', name: '', message, stack: '', request: 0, handler, table };
    },
  };
}
