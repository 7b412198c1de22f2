import { type OracleConnection, rows } from './connection.ts';
import { failureOf } from './ora-errors.ts';
import { SENTINEL } from './sentinel.ts';

/** A right that a connection needs. */
export interface Right {
  /** For people: `SELECT on V$LOG`. */
  readonly name: string;
  /** The statement that gives it to `user`, by a DBA. */
  grant(user: string): string;
}

/** Views that are read where LogMiner runs; a V$ view is granted by the name of what is behind it. */
const MINING_VIEWS = [
  'V$DATABASE',
  'V$INSTANCE',
  'V$LOG',
  'V$LOGFILE',
  'V$ARCHIVED_LOG',
  'V$ARCHIVE_DEST_STATUS',
  'V$THREAD',
  'V$LOG_HISTORY',
  'V$LOGMNR_CONTENTS',
];
const TABLES_VIEWS = ['V$TRANSACTION', 'V$SESSION'];

/** Reads no row, and fails as a real question would. */
export function viewProbe(view: string): string {
  return `SELECT 1 FROM ${view} WHERE 1 = 0`;
}

/** What is done with the sentinel, each to no row: a right to one says nothing of the others. */
export function sentinelProbes(owner: string): readonly (readonly [right: string, sql: string])[] {
  const table = sentinelTable(owner);
  return [
    ['SELECT', `SELECT "KEYCOL", "LASTSCN" FROM ${table} WHERE 1 = 0`],
    ['INSERT', `INSERT INTO ${table} ("KEYCOL", "LASTSCN") SELECT NULL, NULL FROM DUAL WHERE 1 = 0`],
    ['UPDATE', `UPDATE ${table} SET "LASTSCN" = NULL WHERE 1 = 0`],
  ];
}

/** Needs the right to execute the package, and changes nothing: no session is active. */
export const PACKAGE_PROBE = `SELECT 1 FROM ALL_PROCEDURES WHERE OWNER = 'SYS' AND OBJECT_NAME = 'DBMS_LOGMNR' AND ROWNUM = 1`;
export const LOGMINING_PROBE = `SELECT 1 FROM SESSION_PRIVS WHERE PRIVILEGE = 'LOGMINING'`;

/** Names the rights that a connection lacks, one by one. */
export async function missingRights(
  connection: OracleConnection,
  side: 'mining' | 'tables',
  owner: string,
): Promise<Right[]> {
  const missing: Right[] = [];
  for (const view of side === 'mining' ? MINING_VIEWS : TABLES_VIEWS) {
    if (!(await answers(connection, viewProbe(view)))) missing.push(viewRight(view));
  }
  if (side === 'mining') {
    if ((await rows(connection, PACKAGE_PROBE)).length === 0) {
      missing.push({ name: 'EXECUTE on DBMS_LOGMNR', grant: (user) => `GRANT EXECUTE ON SYS.DBMS_LOGMNR TO ${user}` });
    }
    if ((await rows(connection, LOGMINING_PROBE)).length === 0) {
      missing.push({ name: 'LOGMINING', grant: (user) => `GRANT LOGMINING TO ${user}` });
    }
  } else {
    const table = sentinelTable(owner);
    for (const [right, sql] of sentinelProbes(owner)) {
      if (await answers(connection, sql)) continue;
      missing.push({ name: `${right} on ${table}`, grant: (user) => `GRANT ${right} ON ${table} TO ${user}` });
    }
  }
  return missing;
}

function sentinelTable(owner: string): string {
  return `"${owner.replaceAll('"', '""')}"."${SENTINEL}"`;
}

function viewRight(view: string): Right {
  const behind = view.replace('V$', 'V_$');
  return { name: `SELECT on ${view}`, grant: (user) => `GRANT SELECT ON SYS.${behind} TO ${user}` };
}

/** ORA-00942, ORA-01031 and, since 23ai, ORA-41900: what may not be seen is not there, or is said to be forbidden. */
const DENIED: readonly (number | undefined)[] = [942, 1031, 41900];
/** ORA-01306, no LogMiner session, and ORA-00904, no such column: only whoever has the right is told. */
const ALLOWED: readonly (number | undefined)[] = [1306, 904];

async function answers(connection: OracleConnection, sql: string): Promise<boolean> {
  try {
    await rows(connection, sql);
    return true;
  } catch (error) {
    const number = failureOf(error)?.number;
    if (DENIED.includes(number)) return false;
    if (ALLOWED.includes(number)) return true;
    throw error;
  }
}
