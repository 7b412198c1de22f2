import type { Logger } from '../../log/logger.ts';
import { type Finding, refuseFirst } from '../finding.ts';
import type { OracleConnection } from './connection.ts';
import { missingRights } from './privileges.ts';
import { readSentinel, readServer } from './server-facts.ts';
import {
  archiveFinding,
  containersFinding,
  forceLoggingFinding,
  keyLoggingFinding,
  logSizeFinding,
  minimalLoggingFinding,
  primaryFinding,
  rightsFinding,
  sentinelFinding,
  versionFinding,
} from './server-requirements.ts';

/** Whom the two connections belong to, and whose tables are wanted. */
export interface ServerQuestion {
  readonly mining: OracleConnection;
  readonly tables: OracleConnection;
  readonly owner: string;
  readonly miningUser: string;
  readonly tablesUser: string;
}

/**
 * Refuses a server from which not everything could be read; warns of what will be worse than it need be.
 * @throws OperatorError of the first finding that is not enough
 */
export async function checkServer(question: ServerQuestion, log: Logger): Promise<void> {
  const { mining, tables, owner, miningUser, tablesUser } = question;
  refuseFirst([rightsFinding(await missingRights(mining, { side: 'mining' }), miningUser)]);
  const facts = await readServer(mining, tables);
  refuseFirst([
    versionFinding(facts),
    containersFinding(facts),
    primaryFinding(facts),
    archiveFinding(facts),
    minimalLoggingFinding(facts),
    keyLoggingFinding(facts),
    sentinelFinding(await readSentinel(tables, owner), owner, tablesUser),
  ]);
  const cluster = facts.threads.filter(({ open }) => open).length > 1;
  const missing = await missingRights(tables, { side: 'tables', sentinel: owner, cluster });
  refuseFirst([rightsFinding(missing, tablesUser)]);
  // Without it the stream works, and what is loaded without redo is missing silently: that has to be said.
  warn([forceLoggingFinding(facts), logSizeFinding(facts)], log);
}

function warn(findings: readonly Finding[], log: Logger): void {
  for (const { refusal } of findings) {
    if (refusal !== undefined) log.warn(refusal.error.message, { code: refusal.error.code, fix: refusal.error.fix });
  }
}
