import type { FlagName } from '../config/flags.ts';
import { filterAnswer, filterText } from '../sessions/filter-script.ts';
import type { Answers } from '../sessions/replication.ts';
import type { ReplicationPlace } from '../sessions/source-kit.ts';
import type { TableChoice } from './table-choice.ts';

/*
 * Tables chosen by a script that is written for them, where the source's log holds the changes of all: what the setup says and
 * answers.
 */

/** What ticking single tables does. */
export const FILTER_WORDS =
  'A script is written for you that lets only these through (--userscript); the review shows it.';

/** What a choice answers. A userscript among the options gives way: only one can run. */
export function filterChoice(choice: TableChoice, { options }: Answers, place: ReplicationPlace): Partial<Answers> {
  if (choice.by === 'publication') throw new TypeError('there are no publications here');
  const tables = choice.by === 'all' ? 'all' : choice.tables;
  const { userscript: _, ...others } = options ?? {};
  return { ...filterAnswer(tables, place), ...(tables !== 'all' && { options: others }) };
}

/** Options that cannot be changed beside such a script. */
export function filterLock({ script }: Answers): Readonly<Partial<Record<FlagName, string>>> {
  if (script === undefined) return {};
  return {
    userscript: 'A script is written for the tables that you chose. To use one of your own, choose all tables.',
  };
}

/** The script in the review, where there is one. */
export function filterLines(answers: Answers): string[] {
  const { script } = answers;
  return script === undefined ? [] : ['', `THE SCRIPT ${script}`, ...filterText(answers).trimEnd().split('\n')];
}
