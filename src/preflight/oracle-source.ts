import { problemCode } from '../sources/oracle/tables.ts';
import { OperatorError } from '../errors.ts';
import type { Finding } from '../sources/finding.ts';
import { oracleError } from '../sources/oracle/ora-errors.ts';
import { rightTo } from '../sources/oracle/privileges.ts';
import { type DatabaseFacts, tryLogMiner } from '../sources/oracle/server-facts.ts';
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
import { SENTINEL } from '../sources/oracle/sentinel.ts';
import { unsupportedType } from '../sources/oracle/values/column-writer.ts';
import { parseTableName } from '../sources/table-name.ts';
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
  {
    check: blocking('version', 'version', 'Older servers write other redo.'),
    needs: ['source.connection'],
    async look(facts) {
      await needRights(facts, ['V$INSTANCE']);
      return fromFinding(versionFinding({ version: await facts.version() }));
    },
  },
  {
    check: blocking(
      'containers',
      'containers',
      'LogMiner runs in the root, and the tables are in a pluggable database.',
    ),
    needs: ['source.connection'],
    async look(facts) {
      await needRights(facts, ['V$DATABASE']);
      return fromFinding(containersFinding({ ...(await facts.database()), ...(await facts.place()) }));
    },
  },
  database(blocking('primary', 'primary', 'The sentinel has to be written at the source.'), primaryFinding),
  database(
    blocking('log_mode', 'ARCHIVELOG', 'Without archived logs redo is overwritten, read or not.'),
    archiveFinding,
  ),
  database(
    blocking('supplemental_min', 'supplemental logging', 'LogMiner puts chained and clustered rows together by it.'),
    minimalLoggingFinding,
  ),
  database(
    blocking('supplemental_pk', 'supplemental logging of keys', 'It tells which row an update is about.'),
    keyLoggingFinding,
  ),
  database(
    advisory('supplemental_all', 'supplemental logging of all columns', 'It leaves something to mend a row with.'),
    allColumnsFinding,
  ),
  database(
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
    needs: ['source.connection'],
    look: async (facts) => fromFinding(rightsFinding((await facts.rights()).tables, facts.tablesUser)),
  },
  {
    check: blocking('logminer', 'LogMiner', 'A real start on the newest log: no list of rights tells for certain.'),
    needs: ['source.containers', 'source.log_mode'],
    look: lookAtLogMiner,
  },
  {
    check: advisory('log_size', 'size of the logs', 'LogMiner starts anew with each switch of the log.'),
    needs: ['source.connection'],
    async look(facts) {
      await needRights(facts, ['V$LOG', 'V$LOG_HISTORY']);
      return fromFinding(logSizeFinding(await facts.logs()));
    },
  },
  {
    check: blocking('retention', 'redo that is kept', 'Everything behind the starting SCN has to be readable.'),
    needs: ['source.connection'],
    async look(facts) {
      await needRights(facts, LOG_VIEWS);
      return fromFinding(
        retentionFinding({ ...(await facts.database()), ...(await facts.redo()) }, facts.oracle.start),
      );
    },
  },
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
    check: advisory('unique_keys', 'logged keys', 'Without a primary key the server chooses which unique key it logs.'),
    needs: ['source.tables'],
    look: lookAtUniqueKeys,
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

/** Views that tell which logs there are. */
const LOG_VIEWS = ['V$DATABASE', 'V$THREAD', 'V$LOG', 'V$LOGFILE', 'V$ARCHIVED_LOG', 'V$ARCHIVE_DEST_STATUS'];

/** A check of what the database says of itself. */
function database(check: Check, find: (database: DatabaseFacts) => Finding): OracleLook {
  return {
    check,
    needs: ['source.connection'],
    async look(facts) {
      await needRights(facts, ['V$DATABASE']);
      return fromFinding(find(await facts.database()));
    },
  };
}

/** Without a right to one of the views nothing can be said: whoever looks is told which, and the other checks are made all the same. */
async function needRights(facts: OracleSourceFacts, views: readonly string[]): Promise<void> {
  const { mining } = await facts.rights();
  const lacking = mining.map(({ name }) => name).filter((name) => views.some((view) => name === rightTo(view)));
  if (lacking.length > 0) throw new Error(`${facts.description.user} lacks ${lacking.join(', ')}`);
}

async function lookAtLogMiner(facts: OracleSourceFacts): Promise<Outcome> {
  await needRights(facts, LOG_VIEWS);
  const error = await facts.line.ask(({ mining }) => tryLogMiner(mining));
  if (error === undefined) return passed('it starts on the newest log, which can be read');
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
  const unseen = wantedNames(facts).filter((wanted) => !tables.some(({ name }) => name === wanted));
  if (unseen.length > 0) {
    return failed(`${listed(unseen)}: not there, or ${facts.tablesUser} cannot see them`, {
      expected: 'all tables that were chosen',
      code: 'ORACLE_PERMISSION',
      fix: {
        side: 'source',
        text: [
          '-- in the container of the tables; names have to be as Oracle spells them',
          ...unseen.map((name) => `GRANT SELECT ON "${schema}"."${name}" TO ${facts.tablesUser};`),
        ].join('\n'),
      },
    });
  }
  const unfit = tables.filter(({ problem }) => problem !== undefined);
  if (unfit.length === 0) return passed(counted(tables.length, 'table'));
  // Which of them are wanted is asked later.
  if (facts.wishes.tables === undefined) {
    return passed(`${counted(tables.length, 'table')}, of which ${unfit.length} cannot be replicated`);
  }
  return failed(`cannot be replicated: ${listed(unfit.map(({ name, problem }) => `${name} (${problem})`))}`, {
    expected: 'tables that LogMiner tells the rows of',
    code: problemCode(unfit[0].name, unfit[0].columns),
    fix: {
      side: 'source',
      text: `Choose the others (--tables), or change these.`,
    },
  });
}

/** Tables that were chosen one by one, but for the sentinel. */
function wantedNames({ wishes }: OracleSourceFacts): string[] {
  const { tables = 'all' } = wishes;
  if (tables === 'all') return [];
  return tables.map((text) => parseTableName(text).name).filter((name) => name !== SENTINEL);
}

/** Of several unique keys the server logs one, and does not tell which. */
async function lookAtUniqueKeys(facts: OracleSourceFacts): Promise<Outcome> {
  const logged = await facts.allLogged();
  const several = (await facts.tables()).filter(
    ({ problem, uniqueKeys, name }) => problem === undefined && uniqueKeys > 1 && !logged.has(name),
  );
  if (several.length === 0) return passed('there is no doubt');
  const lacking = (await facts.rights()).mining.some(({ name }) => name === rightTo('V$DATABASE'));
  if (!lacking && (await facts.database()).allColumns === 'YES') return passed('all columns are logged');
  const statements = several.map(
    ({ owner, name }) => `ALTER TABLE ${quoted(owner)}.${quoted(name)} ADD SUPPLEMENTAL LOG DATA (ALL) COLUMNS`,
  );
  return failed(`several, and no primary key: ${listed(several.map(({ name }) => name))}`, {
    expected: 'a primary key, or all columns logged',
    code: 'ORACLE_REDO_WITHOUT_KEY',
    fix: {
      side: 'source',
      text: `${statements.map((each) => `${each};`).join('\n')}\n-- that holds for what is changed from then on`,
      statements,
    },
  });
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
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
