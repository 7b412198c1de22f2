import { type OracleConnection, rows } from './connection.ts';
import { ARCHIVED_LOGS, collectLogFiles, ONLINE_LOGS, type RedoThread, readThreads } from './log-files.ts';
import { LogMinerSession, readCurrentScn } from './logminer-session.ts';
import type { Scn } from './scn.ts';
import { SENTINEL } from './sentinel.ts';

/** What a database says of itself. */
export interface DatabaseFacts {
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
  /** Where LogMiner runs: `CDB$ROOT`, or a pluggable database; and the name of the whole database. */
  readonly miningContainer: string;
  readonly miningDatabase: string;
  /** Amazon RDS: no SYSDBA, its own procedures instead. */
  readonly rds: boolean;
  /** SCN of the last OPEN RESETLOGS; 0 when there was none. */
  readonly resetlogs: Scn;
}

/** Where the connection to the tables leads. */
export interface PlaceFacts {
  readonly tablesContainer: string;
  readonly tablesDatabase: string;
}

/** How large redo logs are, and how quickly they fill. */
export interface LogFacts {
  /** Of the online logs: bytes of the smallest, and how many groups there are. */
  readonly logBytes: number;
  readonly logGroups: number;
  /** Logs that the busiest thread has finished within the last hour. */
  readonly switches: number;
}

/** Which redo there is. */
export interface RedoFacts {
  readonly threads: readonly RedoThread[];
  /** The oldest redo that is still to be had, by thread. */
  readonly oldest: ReadonlyMap<string, Scn>;
}

/** What an Oracle server is, as far as replicating from there is concerned. */
export interface OracleFacts extends DatabaseFacts, PlaceFacts, LogFacts, RedoFacts {
  /** `19.0.0.0.0`. */
  readonly version: string;
}

export const VERSION = 'SELECT VERSION FROM V$INSTANCE';

export const SERVER = `SELECT LOG_MODE, SUPPLEMENTAL_LOG_DATA_MIN, SUPPLEMENTAL_LOG_DATA_PK, SUPPLEMENTAL_LOG_DATA_ALL,
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

/** Asks a server for all of them. The rights to it have to be there: `missingRights`. */
export async function readServer(mining: OracleConnection, tables: OracleConnection): Promise<OracleFacts> {
  return {
    version: await readVersion(mining),
    ...(await readDatabase(mining)),
    ...(await readPlace(tables)),
    ...(await readLogs(mining)),
    ...(await readRedo(mining)),
  };
}

export async function readVersion(mining: OracleConnection): Promise<string> {
  const [[version] = []] = await rows<Row>(mining, VERSION);
  return version ?? '';
}

export async function readDatabase(mining: OracleConnection): Promise<DatabaseFacts> {
  const [server = []] = await rows<Row>(mining, SERVER);
  const text = (i: number): string => server[i] ?? '';
  return {
    logMode: text(0),
    minimal: text(1),
    keys: text(2),
    allColumns: text(3),
    forceLogging: text(4),
    openMode: text(5),
    role: text(6),
    multitenant: text(7) === 'YES',
    scn: BigInt(text(8)),
    miningContainer: text(9),
    miningDatabase: text(10),
    resetlogs: BigInt(text(11)),
    rds: text(12) !== '',
  };
}

export async function readPlace(tables: OracleConnection): Promise<PlaceFacts> {
  const [place = []] = await rows<Row>(tables, CONTAINER_NAME);
  return { tablesContainer: place[0] ?? '', tablesDatabase: place[1] ?? '' };
}

export async function readLogs(mining: OracleConnection): Promise<LogFacts> {
  const [sizes = []] = await rows<Row>(mining, LOG_SIZES);
  const [history = []] = await rows<Row>(mining, SWITCHES);
  return { logBytes: Number(sizes[0]), logGroups: Number(sizes[1]), switches: Number(history[0]) };
}

export async function readRedo(mining: OracleConnection): Promise<RedoFacts> {
  return { threads: await readThreads(mining), oldest: await readOldest(mining) };
}

/** Columns of the sentinel; undefined when it is not there, or cannot be seen. */
export async function readSentinel(tables: OracleConnection, owner: string): Promise<readonly string[] | undefined> {
  const found = await rows<Row>(tables, SENTINEL_COLUMNS, [owner]);
  return found.length === 0 ? undefined : found.map(([name]) => name ?? '');
}

/** Starts LogMiner on the newest redo, as the replication does, reads it, and ends it. What it failed with; undefined when it works. */
export async function tryLogMiner(mining: OracleConnection): Promise<unknown> {
  const session = new LogMinerSession(mining, '', undefined);
  try {
    const threads = await readThreads(mining);
    const { scn } = await readCurrentScn(mining);
    let to = scn - 1n;
    for (const { open, lastRedo } of threads) {
      if (open && lastRedo <= to) to = lastRedo - 1n;
    }
    await session.start(await collectLogFiles(mining, to - 1n, to, threads), to - 1n, to);
    // To start it and to read what it finds are rights of their own.
    for await (const _ of session.rows(to - 1n, to));
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
