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
      fix: 'Correct the value at the source, load the table again, clear the checkpoint, and start with --scn of the new copy.\nTo go on without the table: take from the source user the right to see it (REVOKE SELECT ON … FROM …), and start again.',
    },
  );
}
