import { problemCode } from '../sources/oracle/tables.ts';
import { OperatorError } from '../errors.ts';
import type { Finding } from '../sources/finding.ts';
import { oracleError } from '../sources/oracle/ora-errors.ts';
import { type OracleFacts, tryLogMiner } from '../sources/oracle/server-facts.ts';
import {
  allColumnsFinding,
  archiveFinding,
  containersFinding,
  forceLoggingFinding,
  keyLoggingFinding,
  logSizeFinding,
  minimalLoggingFinding,
  primaryFinding,
  retentionFinding,
  rightsFinding,
  sentinelFinding,
  versionFinding,
} from '../sources/oracle/server-requirements.ts';
import { unsupportedType } from '../sources/oracle/values/column-writer.ts';
import { formatSeconds } from '../terminal/format.ts';
import type { Check } from './check.ts';
import { encryptionOutcome } from './encryption.ts';
import { counted, failed, failedBy, type Look, listed, type Outcome, passed } from './look.ts';
import type { OracleSourceFacts } from './oracle-source-facts.ts';
import { advisory, blocking, fromFinding } from './source-look.ts';

type OracleLook = Look<OracleSourceFacts>;

/** What is looked at at an Oracle source, in the order of the results. */
export const ORACLE_LOOKS: readonly OracleLook[] = [
  {
    check: blocking('connection', 'connection', 'Everything else is asked over it.'),
    needs: [],
    async look(facts) {
      try {
        const { latency, user, database } = await facts.connection();
        return passed(`${user} in ${database}, answers within ${formatSeconds(latency / 1000)}`);
      } catch (error) {
        if (!(error instanceof OperatorError)) throw error;
        return failedBy(error, error.message, 'source');
      }
    },
  },
  {
    check: advisory('encryption', 'encryption', 'Without it anybody on the way can read the data, and change it.'),
    needs: ['source.connection'],
    look: async (facts) => encryptionOutcome(facts.description, await facts.connection(), 'source'),
  },
  {
    check: blocking('rights', 'rights of the user', 'LogMiner, and the views that tell which logs there are.'),
    needs: ['source.connection'],
    look: async (facts) => fromFinding(rightsFinding((await facts.rights()).mining, facts.description.user)),
  },
  server(blocking('version', 'version', 'Older servers write other redo.'), versionFinding),
  server(
    blocking('containers', 'containers', 'LogMiner runs in the root, and the tables are in a pluggable database.'),
    containersFinding,
  ),
  server(blocking('primary', 'primary', 'The sentinel has to be written at the source.'), primaryFinding),
  server(blocking('log_mode', 'ARCHIVELOG', 'Without archived logs redo is overwritten, read or not.'), archiveFinding),
  server(
    blocking('supplemental_min', 'supplemental logging', 'LogMiner puts chained and clustered rows together by it.'),
    minimalLoggingFinding,
  ),
  server(
    blocking('supplemental_pk', 'supplemental logging of keys', 'It tells which row an update is about.'),
    keyLoggingFinding,
  ),
  server(
    advisory('supplemental_all', 'supplemental logging of all columns', 'It leaves something to mend a row with.'),
    allColumnsFinding,
  ),
  server(
    advisory('force_logging', 'FORCE LOGGING', 'What is loaded without redo would be missing, and nobody would know.'),
    forceLoggingFinding,
  ),
  {
    check: blocking('sentinel', 'sentinel table', 'By a commit there all redo of a window is on the disk.'),
    needs: ['source.connection'],
    look: async (facts) => fromFinding(sentinelFinding(await facts.sentinel(), facts.oracle.schema, facts.tablesUser)),
  },
  {
    check: blocking('table_rights', 'rights at the tables', 'The sentinel is written, and open transactions are read.'),
    needs: ['source.sentinel'],
    look: async (facts) => fromFinding(rightsFinding((await facts.rights()).tables, facts.tablesUser)),
  },
  {
    check: blocking('logminer', 'LogMiner', 'A real start on the newest log: no list of rights tells for certain.'),
    needs: ['source.rights', 'source.containers', 'source.log_mode'],
    look: lookAtLogMiner,
  },
  server(advisory('log_size', 'size of the logs', 'LogMiner starts anew with each switch of the log.'), logSizeFinding),
  server(
    blocking('retention', 'redo that is kept', 'Everything behind the starting SCN has to be readable.'),
    (found, { oracle }) => retentionFinding(found, oracle.start),
  ),
  {
    check: blocking('tables', 'tables', 'Only what is there, and can be seen, can be replicated.'),
    needs: ['source.connection'],
    look: lookAtTables,
  },
  {
    check: advisory('columns', 'columns', 'What redo does not tell stays as it is at the target.'),
    needs: ['source.tables'],
    look: lookAtColumns,
  },
  {
    check: advisory('primary_keys', 'primary keys', 'Without one a row is found by all of its columns, which is slow.'),
    needs: ['source.tables'],
    async look(facts) {
      const without = (await facts.tables()).filter(({ key }) => key.length === 0);
      if (without.length === 0) return passed('all tables have one');
      return failed(`none: ${listed(without.map(({ name }) => name))}`, {
        expected: 'a primary key, or a unique one without NULL',
        fix: {
          side: 'source',
          text: without.map(({ owner, name }) => `ALTER TABLE "${owner}"."${name}" ADD PRIMARY KEY (…);`).join('\n'),
        },
      });
    },
  },
];

