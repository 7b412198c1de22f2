import { flagNamed } from '../config/flags.ts';
import { preflightOf } from '../preflight/preflights.ts';
import { TargetFacts } from '../preflight/target-facts.ts';
import { dropStaging } from '../staging/drop.ts';
import { identityKey } from '../staging/identity.ts';
import type { describeConnections } from './connections.ts';
import type { Replication } from './replication.ts';

type Connections = ReturnType<typeof describeConnections>;

/** The schema that keeps the progress of a replication, as it was named. */
export function stagingSchemaOf({ answers }: Replication): string {
  return answers.options?.stagingSchema ?? String(flagNamed('stagingSchema').default);
}

/** True when the staging schema is certain not to be there. */
export async function lacksStaging(replication: Replication, connections: Connections): Promise<boolean> {
  const facts = factsOf(replication, connections, stagingSchemaOf(replication));
  try {
    return !(await facts.stagingState()).exists;
  } catch {
    return false;
  } finally {
    facts.close();
  }
}

/**
 * Removes the progress of a replication for good, and the staging schema with it unless it keeps that of others.
 * @throws OperatorError of the connection, or what the server says; STAGING_NEWER.
 */
export async function forgetProgress(
  replication: Replication,
  connections: Connections,
  schema: string,
): Promise<void> {
  const facts = factsOf(replication, connections, schema);
  try {
    const { complete, refused } = await facts.stagingState();
    if (!complete) return;
    if (refused !== undefined) throw refused;
    const [staging, { schema: spelled }] = [await facts.staging(), await facts.progress()];
    const { kind, checkpointKey } = facts.source;
    const keys = { checkpoint: checkpointKey(spelled), identity: identityKey(kind, spelled) };
    await facts.stagingLine.ask((client) => dropStaging(client, staging, keys));
  } finally {
    facts.close();
  }
}

function factsOf({ answers }: Replication, { source, target, staging }: Connections, schema: string): TargetFacts {
  const targetSchema = answers.targetSchema ?? 'public';
  const wishes = { staging, targetSchema, stagingSchema: schema, tables: 'all' } as const;
  return new TargetFacts(target, wishes, preflightOf(source).inquire(wishes));
}
