import { OperatorError } from '../../errors.ts';
import type { Finding } from '../finding.ts';
import type { Right } from './privileges.ts';
import type { Scn } from './scn.ts';
import { SENTINEL } from './sentinel.ts';
import type { OracleFacts } from './server-facts.ts';

const OLDEST_VERSION = '12.2';

/** More log switches in an hour than this mean that a log is full in less than three minutes. */
const MANY_SWITCHES = 20;

/** What is not enough. */
interface Problem {
  readonly found: string;
  readonly expected: string;
  readonly code: string;
  readonly message: string;
  /** How a person mends it. */
  readonly fix?: string;
  /** Statements that mend it, each alone. */
  readonly statements?: readonly string[];
}

function refused({ found, expected, code, message, fix, statements }: Problem): Finding {
  const text = fix ?? statements?.map((statement) => `${statement};`).join('\n');
  const error = new OperatorError(code, message, { fix: text });
  return { found, refusal: { expected, error, ...(statements !== undefined && { statements }) } };
}

export function versionFinding({ version }: OracleFacts): Finding {
  const [major, minor] = version.split('.').map(Number);
  if (major > 12 || (major === 12 && minor >= 2)) return { found: version };
  return refused({
    found: version,
    expected: `${OLDEST_VERSION} or newer`,
    code: 'ORACLE_VERSION',
    message: `the server has version ${version}; versions before ${OLDEST_VERSION} are not supported`,
    fix: 'Upgrade the database.',
  });
}

export function archiveFinding({ logMode }: OracleFacts): Finding {
  if (logMode === 'ARCHIVELOG') return { found: logMode };
  const error = new OperatorError(
    'ORACLE_ARCHIVELOG',
    'the database keeps no archived logs: what is overwritten in the online logs before it is read would be lost',
    { fix: 'SHUTDOWN IMMEDIATE;\nSTARTUP MOUNT;\nALTER DATABASE ARCHIVELOG;\nALTER DATABASE OPEN;' },
  );
  return { found: logMode, refusal: { expected: 'ARCHIVELOG', error, restart: true } };
}

export function minimalLoggingFinding({ supplementalMinimal }: OracleFacts): Finding {
  if (supplementalMinimal !== 'NO') return { found: supplementalMinimal };
  return refused({
    found: 'NO',
    expected: 'YES',
    code: 'ORACLE_SUPPLEMENTAL_LOGGING',
    message: 'without minimal supplemental logging LogMiner cannot put rows together that are chained or clustered',
    statements: ['ALTER DATABASE ADD SUPPLEMENTAL LOG DATA'],
  });
}

export function keyLoggingFinding({ supplementalKey, supplementalAll }: OracleFacts): Finding {
  if (supplementalAll === 'YES') return { found: 'all columns' };
  if (supplementalKey === 'YES') return { found: 'primary keys' };
  return refused({
    found: 'NO',
    expected: 'primary keys',
    code: 'ORACLE_SUPPLEMENTAL_LOGGING',
    message: 'without supplemental logging of primary keys the redo of an update does not tell which row it is about',
    statements: ['ALTER DATABASE ADD SUPPLEMENTAL LOG DATA (PRIMARY KEY) COLUMNS'],
  });
}

/** Works without, but leaves nothing to mend a row with that the target lacks. */
export function allColumnsFinding({ supplementalAll }: OracleFacts): Finding {
  if (supplementalAll === 'YES') return { found: 'YES' };
  return refused({
    found: 'NO',
    expected: 'YES, or as it is',
    code: 'ORACLE_SUPPLEMENTAL_LOGGING',
    message:
      'an update tells the key and the columns that it sets: a row that the target lacks cannot be made whole by it',
    fix: 'ALTER DATABASE ADD SUPPLEMENTAL LOG DATA (ALL) COLUMNS; -- more redo is written; or leave it as it is',
  });
}

export function forceLoggingFinding({ forceLogging }: OracleFacts): Finding {
  if (forceLogging === 'YES') return { found: 'YES' };
  return refused({
    found: forceLogging,
    expected: 'YES',
    code: 'ORACLE_FORCE_LOGGING',
    message:
      'the database does not force logging: what is loaded with NOLOGGING or on the direct path leaves no redo, would be missing at the target, and nothing would tell',
    statements: ['ALTER DATABASE FORCE LOGGING'],
  });
}

export function primaryFinding({ openMode, role }: OracleFacts): Finding {
  const found = `${role}, ${openMode}`;
  if (openMode === 'READ WRITE' && role === 'PRIMARY') return { found };
  return refused({
    found,
    expected: 'PRIMARY, READ WRITE',
    code: 'ORACLE_READ_ONLY',
    message: `the database is ${role} and open ${openMode}: the sentinel, by which a window is complete, cannot be written there`,
    fix: 'Connect to the primary database.',
  });
}

