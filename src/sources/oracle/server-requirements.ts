import type { ErrorCode } from '../../explanations/table.ts';
import { OperatorError } from '../../errors.ts';
import type { Finding } from '../finding.ts';
import type { Right } from './privileges.ts';
import type { Scn } from './scn.ts';
import { SENTINEL } from './sentinel.ts';
import type { DatabaseFacts, LogFacts, OracleFacts, PlaceFacts, RedoFacts } from './server-facts.ts';

/** The container of a server that LogMiner runs in. */
const ROOT = 'CDB$ROOT';

/** Older servers call pluggable databases by other columns of LogMiner, and are not tested. */
const OLDEST_VERSION = [12, 2] as const;

/** Log switches in an hour above which a window of LogMiner has to open many files: one in three minutes. */
const OFTEN = 20;
/** Switches in an hour that a log should be large enough for: one in twenty minutes. */
const SELDOM = 3;
const MEBIBYTE = 1024 * 1024;

/** Whether a connection has all the rights that it needs; each that is missing is named with its GRANT. */
export function rightsFinding(missing: readonly Right[], user: string): Finding {
  if (missing.length === 0) return { found: `${user} has all that are needed` };
  const names = missing.map(({ name }) => name);
  return refused(`missing: ${few(names)}`, names.join(', '), {
    code: 'ORACLE_PERMISSION',
    message: `the source user ${user} lacks ${missing.length === 1 ? 'a right' : `${missing.length} rights`}: ${names.join(', ')}`,
    fix: ['-- as SYSDBA, in the container of this connection', ...missing.map((right) => `${right.grant(user)};`)].join(
      '\n',
    ),
  });
}

export function versionFinding({ version }: Pick<OracleFacts, 'version'>): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldest, least] = OLDEST_VERSION;
  if (major > oldest || (major === oldest && minor >= least)) return { found: version };
  const expected = `Oracle ${OLDEST_VERSION.join('.')} or newer`;
  return refused(version, expected, {
    code: 'ORACLE_VERSION',
    message: `the source is Oracle ${version}; ${expected} is needed`,
    fix: 'Upgrade the source.',
  });
}

/** Both connections have to lead into one server: LogMiner's to the root, that of the tables to a pluggable database. */
export function containersFinding(facts: DatabaseFacts & PlaceFacts): Finding {
  const { multitenant, miningContainer, tablesContainer, miningDatabase, tablesDatabase } = facts;
  if (miningDatabase !== tablesDatabase) {
    return refused(`${miningDatabase} and ${tablesDatabase}`, 'one server', {
      code: 'ORACLE_OTHER_DATABASE',
      message: `--sourceConn leads to the server of ${miningDatabase}, --sourcePDBConn to that of ${tablesDatabase}: the redo of one tells nothing of the tables of the other`,
      fix: 'Correct host, port and service of one of them.',
    });
  }
  if (!multitenant) return { found: `${miningContainer}, without containers` };
  const services = 'SELECT NAME, PDB FROM V$SERVICES;';
  if (miningContainer !== ROOT) {
    return refused(miningContainer, ROOT, {
      code: 'ORACLE_IN_PDB',
      message: `--sourceConn leads into the pluggable database ${miningContainer}, and LogMiner runs in the root container only`,
      fix: `Let --sourceConn name the service of the root (${ROOT}), and --sourcePDBConn, or ?pdb= in --sourceConn, that of ${miningContainer}:\n${services}`,
    });
  }
  if (tablesContainer === ROOT || tablesContainer === 'PDB$SEED') {
    return refused(`${tablesContainer} for the tables`, 'a pluggable database', {
      code: 'ORACLE_PDB_MISSING',
      message: `the source has pluggable databases, and the connection for the tables leads to ${tablesContainer}, where applications have none`,
      fix: `Let --sourcePDBConn, or ?pdb= in --sourceConn, name the service of the pluggable database that has the tables:\n${services}`,
    });
  }
  return { found: `${miningContainer}, tables in ${tablesContainer}` };
}

/** The sentinel has to be written: by a commit there all redo of a window is on the disk. */
export function primaryFinding({ role, openMode }: DatabaseFacts): Finding {
  const found = `${role}, ${openMode}`;
  if (role !== 'PRIMARY') {
    return refused(found, 'PRIMARY', {
      code: 'ORACLE_NOT_PRIMARY',
      message: `the source is a ${role}, which cannot be written to: without the sentinel its redo would not be read to its end`,
      fix: 'Connect to the primary database.',
    });
  }
  if (openMode === 'READ WRITE') return { found };
  return refused(found, 'READ WRITE', {
    code: 'ORACLE_READ_ONLY',
    message: `the source is open as ${openMode}: without the sentinel, which cannot be written, its redo would not be read to its end`,
    fix: '-- as SYSDBA; the database is closed meanwhile\nSHUTDOWN IMMEDIATE;\nSTARTUP;',
    restart: true,
  });
}

