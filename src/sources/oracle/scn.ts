import { OperatorError } from '../../errors.ts';

/** A system change number: 48 bits until Oracle 12.1, 63 since; never a JavaScript number. */
export type Scn = bigint;

const LIMIT = 2n ** 64n - 1n;

/**
 * Reads an SCN as people and Oracle write it: decimal digits, with blanks around them or none. `name` says whose it is.
 * @throws OperatorError ORACLE_SCN_SYNTAX
 */
export function parseScn(text: string, name = 'an SCN'): Scn {
  const digits = text.trim();
  const scn = /^\d{1,20}$/.test(digits) ? BigInt(digits) : undefined;
  if (scn === undefined || scn > LIMIT) {
    throw new OperatorError('ORACLE_SCN_SYNTAX', `${name} is a system change number, which "${text}" is not`, {
      fix: 'It is a whole number; the newest one is told by: SELECT TO_CHAR(CURRENT_SCN) FROM V$DATABASE;',
    });
  }
  return scn;
}
