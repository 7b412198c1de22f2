import { parseOracleConnectionString } from '../config/oracle-connection.ts';
import { asOracle } from '../config/source-connection.ts';
import { readOracleStart } from '../preflight/oracle-start.ts';
import { parseApplicationUsers } from '../sources/oracle/application-users.ts';
import { filterFlags, filterThings, prepareFilter, withFilter } from './filter-script.ts';
import type { Answers } from './replication.ts';
import type { SourceKit } from './source-kit.ts';
import { removeTableFilter } from './table-filter.ts';

/** Stands in a file of answers for the newest SCN when the replication is launched. */
export const NEWEST = 'now';

/** Oracle by LogMiner: nothing is made at the source; SCNs say where to begin. */
export const ORACLE_KIT: SourceKit = {
  kind: 'oraclelogminer',
  name: 'Oracle',
  example: 'oracle://user:password@host:1521/service?pdb=pluggable',
  parse: parseOracleConnectionString,
  async complete(answers, connection, place) {
    const chosen = withFilter(answers, place);
    if (answers.startScn !== NEWEST) return chosen;
    const { scn, backfillFrom } = await readOracleStart(asOracle(connection), applicationUsers(answers));
    return { ...chosen, startScn: String(scn), backfillScn: String(backfillFrom) };
  },
  missing: ({ sourceSchema, startScn }) =>
    sourceSchema === undefined ? 'owner of the tables' : startScn === undefined ? 'SCN to begin with' : undefined,
  wishes: ({ sourceSchema, startScn, backfillScn, tables, script }) => {
    const start = backfillScn ?? startScn;
    return {
      ...(script !== undefined && { script }),
      ...(tables !== undefined && { tables }),
      ...(sourceSchema !== undefined && {
        oracle: {
          schema: sourceSchema,
          ...(start !== undefined && start !== NEWEST && { start: BigInt(start) }),
        },
      }),
    };
  },
  flags: (answers) => [['sourceSchema', answers.sourceSchema], ...filterFlags(answers)],
  firstFlags: ({ startScn, backfillScn }) => [
    ['scn', startScn],
    ['backfillFromSCN', backfillScn],
  ],
  firstFlagsRefusal: 'ORACLE_SCN_AND_CHECKPOINT',
  things: filterThings,
  prepare: prepareFilter,
  async drop({ name }) {
    removeTableFilter(name);
  },
  readSent: async () => undefined,
};

/** Whose open transactions count for where to begin; everybody's when there are none. */
export function applicationUsers({ options }: Answers): string[] {
  return parseApplicationUsers(options?.['oracle-application-users'] ?? '');
}
