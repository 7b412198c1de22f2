import type { ErrorCode } from '../../explanations/table.ts';
/** What can be done about a failure: ask again, with a new connection, with less at a time, for other logs, or nothing at all. */
export type Remedy = 'retry' | 'reconnect' | 'shrink' | 'recollect' | 'skip' | 'stop';

/** What a number of the server, or a code of its driver, means here. */
export interface Explanation {
  readonly code: ErrorCode;
  readonly remedy: Remedy;
  /** What it means for the data. */
  readonly meaning: string;
  /** `account` is the user as SQL spells it. */
  fix(account: string): string;
}

const SAFE = 'what is on the target stays, and nothing is left out';
const AGAIN = `it is tried again from the checkpoint; ${SAFE}`;

const LOST: Explanation = {
  code: 'ORACLE_CONNECTION_LOST',
  remedy: 'reconnect',
  meaning: AGAIN,
  fix: () =>
    "When it comes while connecting: a port with TLS (tcps) needs ssl=true. When it stays like this: the alert log of the instance tells of restarts, and this of limits on idle sessions:\nSELECT PROFILE, RESOURCE_NAME, LIMIT FROM DBA_PROFILES WHERE RESOURCE_NAME IN ('IDLE_TIME', 'CONNECT_TIME');",
};
const UNREACHABLE: Explanation = {
  code: 'ORACLE_UNREACHABLE',
  remedy: 'reconnect',
  meaning: `nothing was read or written; ${SAFE}`,
  fix: () =>
    'Check host, port and the firewalls on the way, that ssl=true is given for a port with TLS (tcps) and for no other, and that the listener runs: lsnrctl status',
};
const UNAVAILABLE: Explanation = {
  code: 'ORACLE_UNAVAILABLE',
  remedy: 'reconnect',
  meaning: `the database is not open for this user; ${AGAIN}`,
  fix: () => 'SELECT STATUS, LOGINS FROM V$INSTANCE; -- OPEN and ALLOWED; or as SYSDBA: ALTER DATABASE OPEN;',
};
const SERVICE: Explanation = {
  code: 'ORACLE_SERVICE',
  remedy: 'reconnect',
  meaning: 'the listener does not know the service, or does not know it yet, as after a start',
  fix: () => 'Compare host, port and service with the output of: lsnrctl services',
};
const MEMORY: Explanation = {
  code: 'ORACLE_MEMORY',
  remedy: 'shrink',
  meaning: `the server has not enough memory for a LogMiner window; a smaller one is tried; ${SAFE}`,
  fix: () => 'When it stays like this: raise PGA_AGGREGATE_LIMIT, or lower --scnWindowSize.',
};
const TIMEOUT: Explanation = {
  ...MEMORY,
  code: 'ORACLE_TIMEOUT',
  meaning: `a call took too long; a smaller window is tried; ${SAFE}`,
  fix: () => 'When it stays like this: lower --scnWindowSize, and look what the server is busy with.',
};
const LOG_FILE: Explanation = {
  code: 'ORACLE_LOG_FILE',
  remedy: 'recollect',
  meaning: `a redo log cannot be read (any more) while it is mined; which logs there are is asked again; ${SAFE}`,
  fix: () =>
    'When it stays like this: look whether archived logs are deleted or moved before they are mined, and restore them:\nRMAN> CROSSCHECK ARCHIVELOG ALL;\nRMAN> RESTORE ARCHIVELOG FROM SCN …;',
};
const CORRUPT: Explanation = {
  code: 'ORACLE_LOG_CORRUPT',
  remedy: 'stop',
  meaning: `a redo log is damaged, and passing over the damage would lose changes; ${SAFE}`,
  fix: () =>
    'Restore the log from another destination or a backup (RMAN> VALIDATE ARCHIVELOG ALL;), then start again with the same command.',
};
const OPTIONS: Explanation = {
  code: 'ORACLE_LOGMINER_REFUSED',
  remedy: 'stop',
  meaning: `LogMiner cannot be used in this way on this database; ${SAFE}`,
  fix: () => 'SELECT OPEN_MODE, LOG_MODE FROM V$DATABASE; -- READ WRITE and ARCHIVELOG\nThen: instar preflight',
};
const STATE: Explanation = {
  code: 'ORACLE_LOGMINER_STATE',
  remedy: 'reconnect',
  meaning: `the LogMiner session is gone; ${AGAIN}`,
  fix: () => 'None is needed: LogMiner is started again on a new connection.',
};
const DICTIONARY: Explanation = {
  code: 'ORACLE_DICTIONARY',
  remedy: 'retry',
  meaning: `LogMiner cannot read the names of tables and columns just now, as while tables are altered; ${AGAIN}`,
  fix: () => 'When it stays like this: let the DDL that runs come to its end, or end it.',
};
const GRANTS: Explanation = {
  code: 'ORACLE_PERMISSION',
  remedy: 'stop',
  meaning: `the user lacks a right; ${SAFE}`,
  fix: (account) =>
    `instar preflight tells every right that is missing, with its GRANT. Those of LogMiner:\nGRANT LOGMINING TO ${account};\nGRANT EXECUTE ON SYS.DBMS_LOGMNR TO ${account};\nGRANT SELECT ON SYS.V_$LOGMNR_CONTENTS TO ${account};`,
};
const LOGIN: Explanation = {
  code: 'ORACLE_PASSWORD',
  remedy: 'stop',
  meaning: `it is not tried again, as that might lock the account; ${SAFE}`,
  fix: () => 'Correct user and password (percent-encoded in the URL: # is %23, @ is %40).',
};
const NOT_OF_THIS_DATABASE: Explanation = {
  code: 'ORACLE_OTHER_HISTORY',
  remedy: 'stop',
  meaning: `a log belongs to another database, or to a history that ended with OPEN RESETLOGS; ${SAFE}`,
  fix: () => 'Load the tables again, clear the checkpoint, and start with --scn of the new copy.',
};
const TLS: Explanation = {
  code: 'ORACLE_TLS',
  remedy: 'stop',
  meaning: 'the server and this program do not agree on TLS; nothing was sent',
  fix: () =>
    'Look whether the port is one with TLS: lsnrctl status tells (PROTOCOL=tcps) of it. For one without, leave ssl=true out.\nA server that asks for a certificate of the client wants one in the wallet, with its key.',
};
const UNTRUSTED: Explanation = {
  ...TLS,
  code: 'ORACLE_CERTIFICATE',
  meaning: "the server's certificate is not one that is trusted; nothing was sent",
  fix: () =>
    'wallet=DIR, a directory with an ewallet.pem that holds the certificate of the authority which signed it, as PEM:\norapki wallet export -wallet … -dn … -cert ewallet.pem',
};
const OTHER_NAME: Explanation = {
  ...TLS,
  code: 'ORACLE_CERTIFICATE',
  meaning: "the server's certificate is for another name; nothing was sent",
  fix: () =>
    'Use the host name that the certificate is for, or its whole name: ssl_server_cert_dn=CN=…; or ssl_server_dn_match=false, which does not compare names.',
};
const TOO_MANY: Explanation = {
  code: 'ORACLE_TOO_MANY_CONNECTIONS',
  remedy: 'reconnect',
  meaning: `the server has no connection left; ${AGAIN}`,
  fix: () =>
    "SELECT RESOURCE_NAME, CURRENT_UTILIZATION, LIMIT_VALUE FROM V$RESOURCE_LIMIT WHERE RESOURCE_NAME IN ('processes', 'sessions');",
};
const BUSY: Explanation = {
  code: 'ORACLE_BUSY',
  remedy: 'retry',
  meaning: AGAIN,
  fix: () => 'When it stays like this, the error under it names the cause; the alert log of the instance says more.',
};
const SNAPSHOT: Explanation = {
  ...BUSY,
  code: 'ORACLE_SNAPSHOT',
  meaning: `the server no longer has what was at that SCN; ${AGAIN}`,
  fix: () => 'When it stays like this: raise UNDO_RETENTION, and give the undo tablespace room.',
};
const NATIVE_ENCRYPTION: Explanation = {
  code: 'ORACLE_NATIVE_ENCRYPTION',
  remedy: 'stop',
  meaning: 'the server insists on native network encryption, which only Oracle Instant Client has; nothing was sent',
  fix: () => 'Use TLS (ssl=true), or unpack Oracle Instant Client and name its directory with --oracleClientLib.',
};

