import type { ErrorCode } from '../../explanations/table.ts';
import type { MysqlConnectionDescription } from '../../config/mysql-connection.ts';
import { mask } from '../../config/secrets.ts';
import { OperatorError } from '../../errors.ts';
import { quoteIdentifier, quoteText } from './sql-text.ts';

/** What a failed connection carries: a number from the server, or a code of the client library or the operating system. */
export interface Failure {
  readonly code: string;
  /** The server's error number; 0 when the server itself did not answer with an error. */
  readonly number: number;
  readonly message: string;
}

/** Reads what the client library threw. Numbers of the operating system, which are negative, are none of the server's. */
export function failureOf(error: unknown): Failure {
  const { code, errno, message, errors } = error as {
    code?: string;
    errno?: number;
    message?: string;
    errors?: Error[];
  };
  return {
    code: String(code ?? ''),
    number: typeof errno === 'number' && errno > 0 ? errno : 0,
    // A name with several addresses fails with one error for each.
    message: mask(readable(message || errors?.map((each) => each.message).join('; ') || String(error))),
  };
}

/** Without what only a developer can use: numbers and source files of OpenSSL, options of Node.js and of the client library. */
function readable(message: string): string {
  return message
    .replace(/^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):.*/s, '$1')
    .replace(/; if the root CA is installed locally.*/s, '')
    .replace(/(unknown plugin \S+?)\. See .*/s, '$1')
    .replace(/, which sends the password in plaintext.*/s, ', which sends the password as it is')
    .trim();
}

const NO_TLS = 'HANDSHAKE_NO_SSL_SUPPORT';
const TLS_ERROR = 'HANDSHAKE_SSL_ERROR';
/** require_secure_transport; MariaDB has the text with another number. */
const INSECURE = /insecure transport/i;
/** Node's words for certificates: not signed by somebody trusted, out of date, or another host's. */
const CERTIFICATE = /certificate|altnames|issuer|root CA|CRL/i;
const OTHER_HOST = /altnames|does not match/i;

/** True when the attempt failed because of TLS, one way or the other, so that the other way may do better. */
export function mayFallBack(error: unknown, encrypted: boolean): boolean {
  const { code, number, message } = failureOf(error);
  if (encrypted) return code === NO_TLS || code === TLS_ERROR;
  // A user with REQUIRE SSL is refused as if the password were wrong.
  return number === 1045 || number === 3159 || INSECURE.test(message);
}

interface Explanation {
  readonly code: ErrorCode;
  /** Follows the name of the database, and is followed by the server's or the system's own words. */
  readonly text: string;
  readonly fix?: string;
  readonly transient?: boolean;
}

/** The named error for a failure to connect. `error` is what the client library threw; `encrypted`: TLS was asked for. */
export function connectionError(
  error: unknown,
  description: MysqlConnectionDescription,
  encrypted: boolean,
): OperatorError {
  const { host, port, database, user } = description;
  const place = host.includes(':') ? `[${host}]:${port}` : host.startsWith('/') ? host : `${host}:${port}`;
  const name = `source database at ${place} (${database === '' ? '' : `database "${database}", `}user "${user}")`;
  if (error instanceof OperatorError) {
    const { code, message, fix, transient } = error;
    return new OperatorError(code, `${name} ${message}`, { fix, transient, cause: error });
  }
  const failure = failureOf(error);
  const { code, text, fix, transient } =
    failure.number === 0 ? byClient(failure, description) : byServer(failure, description, encrypted);
  return new OperatorError(code, `${name} ${text}: ${failure.message}`, { fix, transient, cause: error });
}

/** Failures that the server has not answered with. */
function byClient({ code, message }: Failure, { host, port }: MysqlConnectionDescription): Explanation {
  const transient = true;
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return {
        code: 'MYSQL_CONNECTION_REFUSED',
        text: 'does not accept connections, as nothing listens there',
        fix: `mysqladmin --host=${host} --port=${port} ping  # bind_address and skip_networking say where the server listens`,
        transient,
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        code: 'MYSQL_HOST_NOT_FOUND',
        text: 'has a host name that cannot be resolved',
        fix: `getent hosts ${host}`,
        transient,
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return {
        code: 'MYSQL_UNREACHABLE',
        text: 'cannot be reached over the network',
        fix: `check routes and firewalls to ${host}`,
        transient,
      };
    case 'ETIMEDOUT':
      return {
        code: 'MYSQL_TIMEOUT',
        text: 'did not answer in time',
        fix: 'check host, port and the firewall between here and there',
        transient,
      };
    case NO_TLS:
      return {
        code: 'MYSQL_TLS',
        text: 'does not offer TLS, which the connection string demands',
        fix: 'either turn TLS on at the server (ssl_cert, ssl_key), or allow plain connections in the connection string: sslmode=disable',
      };
    case TLS_ERROR:
      return byTls(message);
    case 'AUTH_SWITCH_PLUGIN_ERROR':
    case 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED':
      return {
        code: 'MYSQL_AUTH_PLUGIN',
        text: 'wants this user to log in by a method that is not supported here',
        fix: "Use a user with caching_sha2_password, sha256_password or mysql_native_password. MySQL: CREATE USER … IDENTIFIED WITH caching_sha2_password BY '…'; MariaDB: CREATE USER … IDENTIFIED VIA mysql_native_password USING PASSWORD('…');",
      };
    default:
      return { code: 'MYSQL_CONNECTION_LOST', text: 'closed the connection while it was being opened', transient };
  }
}

