import type { MysqlConnectionDescription } from '../config/mysql-connection.ts';
import { select } from '../sources/mysql/server-facts.ts';
import { listDatabases, listTables, type TableSummary } from '../sources/mysql/setup.ts';
import { readableTable } from '../sources/table-name.ts';
import { MysqlLine, testMysqlConnection } from './mysql-connection-test.ts';
import { mysqlInquiry } from './mysql-inquiry.ts';
import { MysqlResume } from './mysql-resume.ts';
import { checkMysqlSource, plannedMysqlSourceChecks } from './mysql-source.ts';
import { MysqlSourceFacts } from './mysql-source-facts.ts';
import { runMysqlFix } from './run-mysql-fix.ts';
import type { ListedTable, SourceChoices } from './source-choices.ts';
import type { SourcePreflight } from './source-preflight.ts';

/** What can be asked of a MySQL or MariaDB source. */
export function mysqlPreflight(connection: MysqlConnectionDescription): SourcePreflight {
  return {
    planned: plannedMysqlSourceChecks(),
    test: () => testMysqlConnection(connection),
    check: (wishes, report, signal) => checkMysqlSource(connection, wishes, report, signal),
    choices: ({ allDatabases }) => readChoices(connection, allDatabases === true),
    fix: (fix) => runMysqlFix(fix, connection),
    inquire: (wishes) => mysqlInquiry(new MysqlSourceFacts(connection, wishes)),
    resume: (facts) => new MysqlResume(connection, facts),
  };
}

async function readChoices(description: MysqlConnectionDescription, all: boolean): Promise<SourceChoices> {
  const line = new MysqlLine(description);
  try {
    return await line.ask(async (connection) => {
      // As the server spells it, which may have other capitals.
      const [own] = await select<{ name: string | null }>(connection, 'SELECT DATABASE() AS name');
      const databases = all
        ? (await listDatabases(connection)).map(({ name }) => name)
        : [own.name ?? description.database];
      const tables: ListedTable[] = [];
      for (const database of databases) {
        for (const table of await listTables(connection, database)) tables.push(listed(table, database));
      }
      return { tables, publications: [], slots: [] };
    });
  } finally {
    line.close();
  }
}

function listed({ name, rows, bytes, warning, fix }: TableSummary, schema: string): ListedTable {
  return { name: readableTable({ schema, name }), rows, bytes, ...(warning && { warning }), ...(fix && { fix }) };
}
