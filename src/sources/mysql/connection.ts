import type { Socket } from 'node:net';
import { createConnection, type ConnectionOptions } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import type { MysqlConnectionDescription } from '../../config/mysql-connection.ts';
import { connectionError, mayFallBack } from './connection-errors.ts';
import { CONNECTION_LOST, openGreeted } from './greeting.ts';

export type { Connection };

/** Milliseconds, as the client library's own default. */
const CONNECT_TIMEOUT = 10_000;
/** Milliseconds. Operating systems wait two hours before they look whether a silent peer is still there. */
const KEEP_ALIVE = 30_000;

/** Milliseconds that a server has for hanging up. */
const FAREWELL = 1000;

/** What a caller may change about a connection. */
export interface ConnectExtra {
  /** Milliseconds that each attempt may take, instead of what the description says. */
  readonly timeout?: number;
}

/**
 * Numbers that do not fit arrive as text, and so do all dates. Statements are read by the rules of this program, whatever the
 * server's defaults are: no sql_mode changes the meaning of quotes, and times are UTC.
 */
const VALUES: ConnectionOptions = {
  supportBigNumbers: true,
  bigNumberStrings: true,
  dateStrings: true,
  charset: 'utf8mb4',
};
const SESSION = `SET NAMES utf8mb4, sql_mode = '', time_zone = '+00:00'`;

/**
 * Opens a connection, trying the attempts of the description in order: the next one only when the server refuses TLS or
 * insists on it. Losing the connection while it is idle does not end the process; whoever must know of the loss listens for
 * `error`. End it with `close`.
 * @throws OperatorError with code MYSQL_…; transient when trying again later can help.
 */
export async function connect(
  description: MysqlConnectionDescription,
  { timeout }: ConnectExtra = {},
): Promise<Connection> {
  let failure: { readonly error: unknown; readonly encrypted: boolean } | undefined;
  for (const attempt of description.attempts) {
    const encrypted = Boolean(attempt.ssl);
    try {
      return await open({ ...attempt, ...(timeout !== undefined && { connectTimeout: timeout }) });
    } catch (error) {
      const { code } = error as { code?: unknown };
      // The first answer is the better one when TLS was only tried because of it and is not to be had.
      if (failure === undefined || code !== 'HANDSHAKE_NO_SSL_SUPPORT') failure = { error, encrypted };
      if (!mayFallBack(error, encrypted)) break;
    }
  }
  throw connectionError(failure?.error, description, failure?.encrypted ?? false);
}

/**
 * Ends a connection without waiting for it: says goodbye, and cuts the line when the server has not hung up soon, as it is
 * busy or gone. Never throws.
 */
export function close(connection: Connection): void {
  const { stream } = (connection as unknown as { readonly connection: { readonly stream: Socket } }).connection;
  // The client library's own way only half-closes, so that a peer that is gone would keep this process alive.
  const timer = setTimeout(() => stream.destroy(), FAREWELL).unref();
  stream.once('close', () => clearTimeout(timer));
  connection.end().catch(() => stream.destroy());
}

async function open(options: ConnectionOptions): Promise<Connection> {
  const { host = 'localhost', port = 3306, socketPath, connectTimeout = CONNECT_TIMEOUT } = options;
  const keepAlive = options.enableKeepAlive === false ? undefined : options.keepAliveInitialDelay || KEEP_ALIVE;
  const socket = await openGreeted({ host, port, socketPath, timeout: connectTimeout, keepAlive });
  const core = createConnection({ ...options, ...VALUES, connectTimeout, stream: socket });
  core.on('error', () => {});
  socket.resume();
  try {
    await authenticated(core, socket);
    const connection = core.promise();
    await connection.query(SESSION);
    // MariaDB lets a user in whose password has expired, and refuses everything but SET.
    await connection.query('DO 0');
    return connection;
  } catch (error) {
    core.destroy();
    // Not awaited: a peer that does not answer would not answer the farewell either.
    socket.destroy();
    throw error;
  }
}

function authenticated(core: ReturnType<typeof createConnection>, socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    core.once('connect', () => resolve());
    core.once('error', reject);
    socket.once('close', () =>
      reject(Object.assign(new Error('the server closed the connection'), { code: CONNECTION_LOST })),
    );
  });
}
