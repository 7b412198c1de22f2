import type { ConnectionDescription } from '../config/connection.ts';
import type { Check, CheckResult } from './check.ts';
import { lookAtAll } from './look.ts';
import { SERVER_LOOKS } from './postgres-server-looks.ts';
import { SLOT_LOOKS } from './postgres-slot-looks.ts';
import { PostgresSourceFacts } from './postgres-source-facts.ts';
import { TABLE_LOOKS } from './postgres-table-looks.ts';
import type { SourceWishes } from './source-wishes.ts';

const LOOKS = [...SERVER_LOOKS, ...SLOT_LOOKS, ...TABLE_LOOKS];

/** What is looked at at a PostgreSQL source, in the order of the results. */
export function plannedSourceChecks(): readonly Check[] {
  return LOOKS.map(({ check }) => check);
}

/**
 * Looks at a PostgreSQL source, at everything and not only up to the first failure. Only reads; nothing is created. Results
 * are reported as they come.
 * @throws the reason of `signal` when it aborts; nothing else, as what fails is a result.
 */
export async function checkPostgresSource(
  description: ConnectionDescription,
  wishes: SourceWishes,
  report: (result: CheckResult) => void = () => {},
  signal?: AbortSignal,
): Promise<CheckResult[]> {
  const facts = new PostgresSourceFacts(description, wishes);
  try {
    return await lookAtAll(LOOKS, facts, report, signal);
  } finally {
    facts.close();
  }
}
