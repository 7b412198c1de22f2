import type { ErrorCode } from '../explanations/table.ts';
import pg from 'pg';
import { OperatorError } from '../errors.ts';
import type { ConnectionDescription } from './connection.ts';
import { mask } from './secrets.ts';

/** Which of the databases an error is about. */
export type Side = 'source' | 'target' | 'staging';

/** What a caller may add to the configuration of a connection. */
export interface ConnectExtra extends pg.ClientConfig {
  /** Makes it a logical replication connection. */
  readonly replication?: 'database';
}

/** Values arrive as the text that the server sent: no stage of the replicator wants them converted. */
const RAW_TEXT = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig;

/**
 * Opens a connection, trying the attempts of the description in order, as libpq does: the next one only when the server
 * refuses TLS or insists on it. The client has an error listener, so that losing it while idle cannot end the process; whoever
 * must know of the loss adds one.
 * @throws OperatorError with code PG_…; transient when trying again later can help.
 */
export async function connect(
  description: ConnectionDescription,
  side: Side,
  extra: ConnectExtra = {},
): Promise<pg.Client> {
  let failure: unknown;
  for (const attempt of description.attempts) {
    const client = new pg.Client({ ...attempt, types: RAW_TEXT, ...extra });
    client.on('error', () => {});
    try {
      await client.connect();
      return client;
    } catch (error) {
      failure = error;
      // Not awaited: a peer that does not answer would not answer the farewell either.
      client.connection.stream.destroy();
      if (!mayFallBack(error, attempt.ssl !== false)) break;
    }
  }
  throw connectionError(failure, description, side);
}

/** What failed connections carry: a SQLSTATE from the server, or an error code of the operating system or of TLS. */
interface Failure {
  readonly code: string;
  readonly message: string;
  /** True when the server itself answered with an error. */
  readonly answered: boolean;
}

function failureOf(error: unknown): Failure {
  const { code, message, errors } = error as { code?: string; message?: string; errors?: Error[] };
  return {
    code: String(code ?? ''),
    // A name with several addresses fails with one error for each.
    message: mask(message || errors?.map((each) => each.message).join('; ') || String(error)),
    answered: error instanceof pg.DatabaseError,
  };
}

const NO_TLS = /does not support SSL|establishing an SSL connection/;
const TLS_CODE =
  /^(ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|EPROTO|CRL_|INVALID_CA)/;

function isTls({ code, message, answered }: Failure): boolean {
  return !answered && (TLS_CODE.test(code) || NO_TLS.test(message));
}

function mayFallBack(error: unknown, encrypted: boolean): boolean {
  const failure = failureOf(error);
  if (isTls(failure)) return encrypted;
  // pg_hba.conf refuses with 28000; CockroachDB and poolers use protocol and connection errors.
  return failure.answered && ['28000', '08P01', '08004'].includes(failure.code);
}

interface Explanation {
  readonly code: ErrorCode;
  /** Follows the name of the database, and is followed by the server's or the system's own words. */
  readonly text: string;
  readonly fix?: string;
  readonly transient: boolean;
}

/** The named error for a failure to connect. `error` is what node-postgres threw. */
export function connectionError(error: unknown, description: ConnectionDescription, side: Side): OperatorError {
  const failure = failureOf(error);
  const { code, text, fix, transient } = explain(failure, description, side);
  const { host, port, database, user } = description;
  const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const name = `${side} database at ${place} (database "${database}", user "${user}")`;
  return new OperatorError(code, `${name} ${text}: ${failure.message}`, { fix, transient, cause: error });
}

function explain(failure: Failure, description: ConnectionDescription, side: Side): Explanation {
  const { host, port, database, user } = description;
  const transient = true;
  if (isTls(failure)) {
    const fix = NO_TLS.test(failure.message)
      ? `either turn TLS on at the server, or allow plain connections in the ${side} connection string: sslmode=prefer`
      : 'check sslmode, sslrootcert, sslcert and sslkey in the connection string';
    return { code: 'PG_TLS', text: 'and this program do not agree on TLS', fix, transient: false };
  }
  if (!failure.answered) {
    if (failure.message.startsWith('SASL')) return password(user, failure);
    switch (failure.code) {
      case 'ECONNREFUSED':
      case 'ENOENT':
        return {
          code: 'PG_CONNECTION_REFUSED',
          text: 'does not accept connections, as nothing listens there',
          fix: `pg_isready -h ${host} -p ${port}`,
          transient,
        };
      case 'ENOTFOUND':
      case 'EAI_AGAIN':
        return {
          code: 'PG_HOST_NOT_FOUND',
          text: 'has a host name that cannot be resolved',
          fix: `getent hosts ${host}`,
          transient,
        };
      case 'EHOSTUNREACH':
      case 'ENETUNREACH':
        return {
          code: 'PG_UNREACHABLE',
          text: 'cannot be reached over the network',
          fix: `check routes and firewalls to ${host}`,
          transient,
        };
    }
    if (failure.code === 'ETIMEDOUT' || failure.message === 'timeout expired') {
      return {
        code: 'PG_TIMEOUT',
        text: 'did not answer in time',
        fix: 'check the firewall between here and there, or raise connect_timeout (seconds) in the connection string',
        transient,
      };
    }
    return { code: 'PG_CONNECTION_LOST', text: 'closed the connection while it was being opened', transient };
  }
  switch (failure.code) {
    case '28P01':
      return password(user, failure);
    case '3D000':
      return {
        code: 'PG_NO_DATABASE',
        text: 'does not exist',
        fix: `CREATE DATABASE ${pg.escapeIdentifier(database)};`,
        transient: false,
      };
    case '28000':
      if (failure.message.includes('password authentication failed')) return password(user, failure);
      return {
        code: 'PG_HBA',
        text: 'does not let this user in from here',
        fix: `a line for pg_hba.conf of the server: host "${database}" "${user}" ADDRESS/32 scram-sha-256\nthen: SELECT pg_reload_conf();`,
        transient: false,
      };
    case '42501':
      return {
        code: 'PG_PERMISSION',
        text: 'does not permit this user the connection',
        fix: `GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(database)} TO ${pg.escapeIdentifier(user)};`,
        transient: false,
      };
    case '53300':
      return {
        code: 'PG_TOO_MANY_CONNECTIONS',
        text: 'has no connection left',
        fix: 'SELECT application_name, count(*) FROM pg_stat_activity GROUP BY 1 ORDER BY 2 DESC;',
        transient,
      };
    case '57P01':
    case '57P02':
    case '57P03':
      return { code: 'PG_STARTING', text: 'is starting up or shutting down', transient };
  }
  // Class 08 is the connection itself, 53 a shortage of resources: both pass.
  return { code: 'PG_CONNECT', text: 'refused the connection', transient: /^(08|53)/.test(failure.code) };
}

function password(user: string, { message }: Failure): Explanation {
  const missing = /must be a (non-empty )?string/.test(message);
  return {
    code: 'PG_PASSWORD',
    text: missing ? 'asks for a password and none was given' : 'does not accept the password',
    fix: missing
      ? 'add the password to the connection string (percent-encoded in a URL), or a line to ~/.pgpass'
      : `check the password (percent-encoded in a URL), or set a new one: ALTER ROLE ${pg.escapeIdentifier(user)} PASSWORD '…';`,
    transient: false,
  };
}
