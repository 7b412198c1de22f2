import { parseOracleConnectionString } from '../config/oracle-connection.ts';
import { asOracle } from '../config/source-connection.ts';
import { readOracleStart } from '../preflight/oracle-start.ts';
import { FILTER_KIT, filterAnswer } from './filter-kit.ts';
import type { FlagValues, SourceKit } from './source-kit.ts';

/** Stands in a file of answers for the newest SCN when the replication is launched. */
export const NEWEST = 'now';

/** Oracle by LogMiner: nothing is made at the source; SCNs say where to begin. */
export const ORACLE_KIT: SourceKit = {
  kind: 'oraclelogminer',
  name: 'Oracle',
  example: 'oracle://user:password@host:1521/service?pdb=pluggable',
  parse: parseOracleConnectionString,
  async complete(answers, connection, place) {
    const chosen = { ...answers, ...filterAnswer(answers.tables ?? 'all', place) };
    if (answers.startScn !== NEWEST) return chosen;
    const { scn, backfillFrom } = await readOracleStart(asOracle(connection), applicationUsers(answers.options));
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
  flags: ({ sourceSchema, script }): FlagValues => [
    ['sourceSchema', sourceSchema],
    ...(script === undefined ? [] : ([['userscript', script]] as const)),
  ],
  firstFlags: ({ startScn, backfillScn }) => [
    ['scn', startScn],
    ['backfillFromSCN', backfillScn],
  ],
  firstFlagsRefusal: 'ORACLE_SCN_AND_CHECKPOINT',
  ...FILTER_KIT,
  readSent: async () => undefined,
};

/** Whose open transactions count for where to begin. */
export function applicationUsers(options: Readonly<Record<string, string>> | undefined): string[] {
  const text = options?.['oracle-application-users'] ?? '';
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
