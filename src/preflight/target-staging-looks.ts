import { escapeLiteral } from 'pg';
import { identityKey } from '../staging/identity.ts';
import { leaseHolder, leaseName } from '../staging/lease.ts';
import { stagingNotPermitted } from '../staging/staging-schema.ts';
import { failed, failedBy, type Outcome, passed } from './look.ts';
import type { TargetFacts } from './target-facts.ts';
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
      const name = leaseName(facts.source.kind, await facts.schema());
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
      const { source } = facts;
      const { checkpoint, identity, schema } = await facts.progress();
      if (checkpoint === undefined) return passed(`none: it begins ${source.begins}`);
      return await source.lookAtProgress({ checkpoint, identity, forget: await forgetStatement(facts, schema) });
    },
  },
];

async function lookAtStaging(facts: TargetFacts): Promise<Outcome> {
  const staging = await facts.staging();
  const { exists, complete, missingRights, refused } = await facts.stagingState();
  if (missingRights.length > 0) {
    const lacking = missingRights.join('; ');
    return failedBy(stagingNotPermitted(staging, `missing ${lacking}`), `the user lacks ${lacking}`, 'target', {
      expected: 'the right to keep the progress there',
    });
  }
  if (refused !== undefined) {
    return failedBy(refused, 'a newer version has kept its progress there', 'target', {
      expected: 'progress that this version understands',
    });
  }
  if (!exists) return passed(`${staging.name.sql} will be created (--stagingCreateSchema)`);
  return passed(complete ? `${staging.name.sql} is there` : `${staging.name.sql} is there; its tables will be created`);
}

/** SQL that makes the next start begin anew. Nobody does that with one key. */
async function forgetStatement({ source, staging }: TargetFacts, schema: string): Promise<string> {
  const { name } = await staging();
  const keys = [source.checkpointKey(schema), identityKey(source.kind, schema)].map((key) => escapeLiteral(key));
  return `DELETE FROM ${name.sql}."memo" WHERE "key" IN (${keys.join(', ')});`;
}
