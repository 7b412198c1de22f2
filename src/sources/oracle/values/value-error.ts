import { OperatorError } from '../../../errors.ts';
import type { OracleColumnType } from '../column-type.ts';

/** A value that cannot be written to the target as it is. The value itself is not told: it may be anybody's. */
export function valueError(
  { name, type }: OracleColumnType,
  why = 'it has a form that is not known for that type',
): OperatorError {
  return new OperatorError(
    'ORACLE_VALUE',
    `a value of column ${name} (${type}) cannot be written to the target: ${why}; nothing of its transaction was applied`,
    {
      fix: 'If the target column has a narrower type than the source column (BOOL, UUID), give it one that takes every value, and start again; one of type BYTES takes text with U+0000, too.\nElse correct the row at the source, load the table again, clear the checkpoint, and start with --scn of the new copy.',
    },
  );
}
