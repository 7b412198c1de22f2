import { UsageError } from '../errors.ts';
import type { Queryable, Server } from '../target/dialect.ts';
import { type SchemaName, targetSchemaName } from '../target/identifiers.ts';
import { readIdentity } from './identity.ts';
import { memoKeys } from './memo.ts';
import type { StagingSchema } from './staging-schema.ts';

/**
 * The `--targetSchema` of the only replication that the staging schema knows, for a resume that does not name it.
 * `prefix` is what checkpoint keys of this kind of source begin with, such as `pglogical-wal-offset-`.
 * @throws UsageError when there is none, or more than one.
 */
export async function findTargetSchema(
  client: Queryable,
  staging: StagingSchema,
  kind: string,
  prefix: string,
): Promise<string> {
  const known = (await memoKeys(client, staging, prefix)).map((key) => key.slice(prefix.length));
  if (known.length === 1) {
    // The key holds no quotes: "a.b".c and a."b.c" would look the same there.
    const identity = await readIdentity(client, staging, kind, known[0]);
    return identity?.targetSchema ?? known[0];
  }
  throw new UsageError(
    known.length === 0
      ? `no target schema specified, and the staging schema ${staging.name.sql} has no checkpoint of ${kind} to resume`
      : `no target schema specified, and the staging schema ${staging.name.sql} has checkpoints for several: ${known.join(', ')}`,
    {
      fix:
        known.length === 0
          ? '--targetSchema <database>.<schema>'
          : known.map((name) => `--targetSchema ${name}`).join('\n'),
    },
  );
}

/**
 * The schema in the spelling that a checkpoint is stored under: `public` and `shop.public` may be one schema, and must not
 * be two checkpoints.
 */
export function storedSpelling(schema: SchemaName, known: readonly string[], server: Server): SchemaName {
  if (known.includes(schema.raw)) return schema;
  for (const raw of known) {
    try {
      const stored = targetSchemaName(raw, server);
      if (stored.database === schema.database && stored.schema === schema.schema) return stored;
    } catch {
      // A schema of another database, or a name that only quotes would make readable: not the one that is asked for.
    }
  }
  return schema;
}