export function archiveFinding({ logMode, rds }: DatabaseFacts): Finding {
  if (logMode === 'ARCHIVELOG') return { found: logMode };
  return refused(logMode, 'ARCHIVELOG', {
    code: 'ORACLE_ARCHIVELOG',
    message: `the source is in ${logMode} mode: it overwrites its redo after a while, and changes that were not read by then would be lost`,
    fix: rds
      ? "Turn on automated backups of the instance (kept for a day or longer), which sets ARCHIVELOG; then keep archived logs:\nBEGIN rdsadmin.rdsadmin_util.set_configuration(name => 'archivelog retention hours', value => '48'); END;"
      : '-- as SYSDBA; the database is closed meanwhile\nSHUTDOWN IMMEDIATE;\nSTARTUP MOUNT;\nALTER DATABASE ARCHIVELOG;\nALTER DATABASE OPEN;',
    restart: true,
  });
}

/** `IMPLICIT`: another kind brings it along. */
export function minimalLoggingFinding({ minimal, rds }: DatabaseFacts): Finding {
  if (minimal === 'YES' || minimal === 'IMPLICIT') return { found: minimal };
  return refused(minimal, 'YES', {
    code: 'ORACLE_SUPPLEMENTAL_LOGGING',
    message: 'the source has no supplemental logging: its redo cannot be put together to changes of rows',
    ...supplementalLogging(rds, ''),
    note: 'what was changed before lacks it: begin with an SCN behind this change, which waits for open transactions',
  });
}

export function keyLoggingFinding({ keys, allColumns, rds }: DatabaseFacts): Finding {
  if (keys === 'YES') return { found: 'YES' };
  if (allColumns === 'YES') return { found: 'all columns' };
  return refused(keys, 'YES', {
    code: 'ORACLE_SUPPLEMENTAL_LOGGING',
    message:
      'the source does not log the primary keys of rows that are changed: its redo does not tell which row a change belongs to',
    ...supplementalLogging(rds, 'PRIMARY KEY'),
    note: 'what was changed before lacks them: begin with an SCN behind this change, which waits for open transactions',
  });
}

export function allColumnsFinding({ allColumns, rds }: DatabaseFacts): Finding {
  if (allColumns === 'YES') return { found: 'YES' };
  return refused(allColumns, 'YES, where the redo may grow', {
    code: 'ORACLE_SUPPLEMENTAL_ALL',
    message:
      'an update logs the key and the columns that it changes: a row that the target lacks cannot be put there by it, and a userscript sees nothing of the other columns',
    ...supplementalLogging(rds, 'ALL'),
    note: 'it makes the redo of updates longer',
  });
}

export function forceLoggingFinding({ forceLogging, rds }: DatabaseFacts): Finding {
  if (forceLogging === 'YES') return { found: 'YES' };
  const statement = rds
    ? 'BEGIN rdsadmin.rdsadmin_util.force_logging(p_enable => true); END;'
    : 'ALTER DATABASE FORCE LOGGING';
  return refused(forceLogging, 'YES', {
    code: 'ORACLE_FORCE_LOGGING',
    message:
      'the source lets statements write past the redo (NOLOGGING): rows that are loaded so are never replicated, and nothing says so',
    fix: rds ? statement : `${statement};`,
    statements: [statement],
  });
}

/** Whether online logs are large enough for what is written. */
export function logSizeFinding({ switches, logBytes, logGroups }: LogFacts): Finding {
  const found = `${logGroups} of ${Math.round(logBytes / MEBIBYTE)} MB, ${switches} filled in the last hour`;
  if (switches <= OFTEN) return { found };
  const megabytes = Math.ceil((logBytes * switches) / SELDOM / MEBIBYTE / 64) * 64;
  return refused(found, `${OFTEN} or fewer an hour`, {
    code: 'ORACLE_LOG_SWITCHES',
    message: `the source fills ${switches} redo logs an hour: a window of LogMiner has to open many, and waits for the archived copy of each`,
    fix: [
      '-- larger logs, once for each group; with a file name where DB_CREATE_FILE_DEST is not set',
      `ALTER DATABASE ADD LOGFILE SIZE ${megabytes}M;`,
      '-- then, for each of the old groups as soon as V$LOG tells INACTIVE of it (ALTER SYSTEM SWITCH LOGFILE; ALTER SYSTEM CHECKPOINT;)',
      'ALTER DATABASE DROP LOGFILE GROUP …;',
    ].join('\n'),
  });
}

/**
 * Whether the redo behind an SCN is to be had.
 * @param start what is needed first is behind it; undefined: not chosen yet
 */
