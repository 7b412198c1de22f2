import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { UsageError } from '../errors.ts';
import { connectionParameters, severalHosts } from './connection-text.ts';
import { didYouMean } from './nearest.ts';
import { findPassword } from './password-file.ts';
import { MASK, registerSecret } from './secrets.ts';
import { encryptionFrom, PLAIN } from './tls.ts';

/** A PostgreSQL or CockroachDB server, database and user, and how to connect there. */
export interface ConnectionDescription {
  /** Configurations to try in order: the second one with or without TLS when the server insists (`sslmode` allow and prefer). */
  readonly attempts: readonly pg.ClientConfig[];
  /** The connection in URL form without its password: safe to print. */
  readonly display: string;
  /** Host name, address, or the directory of a Unix-domain socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Parameters that were given and that have no effect: for a warning. */
  readonly ignored: readonly string[];
}

/** libpq's parameters that are honoured, with the environment variable that gives each its default. */
const HONOURED: Readonly<Record<string, string | undefined>> = {
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  dbname: 'PGDATABASE',
  application_name: 'PGAPPNAME',
  fallback_application_name: undefined,
  connect_timeout: 'PGCONNECT_TIMEOUT',
  options: 'PGOPTIONS',
  keepalives: undefined,
  keepalives_idle: undefined,
  sslmode: 'PGSSLMODE',
  sslnegotiation: 'PGSSLNEGOTIATION',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslpassword: undefined,
  sslcrl: 'PGSSLCRL',
  ssl_min_protocol_version: 'PGSSLMINPROTOCOLVERSION',
  ssl_max_protocol_version: 'PGSSLMAXPROTOCOLVERSION',
};

/** Parameters that are accepted with these values, which are what happens anyway. */
const FIXED: Readonly<Record<string, RegExp>> = {
  target_session_attrs: /^any$/,
  client_encoding: /^(auto|utf-?8|unicode)$/i,
  channel_binding: /^(prefer|disable)$/,
  gssencmode: /^(prefer|disable)$/,
  load_balance_hosts: /^disable$/,
  sslcertmode: /^allow$/,
  sslcompression: /^0$/,
  sslsni: /^1$/,
};

/** Parameters of the operating system's sockets that Node.js has no call for. */
const IGNORED = new Set(['keepalives_interval', 'keepalives_count', 'tcp_user_timeout']);

/** libpq's timeout is infinite by default; a replication that hangs on a dead address would never say so. */
const CONNECT_TIMEOUT_SECONDS = 10;
/** Operating systems wait two hours before they look whether a silent peer is still there. */
const KEEPALIVE_SECONDS = 30;

/**
 * Reads a PostgreSQL connection string in URL or keyword form, with libpq's meaning of every parameter and of the PG*
 * variables in `env`; only the default host differs: `localhost`, as for node-postgres. The password becomes a known
 * secret. `label` is how errors call the string (`--sourceConn`).
 * @throws UsageError for unknown or unsupported parameters, several hosts and unreadable certificate files.
 */
export function parseConnectionString(
  text: string,
  label: string,
  env: NodeJS.ProcessEnv = process.env,
): ConnectionDescription {
  try {
    return describe(connectionParameters(text), env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${label}: ${error.message}`, { fix: error.fix, cause: error.cause });
  }
}

function describe(given: ReadonlyMap<string, string>, env: NodeJS.ProcessEnv): ConnectionDescription {
  const names = [...given.keys()];
  for (const [name, value] of given)
    checkParameter(name, value, names.slice(0, names.indexOf(name)).includes('password'));
  const get = (name: string): string | undefined => {
    const variable = HONOURED[name];
    return given.get(name) || (variable && env[variable]) || undefined;
  };

  const host = get('host') ?? get('hostaddr') ?? 'localhost';
  if ([host, get('hostaddr'), get('port')].some((value) => value?.includes(','))) throw severalHosts();
  const local = host.startsWith('/');
  const port = wholeNumber('port', get('port'), 5432, 1, 65535);
  const user = get('user') ?? systemUser(env);
  const database = get('dbname') ?? user;

  const home = env.HOME ?? homedir();
  const password =
    get('password') ?? findPassword(get('passfile') ?? join(home, '.pgpass'), { host, port, database, user });
  const shown = [user, database, host, String(port)];
  // A password that is a name printed everywhere (postgres:postgres) is no secret, and hiding the name would help nobody.
  if (password !== undefined && !shown.includes(password)) registerSecret(password);

  const timeout = wholeNumber('connect_timeout', get('connect_timeout'), CONNECT_TIMEOUT_SECONDS);
  const keepAlive = wholeNumber('keepalives', get('keepalives'), 1) !== 0;
  const idle = wholeNumber('keepalives_idle', get('keepalives_idle'), KEEPALIVE_SECONDS) || KEEPALIVE_SECONDS;
  const config: pg.ClientConfig = {
    host: local ? host : (get('hostaddr') ?? host),
    port,
    user,
    database,
    // A function keeps the password out of whatever prints the configuration, and node-postgres from looking elsewhere.
    password: () => password ?? '',
    application_name: get('application_name') ?? get('fallback_application_name') ?? 'instar',
    options: get('options'),
    connectionTimeoutMillis: timeout * 1000,
    keepAlive,
    keepAliveInitialDelayMillis: idle * 1000,
  };
  // libpq: sslmode is ignored for Unix-domain sockets.
  const encryptions = local ? [PLAIN] : encryptionFrom(get, host, join(home, '.postgresql'));
  const sslmode = local ? undefined : get('sslmode');
  const authority = `${encodeURIComponent(user)}${password === undefined ? '' : `:${MASK}`}@${shownHost(host)}:${port}`;
  return {
    attempts: encryptions.map((encryption) => ({ ...config, ...encryption })),
    display: `postgresql://${authority}/${encodeURIComponent(database)}${sslmode === undefined ? '' : `?sslmode=${sslmode}`}`,
    host,
    port,
    user,
    database,
    ignored: names.filter((name) => IGNORED.has(name)),
  };
}

/** `afterPassword`: the name may be the rest of a password with a space in it, and is repeated only if it looks like a slip. */
function checkParameter(name: string, value: string, afterPassword: boolean): void {
  if (Object.hasOwn(HONOURED, name) || IGNORED.has(name)) return;
  if (Object.hasOwn(FIXED, name)) {
    if (value === '' || FIXED[name].test(value)) return;
    const fix = name === 'target_session_attrs' ? '' : ' with this value';
    throw new UsageError(`the parameter ${name} is not supported${fix}; leave it out`);
  }
  const known = [...Object.keys(HONOURED), ...Object.keys(FIXED), ...IGNORED];
  const hint = didYouMean(name, known);
  const shown =
    hint !== '' || !afterPassword ? `the parameter ${JSON.stringify(name)}` : 'a parameter after the password';
  throw new UsageError(`${shown} is not known${hint}`);
}

function wholeNumber(name: string, text: string | undefined, otherwise: number, min = 0, max = 2 ** 31 / 1000): number {
  if (text === undefined) return otherwise;
  if (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  throw new UsageError(`the parameter ${name} must be a whole number from ${min} to ${Math.floor(max)}`);
}

function systemUser(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run with a user id that has no name.
    if (env.USER) return env.USER;
    throw new UsageError('no user is given');
  }
}

function shownHost(host: string): string {
  return host.includes(':') ? `[${host}]` : encodeURIComponent(host);
}