function byTls(message: string): Explanation {
  if (!CERTIFICATE.test(message)) {
    return {
      code: 'MYSQL_TLS',
      text: 'and this program do not agree on TLS',
      fix: 'check sslmode, sslrootcert, sslcert and sslkey in the connection string, and tls_version of the server',
    };
  }
  return {
    code: 'MYSQL_CERTIFICATE',
    text: 'shows a certificate that is not trusted',
    fix: OTHER_HOST.test(message)
      ? 'use the host name that the certificate is for, or sslmode=verify-ca, which does not compare it'
      : 'sslrootcert=FILE of the authority that signed it (a server that made its own keeps it as ca.pem in its data directory), or sslmode=require, which encrypts without knowing with whom',
  };
}

function byServer(failure: Failure, description: MysqlConnectionDescription, encrypted: boolean): Explanation {
  const { user, database } = description;
  const transient = true;
  switch (failure.number) {
    case 1045:
    case 1698:
      return password(failure, user, encrypted);
    case 1820:
    case 1862:
      return {
        code: 'MYSQL_PASSWORD_EXPIRED',
        text: 'does not accept the password any more, as it has expired',
        fix: `ALTER USER ${quoteText(user)}@'%' IDENTIFIED BY '…' PASSWORD EXPIRE NEVER;`,
      };
    case 3118:
    case 4151:
      return {
        code: 'MYSQL_ACCOUNT_LOCKED',
        text: 'has locked the account',
        fix: `ALTER USER ${quoteText(user)}@'%' ACCOUNT UNLOCK;`,
      };
    case 1049:
      return {
        code: 'MYSQL_NO_DATABASE',
        text: 'does not exist',
        fix: `SHOW DATABASES; -- the names of those that are there, upper and lower case as they are written`,
      };
    case 1044:
      return {
        code: 'MYSQL_DATABASE_DENIED',
        text: 'does not let this user into the database, or has none of that name',
        fix: `GRANT SELECT ON ${quoteIdentifier(database)}.* TO ${quoteText(user)}@'%';`,
      };
    case 1130:
      return {
        code: 'MYSQL_HOST_DENIED',
        text: 'lets nobody in from this machine',
        fix: `CREATE USER ${quoteText(user)}@'%' IDENTIFIED BY '…'; -- or with the address of this machine instead of %`,
      };
    case 1129:
      return {
        code: 'MYSQL_HOST_BLOCKED',
        text: 'has blocked this machine after too many connections that failed half-way',
        fix: 'TRUNCATE TABLE performance_schema.host_cache; -- MariaDB and 5.7: FLUSH HOSTS;',
      };
    case 1040:
    case 1203:
    case 1226:
      return {
        code: 'MYSQL_TOO_MANY_CONNECTIONS',
        text: 'has no connection left',
        fix: 'SELECT user, count(*) FROM information_schema.PROCESSLIST GROUP BY user ORDER BY 2 DESC; -- then end some, or raise max_connections or max_user_connections',
        transient,
      };
    case 1053:
    case 3032:
      return { code: 'MYSQL_STARTING', text: 'is starting up, shutting down or offline', transient };
    case 1251:
    case 1524:
    case 2059:
      return {
        code: 'MYSQL_AUTH_PLUGIN',
        text: 'cannot log this user in by the method that the account has',
        fix: `SELECT user, host, plugin FROM mysql.user WHERE user = ${quoteText(user)};`,
      };
    case 3159:
      return tlsRequired();
  }
  if (INSECURE.test(failure.message)) return tlsRequired();
  return { code: 'MYSQL_CONNECT', text: 'refused the connection' };
}

function tlsRequired(): Explanation {
  return {
    code: 'MYSQL_TLS_REQUIRED',
    text: 'accepts connections with TLS only',
    fix: 'add sslmode=verify-full (with sslrootcert=FILE) to the connection string, or at least sslmode=require',
  };
}

function password({ message }: Failure, user: string, encrypted: boolean): Explanation {
  const accounts = `SELECT user, host, plugin FROM mysql.user WHERE user = ${quoteText(user)}; -- the account must match the host that this program comes from`;
  const plain = encrypted
    ? ''
    : '\nAn account with REQUIRE SSL is refused in the same words without TLS: try sslmode=require.';
  if (/using password: NO/.test(message)) {
    return {
      code: 'MYSQL_PASSWORD',
      text: 'asks for a password and none was given',
      fix: `add the password to the connection string (percent-encoded in a URL)${plain}\n${accounts}`,
    };
  }
  return {
    code: 'MYSQL_PASSWORD',
    text: 'does not accept this user with this password',
    fix: `check the password (percent-encoded in a URL), or set a new one: ALTER USER ${quoteText(user)}@'%' IDENTIFIED BY '…';${plain}\n${accounts}`,
  };
}
