import { escapeLiteral } from 'pg';
import { toArguments } from '../config/settings.ts';
import { checkpointKey, KIND } from '../sources/postgres/checkpoint-key.ts';
import { dropSlotStatement, slotStatement } from '../sources/postgres/slot.ts';
import { identityKey } from '../staging/identity.ts';
import type { ResumeInquiry } from './resume-facts.ts';

/** A way to go on when resuming is not safe. */
export interface WayOut {
  readonly label: string;
  /** What it costs, and the commands or SQL. */
  readonly text: string;
}

/** What a refusal to resume means. */
export interface Refusal {
  /** What would be lost or doubled by going on all the same, one sentence. */
  readonly harm: string;
  readonly waysOut: readonly WayOut[];
}

/** What stands behind the code of a finding, and what can be done about it. */
export async function describeRefusal(code: string | undefined, inquiry: ResumeInquiry): Promise<Refusal> {
  const { name } = inquiry.facts;
  switch (code) {
    case 'PG_SLOT_MISSING':
    case 'PG_SLOT_LOST':
    case 'PG_SLOT_AHEAD':
      return {
        harm: 'The changes between the checkpoint and what the source can still deliver would be lost.',
        waysOut: [await startOver(inquiry)],
      };
    case 'PG_SOURCE_BEHIND':
    case 'PG_FAILOVER_LOST_COMMITS':
      return {
        harm: 'The target would keep changes that the source does not have, and lose what the source writes in their place.',
        waysOut: [await startOver(inquiry)],
      };
    case 'PG_SOURCE_CHANGED':
    case 'PG_SLOT_DATABASE':
      return {
        harm: 'The changes of the former database would be lost, and those of another mixed in.',
        waysOut: [
          {
            label: 'connect to the former source',
            text: `Nothing is lost meanwhile. Set the source connection right, then:\ninstar resume ${name}`,
          },
          await startOver(inquiry),
        ],
      };
    case 'PG_SLOT_ACTIVE':
    case 'LEASE_HELD':
      return {
        harm: 'Two that write at the same time would apply changes twice, and undo those of each other.',
        waysOut: [
          { label: 'stop the other process', text: `Nothing is lost meanwhile. Stop it, then:\ninstar resume ${name}` },
        ],
      };
    case 'PG_PUBLICATION_MISSING':
      return {
        harm: 'Changes made while there is no publication would be lost.',
        waysOut: [
          {
            label: 'create it again, if nothing has changed since it was dropped',
            text: `What was changed while it was missing cannot be delivered. If that is nothing, create it, then:\ninstar resume ${name}`,
          },
          await startOver(inquiry),
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
    case 'CHECKPOINT_MISSING':
      return {
        harm: 'What is on the target already would be applied again from where the slot begins, and doubled in tables without a key.',
        waysOut: [
          {
            label: 'restore the staging schema from a backup of the target',
            text: `Nothing is lost meanwhile. Then:\ninstar resume ${name}`,
          },
          {
            label: 'begin where the slot does',
            text: [
              'Safe where every table has a key: its rows pass through old states once more and end up right.',
              'Start once by hand, stop it with Ctrl-C when it says that it replicates, then resume:',
              `instar pglogical ${startCommand(inquiry).join(' ')}`,
              `instar resume ${name}`,
            ].join('\n'),
          },
        ],
      };
    default:
      return {
        harm: 'Nothing is lost meanwhile: the slot keeps what has changed.',
        waysOut: [{ label: 'mend it, then resume', text: `instar resume ${name}` }],
      };
  }
}

async function startOver({ facts, target }: ResumeInquiry): Promise<WayOut> {
  const { name, slotName, stagingSchema, targetSchema } = facts;
  const staging = await target.staging().then(
    (found) => found.name.sql,
    () => stagingSchema,
  );
  const schema = await target.progress().then(
    (found) => found.schema,
    () => targetSchema,
  );
  const keys = [checkpointKey(schema), identityKey(KIND, schema)].map((key) => escapeLiteral(key)).join(', ');
  return {
    label: 'start over with a fresh copy',
    text: [
      'The rows have to be copied again: what was not delivered cannot be had any more.',
      '-- at the source, if the slot is still there',
      `${dropSlotStatement(slotName)};`,
      '-- at the source: from here on changes are kept',
      `${slotStatement(slotName)};`,
      '-- at the target: forget the former progress',
      `DELETE FROM ${staging}.memo WHERE "key" IN (${keys});`,
      '-- copy the rows, then',
      `instar resume ${name}`,
    ].join('\n'),
  };
}

/** Flags of the engine; connections stand for themselves as `$SOURCE` and `$TARGET`. */
function startCommand({ facts }: ResumeInquiry): string[] {
  const { slotName, publicationName, targetSchema, stagingSchema } = facts;
  return toArguments('pglogical', {
    sourceConn: 'set',
    targetConn: 'set',
    slotName,
    publicationName,
    targetSchema,
    stagingSchema,
    stagingCreateSchema: true,
  });
}
