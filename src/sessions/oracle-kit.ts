import { parseOracleConnectionString } from '../config/oracle-connection.ts';
import { asOracle } from '../config/source-connection.ts';
import { readOracleStart } from '../preflight/oracle-start.ts';
import type { FlagValues, SourceKit } from './source-kit.ts';

/** Stands in a file of answers for the newest SCN when the replication is launched. */
export const NEWEST = 'now';

/** Oracle by LogMiner: nothing is made at the source; SCNs say where to begin. */
export const ORACLE_KIT: SourceKit = {
  kind: 'oraclelogminer',
  name: 'Oracle',
  example: 'oracle://user:password@host:1521/service?pdb=pluggable',
  parse: parseOracleConnectionString,
  async complete(answers, connection) {
    if (answers.startScn !== NEWEST) return answers;
    const { scn, backfillFrom } = await readOracleStart(asOracle(connection), applicationUsers(answers.options));
    return { ...answers, startScn: String(scn), backfillScn: String(backfillFrom) };
  },
  missing: ({ sourceSchema, startScn }) =>
    sourceSchema === undefined ? 'owner of the tables' : startScn === undefined ? 'SCN to begin with' : undefined,
  wishes: ({ sourceSchema, startScn, backfillScn, tables }) => {
    const start = backfillScn ?? startScn;
    return {
      ...(tables !== undefined && { tables }),
      ...(sourceSchema !== undefined && {
        oracle: {
          schema: sourceSchema,
          ...(start !== undefined && start !== NEWEST && { start: BigInt(start) }),
        },
      }),
    };
  },
  flags: ({ sourceSchema }): FlagValues => [['sourceSchema', sourceSchema]],
  firstFlags: ({ startScn, backfillScn }) => [
    ['scn', startScn],
    ['backfillFromSCN', backfillScn],
  ],
  firstFlagsRefusal: 'ORACLE_SCN_AND_CHECKPOINT',
  things: () => [],
  prepare: async () => {},
  drop: async () => {},
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
