import { parseMysqlConnectionString } from '../config/mysql-connection.ts';
import { asMysql } from '../config/source-connection.ts';
import { readMysqlStart } from '../preflight/mysql-start.ts';
import { FILTER_KIT, filterAnswer } from './filter-kit.ts';
import type { FlagValues, SourceKit } from './source-kit.ts';

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
  ...FILTER_KIT,
  readSent: async () => undefined,
};

/** Stands in a file of answers for where the binary log is when the replication is launched. */
export const NOW = 'now';
