import { counted } from '../preflight/look.ts';
import type { Answers } from './replication.ts';
import type { ReplicationPlace, SourceKit } from './source-kit.ts';
import { removeTableFilter, tableFilter, tableFilterPath, writeTableFilter } from './table-filter.ts';

/** Which script lets these tables through: none when it is all of them. */
export function filterAnswer(
  tables: 'all' | readonly string[],
  { name, env }: ReplicationPlace,
): Pick<Answers, 'tables' | 'script'> {
  return { tables, script: tables === 'all' ? undefined : tableFilterPath(name, env) };
}

/** The script for these answers, as it is written and shown. */
export function filterText({ targetSchema = '', tables }: Answers): string {
  return tableFilter(targetSchema, tables === undefined || tables === 'all' ? [] : tables);
}

/** What a kind of source whose log holds every table makes for some of them: the script that lets these through. */
export const FILTER_KIT: Pick<SourceKit, 'things' | 'prepare' | 'drop'> = {
  things: ({ script, tables }) =>
    script === undefined
      ? []
      : [
          {
            what: 'script',
            side: 'here',
            name: script,
            how: 'created',
            remark: `lets ${counted(tables === undefined || tables === 'all' ? 0 : tables.length, 'table')} through, and no other`,
          },
        ],
  async prepare({ answers, step, made, existing }) {
    const { script } = answers;
    if (script === undefined) return;
    await step({ id: 'script', title: 'filter of tables' }, async () => {
      // Written anew in any case: the choice may be another than that of a launch which failed.
      writeTableFilter(script, filterText(answers));
      if (existing('script', script).length > 0) return ['passed', 'written anew'];
      made({ what: 'script', side: 'here', name: script });
      return ['passed', 'written'];
    });
  },
  async drop({ name }) {
    removeTableFilter(name);
  },
};
