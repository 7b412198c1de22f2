import { parseMysqlConnectionString } from '../config/mysql-connection.ts';
import { asMysql } from '../config/source-connection.ts';
import { readMysqlStart } from '../preflight/mysql-start.ts';
import { filterFlags, filterThings, prepareFilter, withFilter } from './filter-script.ts';
import type { SourceKit } from './source-kit.ts';
import { removeTableFilter } from './table-filter.ts';

/** MySQL or MariaDB by its binary log: nothing is made at the source; a GTID set says where to begin. */
export const MYSQL_KIT: SourceKit = {
  kind: 'mylogical',
  name: 'MySQL or MariaDB',
  example: 'mysql://user:password@host:3306/database',
  parse: parseMysqlConnectionString,
  async complete(answers, connection, place) {
    const { position, options } = await readMysqlStart(asMysql(connection));
    const { startSet } = answers;
    return {
      ...withFilter(answers, place),
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
  flags: filterFlags,
  firstFlags: ({ startSet }) => [['defaultGTIDSet', startSet]],
  things: filterThings,
  prepare: prepareFilter,
  async drop({ name }) {
    removeTableFilter(name);
  },
  readSent: async () => undefined,
};

/** Stands in a file of answers for where the binary log is when the replication is launched. */
export const NOW = 'now';
