import { OperatorError } from '../errors.ts';
import { leaseHolder, leaseName } from '../staging/lease.ts';
import { checkTables } from '../target/drift.ts';
import { counted, failed, type Look, type Outcome, passed } from './look.ts';
import { resumeCheck as check } from './resume-check.ts';
import type { ResumeInquiry } from './resume-inquiry.ts';
import { orRefused } from './target-look.ts';

/** A look at what has to hold before a resume. */
type ResumeLook = Look<ResumeInquiry>;

/** Everything that is looked at before a resume: the source by its kind, then what all kinds have in common. */
export function resumeLooks({ source }: ResumeInquiry): readonly ResumeLook[] {
  const { title, why, covered } = source.checkpoint;
  return [
    ...source.looks,
    ...TARGET_LOOKS,
    {
      check: check('source', 'blocking', 'checkpoint', title, why),
      needs: ['resume.stream', 'resume.progress'],
      look: ({ source, target }) =>
        orRefused('source', async () => {
          const { checkpoint, identity } = await target.progress();
          await source.verify(checkpoint, identity);
          return passed(checkpoint === undefined ? `it begins ${source.inquiry.begins}` : covered);
        }),
    },
    {
      check: check('target', 'blocking', 'tables', 'target tables', 'A table that does not fit stops the replication.'),
      needs: ['resume.stream', 'resume.progress'],
      look: ({ source, target }) =>
        orRefused('target', async () => {
          const tables = await source.tables();
          checkTables(tables, await target.catalogue(), await target.schema(), (await target.server()).dialect);
          return passed(`${counted(tables.length, 'table')} as needed`);
        }),
    },
  ];
}

const TARGET_LOOKS: readonly ResumeLook[] = [
  {
    check: check('target', 'blocking', 'progress', 'checkpoint', 'It says where to go on.'),
    needs: [],
    look: (inquiry) => orRefused('target', () => lookAtProgress(inquiry)),
  },
  {
    check: check('target', 'blocking', 'lease', 'nobody else replicates', 'Two must never write to one target schema.'),
    needs: ['resume.progress'],
    look: ({ target }) =>
      orRefused('target', async () => {
        if (!(await target.stagingState()).complete) return passed('nobody');
        const [staging, name] = [await target.staging(), leaseName(target.source.kind, await target.schema())];
        const holder = await target.stagingLine.ask((client) => leaseHolder(client, staging, name));
        if (holder === undefined) return passed('nobody');
        return failed(`${holder} replicates into this target schema now`, {
          expected: 'nobody',
          code: 'LEASE_HELD',
          fix: { side: 'target', text: 'Stop that process.' },
        });
      }),
  },
];

/** Progress that somebody has deleted from tables that are there was deleted on purpose; not every engine can begin without it. */
async function lookAtProgress({ facts, source, target }: ResumeInquiry): Promise<Outcome> {
  const { name } = await target.staging();
  if (facts.replicated && !(await target.stagingState()).complete) {
    throw new OperatorError(
      'CHECKPOINT_MISSING',
      `the staging schema ${name.sql} is gone from the target, and with it the checkpoint of ${facts.name}`,
    );
  }
  const { checkpoint } = await target.progress();
  if (facts.replicated && checkpoint === undefined && source.withoutCheckpoint.byHand) {
    throw new OperatorError(
      'CHECKPOINT_MISSING',
      `the checkpoint of ${facts.name} is gone from ${name.sql} on the target, and a resume does not say where to begin`,
    );
  }
  return passed(checkpoint === undefined ? `none yet: it begins ${source.inquiry.begins}` : `checkpoint ${checkpoint}`);
}
