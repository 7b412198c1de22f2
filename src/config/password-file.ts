import { readFileSync, statSync } from 'node:fs';

/** Four fields in which `:` and `\` are escaped, then the password. */
const LINE = /^((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):(.*)$/;

/** Directories whose sockets libpq looks up as `localhost`. */
const DEFAULT_SOCKETS = /^(\/tmp|\/(var\/)?run\/postgresql)\/?$/;

/** What a line of a password file is looked up by. */
export interface PasswordKey {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * The password for a connection in a libpq password file: lines of `host:port:database:user:password` where `*` matches
 * anything and `\` escapes. Undefined when there is none, and, as for libpq, when the file is missing or other users may
 * read it.
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export function findPassword(path: string, key: PasswordKey): string | undefined {
  let content: string;
  try {
    const { mode } = statSync(path);
    if ((mode & 0o077) !== 0 && process.platform !== 'win32') return undefined;
    content = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const host = DEFAULT_SOCKETS.test(key.host) ? 'localhost' : key.host;
  const wanted = [host, String(key.port), key.database, key.user];
  for (const line of content.split(/\r?\n/)) {
    const match = line.startsWith('#') ? null : LINE.exec(line);
    const fits = (value: string, i: number) => match?.[i + 1] === '*' || value === unescaped(match?.[i + 1] ?? '');
    if (match !== null && wanted.every(fits)) return unescaped(match[5]);
  }
  return undefined;
}

function unescaped(field: string): string {
  return field.replaceAll(/\\(.)/gs, '$1');
}
