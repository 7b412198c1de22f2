import { type OracleConnection, rows } from './connection.ts';
import { ARCHIVED_LOGS, ONLINE_LOGS } from './log-files.ts';
import { ADD_FIRST_LOG, END_LOGMINER, START_LOGMINER } from './logminer-session.ts';
import { failureOf } from './ora-errors.ts';
import type { Scn } from './scn.ts';
import { SENTINEL } from './sentinel.ts';

/** What an Oracle database says of itself. */
export interface OracleFacts {
  /** `19.28.0.0.0`. */
  readonly version: string;
  /** `ARCHIVELOG` or `NOARCHIVELOG`. */
  readonly logMode: string;
  /** `YES`, `NO`, `IMPLICIT`. */
  readonly supplementalMinimal: string;
  readonly supplementalKey: string;
  readonly supplementalAll: string;
  readonly forceLogging: string;
  readonly openMode: string;
  readonly role: string;
  readonly multitenant: boolean;
  readonly scn: Scn;
  /** Of the two connections: `CDB$ROOT`, the name of a pluggable database, or that of a database without any. */
  readonly miningContainer: string;
  readonly tablesContainer: string;
  /** Bytes of the smallest online log, and how many logs the thread has that has fewest. */
  readonly logBytes: number;
  readonly logGroups: number;
  /** Log switches in the last hour. */
  readonly switches: number;
  /** SCN of the oldest redo that is kept; undefined when no log can be read. */
  readonly oldest: Scn | undefined;
}

export const SERVER = `SELECT (SELECT VERSION FROM V$INSTANCE), LOG_MODE, SUPPLEMENTAL_LOG_DATA_MIN, SUPPLEMENTAL_LOG_DATA_PK, SUPPLEMENTAL_LOG_DATA_ALL,
       FORCE_LOGGING, OPEN_MODE, DATABASE_ROLE, CDB, TO_CHAR(CURRENT_SCN), SYS_CONTEXT('USERENV', 'CON_NAME') FROM V$DATABASE`;
export const CONTAINER_NAME = `SELECT SYS_CONTEXT('USERENV', 'CON_NAME') FROM DUAL`;
export const LOG_SIZES = `SELECT TO_CHAR(MIN(BYTES)), TO_CHAR(MIN(GROUPS)) FROM (SELECT BYTES, COUNT(*) OVER (PARTITION BY THREAD#) AS GROUPS FROM V$LOG)`;
export const SWITCHES = `SELECT TO_CHAR(COUNT(*)) FROM V$LOG_HISTORY WHERE FIRST_TIME > SYSDATE - 1 / 24`;

/** Asks for all of it. @throws the server's error where a view may not be read */
export async function readServer(mining: OracleConnection, tables: OracleConnection): Promise<OracleFacts> {
  const [server] = await rows<readonly (string | null)[]>(mining, SERVER);
  const [[tablesContainer]] = await rows<readonly [string | null]>(tables, CONTAINER_NAME);
  const [[bytes, groups]] = await rows<readonly (string | null)[]>(mining, LOG_SIZES);
  const [[switches]] = await rows<readonly (string | null)[]>(mining, SWITCHES);
  const [version, logMode, minimal, key, all, force, openMode, role, cdb, scn, miningContainer] = server.map(
    (value) => value ?? '',
  );
  return {
    version,
    logMode,
    supplementalMinimal: minimal,
    supplementalKey: key,
    supplementalAll: all,
    forceLogging: force,
    openMode,
    role,
    multitenant: cdb === 'YES',
    scn: BigInt(scn),
    miningContainer,
    tablesContainer: tablesContainer ?? '',
    logBytes: Number(bytes),
    logGroups: Number(groups),
    switches: Number(switches),
    oldest: await oldestRedo(mining, BigInt(scn)),
  };
}

async function oldestRedo(mining: OracleConnection, scn: Scn): Promise<Scn | undefined> {
  const archived = await rows<readonly (string | null)[]>(mining, ARCHIVED_LOGS, [0n, scn]);
  const online = await rows<readonly (string | null)[]>(mining, ONLINE_LOGS, [0n, scn]);
  const kept: Scn[] = [...archived.filter((row) => row[5] === 'A'), ...online].map((row) => BigInt(row[3] ?? 0));
  return kept.sort((a, b) => (a < b ? -1 : 1))[0];
}

export const SENTINEL_COLUMNS = `SELECT COLUMN_NAME FROM ALL_TAB_COLS WHERE OWNER = :1 AND TABLE_NAME = '${SENTINEL}' AND HIDDEN_COLUMN = 'NO'`;

/** The columns of an owner's sentinel; undefined when it is not there, or cannot be seen. */
export async function readSentinel(tables: OracleConnection, owner: string): Promise<readonly string[] | undefined> {
  const found = await rows<readonly [string]>(tables, SENTINEL_COLUMNS, [owner]);
  return found.length === 0 ? undefined : found.map(([name]) => name);
}

/**
 * Starts LogMiner on the newest log, and ends it again: whether that works no list of rights tells for certain. Undefined when it
 * does, else the server's error.
 */
export async function tryLogMiner(mining: OracleConnection, scn: Scn): Promise<unknown> {
  try {
    const online = await rows<readonly (string | null)[]>(mining, ONLINE_LOGS, [scn, scn]);
    const [newest] = online;
    if (newest === undefined) return new Error('no online log holds the newest SCN');
    await mining.execute(ADD_FIRST_LOG, [newest[0]]);
    // Of several threads this is one: that the others' redo is missing then was to be expected.
    await mining.execute(START_LOGMINER, [scn, scn]).catch((error: unknown) => {
      if (failureOf(error)?.number !== 1291 || online.length === 1) throw error;
    });
    await mining.execute(END_LOGMINER).catch(() => {});
    return undefined;
  } catch (error) {
    return error;
  }
}
