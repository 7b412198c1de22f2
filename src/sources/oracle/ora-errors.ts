import { OperatorError } from '../../errors.ts';

/** A failure as the server or the driver tells it. */
export interface OracleFailure {
  /** Of ORA-nnnnn; undefined for one of the driver's own. */
  readonly number: number | undefined;
  /** `ORA-01291`, or the driver's `NJS-503`. */
  readonly code: string;
  /** Its first line. */
  readonly message: string;
}

/** What can be done about a failure. */
export type Remedy = 'retry' | 'reconnect' | 'shrink' | 'recollect' | 'skip' | 'stop';

interface Explanation {
  readonly code: string;
  readonly remedy: Remedy;
  /** What it means for the data. */
  readonly meaning: string;
  readonly fix?: string;
}

const SAFE = 'what is on the target stays, and nothing is left out';
const AGAIN = `it is tried again from the checkpoint; ${SAFE}`;

const LOST: Explanation = { code: 'ORACLE_CONNECTION_LOST', remedy: 'reconnect', meaning: AGAIN };
const UNAVAILABLE: Explanation = {
  code: 'ORACLE_UNAVAILABLE',
  remedy: 'reconnect',
  meaning: `the database is not open; ${AGAIN}`,
};
const MEMORY: Explanation = {
  code: 'ORACLE_MEMORY',
  remedy: 'shrink',
  meaning: `the server has not enough memory for a LogMiner window; a smaller one is tried; ${SAFE}`,
  fix: 'When it stays like this: raise PGA_AGGREGATE_LIMIT, or lower --scnWindowSize.',
};
const LOG_FILE: Explanation = {
  code: 'ORACLE_LOG_FILE',
  remedy: 'recollect',
  meaning: `a redo log cannot be read (any more) while it is mined; which logs there are is asked again; ${SAFE}`,
  fix: 'When it stays like this: look whether archived logs are deleted or moved before they are mined, and restore them with RMAN.',
};
const GRANTS: Explanation = {
  code: 'ORACLE_PERMISSION',
  remedy: 'stop',
  meaning: `the user lacks a right; ${SAFE}`,
  fix: 'instar preflight tells every right that is missing, with its GRANT.',
};
const LOGIN: Explanation = {
  code: 'ORACLE_PASSWORD',
  remedy: 'stop',
  meaning: `it is not tried again, as that might lock the account; ${SAFE}`,
  fix: 'Correct user and password (percent-encoded in the URL, # as %23).',
};
const CORRUPT: Explanation = {
  code: 'ORACLE_LOG_CORRUPT',
  remedy: 'stop',
  meaning: `a redo log is damaged, and passing over the damage would lose changes; ${SAFE}`,
  fix: 'Restore the log from another destination or a backup (RMAN> VALIDATE ARCHIVELOG ALL), then start again with the same command.',
};
const SUPPLEMENTAL: Explanation = {
  code: 'ORACLE_SUPPLEMENTAL_LOGGING',
  remedy: 'stop',
  meaning: `redo does not tell which row was changed; ${SAFE}`,
  fix: 'ALTER DATABASE ADD SUPPLEMENTAL LOG DATA (PRIMARY KEY) COLUMNS;',
};
const SERVICE: Explanation = {
  code: 'ORACLE_SERVICE',
  remedy: 'reconnect',
  meaning: 'the listener does not know the service, or does not know it yet',
  fix: 'Compare host, port and service with the output of: lsnrctl services',
};
const OTHER_HISTORY: Explanation = {
  code: 'ORACLE_OTHER_HISTORY',
  remedy: 'stop',
  meaning: 'a log belongs to another database, or to a history that ended with OPEN RESETLOGS',
  fix: 'Load the tables again, clear the checkpoint, and start with --scn of the new copy.',
};
const INVALID_STATE: Explanation = { code: 'ORACLE_LOGMINER_STATE', remedy: 'reconnect', meaning: AGAIN };
const BUSY: Explanation = { code: 'ORACLE_BUSY', remedy: 'retry', meaning: AGAIN };

