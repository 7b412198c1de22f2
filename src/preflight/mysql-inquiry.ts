import { OperatorError } from '../errors.ts';
import { checkpointKey, KIND } from '../sources/mysql/checkpoint-key.ts';
import { connect } from '../sources/mysql/connection.ts';
import { Definitions } from '../sources/mysql/definitions.ts';
import { identityOf } from '../sources/mysql/identity.ts';
import { select } from '../sources/mysql/server-facts.ts';
import { sourceTable } from '../sources/mysql/source-table.ts';
import { checkStart } from '../sources/mysql/start-position.ts';
import { offsetOf } from './clock-offset.ts';
import { failedBy, once, type Outcome, passed } from './look.ts';
import { type MysqlSourceFacts, wantedTables } from './mysql-source-facts.ts';
import type { EarlierProgress, SourceInquiry } from './source-inquiry.ts';

/** What the checks of a target ask of a MySQL or MariaDB source. */
export function mysqlInquiry(facts: MysqlSourceFacts): SourceInquiry {
  const { wishes, description } = facts;
  return {
    kind: KIND,
    checkpointKey,
    connection: facts.connection,
    tables: once(async () => {
      const definitions = await new Definitions(() => connect(description)).readAll(await databaseOf(facts));
      const wanted = wantedTables(wishes.tables ?? 'all');
      return definitions
        .map(sourceTable)
        .filter(
          ({ schema, name }) =>
            wanted === 'all' || wanted.some((table) => table.database === schema && table.name === name),
        );
    }),
    filled: once(async () => {
      const tables = await facts.tables();
      return tables
        .filter(({ rows }) => rows > 0)
        .map(({ database, name, rows }) => ({ table: { schema: database, name }, rows }));
    }),
    clockOffset: once(() =>
      facts.line.ask((connection) =>
        offsetOf(async () => {
          const text = 'SELECT UNIX_TIMESTAMP(NOW(6)) AS now';
          const [{ now }] = await select<{ now: string | number }>(connection, text);
          return Number(now);
        }),
      ),
    ),
    begins: beginning(wishes.startSet),
    loading: {
      expected: 'the same rows on both sides as of the GTID set that it begins with',
      text: 'Copy the rows by something that tells the GTID set of its copy (MOLT Fetch, mysqldump --single-transaction --source-data=2, mariadb-dump --single-transaction --gtid --master-data=2), and begin with that set: what was changed since is applied on top.',
    },
    lookAtProgress: (progress) => lookAtProgress(facts, progress),
    close: () => facts.close(),
  };
}

function beginning(startSet: string | undefined): string {
  if (startSet === undefined) return 'where --defaultGTIDSet says';
  return startSet === '' ? 'with the first transaction of the log' : `after ${startSet}`;
}

/** The database that is replicated, as the server spells it; undefined for all. */
export async function databaseOf({ database, line }: MysqlSourceFacts): Promise<string | undefined> {
  if (database === undefined) return undefined;
  const [{ name }] = await line.ask((connection) =>
    select<{ name: string | null }>(connection, 'SELECT DATABASE() AS name'),
  );
  return name ?? database;
}

/** A checkpoint wins over what was given to begin with: the start would be a resume. */
async function lookAtProgress(facts: MysqlSourceFacts, progress: EarlierProgress): Promise<Outcome> {
  const { checkpoint, identity: stored, forget } = progress;
  try {
    const database = await databaseOf(facts);
    await facts.line.ask(async (connection) => {
      const identity = await identityOf(connection, database);
      await checkStart(connection, { position: checkpoint, identity, stored, forget });
    });
    return passed(`${checkpoint}: the start will be a resume from there, whatever is given to begin with`);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return failedBy(error, `${checkpoint}: ${error.message}`, 'source');
  }
}
