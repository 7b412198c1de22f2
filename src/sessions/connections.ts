import { type ConnectionDescription, parseConnectionString } from '../config/connection.ts';
import type { SourceConnection } from '../config/source-connection.ts';
import { OperatorError, UsageError } from '../errors.ts';
import type { Replication, SavedConnection, SourceKind } from './replication.ts';
import type { SecretsFile } from './secrets.ts';
import { kitOf } from './source-kits.ts';

export type Side = 'source' | 'target' | 'staging';

export const SIDES: readonly Side[] = ['source', 'target', 'staging'];

/** Where connection strings are kept, and where references lead. */
export interface Keeping {
  readonly secrets: Pick<SecretsFile, 'get'>;
  readonly env: NodeJS.ProcessEnv;
}

const REFERENCE = /^\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))$/;

/** The variable that `$NAME` or `${NAME}` refers to; undefined for anything else. */
export function referencedVariable(text: string): string | undefined {
  const [, braced, plain] = REFERENCE.exec(text.trim()) ?? [];
  return braced ?? plain;
}

/** What a reference stands for, or the text itself. @throws OperatorError CONNECTION_REFERENCE_UNSET, with `example` in its fix */
export function dereference(text: string, env: NodeJS.ProcessEnv, example = kitOf(undefined).example): string {
  const variable = referencedVariable(text);
  if (variable === undefined) return text;
  const value = env[variable];
  if (value) return value;
  throw new OperatorError('CONNECTION_REFERENCE_UNSET', `the environment variable ${variable} is not set`, {
    fix: `export ${variable}='${example}'`,
  });
}

/** Reads a connection string: the source's as its kind has it. @throws UsageError; `label` is how it calls the string. */
export function parseSide(
  text: string,
  side: Side,
  kind: SourceKind | undefined,
  env: NodeJS.ProcessEnv,
  label: string = side,
): SourceConnection {
  return side === 'source' ? kitOf(kind).parse(text, label, env) : parseConnectionString(text, label, env);
}

/**
 * How a connection is saved. `text` is a connection string or a reference; a reference is kept as such. `kind` is that of the
 * source.
 * @throws UsageError for a string that cannot be read, OperatorError CONNECTION_REFERENCE_UNSET
 */
export function savedConnection(text: string, side: Side, env: NodeJS.ProcessEnv, kind?: SourceKind): SavedConnection {
  const example = side === 'source' ? kitOf(kind).example : undefined;
  const { display } = parseSide(dereference(text, env, example), side, kind, env);
  const variable = referencedVariable(text);
  return variable === undefined ? { display } : { display, reference: `$${variable}` };
}

/** Keeps what a saved connection does not say itself: a string goes to the secrets file, of a reference nothing. @throws OperatorError SECRETS_… */
export function keepText(
  secrets: SecretsFile,
  name: string,
  side: Side,
  text: string,
  { reference }: SavedConnection,
): void {
  if (reference === undefined) secrets.set(name, side, text);
  else if (secrets.get(name, side) !== undefined) secrets.set(name, side, undefined);
}

/**
 * The whole connection string of a side; undefined for a staging connection that is not apart from the target.
 * @throws OperatorError CONNECTION_REFERENCE_UNSET, CONNECTION_UNKNOWN and those of the secrets file
 */
export function connectionText(replication: Replication, side: Side, { secrets, env }: Keeping): string | undefined {
  const saved = replication.answers[side];
  const example = side === 'source' ? kitOf(replication.answers.kind).example : undefined;
  if (saved?.reference !== undefined) return dereference(saved.reference, env, example);
  const text = saved === undefined ? undefined : secrets.get(replication.name, side);
  if (text !== undefined) return text;
  if (saved === undefined && side === 'staging') return undefined;
  throw new OperatorError(
    'CONNECTION_UNKNOWN',
    `the ${side} connection of ${replication.name} is not saved on this machine`,
    { fix: `enter it again: the key e in instar, or\ninstar edit ${replication.name} --file changes.yaml` },
  );
}

/** The connections of a replication, as far as they are apart. Throws what `connectionText` throws. */
export function describeConnections(
  replication: Replication,
  keeping: Keeping,
): { source: SourceConnection; target: ConnectionDescription; staging: ConnectionDescription | undefined } {
  const { env } = keeping;
  const [source, target, staging] = SIDES.map((side) => connectionText(replication, side, keeping));
  if (source === undefined || target === undefined) throw new UsageError('source and target must be given');
  return {
    source: kitOf(replication.answers.kind).parse(source, 'source', env),
    target: parseConnectionString(target, 'target', env),
    staging: staging === undefined ? undefined : parseConnectionString(staging, 'staging', env),
  };
}
