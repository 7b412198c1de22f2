import { type OracleConnection, rows } from './connection.ts';
import { failureOf, isDenied } from './ora-errors.ts';
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
/** The same of every instance of a cluster. */
const CLUSTER_VIEWS = ['GV$TRANSACTION', 'GV$SESSION'];

/** What a connection is for. */
export type RightsQuestion =
  | { readonly side: 'mining' }
  | {
      readonly side: 'tables';
      /** Of the sentinel; undefined: there is none to write to yet. */
      readonly sentinel: string | undefined;
      /** Several instances have the database open. */
      readonly cluster: boolean;
    };

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
export async function missingRights(connection: OracleConnection, question: RightsQuestion): Promise<Right[]> {
  const missing: Right[] = [];
  const views =
    question.side === 'mining' ? MINING_VIEWS : [...TABLES_VIEWS, ...(question.cluster ? CLUSTER_VIEWS : [])];
  for (const view of views) {
    if (!(await answers(connection, viewProbe(view)))) missing.push(viewRight(view));
  }
  if (question.side === 'mining') {
    if ((await rows(connection, PACKAGE_PROBE)).length === 0) {
      missing.push({ name: 'EXECUTE on DBMS_LOGMNR', grant: (user) => `GRANT EXECUTE ON SYS.DBMS_LOGMNR TO ${user}` });
    }
    if ((await rows(connection, LOGMINING_PROBE)).length === 0) {
      missing.push({ name: 'LOGMINING', grant: (user) => `GRANT LOGMINING TO ${user}` });
    }
  } else if (question.sentinel !== undefined) {
    const table = sentinelTable(question.sentinel);
    for (const [right, sql] of sentinelProbes(question.sentinel)) {
      if (await answers(connection, sql)) continue;
      missing.push({ name: `${right} on ${table}`, grant: (user) => `GRANT ${right} ON ${table} TO ${user}` });
    }
  }
  return missing;
}

function sentinelTable(owner: string): string {
  return `"${owner.replaceAll('"', '""')}"."${SENTINEL}"`;
}

/** Name of the right to read a view. */
export function rightTo(view: string): string {
  return `SELECT on ${view}`;
}

function viewRight(view: string): Right {
  const behind = view.replace('V$', 'V_$');
  return { name: rightTo(view), grant: (user) => `GRANT SELECT ON SYS.${behind} TO ${user}` };
}

/** ORA-01306, no LogMiner session, and ORA-00904, no such column: only whoever has the right is told. */
const ALLOWED: readonly (number | undefined)[] = [1306, 904];

async function answers(connection: OracleConnection, sql: string): Promise<boolean> {
  try {
    await rows(connection, sql);
    return true;
  } catch (error) {
    if (isDenied(error)) return false;
    if (ALLOWED.includes(failureOf(error)?.number)) return true;
    throw error;
  }
}