/** The server's own errors by their numbers. */
export const BY_NUMBER: ReadonlyMap<number, Explanation> = new Map([
  ...each([1291, 1292, 1284, 1289, 1290, 310, 334], LOG_FILE),
  ...each([1285], {
    ...CORRUPT,
    code: 'ORACLE_LOG_UNREADABLE',
    meaning: `the header of a redo log cannot be read, and passing over the log would lose changes; ${SAFE}`,
  }),
  ...each([1343, 1344, 353, 354], CORRUPT),
  ...each([1286, 1293, 44609], OPTIONS),
  ...each([1281], {
    ...STATE,
    code: 'ORACLE_SCN_RANGE',
    remedy: 'skip',
    meaning: `the database is not as far as the redo that was asked for; the newest SCN is read again; ${SAFE}`,
    fix: () =>
      'When it stays like this, the database was flashed back or restored: SELECT CURRENT_SCN FROM V$DATABASE;',
  }),
  ...each([1287, 1295, 1324], NOT_OF_THIS_DATABASE),
  ...each([1306, 1323], STATE),
  ...each([1307], { ...STATE, remedy: 'skip' }),
  ...each([1325, 1326], {
    code: 'ORACLE_ARCHIVELOG',
    remedy: 'stop',
    meaning: `the database keeps no archived logs; ${SAFE}`,
    fix: () => 'SHUTDOWN IMMEDIATE;\nSTARTUP MOUNT;\nALTER DATABASE ARCHIVELOG;\nALTER DATABASE OPEN;',
  }),
  ...each([1327, 1333, 1336, 1371], DICTIONARY),
  ...each([604], BUSY),
  ...each([1347, 1353, 1354], {
    code: 'ORACLE_SUPPLEMENTAL_LOGGING',
    remedy: 'stop',
    meaning: `redo does not tell which row was changed; ${SAFE}`,
    fix: () => 'ALTER DATABASE ADD SUPPLEMENTAL LOG DATA (PRIMARY KEY) COLUMNS;',
  }),
  ...each([1435, 1031, 942, 6550, 41900], GRANTS),
  ...each([1045], { ...GRANTS, fix: (account) => `GRANT CREATE SESSION TO ${account};` }),
  ...each([65040], {
    code: 'ORACLE_IN_PDB',
    remedy: 'stop',
    meaning: `LogMiner runs in the root container only; ${SAFE}`,
    fix: () =>
      'Let --sourceConn name the service of the root (CDB$ROOT), and --sourcePDBConn that of the pluggable database.',
  }),
  ...each([65096], {
    code: 'ORACLE_COMMON_USER',
    remedy: 'stop',
    meaning: `the user of --sourceConn has to be a common one, whose name begins with C##; ${SAFE}`,
    fix: () => 'CREATE USER C##REPLICATOR IDENTIFIED BY "…" CONTAINER = ALL;',
  }),
  ...each([4036, 4030, 27102], MEMORY),
  ...each([1013], TIMEOUT),
  ...each([1555, 1466, 8181, 8180], SNAPSHOT),
  ...each([600, 7445], {
    code: 'ORACLE_INTERNAL',
    remedy: 'reconnect',
    meaning: `the server has met a defect of its own; ${AGAIN}`,
    fix: () => 'When it stays like this: give the arguments of the error, and its trace file, to Oracle Support.',
  }),
  ...each([1033, 1034, 1035, 1089, 1090, 1109, 12526, 12527, 12528], UNAVAILABLE),
  ...each([22, 28, 31, 45, 603, 609, 1012, 1041, 1092, 2396, 3113, 3114, 3122, 3135], LOST),
  ...each([12153, 12537, 12547, 12560, 12570, 12583], LOST),
  ...each([12170, 12541, 12543], UNREACHABLE),
  ...each([12514, 12505, 12154], SERVICE),
  ...each([18, 20, 2391, 12516, 12518, 12519, 12520], TOO_MANY),
  ...each([1017, 1005], LOGIN),
  ...each([28000], {
    ...LOGIN,
    code: 'ORACLE_ACCOUNT',
    meaning: `the account is locked; ${SAFE}`,
    fix: (account) => `ALTER USER ${account} ACCOUNT UNLOCK;`,
  }),
  ...each([28001], {
    ...LOGIN,
    code: 'ORACLE_ACCOUNT',
    meaning: `the password has expired; ${SAFE}`,
    fix: (account) => `ALTER USER ${account} IDENTIFIED BY "…";`,
  }),
  ...each([16000], {
    code: 'ORACLE_READ_ONLY',
    remedy: 'stop',
    meaning: `the database is open read only, as a standby is; the sentinel cannot be written there; ${SAFE}`,
    fix: () => 'Connect to the primary database.',
  }),
  ...each([28759, 28860, 29024], TLS),
]);

