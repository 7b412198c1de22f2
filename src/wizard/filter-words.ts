import type { FlagName } from '../config/flags.ts';
import { filterAnswer, filterText } from '../sessions/filter-kit.ts';
import type { Answers } from '../sessions/replication.ts';
import type { ReplicationPlace } from '../sessions/source-kit.ts';
import type { TableChoice } from './table-choice.ts';

/** What ticking single tables does where the source's log holds all of them. */
export const FILTER_CHOICE =
  'A script is written for you that lets only these through (--userscript); the review shows it.';

/** What a choice answers there: the tables, and the script that lets them through in the place of one of the operator's own. */
export function filteredChoice(choice: TableChoice, { options }: Answers, place: ReplicationPlace): Partial<Answers> {
  if (choice.by === 'publication') throw new TypeError('there are no publications here');
  const tables = choice.by === 'all' ? 'all' : choice.tables;
  const { userscript: _, ...others } = options ?? {};
  return { ...filterAnswer(tables, place), ...(tables !== 'all' && { options: others }) };
}

/** A script of the operator's own cannot be named beside it. */
export function lockedByFilter({ script }: Answers): Readonly<Partial<Record<FlagName, string>>> {
  return script === undefined
    ? {}
    : { userscript: 'A script is written for the tables that you chose. To use one of your own, choose all tables.' };
}

/** The script in the review, by line; nothing without one. */
export function filterReview(answers: Answers): readonly string[] {
  return answers.script === undefined
    ? []
    : ['', `THE SCRIPT ${answers.script}`, ...filterText(answers).trimEnd().split('\n')];
}
