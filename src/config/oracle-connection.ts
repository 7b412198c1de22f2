import { inspect } from 'node:util';
import type { ConnectionAttributes } from 'oracledb';
import { UsageError } from '../errors.ts';
import { schemeOf, severalHosts, urlParameters } from './connection-text.ts';
import { didYouMean } from './nearest.ts';
import { MASK, registerSecret } from './secrets.ts';

/** An Oracle service and a user, and how to connect there. */
export interface OracleConnectionDescription {
  readonly kind: 'oracle';
  /** For the driver. What prints it finds no password in it. */
  readonly attributes: ConnectionAttributes;
  /** The connection in URL form without its password: safe to print. */
  readonly display: string;
  readonly host: string;
  readonly port: number;
  /** As the server's accounts are called: `C##REPLICATOR`. */
  readonly user: string;
  readonly service: string;
  /** The service: what a database is called elsewhere. */
  readonly database: string;
  readonly encrypted: boolean;
  /** The same server, user and password with the service of the pluggable database, where the parameter `pdb` names one. */
  readonly pdb: OracleConnectionDescription | undefined;
  /** Parameters that were given and that have no effect: for a warning. */
  readonly ignored: readonly string[];
}

const EXAMPLE =
  'oracle://user:password@host:1521/service, with ?pdb=SERVICE where the tables are in a pluggable database (# in a name is %23: C%23%23REPLICATOR)';
const DEFAULT_PORT = 1521;

const SCHEMES = ['oracle', 'oracles', 'tcps'];

/** The parameters that are honoured, in lower case. */
const HONOURED = [
  'user',
  'password',
  'host',
  'port',
  'dbname',
  'sid',
  'pdb',
  'ssl',
  'wallet',
  'wallet_password',
  'ssl_server_dn_match',
  'ssl_server_cert_dn',
  'connect_timeout',
];

/** How other drivers call the same. */
const ALIASES: Readonly<Record<string, string>> = {
  'wallet password': 'wallet_password',
  walletpassword: 'wallet_password',
  wallet_location: 'wallet',
  'service name': 'dbname',
  service: 'dbname',
  'connection timeout': 'connect_timeout',
  'connect timeout': 'connect_timeout',
  timeout: 'connect_timeout',
  sslmode: 'ssl',
};

/** Parameters of other drivers about how much they fetch or log, and how they show texts, which this program sets itself. */
const IGNORED = new Set([
  'prefetch_rows',
  'lob fetch',
  'trace file',
  'trace dir',
  'trace folder',
  'trace directory',
  'language',
  'territory',
  'charset',
  'client charset',
  'program',
  'use_oob',
  'enable_oob',
]);
/** Parameters of other drivers that say how safe a connection has to be: passing over one would be passing over a wish for safety. */
const OTHER_SAFETY: Readonly<Record<string, string>> = {
  'ssl verify': 'certificates are always verified; ssl_server_dn_match=false leaves out the comparison of names',
  encryption:
    'use ssl=true; native network encryption is set in the sqlnet.ora of Oracle Instant Client (--oracleClientLib)',
  'data integrity':
    'use ssl=true; native integrity is set in the sqlnet.ora of Oracle Instant Client (--oracleClientLib)',
  'auth type': 'give a user and a password',
  'dba privilege': 'use an account of its own, with the grants that "instar preflight" prints',
};

/** Parameters about TLS, in lower case. */
const FOR_TLS = ['wallet', 'wallet_password', 'ssl_server_dn_match', 'ssl_server_cert_dn'];

const CONNECT_TIMEOUT_SECONDS = 10;
/** Minutes between two looks whether a silent peer is still there; firewalls forget idle connections after five or six. */
const KEEP_ALIVE_MINUTES = 1;

/**
 * Reads `oracle://user:password@host:port/service?pdb=SERVICE&ssl=true&wallet=DIR`; the scheme may be `oracles`, or `tcps`, for TLS. The
 * password becomes a known secret. `label` is how errors call the string (`--sourceConn`).
 * @throws UsageError for anything that cannot be honoured; nothing of the string that may be part of a password is repeated.
 */
