import { UsageError } from '../errors.ts';

const URL_FORM = /^[a-z][a-z0-9+.-]*:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/is;
const HOST_PORT = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/;

/**
 * The parameters of a PostgreSQL connection string in either of libpq's forms, `postgres://user:password@host:port/db?…` or
 * `host=… user=…`, by libpq's keywords and without validation. Throws UsageError, in whose text nothing of the string is
 * repeated, as any part may be a piece of the password.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
 */
export function connectionParameters(text: string): Map<string, string> {
  if (text.trim() === '') throw new UsageError('it is empty');
  const scheme = schemeOf(text);
  if (scheme === undefined) return keywordForm(text);
  if (!/^(postgres|postgresql|pg|pgx)$/.test(scheme)) {
    throw new UsageError(`unknown URL scheme "${scheme}"`, { fix: 'postgresql://user:password@host:5432/database' });
  }
  return urlParameters(text);
}

/** What stands before `://`, in lower case; undefined when that is not how the text begins. */
export function schemeOf(text: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1].toLowerCase();
}

/**
 * The parts of a URL `scheme://user:password@host:port/dbname?name=value&…` by libpq's keywords, decoded; empty parts are left
 * out. Throws UsageError, in whose text nothing of the URL is repeated.
 */
export function urlParameters(text: string): Map<string, string> {
  const match = URL_FORM.exec(text);
  const [, userInfo, place, database, query] = match ?? [];
  const address = place?.includes(',') ? undefined : HOST_PORT.exec(place ?? '');
  // An @ further right means that the password ended too early; what follows it must not be taken for something else.
  const strayed = [place, database, query].some((part) => part?.includes('@'));
  if (match === null || strayed || (address === null && userInfo === undefined)) throw unencoded();
  if (address === undefined) throw severalHosts();
  if (address === null)
    throw new UsageError('the host and port are malformed; IPv6 addresses stand in brackets: [::1]:5432');

  const parameters = new Map<string, string>();
  const set = (key: string, value: string | undefined) => value && parameters.set(key, decode(value));
  const colon = userInfo?.indexOf(':') ?? -1;
  set('user', colon < 0 ? userInfo : userInfo?.slice(0, colon));
  if (colon >= 0) set('password', userInfo?.slice(colon + 1));
  set('host', address[1].replace(/^\[(.*)\]$/, '$1'));
  set('port', address[2]);
  set('dbname', database);
  for (const pair of query?.split('&') ?? []) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new UsageError('the parameters after "?" must be written as name=value&name=value');
    const key = decode(pair.slice(0, equals));
    // libpq takes over this one parameter of JDBC.
    if (key === 'ssl' && pair.endsWith('=true')) parameters.set('sslmode', 'require');
    else parameters.set(key, decode(pair.slice(equals + 1)));
  }
  return parameters;
}

function keywordForm(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const pair = /\s*([a-z_]+)\s*=\s*(?:'((?:\\.|[^'\\])*)'|((?:\\.|[^\s\\'])(?:\\.|[^\s\\])*)?)(?=\s|$)/gisy;
  const end = text.trimEnd().length;
  while (pair.lastIndex < end) {
    const match = pair.exec(text);
    if (match === null) {
      throw new UsageError('it is neither a URL nor a list of keyword=value pairs', {
        fix: "postgresql://user:password@host:5432/database\nhost=… port=5432 user=… password='…' dbname=…",
      });
    }
    parameters.set(match[1].toLowerCase(), (match[2] ?? match[3] ?? '').replaceAll(/\\(.)/gs, '$1'));
  }
  return parameters;
}

function decode(text: string): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!decoded.includes('\0')) return decoded;
  } catch {
    // Told below, without the text.
  }
  throw new UsageError('a percent sign is not followed by the code of a character; write % itself as %25');
}

/** The refusal of a connection string that names more than one server. */
export function severalHosts(): UsageError {
  return new UsageError(
    'it names several hosts, and a replication must know which server it reads or writes: name one host, or a name that always leads to the current primary',
  );
}

function unencoded(): UsageError {
  return new UsageError(
    'the URL comes apart at the wrong places, as when a password holds special characters: write @ as %40, / as %2F, : as %3A, ? as %3F and % as %25',
  );
}
