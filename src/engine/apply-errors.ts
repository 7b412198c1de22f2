import { OperatorError } from '../errors.ts';
import type { Position } from '../sources/source.ts';
import type { Dialect } from '../target/dialect.ts';
import { quoteIdentifier } from '../target/identifiers.ts';
import { proposeType } from '../target/proposed-types.ts';
import { sqlState } from '../target/retry.ts';
import { subjectOf } from './flights.ts';

export function isDrift(error: unknown): boolean {
  return error instanceof OperatorError && error.code === 'TARGET_SCHEMA_DRIFT';
}

/** The connection is gone; what it was about to commit is told by the checkpoint. */
export function targetLost(error: Error): OperatorError {
  return new OperatorError('TARGET_LOST', `the connection to the target was lost: ${error.message}`, {
    transient: true,
    cause: error,
  });
}

/** Transient, because a commit of ours whose answer was lost may come late; the pipeline tells that from somebody else. */
export function checkpointMoved(error: Error): OperatorError {
  return new OperatorError(
    'CHECKPOINT_MOVED',
    'the checkpoint was moved by somebody else: another process writes to the same target schema; nothing was applied twice',
    { cause: error, transient: true, fix: 'stop the other process, then resume with the same command' },
  );
}

/** Bare name of the table that the target refused something for, where that is known. */
export function refusedTable(error: Error): string | undefined {
  return (error as { table?: string }).table ?? subjectOf(error)?.table.name;
}

/** The user lacks a right. */
export function targetDenied(error: Error, dialect: Dialect, user: string | undefined): OperatorError {
  const table = subjectOf(error)?.table.writer.mapping.target.qualified;
  const rights = `SELECT, INSERT, UPDATE, DELETE${dialect.product === 'postgresql' ? ', TRUNCATE' : ''}`;
  return new OperatorError(
    'TARGET_DENIED',
    `the target user${user === undefined ? '' : ` ${user}`} lacks a privilege${table === undefined ? '' : ` on ${table}`}: ` +
      `${error.message}; nothing of the transaction was applied, and the checkpoint stands before it`,
    {
      cause: error,
      fix: `GRANT ${rights} ON ${table ?? 'the table'} TO ${user === undefined ? 'the target user' : quoteIdentifier(user)};`,
    },
  );
}

/** The target refuses a source transaction for good. */
export function applyFailed(error: Error, position: Position | undefined, dialect: Dialect): OperatorError {
  const { constraint, where } = error as { constraint?: string; where?: string };
  const subject = subjectOf(error);
  const mapping = subject?.table.writer.mapping;
  const parameter = Number(/parameter \$(\d+)/.exec(where ?? '')?.[1] ?? 0);
  const column = subject?.columns?.[parameter - 1];
  const named = refusedTable(error);
  const place = [
    named && `table ${named}`,
    column && `column ${column.target.name} of type ${column.target.typeName}`,
    constraint && `constraint ${constraint}`,
  ].filter(Boolean);
  const fix = [
    'mend the table on the target and resume with the same command, or go on without the transaction: --onApplyError dlq',
  ];
  if (mapping !== undefined && column !== undefined) {
    const { type } = proposeType(mapping.source.columns[column.source].type, dialect);
    fix.unshift(
      `ALTER TABLE ${mapping.target.qualified} ALTER COLUMN ${quoteIdentifier(column.target.name)} TYPE ${type};`,
    );
  }
  return new OperatorError(
    'APPLY_FAILED',
    `the target refuses the source transaction${position ? ` that ends at ${position}` : ''}` +
      `${place.length > 0 ? ` (${place.join(', ')})` : ''}: ${error.message} (SQLSTATE ${sqlState(error) ?? 'none'}); ` +
      'nothing of it was applied, and the checkpoint stands before it',
    { cause: error, fix: fix.join('\n') },
  );
}
