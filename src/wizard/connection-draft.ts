import type { SourceConnection } from '../config/source-connection.ts';
import { MASK, mask } from '../config/secrets.ts';
import { OperatorError } from '../errors.ts';
import { dereference, referencedVariable } from '../sessions/connections.ts';
import type { ConnectionFields, ConnectionForm, FieldName } from './connection-form.ts';

/** A connection while it is being entered: as one text, and as fields that follow it and that it follows. */
export interface ConnectionDraft {
  /** What kind of server it is for. */
  readonly form: ConnectionForm;
  /** As typed, or as made from the fields; a reference to a variable stands here as well. */
  readonly url: string;
  readonly fields: ConnectionFields;
  /** Parameters without a field, in their order; kept as they are. */
  readonly others: Readonly<Record<string, string>>;
  /** Why `url` cannot be read; the fields are those of before then. */
  readonly problem?: string;
  /** The password in `url` was taken as it stands there, with characters that a URL has to write otherwise. */
  readonly encoded?: boolean;
}

const FIELD_NAMES: readonly FieldName[] = [
  'host',
  'port',
  'database',
  'pdb',
  'user',
  'password',
  'sslmode',
  'sslrootcert',
];

/** What may be written down of the fields. */
const HARMLESS = FIELD_NAMES.filter((name) => name !== 'password');

const NOTHING: ConnectionFields = {
  host: '',
  port: '',
  database: '',
  pdb: '',
  user: '',
  password: '',
  sslmode: '',
  sslrootcert: '',
};

/** Nothing entered yet. */
export function emptyDraft(form: ConnectionForm): ConnectionDraft {
  return { form, url: '', fields: NOTHING, others: {} };
}

/** The draft after `url` was typed or pasted: a connection string in any of its forms, or a reference (`$SOURCE`). */
export function withUrl(draft: ConnectionDraft, url: string): ConnectionDraft {
  const { form, fields, others } = draft;
  const text = url.trim();
  if (text === '') return { ...emptyDraft(form), url };
  if (text.startsWith('$')) return { form, url, fields, others };
  try {
    return { form, url, ...parted(form.parameters(text), form) };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    const mended = withEncodedPassword(text, form);
    if (mended !== undefined) return { form, url, ...parted(form.parameters(mended), form), encoded: true };
    return { form, url, fields, others, problem: error.message };
  }
}

/** The draft after a field was changed: the URL is made anew, with everything encoded as a URL needs it. */
export function withField(draft: ConnectionDraft, name: FieldName, value: string): ConnectionDraft {
  const { form, others } = draft;
  const fields = { ...draft.fields, [name]: value };
  return { form, url: urlOf(fields, others, form), fields, others };
}

/** The variable that the draft refers to; undefined for a connection that is entered itself. */
export function variableOf(draft: ConnectionDraft): string | undefined {
  return referencedVariable(draft.url);
}

/** What is wrong with a field by itself, in a few words. */
export function fieldProblem({ fields, url, problem }: ConnectionDraft, name: FieldName | 'url'): string | undefined {
  if (name === 'url') {
    if (url.trim().startsWith('$') && referencedVariable(url) === undefined)
      return 'a reference is $NAME, the name of a variable of the environment';
    return problem;
  }
  if (name !== 'port' || fields.port === '') return undefined;
  const fits = /^\d{1,5}$/.test(fields.port) && Number(fields.port) >= 1 && Number(fields.port) <= 65535;
  return fits ? undefined : 'a port is a number from 1 to 65535';
}

/** True when there is something to connect with. */
export function isComplete(draft: ConnectionDraft): boolean {
  if (fieldProblem(draft, 'url') !== undefined || fieldProblem(draft, 'port') !== undefined) return false;
  if (variableOf(draft) !== undefined) return true;
  return FIELD_NAMES.some((name) => draft.fields[name] !== '') || Object.keys(draft.others).length > 0;
}

/** The connection string that is entered, or the reference as such. */
export function draftText(draft: ConnectionDraft): string {
  const variable = variableOf(draft);
  return variable === undefined ? urlOf(draft.fields, draft.others, draft.form) : `$${variable}`;
}

/**
 * How to connect as entered. A password that is still being typed does not become a known secret by this: its beginning may be
 * a word that stands in every line.
 * @throws UsageError for what cannot be read, OperatorError CONNECTION_REFERENCE_UNSET
 */
export function draftConnection(draft: ConnectionDraft, label: string, env: NodeJS.ProcessEnv): SourceConnection {
  const { form, fields, others } = draft;
  if (variableOf(draft) !== undefined) return form.parse(dereference(draft.url, env, form.example), label, env);
  const { password, ...rest } = fields;
  const open = form.parse(urlOf({ ...rest, password: '' }, others, form), label, env);
  return password === '' ? open : form.withPassword(open, password);
}

/**
 * What may be saved of a draft: no password, and no text that may hold a part of one. While a URL is being typed, what seems
 * to be its host or port may yet turn out to be a password, so that only what stands in front of it is saved.
 */
