import { inspect } from 'node:util';
import type { ConnectionOptions, SslOptions } from 'mysql2';
import { UsageError } from '../errors.ts';
import { schemeOf, severalHosts, urlParameters } from './connection-text.ts';
import { didYouMean } from './nearest.ts';
import { MASK, registerSecret } from './secrets.ts';
import { type Encryption, encryptionFrom, PLAIN } from './tls.ts';

/** A MySQL or MariaDB server, user and database, and how to connect there. */
export interface MysqlConnectionDescription {
  readonly kind: 'mysql';
  /** Configurations to try in order: the second one with or without TLS when the server insists (`sslmode` allow and prefer). */
  readonly attempts: readonly ConnectionOptions[];
  /** The connection in URL form without its password: safe to print. */
  readonly display: string;
  /** Host name, address, or the path of a Unix-domain socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The database that is replicated; empty when none is named. */
  readonly database: string;
  /** Parameters that were given and that have no effect: for a warning. */
  readonly ignored: readonly string[];
}

const EXAMPLE = 'mysql://user:password@host:3306/database?sslmode=verify-full&sslrootcert=FILE';

/** `tcp(host:port)` and `unix(/path)` in the place of host and port, as drivers of the Go language write it. */
const PROTOCOL_FORM = /^([a-z]+:\/\/(?:[^@/?]*@)?)(tcp[46]?|unix)\(([^()]*)\)(?=[/?]|$)/is;

/** The parameters that are honoured. */
const HONOURED = [
  'user',
  'password',
  'host',
  'port',
  'dbname',
  'socket',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslpassword',
  'ssl_min_protocol_version',
  'ssl_max_protocol_version',
  'connect_timeout',
];

/** How MySQL's own tools, and the connection strings of hosting companies, call the same. */
const ALIASES: Readonly<Record<string, string>> = {
  'ssl-mode': 'sslmode',
  'ssl-ca': 'sslrootcert',
  'ssl-cert': 'sslcert',
  'ssl-key': 'sslkey',
  'connect-timeout': 'connect_timeout',
};
const MODE_ALIASES: Readonly<Record<string, string>> = {
  DISABLED: 'disable',
  PREFERRED: 'prefer',
  REQUIRED: 'require',
  VERIFY_CA: 'verify-ca',
  VERIFY_IDENTITY: 'verify-full',
};

/** Parameters of other drivers about how values are read, which this program sets itself. */
const IGNORED = new Set([
  'charset',
  'collation',
  'parseTime',
  'loc',
  'serverTimezone',
  'useUnicode',
  'characterEncoding',
]);
/** Parameters of other drivers that say how to encrypt: passing over one would be passing over a wish for safety. */
const OTHER_TLS = new Set(['tls', 'ssl', 'useSSL', 'requireSSL', 'verifyServerCertificate', 'sslMode']);

const CONNECT_TIMEOUT_SECONDS = 10;
/** Operating systems wait two hours before they look whether a silent peer is still there. */
const KEEP_ALIVE_MS = 30_000;

/**
 * Reads `mysql://user:password@host:port/database?sslmode=…`, or `…@tcp(host:port)/database`; the scheme may be `mariadb`
 * too. `sslmode` and the files of certificates have libpq's meaning; without one, TLS is used where the server has it.
 * `MYSQL_PWD` in `env` gives the password when the string has none. The password becomes a known secret. `label` is how errors call the
 * string (`--sourceConn`).
 * @throws UsageError for anything that cannot be honoured; nothing of the string that may be part of a password is repeated.
 */
export function parseMysqlConnectionString(
  text: string,
  label: string,
  env: NodeJS.ProcessEnv = process.env,
): MysqlConnectionDescription {
  try {
    const scheme = checkedScheme(text);
    return describe(scheme, withAliases(urlParameters(plainForm(text))), env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${label}: ${error.message}`, { fix: error.fix, cause: error.cause });
  }
}

/** The parameters of such a connection string by libpq's keywords, without validation. @throws UsageError */
export function mysqlParameters(text: string): Map<string, string> {
  checkedScheme(text);
  return withAliases(urlParameters(plainForm(text)));
}

function checkedScheme(text: string): string {
  if (text.trim() === '') throw new UsageError('it is empty');
  const scheme = schemeOf(text);
  if (scheme === 'mysql' || scheme === 'mariadb') return scheme;
  if (scheme?.startsWith('mysql+') || scheme?.startsWith('mariadb+')) {
    const [plain] = scheme.split('+');
    throw new UsageError(`the scheme "${scheme}" names a driver of another program; write ${plain}:// alone`, {
      fix: EXAMPLE,
    });
  }
  if (scheme === 'postgres' || scheme === 'postgresql') {
    throw new UsageError('it is for a PostgreSQL server, which is replicated by the command pglogical', {
      fix: EXAMPLE,
    });
  }
  if (scheme !== undefined) throw new UsageError(`unknown URL scheme "${scheme}"`, { fix: EXAMPLE });
  const jdbc = /^jdbc:(mysql|mariadb):/i.test(text);
  throw new UsageError(jdbc ? 'it begins with "jdbc:"; leave that out' : 'it does not begin with mysql://', {
    fix: EXAMPLE,
  });
}

