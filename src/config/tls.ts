import { existsSync, readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import tls, { type ConnectionOptions, type SecureVersion } from 'node:tls';
import { UsageError } from '../errors.ts';
import { didYouMean } from './nearest.ts';
import { registerSecret } from './secrets.ts';

/** The part of a client configuration that concerns TLS. Nothing is left out, as node-postgres would fill it in. */
export interface Encryption {
  readonly ssl: false | ConnectionOptions;
  readonly sslnegotiation: 'postgres' | 'direct';
}

/** No TLS. */
export const PLAIN: Encryption = { ssl: false, sslnegotiation: 'postgres' };

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof MODES)[number];

const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;

/**
 * How to connect to `host` under libpq's `sslmode`, in the order of trying: disable is plain; allow is plain, then TLS; prefer
 * is TLS, then plain; the others are TLS only. A root certificate is verified whenever there is one, the host name only by
 * verify-full. Files that are not named are looked for in `folder`, which for libpq is `~/.postgresql`, if one is given;
 * verify-full without any root certificate trusts the system's, as CockroachDB's tools do.
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export function encryptionFrom(
  get: (parameter: string) => string | undefined,
  host: string,
  folder: string | undefined,
): Encryption[] {
  const root = get('sslrootcert');
  const mode = sslMode(get('sslmode') ?? (root === 'system' ? 'verify-full' : 'prefer'));
  if (mode === 'disable') return [PLAIN];
  if (root === 'system' && mode !== 'verify-full') {
    throw new UsageError(
      `sslrootcert=system needs sslmode=verify-full, not ${mode}: anybody can have a certificate of a public authority`,
    );
  }
  const sslnegotiation = get('sslnegotiation') ?? 'postgres';
  if (sslnegotiation !== 'postgres' && sslnegotiation !== 'direct') {
    throw new UsageError('the parameter sslnegotiation must be postgres or direct');
  }
  if (sslnegotiation === 'direct' && (mode === 'allow' || mode === 'prefer')) {
    throw new UsageError('sslnegotiation=direct needs sslmode=require or stronger');
  }
  const encrypted: Encryption = { ssl: options(get, mode, host, folder), sslnegotiation };
  if (mode === 'allow') return [PLAIN, encrypted];
  if (mode === 'prefer') return [encrypted, PLAIN];
  return [encrypted];
}

function sslMode(text: string): Mode {
  const mode = MODES.find((known) => known === text);
  if (mode !== undefined) return mode;
  throw new UsageError(`sslmode must be one of ${MODES.join(', ')}${didYouMean(text, MODES)}`);
}

function options(
  get: (parameter: string) => string | undefined,
  mode: Mode,
  host: string,
  folder: string | undefined,
): ConnectionOptions {
  const usual = (name: string) => (folder === undefined ? undefined : join(folder, name));
  const ca = rootCertificates(get('sslrootcert'), mode, usual('root.crt'));
  const cert = readPem('sslcert', get('sslcert'), usual('postgresql.crt'));
  const key = cert && readKey(get('sslkey') ?? usual('postgresql.key'));
  const passphrase = get('sslpassword');
  if (passphrase !== undefined) registerSecret(passphrase);
  const crl = readPem('sslcrl', get('sslcrl'), usual('root.crl'));
  const minVersion = version('ssl_min_protocol_version', get('ssl_min_protocol_version'));
  const maxVersion = version('ssl_max_protocol_version', get('ssl_max_protocol_version'));
  const material = { ca, cert, key, passphrase, ...(ca && { crl }), minVersion, maxVersion };
  try {
    tls.createSecureContext(material);
  } catch (cause) {
    const files = ['sslcert', 'sslkey', 'sslcrl'].flatMap((name) => (get(name) ? [`${name}=${get(name)}`] : []));
    const place = files.join(' ') || folder || 'sslrootcert';
    throw new UsageError(`the TLS certificate or key cannot be used (${place}): ${(cause as Error).message}`, {
      cause,
    });
  }
  return {
    ...material,
    rejectUnauthorized: ca !== undefined || mode === 'verify-full',
    // hostaddr may lead elsewhere: the certificate is for the host that was named.
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
  };
}

/** The certificates to verify the server's against; undefined for no verification, or for Node's own list. */
function rootCertificates(
  named: string | undefined,
  mode: Mode,
  defaultPath: string | undefined,
): string | string[] | undefined {
  const file = named === 'system' ? undefined : readPem('sslrootcert', named, defaultPath);
  if (file !== undefined) return file;
  if (mode === 'verify-ca') {
    const orThere = defaultPath === undefined ? '' : `, or the file ${defaultPath}`;
    throw new UsageError(`sslmode=verify-ca needs a root certificate: sslrootcert=FILE${orThere}`);
  }
  // Node.js before 22.15 cannot read the system's list; undefined makes it use the one that it brings.
  const system =
    mode === 'verify-full' && typeof tls.getCACertificates === 'function' ? tls.getCACertificates('system') : [];
  return system.length > 0 ? system : undefined;
}

/** The text of a PEM file; a file that is not named is optional. */
function readPem(parameter: string, named: string | undefined, defaultPath?: string): string | undefined {
  const path = named ?? defaultPath;
  if (path === undefined || (named === undefined && !existsSync(path))) return undefined;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`${parameter}: cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  if (!text.includes('-----BEGIN ')) throw new UsageError(`${parameter}: ${path} is not a PEM file`);
  return text;
}

/** Like libpq, refuses a key that others can read; one of root may be readable by its group. */
function readKey(path: string | undefined): string {
  if (path === undefined) throw new UsageError('sslcert needs the key of the certificate too: sslkey=FILE');
  const key = readPem('sslkey', path);
  const { mode, uid } = statSync(path);
  const open = mode & (uid === 0 ? 0o037 : 0o077);
  if (open !== 0 && process.platform !== 'win32') {
    throw new UsageError(`sslkey: other users of this machine can read ${path}`, { fix: `chmod 600 ${path}` });
  }
  return key as string;
}

function version(parameter: string, text: string | undefined): SecureVersion | undefined {
  if (text === undefined) return undefined;
  const known = VERSIONS.find((name) => name === text);
  if (known === undefined) throw new UsageError(`the parameter ${parameter} must be one of ${VERSIONS.join(', ')}`);
  return known;
}