function server(check: Check, find: (server: OracleFacts, facts: OracleSourceFacts) => Finding): OracleLook {
  return {
    check,
    needs: ['source.rights'],
    look: async (facts) => fromFinding(find(await facts.server(), facts)),
  };
}

async function lookAtLogMiner(facts: OracleSourceFacts): Promise<Outcome> {
  const { scn } = await facts.server();
  const error = await facts.line.ask(({ mining }) => tryLogMiner(mining, scn));
  if (error === undefined) return passed('it starts on the newest log');
  const { user, display } = facts.description;
  const named = oracleError(error, { user, place: display });
  return failedBy(named, named.message, 'source');
}

async function lookAtTables(facts: OracleSourceFacts): Promise<Outcome> {
  const { schema } = facts.oracle;
  const tables = await facts.tables();
  if (tables.length === 0) {
    return failed(`none of ${schema} that ${facts.tablesUser} can see`, {
      expected: 'the tables to replicate',
      code: 'ORACLE_PERMISSION',
      fix: {
        side: 'source',
        text: `GRANT SELECT ANY TABLE TO ${facts.tablesUser}; -- or on each table of ${schema}; the name has to be as Oracle spells it`,
      },
    });
  }
  const unfit = tables.filter(({ problem }) => problem !== undefined);
  if (unfit.length === 0) return passed(counted(tables.length, 'table'));
  return failed(`cannot be replicated: ${listed(unfit.map(({ name, problem }) => `${name} (${problem})`))}`, {
    expected: 'tables that LogMiner tells the rows of',
    code: problemCode(unfit[0].name, unfit[0].columns),
    fix: {
      side: 'source',
      text: `Choose the others (--tables), or change these.`,
    },
  });
}

async function lookAtColumns(facts: OracleSourceFacts): Promise<Outcome> {
  const told = (await facts.tables())
    .filter(({ problem }) => problem === undefined)
    .flatMap(({ name, columns }) =>
      columns
        .map(
          (column) => [`${name}.${column.name}`, column.virtual ? 'it is computed' : unsupportedType(column)] as const,
        )
        .filter(([, why]) => why !== undefined),
    );
  if (told.length === 0) return passed('redo tells all of them');
  return failed(`not replicated: ${listed(told.map(([column, why]) => `${column} (${why})`))}`, {
    expected: 'columns whose values redo tells',
    fix: { side: 'source', text: 'Nothing has to be done when the target can be without them.' },
  });
}
