import type { Client } from 'pg';
import type { ConnectionDescription } from '../config/connection.ts';
import type { SourceConnection } from '../config/source-connection.ts';
import type { Check, CheckResult, CheckSide } from '../preflight/check.ts';
import { type ConnectionFacts, closeQuietly, openForChecks, testConnection } from '../preflight/connection-test.ts';
import { preflightOf } from '../preflight/preflights.ts';
import { runFix } from '../preflight/run-fix.ts';
import type { SourceWishes } from '../preflight/source-wishes.ts';
import { checkTarget, plannedTargetChecks } from '../preflight/target.ts';
import {
  listPublications,
  listSlots,
  listTables,
  type PublicationSummary,
  type SlotSummary,
  type TableSummary,
} from '../sources/postgres/setup.ts';
import { listSchemas, type SchemaSummary } from '../target/schemas.ts';

/** What a source has to choose from. */
export interface SourceChoices {
  readonly tables: readonly TableSummary[];
  readonly publications: readonly PublicationSummary[];
  readonly slots: readonly SlotSummary[];
}

/** Everything that the setup asks of servers, before the launch. Only `runFix` changes anything. */
export interface Servers {
  /** Connects and asks who is there. @throws OperatorError of the connection */
  testConnection(connection: SourceConnection, side: CheckSide): Promise<ConnectionFacts>;
  plannedSourceChecks(source: SourceConnection): readonly Check[];
  checkSource(
    source: SourceConnection,
    wishes: SourceWishes,
    report?: (result: CheckResult) => void,
    signal?: AbortSignal,
  ): Promise<CheckResult[]>;
  readonly plannedTargetChecks: typeof plannedTargetChecks;
  readonly checkTarget: typeof checkTarget;
  readonly runFix: typeof runFix;
  /** @throws OperatorError when the source cannot be reached */
  readChoices(source: SourceConnection): Promise<SourceChoices>;
  /** @throws OperatorError when the target cannot be reached */
  readSchemas(target: ConnectionDescription): Promise<readonly SchemaSummary[]>;
}

/** The servers themselves. */
export const SERVERS: Servers = {
  testConnection: (connection, side) =>
    side === 'source' ? preflightOf(connection).test() : testConnection(connection, side),
  plannedSourceChecks: (source) => preflightOf(source).planned,
  checkSource: (source, wishes, report, signal) => preflightOf(source).check(wishes, report, signal),
  plannedTargetChecks,
  checkTarget,
  runFix,
  readChoices: (source) =>
    asked(source, 'source', async (client) => ({
      tables: await listTables(client),
      publications: await listPublications(client),
      slots: await listSlots(client),
    })),
  readSchemas: (target) => asked(target, 'target', listSchemas),
};

async function asked<T>(
  description: ConnectionDescription,
  side: CheckSide,
  ask: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await openForChecks(description, side);
  try {
    return await ask(client);
  } finally {
    closeQuietly(client);
  }
}
