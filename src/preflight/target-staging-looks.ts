import { escapeLiteral } from 'pg';
import { connect } from '../config/postgres-client.ts';
import { OperatorError } from '../errors.ts';
import { checkpointKey, KIND } from '../sources/postgres/checkpoint-key.ts';
import { checkResumable } from '../sources/postgres/identity.ts';
import { Lsn } from '../sources/postgres/lsn.ts';
import { ReplicationConnection } from '../sources/postgres/replication-connection.ts';
import { checkSlot } from '../sources/postgres/slot.ts';
import { identityKey } from '../staging/identity.ts';
import { leaseHolder, leaseName } from '../staging/lease.ts';
import { stagingNotPermitted } from '../staging/staging-schema.ts';
import { failed, failedBy, type Outcome, passed } from './look.ts';
import type { ProgressFacts, TargetFacts } from './target-facts.ts';
import { blocking, orRefused, type TargetLook } from './target-look.ts';

/** The staging schema, and what earlier replications have left there. */
export const STAGING_LOOKS: readonly TargetLook[] = [
  {
    check: blocking(
      'staging',
      'staging schema',
      'It keeps the progress, by which a stopped replication goes on without a gap.',
    ),
    needs: ['target.version'],
    look: (facts) => orRefused('target', () => lookAtStaging(facts)),
  },
  {
    check: blocking('lease', 'nobody else replicates', 'Two that write into one schema would undo each other’s rows.'),
    needs: ['target.staging', 'target.schema'],
    async look(facts) {
      if (!(await facts.stagingState()).complete) return passed('nobody');
      const staging = await facts.staging();
      const name = leaseName(KIND, await facts.schema());
      const holder = await facts.stagingLine.ask((client) => leaseHolder(client, staging, name));
      if (holder === undefined) return passed('nobody');
      return failed(`${holder} does`, {
        expected: 'nobody',
        code: 'LEASE_HELD',
        fix: { side: 'target', text: 'Stop that process, or choose another target schema.' },
      });
    },
  },
  {
    check: blocking(
      'checkpoint',
      'earlier progress',
      'A start goes on from the checkpoint that is there, whoever has written it.',
    ),
    needs: ['target.staging', 'target.schema'],
    async look(facts) {
      const progress = await facts.progress();
      if (progress.checkpoint === undefined) return passed('none: it begins where the slot does');
      return await lookAtCheckpoint(facts, progress, progress.checkpoint);
    },
  },
];

async function lookAtStaging(facts: TargetFacts): Promise<Outcome> {
  const staging = await facts.staging();
  const { exists, complete, missingRights } = await facts.stagingState();
  if (missingRights.length > 0) {
    const lacking = missingRights.join('; ');
    return failedBy(stagingNotPermitted(staging, `missing ${lacking}`), `the user lacks ${lacking}`, 'target', {
      expected: 'the right to keep the progress there',
    });
  }
  if (!exists) return passed(`${staging.name.sql} will be created (--stagingCreateSchema)`);
  return passed(complete ? `${staging.name.sql} is there` : `${staging.name.sql} is there; its tables will be created`);
}

async function lookAtCheckpoint(facts: TargetFacts, progress: ProgressFacts, checkpoint: string): Promise<Outcome> {
  const wish = facts.wishes.slot;
  if (wish === undefined) return passed(`${checkpoint}: a start would resume from there`);
  const former = progress.identity?.slot === undefined ? 'its own slot' : `its own slot, ${progress.identity.slot}`;
  const forget = await forgetStatement(facts, progress);
  const waysOut = `Resume the earlier replication with ${former}.\nOr copy the data again, and forget the progress:\n${forget}`;
  if (wish.create && (await facts.source.slot()) === undefined) {
    return failed(`${checkpoint}, of an earlier replication into this schema`, {
      expected: 'none, as a new slot begins later and cannot deliver what lies between',
      code: 'PG_SLOT_AHEAD',
      fix: { side: 'target', text: waysOut },
    });
  }
  const refusal = await askSource(facts, wish.name, checkpoint, progress.identity);
  if (refusal === undefined) return passed(`${checkpoint}: the start will be a resume from there`);
  const outcome = failedBy(refusal, `${checkpoint}: ${refusal.message}`, 'source');
  return LOST.has(refusal.code) ? { ...outcome, fix: { side: 'target', text: waysOut } } : outcome;
}

/** What cannot be mended: the changes after the checkpoint are not to be had any more. */
const LOST = new Set([
  'PG_FAILOVER_LOST_COMMITS',
  'PG_SLOT_AHEAD',
  'PG_SLOT_LOST',
  'PG_SOURCE_BEHIND',
  'PG_SOURCE_CHANGED',
]);

/** Asks the source whether it can deliver everything after the checkpoint, as the engine will; why not, if not. */
async function askSource(
  { source }: TargetFacts,
  slotName: string,
  checkpoint: string,
  identity: ProgressFacts['identity'],
): Promise<OperatorError | undefined> {
  const connection = new ReplicationConnection(
    await connect(source.description, 'source', { replication: 'database' }),
  );
  try {
    const system = await connection.identify();
    const slot = await connection.slot(slotName);
    checkSlot(slot, slotName, system.database);
    await checkResumable(system, slot, Lsn.parse(checkpoint), identity, () =>
      connection.timelineHistory(system.timeline),
    );
    return undefined;
  } catch (error) {
    if (error instanceof OperatorError) return error;
    throw error;
  } finally {
    await connection.close();
  }
}

/** SQL that makes the next start begin anew. Nobody does that with one key. */
async function forgetStatement(facts: TargetFacts, { schema }: ProgressFacts): Promise<string> {
  const { name } = await facts.staging();
  const keys = [checkpointKey(schema), identityKey(KIND, schema)].map((key) => escapeLiteral(key));
  return `DELETE FROM ${name.sql}."memo" WHERE "key" IN (${keys.join(', ')});`;
}
