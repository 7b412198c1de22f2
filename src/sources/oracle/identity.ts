import { OperatorError } from '../../errors.ts';
import { type OracleConnection, rows } from './connection.ts';
import { collectLogFiles, readThreads } from './log-files.ts';
import { readCurrentScn } from './logminer-session.ts';
import type { ScnPosition } from './position.ts';

/** Which database an SCN belongs to. */
export interface OracleIdentity extends Readonly<Record<string, string>> {
  readonly dbid: string;
  /** SCN of the last OPEN RESETLOGS: behind it SCNs mean something else than before. */
  readonly resetlogs: string;
  /** Name of the pluggable database; empty on a server without any. */
  readonly container: string;
  readonly schema: string;
}

export const DATABASE = `SELECT TO_CHAR(DBID), TO_CHAR(RESETLOGS_CHANGE#), CDB FROM V$DATABASE`;
export const CONTAINER = `SELECT SYS_CONTEXT('USERENV', 'CON_NAME') FROM DUAL`;

export async function readIdentity(
  mining: OracleConnection,
  tables: OracleConnection,
  schema: string,
): Promise<OracleIdentity> {
  const [[dbid, resetlogs, cdb]] = await rows<readonly [string, string, string]>(mining, DATABASE);
  const [[container]] = await rows<readonly [string | null]>(tables, CONTAINER);
  return { dbid, resetlogs, container: cdb === 'YES' ? (container ?? '') : '', schema };
}

/**
 * Refuses to go on from a position that is not one of this database, or whose redo is gone.
 * @param stored the identity that was kept with it; undefined: none was
 * @throws OperatorError ORACLE_OTHER_DATABASE, ORACLE_RESETLOGS, ORACLE_LOG_MISSING
 */
export async function checkStart(
  mining: OracleConnection,
  { mineFrom, applied }: ScnPosition,
  identity: OracleIdentity,
  stored: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  const [[dbid, resetlogs]] = await rows<readonly [string, string, string]>(mining, DATABASE);
  if (stored?.dbid !== undefined && stored.dbid !== dbid) throw otherDatabase(stored.dbid, dbid);
  if (stored?.container !== undefined && stored.container !== identity.container) {
    throw otherDatabase(stored.container, identity.container);
  }
  if (stored?.resetlogs !== undefined && stored.resetlogs !== resetlogs && applied >= BigInt(resetlogs)) {
    throw resetlogsOpened(resetlogs, applied);
  }
  const { scn: newest } = await readCurrentScn(mining);
  if (applied > newest) throw sourceBehind(applied, newest);
  await collectLogFiles(mining, mineFrom + 1n, mineFrom + 1n, await readThreads(mining)).catch((error: unknown) => {
    // At the newest SCN of all there may be no redo yet.
    if (!(error instanceof OperatorError && error.transient)) throw error;
  });
}

function sourceBehind(applied: bigint, newest: bigint): OperatorError {
  return new OperatorError(
    'ORACLE_SCN_AHEAD',
    `the target is to have everything up to SCN ${applied}, and the source has only come to SCN ${newest}: it was restored to an earlier state, or is another database; what it commits from now on would be left out`,
    {
      fix: 'Connect to the database that the checkpoint was written for. Otherwise load the tables again, clear the checkpoint, and start with --scn of the new copy.',
    },
  );
}

function otherDatabase(stored: string, found: string): OperatorError {
  return new OperatorError(
    'ORACLE_OTHER_DATABASE',
    `the checkpoint was written for another database (${stored}) than the one that answers (${found}); SCNs of one say nothing in the other`,
    {
      fix: 'Correct --sourceConn and --sourcePDBConn; or load the tables again, clear the checkpoint, and give --scn.',
    },
  );
}

function resetlogsOpened(resetlogs: string, applied: bigint): OperatorError {
  return new OperatorError(
    'ORACLE_RESETLOGS',
    `the database was opened with RESETLOGS at SCN ${resetlogs}, and the target has what was committed up to SCN ${applied} of the history that ended there: it may have changes that the source no longer has`,
    { fix: 'Load the tables again, clear the checkpoint, and start with --scn of the new copy.' },
  );
}
