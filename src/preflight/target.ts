import type { ConnectionDescription } from '../config/connection.ts';
import { parseTableName } from '../sources/table-name.ts';
import type { Check, CheckResult } from './check.ts';
import { lookAtAll } from './look.ts';
import { preflightOf } from './preflights.ts';
import { TargetFacts, type TargetWishes } from './target-facts.ts';
import { SCRIPT_LOOK } from './script.ts';
import { SERVER_LOOKS } from './target-server-looks.ts';
import { STAGING_LOOKS } from './target-staging-looks.ts';
import { TABLE_LOOKS, tableCheck, tableLooks } from './target-table-looks.ts';

const LOOKS = [...SERVER_LOOKS, ...STAGING_LOOKS, ...TABLE_LOOKS];

/**
 * What is looked at at a target, in the order of the results. A check for each table follows; with `all` they are known only
 * when the source has been asked.
 * @throws UsageError for a name in `tables` that is none.
 */
export function plannedTargetChecks(tables: 'all' | readonly string[]): readonly Check[] {
  const named = tables === 'all' ? [] : tables.map((table) => tableCheck(parseTableName(table)));
  return [...LOOKS.map(({ check }) => check), ...named];
}

/**
 * Looks at a target, at everything and not only up to the first failure. Only reads; nothing is created. Results are
 * reported as they come; each table of the source is compared as the engine does it at the start.
 * @throws the reason of `signal` when it aborts; UsageError for a name in `tables` that is none; nothing else, as what fails
 *   is a result.
 */
export async function checkTarget(
  target: ConnectionDescription,
  wishes: TargetWishes,
  report: (result: CheckResult) => void = () => {},
  signal?: AbortSignal,
): Promise<CheckResult[]> {
  const planned = plannedTargetChecks(wishes.tables);
  const facts = new TargetFacts(target, wishes, preflightOf(wishes.source).inquire(wishes));
  try {
    const looks = wishes.userscript === undefined ? LOOKS : [...LOOKS, SCRIPT_LOOK];
    const results = await lookAtAll(looks, facts, report, signal);
    const failure = results.find(({ id, state }) => NEEDED.includes(id) && state !== 'passed');
    if (failure !== undefined) {
      const found = failure.state === 'skipped' ? failure.found : `not looked at, because of: ${failure.title}`;
      const skipped = planned.slice(LOOKS.length).map((check): CheckResult => ({ ...check, state: 'skipped', found }));
      for (const result of skipped) report(result);
      return [...results, ...skipped];
    }
    const tables = tableLooks(await facts.compared(), wishes.tables);
    return [...results, ...(await lookAtAll(tables, facts, report, signal))];
  } finally {
    facts.close();
  }
}

/** Without these no table can be compared. */
const NEEDED = ['target.schema', 'target.tables'];
