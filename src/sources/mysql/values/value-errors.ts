import { OperatorError } from '../../../errors.ts';
import { protocolError } from '../protocol-error.ts';

/** How messages name a column. */
export function columnName(table: string, column: string): string {
  return `column ${column} of ${table}`;
}

/** A value whose bytes do not all stand within its event. */
export function cutValue(where: string, needed: number, left: number): OperatorError {
  return protocolError(`a row (${where})`, `a value needs ${needed} bytes, ${Math.max(left, 0)} are left`);
}

/** A value whose bytes cannot be what the column's type keeps. */
export function malformedValue(where: string, problem: string): OperatorError {
  return protocolError(`a row (${where})`, problem);
}

/** The column's values cannot be read, or not be given to the target's type. */
export function typeUnsupported(where: string, problem: string, fix: string): OperatorError {
  return new OperatorError('MYSQL_TYPE_UNSUPPORTED', `${where}: ${problem}; none of its changes can be applied`, {
    fix,
  });
}

/** Something must be known of the column that the binlog does not say. */
export function metadataMissing(where: string, what: string): OperatorError {
  return new OperatorError(
    'MYSQL_METADATA_MISSING',
    `${where}: the binlog does not tell ${what}, without which its values cannot be read`,
    {
      fix: 'SET GLOBAL binlog_row_metadata = FULL;\nOr start again with --fetchMetadata for events that were written before.',
    },
  );
}

/** A value that the definition in use has no place for: the definition is another one than the event's. */
export function definitionMismatch(where: string, problem: string): OperatorError {
  return new OperatorError(
    'MYSQL_DEFINITION_MISMATCH',
    `${where}: ${problem}: the table was altered after the event was written, so its rows cannot be read by the definition of now`,
    {
      fix: 'SET GLOBAL binlog_row_metadata = FULL;\nThen load the table anew and start from a GTID set behind the ALTER TABLE.',
    },
  );
}