/** The URL with `tcp(host:port)` or `unix(/path)` written as every other URL has it. */
function plainForm(text: string): string {
  const match = PROTOCOL_FORM.exec(text);
  if (match === null) return text;
  const [whole, before, protocol, address] = match;
  const rest = text.slice(whole.length);
  if (protocol.toLowerCase() !== 'unix') return `${before}${address}${rest}`;
  const separator = rest.includes('?') ? '&' : '?';
  return `${before}${rest}${separator}socket=${address}`;
}

function withAliases(given: ReadonlyMap<string, string>): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of given) parameters.set(ALIASES[name] ?? name, value);
  const mode = parameters.get('sslmode')?.toUpperCase();
  if (mode !== undefined && Object.hasOwn(MODE_ALIASES, mode)) parameters.set('sslmode', MODE_ALIASES[mode]);
  return parameters;
}

function describe(
  scheme: string,
  given: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
): MysqlConnectionDescription {
  for (const name of given.keys()) checkParameter(name);
  const get = (name: string): string | undefined => given.get(name) || undefined;

  const socketPath = get('socket');
  const host = socketPath ?? get('host') ?? 'localhost';
  if (host.includes(',')) throw severalHosts();
  const port = wholeNumber('port', get('port'), 3306, 1, 65535);
  const user = get('user');
  if (user === undefined) throw new UsageError('no user is given', { fix: EXAMPLE });
  const database = get('dbname') ?? '';
  if (database.includes('/')) throw new UsageError('the name of the database holds a slash', { fix: EXAMPLE });

  const password = get('password') ?? (env.MYSQL_PWD || undefined);
  // A password that is a name printed everywhere (root:root) is no secret, and hiding the name would help nobody.
  if (password !== undefined && ![user, database, host, String(port)].includes(password)) registerSecret(password);

  const timeout = wholeNumber('connect_timeout', get('connect_timeout'), CONNECT_TIMEOUT_SECONDS, 1, 2 ** 31 / 1000);
  const config: ConnectionOptions = {
    ...(socketPath === undefined ? { host, port } : { socketPath }),
    user,
    ...(database !== '' && { database }),
    connectTimeout: timeout * 1000,
    enableKeepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  };
  // A Unix-domain socket never leaves the machine.
  const encryptions = socketPath === undefined ? encryptionFrom(get, host, undefined) : [PLAIN];
  const sslmode = socketPath === undefined ? get('sslmode') : undefined;
  const authority = `${encodeURIComponent(user)}${password === undefined ? '' : `:${MASK}`}@${shownPlace(host, port)}`;
  return {
    kind: 'mysql',
    attempts: encryptions.map((encryption) => unprintable({ ...config, ...tlsOptions(encryption) }, password)),
    display: `${scheme}://${authority}/${encodeURIComponent(database)}${sslmode === undefined ? '' : `?sslmode=${sslmode}`}`,
    host,
    port,
    user,
    database,
    ignored: [...given.keys()].filter((name) => IGNORED.has(name)),
  };
}

function checkParameter(name: string): void {
  if (HONOURED.includes(name) || IGNORED.has(name)) return;
  if (OTHER_TLS.has(name)) {
    throw new UsageError(`the parameter ${name} is not supported; use sslmode`, {
      fix: 'sslmode=verify-full&sslrootcert=FILE, sslmode=require, or sslmode=disable',
    });
  }
  const known = [...HONOURED, ...Object.keys(ALIASES), ...IGNORED];
  throw new UsageError(`the parameter ${JSON.stringify(name)} is not known${didYouMean(name, known)}`);
}

function wholeNumber(name: string, text: string | undefined, otherwise: number, min: number, max: number): number {
  if (text === undefined) return otherwise;
  if (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  throw new UsageError(`the parameter ${name} must be a whole number from ${min} to ${Math.floor(max)}`);
}

function tlsOptions({ ssl }: Encryption): { ssl?: SslOptions } {
  if (ssl === false) return {};
  const { ca, cert, key, passphrase, minVersion, maxVersion, rejectUnauthorized, checkServerIdentity } = ssl;
  const material = { ca, cert, key, passphrase } as Pick<SslOptions, 'ca' | 'cert' | 'key' | 'passphrase'>;
  // The host's name is compared unless that was turned off.
  const verifyIdentity = rejectUnauthorized === true && checkServerIdentity === undefined;
  return { ssl: { ...material, minVersion, maxVersion, rejectUnauthorized, verifyIdentity } };
}

/** The connection with another password, which does not become a known secret by this. */
export function withMysqlPassword(
  connection: MysqlConnectionDescription,
  password: string,
): MysqlConnectionDescription {
  return { ...connection, attempts: connection.attempts.map((attempt) => unprintable(attempt, password)) };
}

/** Adds the password in a way that keeps it out of whatever prints the options. */
function unprintable(options: ConnectionOptions, password: string | undefined): ConnectionOptions {
  const shown = () => ({
    user: options.user,
    host: options.host ?? options.socketPath,
    tls: options.ssl !== undefined,
  });
  return Object.defineProperties(
    { ...options, ...(password !== undefined && { password }) },
    { toJSON: { value: shown }, [inspect.custom]: { value: shown } },
  );
}

function shownPlace(host: string, port: number): string {
  if (host.startsWith('/')) return `unix(${host})`;
  return `${host.includes(':') ? `[${host}]` : encodeURIComponent(host)}:${port}`;
}