/** The driver's own failures, which have no number of the server; or one that says less. */
export const BY_DRIVER: ReadonlyMap<string, Explanation> = new Map([
  ...each(['NJS-003', 'NJS-500', 'NJS-501', 'NJS-509', 'NJS-513', 'NJS-521'], LOST),
  ...each(['NJS-503', 'NJS-510', 'NJS-511'], UNREACHABLE),
  ...each(['NJS-530'], {
    ...UNREACHABLE,
    code: 'ORACLE_HOST_NOT_FOUND',
    fix: () => 'Check the name of the host in the connection string, and that it can be resolved here: getent hosts …',
  }),
  ...each(['NJS-518', 'NJS-519'], SERVICE),
  ...each(['NJS-123'], TIMEOUT),
  ...each(['NJS-101'], {
    ...LOGIN,
    meaning: 'no password is given; nothing was sent',
    fix: () => 'Add the password to the connection string: oracle://user:password@host:1521/service',
  }),
  ...each(['NJS-116'], {
    code: 'ORACLE_PASSWORD_VERSION',
    remedy: 'stop',
    meaning: `the account has a password of the old kind only (10G), with which nobody can log in any more; ${SAFE}`,
    fix: (account) => `ALTER USER ${account} IDENTIFIED BY "…"; -- makes the newer kinds (11G, 12C) of it`,
  }),
  ...each(['NJS-505', 'NJS-512', 'NJS-529'], {
    ...TLS,
    code: 'ORACLE_WALLET',
    meaning: 'the wallet cannot be read; nothing was sent',
    fix: () =>
      'wallet=DIR, a directory with an ewallet.pem (PEM) that this program may read, and wallet_password=… when its key is encrypted',
  }),
  ...each(['NJS-507', 'NJS-508'], OTHER_NAME),
  ...each(['NJS-531', 'NJS-532', 'NJS-533'], NATIVE_ENCRYPTION),
  ...each(['NJS-100', 'NJS-192'], {
    code: 'ORACLE_CHARACTER_SET',
    remedy: 'stop',
    meaning: `the driver cannot read the database's character set; ${SAFE}`,
    fix: () => 'Unpack Oracle Instant Client, which knows all of them, and name its directory with --oracleClientLib.',
  }),
  ...each(['NJS-138'], {
    code: 'ORACLE_VERSION',
    remedy: 'stop',
    meaning: 'the server is older than 12.1, which the driver cannot speak to; nothing was read',
    fix: () => 'Unpack Oracle Instant Client 19, and name its directory with --oracleClientLib; or upgrade the server.',
  }),
]);

/** What a handshake of TLS failed with (NJS-506), by what it says of the certificate. An alert is what the server says of the client's. */
export function handshake(message: string): Explanation {
  if (/NJS-50[78]/.test(message)) return OTHER_NAME;
  return /certificate/i.test(message) && !/\balert\b/i.test(message) ? UNTRUSTED : TLS;
}

function each<K>(keys: readonly K[], explanation: Explanation): (readonly [K, Explanation])[] {
  return keys.map((key) => [key, explanation]);
}