export function retentionFinding(
  facts: RedoFacts & Pick<DatabaseFacts, 'scn' | 'resetlogs'>,
  start: Scn | undefined,
): Finding {
  const { oldest, scn, resetlogs } = facts;
  if (oldest.size === 0) return { found: 'no log that can be read' };
  const since = [...oldest.values()].reduce((a, b) => (b > a ? b : a), 0n);
  if (start === undefined) return { found: `from SCN ${since} on` };
  const found = `SCN ${start}; there is redo from SCN ${since} on`;
  if (start > scn) {
    return refused(found, `SCN ${scn} at most`, {
      code: 'ORACLE_SCN_AHEAD',
      message: `the SCN to begin with, ${start}, is ahead of the source, which has come to ${scn}: it is of another database, or a digit is wrong, and all changes up to there would be left out`,
      fix: 'Give the SCN as of which the data was copied from this database.',
    });
  }
  if (start < resetlogs - 1n) {
    return refused(found, `SCN ${resetlogs} or later`, {
      code: 'ORACLE_SCN_BEFORE_RESETLOGS',
      message: `the source was opened with RESETLOGS at SCN ${resetlogs}: SCN ${start} is of the history before, whose redo does not lead on to what is there now`,
      fix: 'Copy the data again, and begin with the SCN of that copy.',
    });
  }
  const gone = goneSince(facts, start + 1n);
  if (gone === undefined) return { found };
  return refused(found, `SCN ${gone} or later`, {
    code: 'ORACLE_LOG_MISSING',
    message: `the oldest redo that the source has begins at SCN ${gone}; what was committed behind SCN ${start} up to there would be missing on the target`,
    fix: [
      '-- restore the archived logs, if there is a backup of them',
      `RMAN> RESTORE ARCHIVELOG FROM SCN ${start};`,
      '-- else copy the data again, and begin with the SCN of that copy',
      'SELECT TO_CHAR(CURRENT_SCN) FROM V$DATABASE;',
    ].join('\n'),
  });
}

/** SCN of the oldest redo of a thread that lacks some of what is wanted; undefined when all is there. */
function goneSince({ threads, oldest }: RedoFacts, wanted: Scn): Scn | undefined {
  for (const { number, open, enabled, checkpoint } of threads) {
    if (!open && checkpoint < wanted) continue;
    const first = oldest.get(number);
    // A thread has no redo of the time before it was enabled.
    if (first !== undefined && first > wanted && first > enabled) return first;
  }
  return undefined;
}

/** @param columns those of the sentinel; undefined when it is not there, or cannot be seen */
export function sentinelFinding(columns: readonly string[] | undefined, owner: string, user: string): Finding {
  const lacks = ['KEYCOL', 'LASTSCN'].filter((name) => columns?.includes(name) === false);
  const table = `"${owner.replaceAll('"', '""')}"."${SENTINEL}"`;
  if (columns !== undefined && lacks.length === 0) return { found: `${owner}.${SENTINEL}` };
  const create = `CREATE TABLE ${table} (keycol NUMBER PRIMARY KEY, lastSCN NUMBER)`;
  // Nobody can grant himself anything, nor has to where the table is his own.
  const own = user.toUpperCase() === owner;
  const statements = own ? [create] : [create, `GRANT SELECT, INSERT, UPDATE ON ${table} TO ${user}`];
  if (columns !== undefined) {
    return refused(`${owner}.${SENTINEL} without ${lacks.join(' and ')}`, 'the columns KEYCOL and LASTSCN', {
      code: 'ORACLE_SENTINEL',
      message: `the table ${owner}.${SENTINEL} is not the sentinel that is written to, as it lacks ${lacks.join(' and ')}`,
      fix: [`-- if nobody needs it`, `DROP TABLE ${table};`, ...statements.map((each) => `${each};`)].join('\n'),
    });
  }
  return refused('none, or not to be seen', `${owner}.${SENTINEL}`, {
    code: 'ORACLE_SENTINEL',
    message: `there is no table ${owner}.${SENTINEL} that ${user} can see: without a commit there nobody knows whether all redo of a window is on the disk, and rows could be missed`,
    fix: [
      '-- where the tables are; if it is there already, the grant alone',
      ...statements.map((each) => `${each};`),
    ].join('\n'),
    statements,
  });
}

interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix: string;
  readonly statements?: readonly string[];
  readonly restart?: boolean;
  /** What has to be known before the fix is run. */
  readonly note?: string;
}

function refused(found: string, expected: string, problem: Problem): Finding {
  const { code, message, fix, statements, restart, note } = problem;
  const error = new OperatorError(code, message, { fix: note === undefined ? fix : `${fix}\n-- ${note}` });
  return { found, refusal: { expected, error, ...(statements && { statements }), ...(restart && { restart }) } };
}

/** The first few of a list. */
function few(names: readonly string[]): string {
  const more = names.length - 3;
  return more <= 0 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${more} more`;
}

/** Adds logging of one kind: '' for the least that there is. */
function supplementalLogging(
  rds: boolean,
  kind: '' | 'PRIMARY KEY' | 'ALL',
): { readonly fix: string; readonly statements: readonly string[] } {
  if (rds) {
    const type = kind === '' ? '' : `, p_type => '${kind}'`;
    const call = `BEGIN rdsadmin.rdsadmin_util.alter_supplemental_logging(p_action => 'ADD'${type}); END;`;
    return { fix: call, statements: [call] };
  }
  const statement = `ALTER DATABASE ADD SUPPLEMENTAL LOG DATA${kind === '' ? '' : ` (${kind}) COLUMNS`}`;
  return { fix: `${statement};`, statements: [statement] };
}
