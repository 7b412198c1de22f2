import type { Client } from 'pg';
import type { ConnectionDescription } from '../config/connection.ts';
import type { CheckSide } from '../preflight/check.ts';
import { closeQuietly, openForChecks, testConnection } from '../preflight/connection-test.ts';
import { checkPostgresSource, plannedSourceChecks } from '../preflight/postgres-source.ts';
import { runFix } from '../preflight/run-fix.ts';
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
  readonly testConnection: typeof testConnection;
  readonly plannedSourceChecks: typeof plannedSourceChecks;
  readonly checkSource: typeof checkPostgresSource;
  readonly plannedTargetChecks: typeof plannedTargetChecks;
  readonly checkTarget: typeof checkTarget;
  readonly runFix: typeof runFix;
  /** @throws OperatorError when the source cannot be reached */
  readChoices(source: ConnectionDescription): Promise<SourceChoices>;
  /** @throws OperatorError when the target cannot be reached */
  readSchemas(target: ConnectionDescription): Promise<readonly SchemaSummary[]>;
}

/** The servers themselves. */
export const SERVERS: Servers = {
  testConnection,
  plannedSourceChecks,
  checkSource: checkPostgresSource,
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
