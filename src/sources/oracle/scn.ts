import { UsageError } from '../../errors.ts';

/** A system change number: 48 bits until Oracle 12.1, 63 since; never a JavaScript number. */
export type Scn = bigint;

/** Oracle's own greatest SCN since 12.2; the current redo log ends there. */
const LIMIT = 2n ** 64n - 1n;

/**
 * Reads an SCN as people and Oracle write it: decimal digits, blanks around them allowed.
 * @throws UsageError ORACLE_SCN_SYNTAX
 */
export function parseScn(text: string, name = 'SCN'): Scn {
  const digits = text.trim();
  const scn = /^\d{1,20}$/.test(digits) ? BigInt(digits) : undefined;
  if (scn === undefined || scn > LIMIT) {
    throw new UsageError('ORACLE_SCN_SYNTAX', `"${text}" is not a system change number, for ${name}`, {
      fix: 'An SCN is a whole number; the newest is told by SELECT TO_CHAR(CURRENT_SCN) FROM V$DATABASE;',
    });
  }
  return scn;
}
