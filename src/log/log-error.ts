import { mask } from '../config/secrets.ts';
import type { ErrorCode } from '../explanations/table.ts';
import { DefectError, OperatorError, UsageError } from '../errors.ts';
import type { LogFields, Logger } from './logger.ts';

/**
 * Logs a failure as one record: the message, the stable code, the commands that mend it, and with -v what caused it. An
 * error that is none of ours is a defect and keeps its stack.
 */
export function logError(logger: Logger, error: unknown, fields: LogFields = {}): void {
  const chain = causes(error);
  const { code, fix, stack } = describe(error);
  logger.error(messageOf(error), {
    ...fields,
    code,
    cause: logger.enabled('debug') && chain.length > 0 ? chain.map(causeText).join('; caused by ') : undefined,
    fix,
    more: moreOf(error),
    stack,
  });
}

/** What a terminal is told of an error, masked: the message with its code, then how to mend it. */
export function errorText(error: unknown): string {
  const { code, fix, stack } = describe(error);
  const head = code === undefined || code === 'USAGE' ? messageOf(error) : `${messageOf(error)} (${code})`;
  return mask(
    [head, ...(fix ? [`fix: ${fix.replaceAll('\n', '\n     ')}`] : []), ...(stack ? [stack] : [])].join('\n'),
  );
}

/** Where to read on, as the last line of what a terminal is told; empty where the text has said it all. */
export function moreLine(error: unknown): string {
  const more = moreOf(error);
  return more === undefined ? '' : `more: ${more}\n`;
}

function moreOf(error: unknown): string | undefined {
  if (!(error instanceof OperatorError) || error instanceof UsageError || error instanceof DefectError)
    return undefined;
  return `instar explain ${error.code}`;
}

function describe(error: unknown): { code?: ErrorCode; fix?: string; stack?: string } {
  if (error instanceof DefectError) return { code: error.code, fix: error.fix, stack: error.stack };
  if (error instanceof OperatorError) return { code: error.code, fix: error.fix };
  return error instanceof Error ? { stack: error.stack } : {};
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

/** The causes of an error, the nearest first; circles are cut. */
function causes(error: unknown): unknown[] {
  const chain: unknown[] = [];
  let next = error instanceof Error ? error.cause : undefined;
  while (next !== undefined && next !== error && !chain.includes(next)) {
    chain.push(next);
    next = next instanceof Error ? next.cause : undefined;
  }
  return chain;
}

/** The message of a cause with what a database server adds to it. */
function causeText(error: unknown): string {
  const { code, detail, hint, where } = (error ?? {}) as Partial<Record<'code' | 'detail' | 'hint' | 'where', unknown>>;
  const extras = Object.entries({ code, detail, hint, where }).filter(([, value]) => typeof value === 'string');
  const suffix = extras.map(([key, value]) => `${key}: ${value}`).join(', ');
  return suffix === '' ? messageOf(error) : `${messageOf(error)} (${suffix})`;
}
