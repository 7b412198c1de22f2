import { OperatorError } from '../errors.ts';
import type { Queryable } from '../target/dialect.ts';
import type { SchemaName } from '../target/identifiers.ts';
import { readMemo, writeMemo } from './memo.ts';
import type { StagingSchema } from './staging-schema.ts';

/** What a checkpoint was written for. */
export interface Identity {
  /** `--targetSchema` as the operator gave it, quotes included. */
  readonly targetSchema: string;
  /** `Source.identity`: facts that tell the source from another. */
  readonly source: Readonly<Record<string, string>>;
}

/** The identity kept with a checkpoint; undefined before the first, and for checkpoints of MOLT Replicator, which keeps none. */
export async function readIdentity(
  client: Queryable,
  staging: StagingSchema,
  kind: string,
  rawTargetSchema: string,
): Promise<Identity | undefined> {
  const key = identityKey(kind, rawTargetSchema);
  const text = await readMemo(client, staging, key);
  if (text === '') return undefined;
  const identity = parse(text);
  if (identity !== undefined) return identity;
  throw new OperatorError(
    'IDENTITY_UNREADABLE',
    `the memo entry ${key} in ${staging.name.sql} cannot be read, so it is not certain that the checkpoint belongs to this source`,
    { fix: `if it does: DELETE FROM ${staging.name.sql}.memo WHERE key = '${key.replaceAll("'", "''")}';` },
  );
}

/** Keeps the identity of a source beside its checkpoint. */
export async function writeIdentity(
  client: Queryable,
  staging: StagingSchema,
  kind: string,
  target: SchemaName,
  source: Readonly<Record<string, string>>,
): Promise<void> {
  const identity: Identity = { targetSchema: target.text, source };
  await writeMemo(client, staging, identityKey(kind, target.raw), JSON.stringify(identity));
}

/** Memo key of the identity kept with the checkpoint of a kind of source and a target schema in raw dotted form. */
export function identityKey(kind: string, rawTargetSchema: string): string {
  return `instar-identity-${kind}-${rawTargetSchema}`;
}

function parse(text: string): Identity | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value) || typeof value.targetSchema !== 'string' || !isRecord(value.source)) return undefined;
    const facts = Object.entries(value.source);
    const strings = facts.filter((fact): fact is [string, string] => typeof fact[1] === 'string');
    if (strings.length < facts.length) return undefined;
    return { targetSchema: value.targetSchema, source: Object.fromEntries(strings) };
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