/** Which of the two connections leads where. */
export function containersFinding({ multitenant, miningContainer, tablesContainer }: OracleFacts): Finding {
  if (!multitenant) return { found: `${miningContainer}, without pluggable databases` };
  if (miningContainer !== 'CDB$ROOT') {
    return refused({
      found: miningContainer,
      expected: 'CDB$ROOT',
      code: 'ORACLE_IN_PDB',
      message: `--sourceConn leads to the pluggable database ${miningContainer}, and LogMiner runs in the root container only`,
      fix: 'Let --sourceConn name the service of the root (CDB$ROOT), and --sourcePDBConn that of the pluggable database.',
    });
  }
  if (tablesContainer === 'CDB$ROOT') {
    return refused({
      found: 'CDB$ROOT alone',
      expected: 'a pluggable database, too',
      code: 'ORACLE_NO_PDB',
      message: 'the tables are in a pluggable database, and no connection to that is given',
      fix: 'Name it: --sourcePDBConn oracle://C%23%23REPLICATOR:…@host:1521/PDB',
    });
  }
  return { found: `${miningContainer} and ${tablesContainer}` };
}

export function rightsFinding(missing: readonly Right[], user: string): Finding {
  if (missing.length === 0) return { found: 'all that are needed' };
  const names = missing.map(({ name }) => name).join('; ');
  return refused({
    found: `missing: ${names}`,
    expected: 'all of them',
    code: 'ORACLE_PERMISSION',
    message: `the user ${user} lacks: ${names}`,
    fix: missing.map(({ grant }) => `${grant(quotedUser(user))};`).join('\n'),
  });
}

/** Names of accounts that SQL would read as something else stand in quotes. */
function quotedUser(user: string): string {
  return /^[A-Za-z][\w$#]*$/.test(user) ? user : `"${user.replaceAll('"', '""')}"`;
}

/** @param columns those of the sentinel; undefined: it is not there */
export function sentinelFinding(columns: readonly string[] | undefined, owner: string, user: string): Finding {
  if (columns?.includes('KEYCOL') && columns.includes('LASTSCN')) return { found: 'there' };
  const table = `"${owner.replaceAll('"', '""')}"."${SENTINEL}"`;
  return refused({
    found: columns === undefined ? 'not there' : `there, with the columns ${columns.join(', ')}`,
    expected: `${SENTINEL} with KEYCOL and LASTSCN`,
    code: 'ORACLE_SENTINEL',
    message: `the table ${owner}.${SENTINEL} is ${columns === undefined ? 'missing' : 'another than expected'}: by a commit of its own there the replication makes the server write all redo of a window to disk`,
    statements: [
      ...(columns === undefined ? [] : [`DROP TABLE ${table}`]),
      `CREATE TABLE ${table} (keycol NUMBER PRIMARY KEY, lastSCN NUMBER)`,
      `GRANT SELECT, INSERT, UPDATE ON ${table} TO ${quotedUser(user)}`,
    ],
  });
}

/** What redo is kept, against the SCN behind which it is needed. */
export function retentionFinding({ oldest, scn }: OracleFacts, start: Scn | undefined): Finding {
  if (oldest === undefined) return { found: 'no log can be read' };
  const found = `from SCN ${oldest} to ${scn}`;
  if (start === undefined || start >= oldest) return { found };
  return refused({
    found,
    expected: `from SCN ${start}`,
    code: 'ORACLE_LOG_MISSING',
    message: `the redo behind SCN ${start} is needed, and what is kept begins at SCN ${oldest}`,
    fix: `RMAN> RESTORE ARCHIVELOG FROM SCN ${start};\nor copy the tables anew, and start with the SCN of that copy`,
  });
}

export function logSizeFinding({ switches, logBytes, logGroups }: OracleFacts): Finding {
  const megabytes = Math.round(logBytes / 2 ** 20);
  const found = `${logGroups} groups of ${megabytes} MB, ${switches} switches in the last hour`;
  if (switches <= MANY_SWITCHES && logGroups >= 3) return { found };
  return refused({
    found,
    expected: 'at least 3 groups, and at most a switch every 3 minutes',
    code: 'ORACLE_SMALL_LOGS',
    message: 'the redo logs are small: each switch makes LogMiner start anew',
    fix: `ALTER DATABASE ADD LOGFILE SIZE ${Math.max(1024, megabytes * 4)}M; -- for each group, then drop the small ones`,
  });
}
