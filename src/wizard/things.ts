import { flagNamed } from '../config/flags.ts';
import type { Answers, Created } from '../sessions/replication.ts';

/** Something that a launch makes, or uses as it is. */
export interface PlannedThing extends Pick<Created, 'what' | 'side' | 'name'> {
  readonly how: 'created' | 'created unless it is there' | 'used as it is';
  /** What to know of it: "for all tables". */
  readonly remark: string;
}

/** The schema that keeps the progress of a replication with these answers. */
export function stagingSchemaOf(answers: Answers): string {
  return answers.options?.stagingSchema ?? String(flagNamed('stagingSchema').default);
}

/** Everything on the servers that belongs to a replication with these answers, made by it or not. */
export function thingsOf(answers: Answers): PlannedThing[] {
  const { publication, slot, tables } = answers;
  const things: PlannedThing[] = [];
  if (publication !== undefined) {
    const count = tables === undefined || tables === 'all' ? 'all tables' : plural(tables.length, 'table');
    const how = publication.create ? 'created' : 'used as it is';
    things.push({ what: 'publication', side: 'source', name: publication.name, how, remark: `for ${count}` });
  }
  if (slot !== undefined) {
    const how = slot.create ? 'created' : 'used as it is';
    things.push({ what: 'slot', side: 'source', name: slot.name, how, remark: 'from here on nothing is missed' });
  }
  things.push({
    what: 'staging schema',
    side: 'target',
    name: stagingSchemaOf(answers),
    how: 'created unless it is there',
    remark: 'keeps the checkpoint',
  });
  return things;
}

function plural(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
