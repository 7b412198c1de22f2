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
      fix: `Leave the column out, or change its values, with a userscript; or correct the row at the source and load the table again.`,
    },
  );
}