export function parseOracleConnectionString(text: string, label: string): OracleConnectionDescription {
  try {
    return describe(oracleParameters(text), schemeOf(text) !== 'oracle');
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${label}: ${error.message}`, { fix: error.fix, cause: error.cause });
  }
}

/** The parameters of such a connection string by their names in lower case, without validation. @throws UsageError */
export function oracleParameters(text: string): Map<string, string> {
  if (text.trim() === '') throw new UsageError('it is empty');
  const scheme = schemeOf(text);
  if (scheme === undefined) {
    const java = /^jdbc:oracle:/i.test(text) ? ', but as a driver of Java wants it' : '';
    throw new UsageError(`it does not begin with oracle://${java}`, { fix: EXAMPLE });
  }
  if (!SCHEMES.includes(scheme)) {
    throw new UsageError(`the scheme "${scheme}" is not that of an Oracle database`, { fix: EXAMPLE });
  }
  const parameters = new Map<string, string>();
  for (const [name, value] of urlParameters(text)) {
    // Some programs write the blank of a name as a plus sign.
    const lower = name.toLowerCase().replaceAll('+', ' ');
    parameters.set(ALIASES[lower] ?? lower, value);
  }
  return parameters;
}

/** True for a connection string of this kind, whether or not it can be read. */
export function isOracleText(text: string): boolean {
  const scheme = schemeOf(text.trim());
  return scheme !== undefined && SCHEMES.includes(scheme);
}

/** The connection with another password, which does not become a known secret by this. */
export function withOraclePassword(
  connection: OracleConnectionDescription,
  password: string,
): OracleConnectionDescription {
  return { ...connection, attributes: unprintable(connection.attributes, password) };
}

