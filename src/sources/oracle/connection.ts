import type { Socket } from 'node:net';
import oracledb from 'oracledb';
import type { OracleConnectionDescription } from '../../config/oracle-connection.ts';
import { OperatorError } from '../../errors.ts';
import { oracleError } from './ora-errors.ts';
import { withUsableWallet } from './wallet.ts';

export type OracleConnection = oracledb.Connection;

export interface ConnectExtra {
  /** Milliseconds that a call may take. */
  readonly callTimeout?: number;
  /** What the connection is for: a DBA sees it in V$SESSION. */
  readonly action?: string;
}

/**
 * How values are written, in redo too. The driver sets the time zone of the process when it connects, so that this has to come
 * afterwards. Years have a sign, because Oracle knows years before Christ.
 */
export const SESSION_SETTINGS =
  `ALTER SESSION SET NLS_DATE_FORMAT = 'SYYYY-MM-DD HH24:MI:SS' NLS_TIMESTAMP_FORMAT = 'SYYYY-MM-DD HH24:MI:SS.FF9' ` +
  `NLS_TIMESTAMP_TZ_FORMAT = 'SYYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM' NLS_NUMERIC_CHARACTERS = '.,' TIME_ZONE = '+00:00'`;

/** Milliseconds after which a call that is in the way of closing is interrupted, and after which the line is cut. */
const INTERRUPT = 1000;
const FAREWELL = 2000;

/**
 * Opens a connection with the settings that this program reads by. The time that the description gives holds for the listener's
 * answer, and again for the logon.
 * @throws OperatorError with code ORACLE_…; transient when trying again later can help.
 */
export async function connect(
  description: OracleConnectionDescription,
  { callTimeout = 0, action }: ConnectExtra = {},
): Promise<OracleConnection> {
  let connection: OracleConnection | undefined;
  const patience = (description.attributes.connectTimeout ?? 10) * 1000;
  try {
    connection = await loggedOn(description, 2 * patience);
    connection.callTimeout = patience;
    connection.module = 'instar';
    if (action !== undefined) connection.action = action;
    await connection.execute(SESSION_SETTINGS);
    connection.callTimeout = callTimeout;
    return connection;
  } catch (error) {
    if (connection !== undefined) await close(connection);
    throw oracleError(error, { user: description.user, place: description.display });
  }
}

/** The driver waits for the listener as long as it is told to, and for the logon behind it without end. */
async function loggedOn({ attributes, user, display }: OracleConnectionDescription, limit: number) {
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  const opening = oracledb.getConnection(await withUsableWallet(attributes));
  opening.then(
    (connection) => (late ? close(connection) : undefined),
    () => {},
  );
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      late = true;
      const told = `${display} (user ${user}): the server did not let the user in within ${limit / 1000} s; nothing was read or written`;
      const fix =
        'Look whether the instance hangs, as it does when there is no room for archived logs: its alert log says.';
      reject(new OperatorError('ORACLE_UNREACHABLE', told, { fix, transient: true }));
    }, limit);
  });
  try {
    return await Promise.race([opening, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Closes a connection, whatever state it is in: a call that runs is interrupted, and the line is cut when the server does not say
 * goodbye. Never rejects.
 */
export async function close(connection: OracleConnection): Promise<void> {
  // The driver lets go of its own when it begins to close.
  const cut = lineOf(connection);
  const closed = connection.close().catch(() => {});
  let interrupt: NodeJS.Timeout | undefined;
  let end: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    interrupt = setTimeout(() => connection.break().catch(() => {}), INTERRUPT);
    end = setTimeout(() => {
      cut();
      resolve();
    }, FAREWELL);
  });
  await Promise.race([closed, late]);
  clearTimeout(interrupt);
  clearTimeout(end);
}

/** Cuts the line without a word, which the driver has no function for. The libraries of Instant Client keep theirs to themselves. */
function lineOf(connection: OracleConnection): () => void {
  const { _impl } = connection as unknown as {
    readonly _impl?: { readonly nscon?: { readonly ntAdapter?: { readonly stream?: Socket } | null } };
  };
  const socket = _impl?.nscon?.ntAdapter?.stream;
  return () => socket?.destroy();
}

/**
 * All rows of a query, every value as text or NULL: numbers with all their digits, RAW in hexadecimal digits. Times have to be
 * selected with TO_CHAR.
 */
export async function rows<T extends readonly (string | null)[]>(
  connection: OracleConnection,
  sql: string,
  binds: readonly (string | bigint | null)[] = [],
): Promise<T[]> {
  const result = await connection.execute<T>(sql, [...binds], {
    fetchArraySize: 1000,
    prefetchRows: 1000,
    fetchTypeHandler: asText,
  });
  return result.rows ?? [];
}

/** The driver makes these a time in the zone of this process, which has no text for the hour that a clock leaves out. */
const TIMES: ReadonlySet<unknown> = new Set([
  oracledb.DB_TYPE_DATE,
  oracledb.DB_TYPE_TIMESTAMP,
  oracledb.DB_TYPE_TIMESTAMP_LTZ,
  oracledb.DB_TYPE_TIMESTAMP_TZ,
]);

/** Numbers above 2^53 would be rounded. */
function asText({ name, dbType }: oracledb.Metadata<unknown>): oracledb.FetchTypeResponse {
  if (TIMES.has(dbType)) {
    throw new TypeError(`the column ${name} is a time: the query has to select it with TO_CHAR`);
  }
  return { type: oracledb.STRING };
}

/**
 * Uses the libraries of an Oracle Instant Client from then on, which can encrypt natively. To be called before the first connection.
 * @throws OperatorError ORACLE_CLIENT
 */
export function useThickMode(directory: string): void {
  try {
    oracledb.initOracleClient({ libDir: directory });
  } catch (cause) {
    throw new OperatorError(
      'ORACLE_CLIENT',
      `the libraries of Oracle Instant Client cannot be loaded from ${directory}: ${cause instanceof Error ? cause.message.split('\n')[0] : cause}; nothing was read`,
      {
        fix: 'Unpack Instant Client (Basic or Basic Light) for this machine there, with its libaio; or leave --oracleClientLib out: only native network encryption needs it.',
        cause,
      },
    );
  }
}
