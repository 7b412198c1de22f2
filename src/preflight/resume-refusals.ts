import { escapeLiteral } from 'pg';
import { identityKey } from '../staging/identity.ts';
import type { ResumeInquiry } from './resume-inquiry.ts';
import type { Refusal, RefusalPlace } from './resume-source.ts';

/** What stands behind the code of a finding, and what can be done about it. */
export async function describeRefusal(code: string | undefined, inquiry: ResumeInquiry): Promise<Refusal> {
  const { source } = inquiry;
  const place = await placeOf(inquiry);
  const { name } = place;
  switch (code) {
    case 'LEASE_HELD':
      return {
        harm: 'Two that write at the same time would apply changes twice, and undo those of each other.',
        waysOut: [
          { label: 'stop the other process', text: `Nothing is lost meanwhile. Stop it, then:\ninstar resume ${name}` },
        ],
      };
    case 'TABLES_UNPUBLISHED':
      return {
        harm: 'Changes made to them since then would be lost.',
        waysOut: [
          {
            label: 'publish them again',
            text: `What was changed meanwhile has to be copied. Then:\ninstar resume ${name}`,
          },
          {
            label: 'go on without them',
            text: `Their rows stay on the target as they are now:\ninstar resume ${name} --acceptTables`,
          },
        ],
      };
    case 'CHECKPOINT_MISSING': {
      const { harm, begin } = source.withoutCheckpoint;
      return {
        harm,
        waysOut: [
          {
            label: 'restore the staging schema from a backup of the target',
            text: `Nothing is lost meanwhile. Then:\ninstar resume ${name}`,
          },
          begin,
        ],
      };
    }
    default:
      return (
        source.refusal(code, place) ?? {
          harm: `Nothing is lost meanwhile: ${source.keeps}.`,
          waysOut: [{ label: 'mend it, then resume', text: `instar resume ${name}` }],
        }
      );
  }
}

async function placeOf({ facts, source, target }: ResumeInquiry): Promise<RefusalPlace> {
  const { name, stagingSchema, targetSchema } = facts;
  const { kind, checkpointKey } = source.inquiry;
  const staging = await target.staging().then(
    (found) => found.name.sql,
    () => stagingSchema,
  );
  const schema = await target.progress().then(
    (found) => found.schema,
    () => targetSchema,
  );
  const keys = [checkpointKey(schema), identityKey(kind, schema)].map((key) => escapeLiteral(key)).join(', ');
  return { name, forget: `DELETE FROM ${staging}.memo WHERE "key" IN (${keys});` };
}