export function savedDraft(draft: ConnectionDraft, typingUrl = false): Record<string, string> {
  const { form, url, fields, others, problem } = draft;
  if (typingUrl && !url.trim().startsWith('$')) {
    const harmless = withoutSecrets(url);
    return harmless === '' ? {} : { url: harmless };
  }
  const saved: Record<string, string> = {};
  for (const name of HARMLESS) if (fields[name] !== '') saved[name] = fields[name];
  for (const [name, value] of Object.entries(others))
    if (name !== form.keywords.password && !form.secrets.includes(name)) saved[`others.${name}`] = value;
  if (url.trim().startsWith('$')) saved.url = url.trim();
  else if (problem !== undefined) {
    const harmless = withoutSecrets(url);
    if (harmless !== '') saved.url = harmless;
  }
  return saved;
}

/** The draft that `savedDraft` was made of, without its password. */
export function restoredDraft(saved: Readonly<Record<string, string>>, form: ConnectionForm): ConnectionDraft {
  const fields = { ...NOTHING };
  for (const name of HARMLESS) fields[name] = saved[name] ?? '';
  const others: Record<string, string> = {};
  for (const [name, value] of Object.entries(saved))
    if (name.startsWith('others.')) others[name.slice('others.'.length)] = value;
  const draft = { form, url: urlOf(fields, others, form), fields, others };
  return saved.url === undefined ? draft : withUrl(draft, saved.url);
}

/** True when both lead to the same server as the same user: a password for one may be sent to the other. */
export function isSameLogin(a: ConnectionDraft, b: ConnectionDraft): boolean {
  const { host: name, ...one } = a.fields;
  const { host, ...other } = b.fields;
  return name === host && one.port === other.port && one.user === other.user;
}

/** `url` for the screen: its password, or what may become one, is a row of dots whose length tells nothing. */
export function shownUrl(url: string, dot: string): string {
  const dots = dot.repeat(8);
  const entered = /^([a-z][a-z0-9+.-]*:\/\/[^:@/?\s]*:)(.*)$/is.exec(url);
  if (entered !== null) {
    const [, before, rest] = entered;
    const at = rest.lastIndexOf('@');
    if (at >= 0) return `${before}${dots}${mask(rest.slice(at))}`;
    // Without an @ it is either a port or the beginning of a password.
    if (!/^\d*($|[/?])/.test(rest)) return `${before}${dots}`;
  }
  return mask(url).replaceAll(MASK, dots);
}

function parted(
  parameters: ReadonlyMap<string, string>,
  form: ConnectionForm,
): Pick<ConnectionDraft, 'fields' | 'others'> {
  const fields = { ...NOTHING };
  for (const name of FIELD_NAMES) fields[name] = parameters.get(form.keywords[name] ?? '') ?? '';
  const keywords: readonly string[] = Object.values(form.keywords);
  return { fields, others: Object.fromEntries([...parameters].filter(([name]) => !keywords.includes(name))) };
}

function urlOf(fields: ConnectionFields, others: Readonly<Record<string, string>>, form: ConnectionForm): string {
  const { host, port, database, pdb, user, password, sslmode, sslrootcert } = fields;
  const login = `${encode(user)}${password === '' ? '' : `:${encode(password)}`}`;
  const address = `${host.includes(':') ? `[${host}]` : encode(host)}${port === '' ? '' : `:${encode(port)}`}`;
  const { keywords } = form;
  const shown = {
    ...(keywords.pdb !== undefined && { [keywords.pdb]: pdb }),
    [keywords.sslmode]: sslmode,
    [keywords.sslrootcert]: sslrootcert,
    ...others,
  };
  const parameters = Object.entries(shown).filter(([, value]) => value !== '');
  const query = parameters.map(([name, value]) => `${encode(name)}=${encodeParameter(value)}`).join('&');
  const all = `${login === '' ? '' : `${login}@`}${address}${database === '' ? '' : `/${encode(database)}`}${query === '' ? '' : `?${query}`}`;
  return all === '' ? '' : `${form.schemes[0]}://${all}`;
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** Slashes of a path may stay in a parameter, where they are easier to read. */
function encodeParameter(text: string): string {
  return encode(text).replaceAll('%2F', '/');
}

const PASSWORD_PLACE = /^([a-z]+:\/\/[^:@/?\s]*:)(.+)(@(?:\[[^\]]*\]|[^:@/?\s[\]]*)(?::\d*)?(?:[/?][^@]*)?)$/is;

/** The URL with its password encoded, where it comes apart because it was not; undefined when that is not what is wrong. */
function withEncodedPassword(url: string, form: ConnectionForm): string | undefined {
  const match = PASSWORD_PLACE.exec(url);
  if (match === null) return undefined;
  const mended = `${match[1]}${encode(match[2])}${match[3]}`;
  try {
    form.parameters(mended);
    return mended;
  } catch {
    return undefined;
  }
}

/** The beginning of a half-typed text, up to where a password may begin. */
function withoutSecrets(text: string): string {
  const [before] = text.split(/password/i, 1);
  const login = /^[a-z][a-z0-9+.-]*:\/\/[^:@/?\s]*(?=:)/i.exec(before);
  if (login !== null) return login[0];
  return mask(before) === before ? before : '';
}
