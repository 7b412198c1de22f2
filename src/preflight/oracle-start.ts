import type { OracleConnectionDescription } from '../config/oracle-connection.ts';
import { rows } from '../sources/oracle/connection.ts';
import { SENTINEL } from '../sources/oracle/sentinel.ts';
import { readStart, type StartScn } from '../sources/oracle/start-scn.ts';
import { OracleLine } from './oracle-source-facts.ts';

/** Somebody whose tables can be replicated. */
export interface TableOwner {
  readonly name: string;
  readonly tables: number;
}

/** Users of people and applications, and how many of their tables can be seen. */
export const OWNERS = `SELECT t.OWNER, TO_CHAR(COUNT(*)) FROM ALL_TABLES t JOIN ALL_USERS u ON u.USERNAME = t.OWNER
 WHERE u.ORACLE_MAINTAINED = 'N' AND t.TABLE_NAME <> '${SENTINEL}' GROUP BY t.OWNER ORDER BY t.OWNER`;

/** Who has tables, where those are that the connection leads to. @throws OperatorError of the connection */
export async function readOwners(description: OracleConnectionDescription): Promise<readonly TableOwner[]> {
  return await asking(description, async (line) => {
    const found = await line.ask(({ tables }) => rows<readonly [string, string]>(tables, OWNERS));
    return found.map(([name, count]) => ({ name, tables: Number(count) }));
  });
}

/** Where a replication would begin now. `users`: whose open transactions count, all when none is named. @throws OperatorError of the connection */
export async function readOracleStart(
  description: OracleConnectionDescription,
  users: readonly string[],
): Promise<StartScn> {
  return await asking(description, (line) => line.ask(({ mining, tables }) => readStart(mining, tables, users)));
}

async function asking<T>(
  description: OracleConnectionDescription,
  questions: (line: OracleLine) => Promise<T>,
): Promise<T> {
  const line = new OracleLine(description, description.pdb);
  try {
    return await questions(line);
  } finally {
    line.close();
  }
}
