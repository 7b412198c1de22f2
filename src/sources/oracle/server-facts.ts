import { type OracleConnection, rows } from './connection.ts';
import { ARCHIVED_LOGS, collectLogFiles, ONLINE_LOGS, type RedoThread, readThreads } from './log-files.ts';
import { LogMinerSession } from './logminer-session.ts';
import { missingRights, type Right } from './privileges.ts';
import type { Scn } from './scn.ts';
import { SENTINEL } from './sentinel.ts';

/** What an Oracle server is, as far as replicating from there is concerned. */
export interface OracleFacts {
  /** `19.0.0.0.0`. */
  readonly version: string;
  /** `ARCHIVELOG`, `NOARCHIVELOG`, `MANUAL`. */
  readonly logMode: string;
  /** Supplemental logging of the whole database: `YES`, `NO`, `IMPLICIT`. */
  readonly minimal: string;
  readonly keys: string;
  readonly allColumns: string;
  readonly forceLogging: string;
  /** `READ WRITE`, `READ ONLY WITH APPLY`. */
  readonly openMode: string;
  /** `PRIMARY`, `PHYSICAL STANDBY`. */
  readonly role: string;
  /** It has a root and pluggable databases. */
  readonly multitenant: boolean;
  /** The newest. */
  readonly scn: Scn;
  /** Where LogMiner runs: `CDB$ROOT`, or a pluggable database. */
  readonly miningContainer: string;
  readonly tablesContainer: string;
  /** Name of the whole database that each connection leads to. */
  readonly miningDatabase: string;
  readonly tablesDatabase: string;
  /** Amazon RDS: no SYSDBA, its own procedures instead. */
  readonly rds: boolean;
  /** SCN of the last OPEN RESETLOGS; 0 when there was none. */
  readonly resetlogs: Scn;
  /** Of the online logs: bytes of the smallest, and how many groups there are. */
  readonly logBytes: number;
  readonly logGroups: number;
  /** Logs that the busiest thread has finished within the last hour. */
  readonly switches: number;
  readonly threads: readonly RedoThread[];
  /** The oldest redo that is still to be had, by thread. */
  readonly oldest: ReadonlyMap<string, Scn>;
}

export const SERVER = `SELECT (SELECT VERSION FROM V$INSTANCE), LOG_MODE, SUPPLEMENTAL_LOG_DATA_MIN, SUPPLEMENTAL_LOG_DATA_PK, SUPPLEMENTAL_LOG_DATA_ALL,
       FORCE_LOGGING, OPEN_MODE, DATABASE_ROLE, CDB, TO_CHAR(CURRENT_SCN), SYS_CONTEXT('USERENV', 'CON_NAME'),
       NVL(SYS_CONTEXT('USERENV', 'CDB_NAME'), SYS_CONTEXT('USERENV', 'DB_NAME')), TO_CHAR(RESETLOGS_CHANGE#),
       (SELECT USERNAME FROM ALL_USERS WHERE USERNAME = 'RDSADMIN')
  FROM V$DATABASE`;

export const CONTAINER_NAME = `SELECT SYS_CONTEXT('USERENV', 'CON_NAME'), NVL(SYS_CONTEXT('USERENV', 'CDB_NAME'), SYS_CONTEXT('USERENV', 'DB_NAME')) FROM DUAL`;

export const LOG_SIZES = 'SELECT TO_CHAR(MIN(BYTES)), TO_CHAR(COUNT(*)) FROM V$LOG';

export const SWITCHES = `SELECT TO_CHAR(MAX(SWITCHES)) FROM
  (SELECT COUNT(*) AS SWITCHES FROM V$LOG_HISTORY WHERE FIRST_TIME > SYSDATE - 1 / 24 GROUP BY THREAD#)`;

export const SENTINEL_COLUMNS = `SELECT COLUMN_NAME FROM ALL_TAB_COLS
 WHERE OWNER = :1 AND TABLE_NAME = '${SENTINEL}' AND HIDDEN_COLUMN = 'NO' ORDER BY COLUMN_ID`;

/** Above every SCN, and below what a bind of Oracle's NUMBER cannot hold. */
const EVERY_SCN = 2n ** 63n;

type Row = readonly (string | null)[];

/** Asks a server for them. The rights to it have to be there: `readMissingRights`. */
export async function readServer(mining: OracleConnection, tables: OracleConnection): Promise<OracleFacts> {
  const [server = []] = await rows<Row>(mining, SERVER);
  const [place = []] = await rows<Row>(tables, CONTAINER_NAME);
  const [sizes = []] = await rows<Row>(mining, LOG_SIZES);
  const [history = []] = await rows<Row>(mining, SWITCHES);
  const text = (i: number): string => server[i] ?? '';
  return {
    version: text(0),
    logMode: text(1),
    minimal: text(2),
    keys: text(3),
    allColumns: text(4),
    forceLogging: text(5),
    openMode: text(6),
    role: text(7),
    multitenant: text(8) === 'YES',
    scn: BigInt(text(9)),
    miningContainer: text(10),
    miningDatabase: text(11),
    resetlogs: BigInt(text(12)),
    rds: text(13) !== '',
    tablesContainer: place[0] ?? '',
    tablesDatabase: place[1] ?? '',
    logBytes: Number(sizes[0]),
    logGroups: Number(sizes[1]),
    switches: Number(history[0]),
    threads: await readThreads(mining),
    oldest: await readOldest(mining),
  };
}

/** What each of the two connections lacks. `owner`: of the sentinel. */
export async function readMissingRights(
  mining: OracleConnection,
  tables: OracleConnection,
  owner: string,
): Promise<{ readonly mining: readonly Right[]; readonly tables: readonly Right[] }> {
  return {
    mining: await missingRights(mining, 'mining', owner),
    tables: await missingRights(tables, 'tables', owner),
  };
}

/** Columns of the sentinel; undefined when it is not there, or cannot be seen. */
export async function readSentinel(tables: OracleConnection, owner: string): Promise<readonly string[] | undefined> {
  const found = await rows<Row>(tables, SENTINEL_COLUMNS, [owner]);
  return found.length === 0 ? undefined : found.map(([name]) => name ?? '');
}

/** Starts LogMiner at an SCN, as the replication does, and ends it. What it failed with; undefined when it works. */
export async function tryLogMiner(mining: OracleConnection, scn: Scn): Promise<unknown> {
  const session = new LogMinerSession(mining, '', undefined);
  try {
    const before = scn - 1n;
    await session.start(await collectLogFiles(mining, before, scn, await readThreads(mining)), before, scn);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    // Its memory at the server goes with the connection at the latest.
    await session.end().catch(() => {});
  }
}

async function readOldest(mining: OracleConnection): Promise<ReadonlyMap<string, Scn>> {
  const oldest = new Map<string, Scn>();
  const archived = await rows<Row>(mining, ARCHIVED_LOGS, [0n, EVERY_SCN]);
  // A deleted one is told, too.
  const available = archived.filter(([name, , , , , status]) => status === 'A' && name !== null);
  for (const [, thread, , first] of [...available, ...(await rows<Row>(mining, ONLINE_LOGS, [0n, EVERY_SCN]))]) {
    const scn = BigInt(first ?? 0);
    const known = oldest.get(thread ?? '');
    if (known === undefined || scn < known) oldest.set(thread ?? '', scn);
  }
  return oldest;
}