const EXPLANATIONS = new Map<number, Explanation>([
  ...each([1291, 1292, 1284, 310, 334], LOG_FILE),
  ...each([1285, 1286, 1293, 1289, 1290], { ...LOG_FILE, remedy: 'stop' }),
  ...each([1343, 1344, 353, 354, 1371], CORRUPT),
  ...each([1281], { ...INVALID_STATE, remedy: 'skip' }),
  ...each([1287, 1295], OTHER_HISTORY),
  ...each([1306, 1307, 1323], INVALID_STATE),
  ...each([1324, 44609], { ...INVALID_STATE, remedy: 'stop' }),
  ...each([1325, 1326], {
    code: 'ORACLE_ARCHIVELOG',
    remedy: 'stop',
    meaning: `the database keeps no archived logs; ${SAFE}`,
    fix: 'SHUTDOWN IMMEDIATE;\nSTARTUP MOUNT;\nALTER DATABASE ARCHIVELOG;\nALTER DATABASE OPEN;',
  }),
  ...each([1327, 1333, 1336, 604], BUSY),
  ...each([1347, 1353, 1354], SUPPLEMENTAL),
  ...each([1435, 1031, 942, 6550, 1435], GRANTS),
  ...each([65040], {
    code: 'ORACLE_IN_PDB',
    remedy: 'stop',
    meaning: 'LogMiner runs in the root container only',
    fix: 'Let --sourceConn name the service of the root (CDB$ROOT), and --sourcePDBConn that of the pluggable database.',
  }),
  ...each([65096], {
    code: 'ORACLE_COMMON_USER',
    remedy: 'stop',
    meaning: 'the user of --sourceConn has to be a common one, whose name begins with C##',
    fix: 'CREATE USER C##REPLICATOR IDENTIFIED BY "…" CONTAINER = ALL;',
  }),
  ...each([4036, 4030, 27102], MEMORY),
  ...each([1013], {
    ...MEMORY,
    code: 'ORACLE_TIMEOUT',
    meaning: `a call took too long; a smaller window is tried; ${SAFE}`,
  }),
  ...each([1555, 1466, 8181, 8180], BUSY),
  ...each([600, 7445], { code: 'ORACLE_INTERNAL', remedy: 'reconnect', meaning: `the server has a defect; ${AGAIN}` }),
  ...each([1033, 1034, 1089, 1090, 1109], UNAVAILABLE),
  ...each([3113, 3114, 3135, 12170, 12537, 12541, 12543, 12547, 12570, 2396, 28, 31], LOST),
  ...each([12514, 12505, 12154], SERVICE),
  ...each([1017, 1005], LOGIN),
  ...each([28000, 28001], {
    ...LOGIN,
    code: 'ORACLE_ACCOUNT',
    fix: 'ALTER USER … ACCOUNT UNLOCK; or ALTER USER … IDENTIFIED BY "…"; for a password that has expired.',
  }),
  ...each([16000], {
    code: 'ORACLE_READ_ONLY',
    remedy: 'stop',
    meaning: 'the database is open read only, as a standby is; the sentinel cannot be written there',
    fix: 'Connect to the primary database.',
  }),
]);

/** The driver's own failures. */
const DRIVER: Readonly<Record<string, Explanation>> = {
  'NJS-123': { ...MEMORY, code: 'ORACLE_TIMEOUT', meaning: `a call took too long; a smaller window is tried; ${SAFE}` },
  'NJS-500': LOST,
  'NJS-501': LOST,
  'NJS-503': {
    ...LOST,
    code: 'ORACLE_UNREACHABLE',
    fix: 'Check host, port and firewall, and that the listener runs: lsnrctl status',
  },
  'NJS-510': { ...LOST, code: 'ORACLE_UNREACHABLE', fix: 'Check host, port and firewall.' },
  'NJS-511': SERVICE,
  'NJS-518': SERVICE,
  'NJS-519': SERVICE,
  'NJS-521': LOST,
  'NJS-533': {
    code: 'ORACLE_NATIVE_ENCRYPTION',
    remedy: 'stop',
    meaning: 'the server insists on native network encryption, which only Oracle Instant Client has',
    fix: 'Use TLS (ssl=true), or unpack Oracle Instant Client and name its directory with --oracleClientLib.',
  },
  'NJS-138': {
    code: 'ORACLE_VERSION',
    remedy: 'stop',
    meaning: 'the server is older than 12.1, which the driver cannot speak to',
  },
};

/** What failed, when the server or the driver told it. */
export function failureOf(error: unknown): OracleFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { errorNum, code } = error as { errorNum?: unknown; code?: unknown };
  const [message] = error.message.split('\n');
  // The driver gives some of the server's errors a code of its own.
  const told = /\bORA-(\d{5})\b/.exec(error.message)?.[1];
  const number =
    typeof errorNum === 'number' && errorNum > 0 ? errorNum : told === undefined ? undefined : Number(told);
  if (number !== undefined) return { number, code: `ORA-${String(number).padStart(5, '0')}`, message };
  return typeof code === 'string' && code.startsWith('NJS-') ? { number, code, message } : undefined;
}

/** What can be done about an error. */
export function remedyOf(error: unknown): Remedy {
  if (error instanceof OperatorError) return error.transient ? 'reconnect' : 'stop';
  const failure = failureOf(error);
  return failure === undefined ? 'stop' : (explain(failure)?.remedy ?? 'stop');
}

/** Names an error, says what it means, and what to do. Anything that is not of the server or its driver is thrown on as it is. */
export function oracleError(
  error: unknown,
  { user, place }: { readonly user: string; readonly place: string },
): OperatorError {
  if (error instanceof OperatorError) return error;
  const failure = failureOf(error);
  if (failure === undefined) throw error;
  const { code, meaning, fix, remedy } = explain(failure) ?? {
    code: 'ORACLE_ERROR',
    meaning: `the server reported an error; ${SAFE}`,
    fix: undefined,
    remedy: 'stop' as Remedy,
  };
  const told = failure.message.startsWith(failure.code) ? failure.message : `${failure.code}: ${failure.message}`;
  return new OperatorError(code, `${place} (user ${user}): ${told}; ${meaning}`, {
    fix,
    cause: error,
    transient: remedy !== 'stop',
  });
}

function explain({ number, code }: OracleFailure): Explanation | undefined {
  return number === undefined ? DRIVER[code] : EXPLANATIONS.get(number);
}

function each(numbers: readonly number[], explanation: Explanation): (readonly [number, Explanation])[] {
  return numbers.map((number) => [number, explanation]);
}
