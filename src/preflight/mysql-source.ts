import type { MysqlConnectionDescription } from '../config/mysql-connection.ts';
import type { Check, CheckResult } from './check.ts';
import { lookAtAll } from './look.ts';
import { SERVER_LOOKS } from './mysql-server-looks.ts';
import { MysqlSourceFacts } from './mysql-source-facts.ts';
import { TABLE_LOOKS } from './mysql-table-looks.ts';
import type { SourceWishes } from './source-wishes.ts';

const LOOKS = [...SERVER_LOOKS, ...TABLE_LOOKS];

/** What is looked at at a MySQL or MariaDB source, in the order of the results. */
export function plannedMysqlSourceChecks(): readonly Check[] {
  return LOOKS.map(({ check }) => check);
}

/**
 * Looks at a MySQL or MariaDB source, at everything and not only up to the first failure. Only reads. Results are reported as
 * they come.
 * @throws the reason of `signal` when it aborts; nothing else, as what fails is a result.
 */
export async function checkMysqlSource(
  description: MysqlConnectionDescription,
  wishes: SourceWishes,
  report: (result: CheckResult) => void = () => {},
  signal?: AbortSignal,
): Promise<CheckResult[]> {
  const facts = new MysqlSourceFacts(description, wishes);
  try {
    return await lookAtAll(LOOKS, facts, report, signal);
  } finally {
    facts.close();
  }
}
