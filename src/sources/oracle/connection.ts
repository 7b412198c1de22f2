import oracledb from 'oracledb';
import type { OracleConnectionDescription } from '../../config/oracle-connection.ts';
import { OperatorError } from '../../errors.ts';
import { oracleError } from './ora-errors.ts';

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

/** Milliseconds that a server has for hanging up. */
const FAREWELL = 2000;

/**
 * Opens a connection with the settings that this program reads by.
 * @throws OperatorError with code ORACLE_…; transient when trying again later can help.
 */
export async function connect(
  description: OracleConnectionDescription,
  { callTimeout, action }: ConnectExtra = {},
): Promise<OracleConnection> {
  let connection: OracleConnection | undefined;
  try {
    connection = await oracledb.getConnection(description.attributes);
    if (callTimeout !== undefined) connection.callTimeout = callTimeout;
    connection.module = 'instar';
    if (action !== undefined) connection.action = action;
    await connection.execute(SESSION_SETTINGS);
    return connection;
  } catch (error) {
    if (connection !== undefined) await close(connection);
    throw oracleError(error, { user: description.user, place: description.display });
  }
}

/** Closes a connection, whatever state it is in. Never rejects. */
export async function close(connection: OracleConnection): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FAREWELL);
  });
  await Promise.race([connection.close({ drop: true }).catch(() => {}), late]);
  clearTimeout(timer);
}

/** All rows of a query, every value as text or NULL. */
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

/** Numbers above 2^53 would be rounded, and times moved to the time zone of this process. */
function asText({ dbType }: oracledb.Metadata<unknown>): oracledb.FetchTypeResponse | undefined {
  return dbType === oracledb.DB_TYPE_RAW ? undefined : { type: oracledb.STRING };
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
      `the libraries of Oracle Instant Client cannot be loaded from ${directory}: ${cause instanceof Error ? cause.message.split('\n')[0] : cause}`,
      {
        fix: 'Unpack Instant Client (Basic or Basic Light) for this machine there, with its libaio; or leave --oracleClientLib out: only native network encryption needs it.',
        cause,
      },
    );
  }
}
