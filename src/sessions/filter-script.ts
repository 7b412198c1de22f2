import { UsageError } from '../errors.ts';
import { counted } from '../preflight/look.ts';
import type { Answers } from './replication.ts';
import type { FlagValues, LaunchWork, PlannedThing, ReplicationPlace } from './source-kit.ts';
import { tableFilter, tableFilterPath, writeTableFilter } from './table-filter.ts';

/*
 * The script that lets the chosen tables through, as a part of a replication: for sources whose log holds the changes of all tables.
 */

/** Which script lets these tables through: none when it is all of them. */
export function filterAnswer(
  tables: 'all' | readonly string[],
  { name, env }: ReplicationPlace,
): Pick<Answers, 'tables' | 'script'> {
  return { tables, script: tables === 'all' ? undefined : tableFilterPath(name, env) };
}

/**
 * The answers of a file with the script that its choice of tables takes.
 * @throws UsageError when there is a userscript already: only one can run
 */
export function withFilter(answers: Answers, place: ReplicationPlace): Answers {
  const { tables = 'all', options } = answers;
  if (tables !== 'all' && options?.userscript !== undefined) {
    throw new UsageError('tables are chosen by a script that is written for them, and the options name a userscript', {
      fix: 'tables: all  # and let the userscript leave the others out: return null for their rows',
    });
  }
  return { ...answers, ...filterAnswer(tables, place) };
}

/** The script for these answers, as it is written and shown. */
export function filterText({ targetSchema = '', tables }: Answers): string {
  return tableFilter(targetSchema, tables === undefined || tables === 'all' ? [] : tables);
}

/** The flag that gives it to the engine. */
export function filterFlags({ script }: Answers): FlagValues {
  return script === undefined ? [] : [['userscript', script]];
}

/** It, among what a launch makes. */
export function filterThings({ script, tables }: Answers): PlannedThing[] {
  if (script === undefined) return [];
  const count = tables === undefined || tables === 'all' ? 0 : tables.length;
  const remark = `lets ${counted(count, 'table')} through, and no other`;
  return [{ what: 'script', side: 'here', name: script, how: 'created', remark }];
}

/** Writes it at a launch, where there is one. @throws OperatorError SCRIPT_NOT_WRITTEN */
export async function prepareFilter({ answers, step, made, existing }: LaunchWork): Promise<void> {
  const { script } = answers;
  if (script === undefined) return;
  await step({ id: 'script', title: 'filter of tables' }, async () => {
    // Written anew in any case: the choice may be another than that of a launch which failed.
    writeTableFilter(script, filterText(answers));
    if (existing('script', script).length > 0) return ['passed', 'written anew'];
    made({ what: 'script', side: 'here', name: script });
    return ['passed', 'written'];
  });
}
