import { flagNamed } from '../config/flags.ts';
import type { Answers } from '../sessions/replication.ts';
import type { PlannedThing } from '../sessions/source-kit.ts';
import { kitOf } from '../sessions/source-kits.ts';

/** The schema that keeps the progress of a replication with these answers. */
export function stagingSchemaOf(answers: Answers): string {
  return answers.options?.stagingSchema ?? String(flagNamed('stagingSchema').default);
}

/** Everything that belongs to a replication with these answers, made by it or not. */
export function thingsOf(answers: Answers): PlannedThing[] {
  return [
    ...kitOf(answers.kind).things(answers),
    {
      what: 'staging schema',
      side: 'target',
      name: stagingSchemaOf(answers),
      how: 'created unless it is there',
      remark: 'keeps the checkpoint',
    },
  ];
}