function describe(given: ReadonlyMap<string, string>, tls: boolean): OracleConnectionDescription {
  for (const name of given.keys()) {
    if (HONOURED.includes(name) || IGNORED.has(name)) continue;
    if (Object.hasOwn(OTHER_SAFETY, name)) {
      throw new UsageError(`the parameter ${JSON.stringify(name)} is not supported`, { fix: OTHER_SAFETY[name] });
    }
    throw new UsageError(
      `the parameter ${JSON.stringify(name)} is not known${didYouMean(name, [...HONOURED, ...Object.keys(ALIASES), ...IGNORED])}`,
    );
  }
  const get = (name: string): string | undefined => given.get(name) || undefined;
  const host = get('host') ?? 'localhost';
  if (host.includes(',')) throw severalHosts();
  const encrypted = yesOrNo('ssl', get('ssl'), tls);
  if (tls && !encrypted) throw new UsageError('its scheme asks for TLS, and the parameter ssl for none');
  const unused = encrypted ? undefined : FOR_TLS.find((name) => given.has(name));
  if (unused !== undefined) {
    throw new UsageError(`the parameter ${unused} has a meaning with TLS only`, {
      fix: `add ssl=true, or leave ${unused} out`,
    });
  }
  const port = wholeNumber('port', get('port'), DEFAULT_PORT, 1, 65_535);
  const user = get('user');
  if (user === undefined) throw new UsageError('no user is given', { fix: EXAMPLE });
  const service = get('dbname');
  const sid = get('sid');
  if (service === undefined && sid === undefined) throw new UsageError('no service is given', { fix: EXAMPLE });
  if (service !== undefined && sid !== undefined)
    throw new UsageError('it names a service and a SID; give one of them');
  for (const part of [host, service, sid]) {
    if (part !== undefined && !/^[\w.:$#-]+$/.test(part)) {
      throw new UsageError('the host or the service holds characters that names there cannot have', { fix: EXAMPLE });
    }
  }
  const pluggable = get('pdb');
  if (pluggable !== undefined && !/^[\w.$#-]+$/.test(pluggable)) {
    throw new UsageError('the service of the pluggable database holds characters that names there cannot have');
  }
  const password = get('password');
  if (password !== undefined && ![user, service, sid, host, String(port)].includes(password)) registerSecret(password);
  const walletPassword = get('wallet_password');
  if (walletPassword !== undefined) registerSecret(walletPassword);
  const timeout = wholeNumber('connect_timeout', get('connect_timeout'), CONNECT_TIMEOUT_SECONDS, 1, 3600);
  const data = sid === undefined ? `(SERVICE_NAME=${service})` : `(SID=${sid})`;
  const attributes: ConnectionAttributes = {
    user: accountName(user),
    connectString: `(DESCRIPTION=(ADDRESS=(PROTOCOL=${encrypted ? 'TCPS' : 'TCP'})(HOST=${host})(PORT=${port}))(CONNECT_DATA=${data}))`,
    connectTimeout: timeout,
    transportConnectTimeout: timeout,
    expireTime: KEEP_ALIVE_MINUTES,
    ...(get('wallet') !== undefined && { walletLocation: get('wallet') }),
    ...(walletPassword !== undefined && { walletPassword }),
    ...(encrypted && { sslServerDNMatch: yesOrNo('ssl_server_dn_match', get('ssl_server_dn_match'), true) }),
    ...(get('ssl_server_cert_dn') !== undefined && { sslServerCertDN: get('ssl_server_cert_dn') }),
  };
  const shownHost = host.includes(':') ? `[${host}]` : host;
  const authority = `${encodeURIComponent(user)}${password === undefined ? '' : `:${MASK}`}@${shownHost}:${port}`;
  const query = [
    ...(encrypted ? ['ssl=true'] : []),
    ...(sid === undefined ? [] : [`sid=${sid}`]),
    ...(pluggable === undefined ? [] : [`pdb=${pluggable}`]),
  ];
  return {
    kind: 'oracle',
    attributes: unprintable(attributes, password),
    display: `oracle://${authority}/${service ?? ''}${query.length === 0 ? '' : `?${query.join('&')}`}`,
    host,
    port,
    user,
    service: service ?? sid ?? '',
    database: service ?? sid ?? '',
    encrypted,
    pdb: pluggable === undefined ? undefined : describe(withService(given, pluggable), tls),
    ignored: [...given.keys()].filter((name) => IGNORED.has(name)),
  };
}

/** The parameters of the same connection to another service. */
function withService(given: ReadonlyMap<string, string>, service: string): Map<string, string> {
  const others = [...given].filter(([name]) => name !== 'pdb' && name !== 'sid');
  return new Map([...others, ['dbname', service]]);
}

/** A user as SQL and the driver spell it: names are folded to capitals, and those in quotes are taken as they are. */
export function accountName(user: string): string {
  return /^[A-Za-z][\w$#]*$/.test(user) || user.startsWith('"') ? user : `"${user}"`;
}

/** Anything else than a plain yes or no is refused: taking it for a no would turn safety off. */
function yesOrNo(name: string, text: string | undefined, otherwise: boolean): boolean {
  if (text === undefined) return otherwise;
  if (/^(true|enabled?|yes|on|1|require|verify-full)$/i.test(text)) return true;
  if (/^(false|disabled?|no|off|0)$/i.test(text)) return false;
  throw new UsageError(`the parameter ${name} must be true or false`);
}

function wholeNumber(name: string, text: string | undefined, otherwise: number, min: number, max: number): number {
  if (text === undefined) return otherwise;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(`the parameter ${name} must be a whole number from ${min} to ${max}`);
}

/** Adds the password in a way that keeps it out of whatever prints the attributes. */
function unprintable(attributes: ConnectionAttributes, password: string | undefined): ConnectionAttributes {
  const { user, connectString } = attributes;
  const shown = () => ({ user, connectString });
  return Object.defineProperties(
    { ...attributes, ...(password !== undefined && { password }) },
    { toJSON: { value: shown }, [inspect.custom]: { value: shown } },
  );
}
