import { parseMysqlConnectionString } from '../config/mysql-connection.ts';
import { asMysql } from '../config/source-connection.ts';
import { counted } from '../preflight/look.ts';
import { readMysqlStart } from '../preflight/mysql-start.ts';
import type { Answers } from './replication.ts';
import type { FlagValues, ReplicationPlace, SourceKit } from './source-kit.ts';
import { removeTableFilter, tableFilter, tableFilterPath, writeTableFilter } from './table-filter.ts';

/** MySQL or MariaDB by its binary log: nothing is made at the source; a GTID set says where to begin. */
export const MYSQL_KIT: SourceKit = {
  kind: 'mylogical',
  name: 'MySQL or MariaDB',
  example: 'mysql://user:password@host:3306/database',
  parse: parseMysqlConnectionString,
  async complete(answers, connection, place) {
    const { position, options } = await readMysqlStart(asMysql(connection));
    const { startSet, tables = 'all' } = answers;
    return {
      ...answers,
      ...filterAnswer(tables, place),
      startSet: startSet === NOW ? position.set : startSet,
      options: { ...options, ...answers.options },
    };
  },
  missing: ({ startSet }) => (startSet === undefined ? 'starting point' : undefined),
  wishes: ({ tables, startSet, script, options }) => ({
    ...(script !== undefined && { script }),
    ...(tables !== undefined && { tables }),
    ...(startSet !== undefined && { startSet }),
    ...(options?.allDatabases === 'true' && { allDatabases: true }),
    ...(options?.fetchMetadata === 'true' && { fetchMetadata: true }),
    ...(options?.replicationProcessID !== undefined && { serverId: Number(options.replicationProcessID) }),
  }),
  flags: ({ script }): FlagValues => (script === undefined ? [] : [['userscript', script]]),
  firstFlags: ({ startSet }) => [['defaultGTIDSet', startSet]],
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
  readSent: async () => undefined,
};

/** Stands in a file of answers for where the binary log is when the replication is launched. */
export const NOW = 'now';

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
