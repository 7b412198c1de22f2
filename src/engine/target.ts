import type pg from 'pg';
import type { ConnectionDescription } from '../config/connection.ts';
import { connect } from '../config/postgres-client.ts';
import type { Metrics } from '../metrics/registry.ts';
import { KIND as ORACLE } from '../sources/oracle/checkpoint-key.ts';
import type { Source } from '../sources/source.ts';
import { readIdentity, writeIdentity } from '../staging/identity.ts';
import { checkpointStatement, ensureCheckpoint, memoKeys, moveCheckpoint, readMemo } from '../staging/memo.ts';
import { alignOracleCheckpoint, oracleCheckpointPart } from '../staging/oracle-checkpoint.ts';
import { openStagingSchema, type StagingSchema } from '../staging/staging-schema.ts';
import { findTargetSchema, storedSpelling } from '../staging/target-schema.ts';
import { readCatalogue } from '../target/catalogue.ts';
import { readDefaults } from '../target/column-defaults.ts';
import { type Dialect, describeServer, type Queryable } from '../target/dialect.ts';
import { type SchemaName, stagingSchemaName, targetSchemaName } from '../target/identifiers.ts';
import { Session } from '../target/session.ts';
import type { CheckpointStore } from './checkpoint.ts';
import type { PipelineParts } from './pipeline.ts';
import { TargetTables } from './target-tables.ts';

export interface TargetSettings {
  /** Undefined: the only one that the staging schema knows. */
  readonly targetSchema: string | undefined;
  readonly stagingSchema: string;
  readonly stagingCreateSchema: boolean;
  /** Milliseconds. */
  readonly applyTimeout: number;
  /** Prepared statements kept on a connection. */
  readonly statementCache: number;
}

/** The target and its staging schema, looked at and ready. */
export interface Target {
  readonly dialect: Dialect;
  readonly schema: SchemaName;
  readonly staging: StagingSchema;
  readonly tables: TargetTables;
  readonly store: CheckpointStore;
  readonly identity: PipelineParts['identity'];
  /** Runs `work` with the connection that is kept for questions, on a new one when that was lost. */
  withClient<T>(work: (client: Queryable) => Promise<T>): Promise<T>;
  connectStaging(): Promise<pg.Client>;
  openSession(): Promise<Session>;
  /** DEFAULT expressions of a table's columns, by their names. */
  defaultsOf(table: string): Promise<ReadonlyMap<string, string>>;
  close(): Promise<void>;
}

/**
 * What a data session is told before its first transaction. Outside of the transactions that it begins itself it may only
 * read: should a BEGIN fail, what was sent behind it must not be carried out piece by piece. On PostgreSQL commits do not wait for the disk, because the
 * applier asks for durability before it acknowledges anything; and set statements always go by index, whatever the
 * statistics of a table that was empty a minute ago.
 */
export function sessionSettings(dialect: Dialect, applyTimeout: number): string {
  const common = [
    `SET statement_timeout = ${Math.round(applyTimeout)}`,
    'SET default_transaction_read_only = on',
    `SET timezone = 'UTC'`,
    `SET intervalstyle = 'postgres'`,
  ];
  if (dialect.product === 'cockroachdb') return common.join('; ');
  const planner = ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit'].map((name) => `SET ${name} = off`);
  return [
    ...common,
    ...planner,
    `SET datestyle = 'ISO, MDY'`,
    'SET array_nulls = on',
    'SET plan_cache_mode = force_generic_plan',
    'SET idle_in_transaction_session_timeout = 0',
    'SET synchronous_commit = off',
  ].join('; ');
}

/** A server that must cut a statement off after `--applyTimeout` gets this much longer to say so, milliseconds. */
const ANSWER_SLACK = 15_000;

/** Milliseconds that a question may take. */
const QUESTION_TIMEOUT = 30_000;

/** A connection that is opened when it is needed and again after it was lost. Its users take turns: some open transactions. */
class LazyClient {
  readonly #open: () => Promise<pg.Client>;
  #client: Promise<pg.Client> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(open: () => Promise<pg.Client>) {
    this.#open = open;
  }

  use<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => this.#run(work));
    this.#turn = result.catch(() => {});
    return result;
  }

  async #run<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    this.#client ??= this.#open().then((client) => {
      client.on('end', () => {
        this.#client = undefined;
      });
      return client;
    });
    try {
      return await work(await this.#client);
    } catch (error) {
      // Whatever state the failure left it in, the next one starts afresh.
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.then((open) => open.end()).catch(() => {});
  }
}

/**
 * Connects to the target and to the staging schema, and reads the catalogue.
 * @throws OperatorError, UsageError of the parts: connection, names, staging schema.
 */
export async function openTarget(
  connection: ConnectionDescription,
  stagingConnection: ConnectionDescription | undefined,
  source: Pick<Source, 'kind' | 'checkpointKey'>,
  settings: TargetSettings,
  metrics: Metrics,
): Promise<Target> {
  const dial = async (description: ConnectionDescription, side: 'target' | 'staging') => {
    const started = performance.now();
    metrics.handle.pool_dial_error_count.inc({ pool: side }, 0);
    try {
      const client = await connect(description, side, { query_timeout: QUESTION_TIMEOUT });
      metrics.handle.pool_dial_success_count.inc({ pool: side });
      metrics.handle.pool_sql_ready_latency_seconds.observe({ pool: side }, (performance.now() - started) / 1000);
      return client;
    } catch (error) {
      metrics.handle.pool_dial_error_count.inc({ pool: side });
      throw error;
    }
  };
  const client = new LazyClient(() => dial(connection, 'target'));
  const connectStaging = () =>
    dial(stagingConnection ?? connection, stagingConnection === undefined ? 'target' : 'staging');
  const stagingClient = stagingConnection === undefined ? client : new LazyClient(connectStaging);
  try {
    const server = await client.use(describeServer);
    const stagingServer = stagingConnection === undefined ? server : await stagingClient.use(describeServer);
    const staging = { name: stagingSchemaName(settings.stagingSchema, stagingServer), dialect: stagingServer.dialect };
    await stagingClient.use((open) => openStagingSchema(open, staging, { create: settings.stagingCreateSchema }));
    const raw =
      settings.targetSchema ??
      (await stagingClient.use((open) => findTargetSchema(open, staging, source.kind, source.checkpointKey(''))));
    const known = await stagingClient.use((open) => memoKeys(open, staging, source.checkpointKey('')));
    const schema = storedSpelling(
      targetSchemaName(raw, server),
      known.map((stored) => stored.slice(source.checkpointKey('').length)),
      server,
    );
    const key = source.checkpointKey(schema.raw);
    await stagingClient.use((open) => ensureCheckpoint(open, staging, key));
    const besides = source.kind === ORACLE ? oracleCheckpointPart(staging) : undefined;
    if (besides !== undefined) await stagingClient.use((open) => alignOracleCheckpoint(open, staging, key));
    const { dialect } = server;
    const catalogue = () => client.use((open) => readCatalogue(open, dialect, schema));
    return {
      dialect,
      schema,
      staging,
      tables: await TargetTables.open(schema, dialect, catalogue),
      store: {
        key,
        fence: stagingConnection === undefined ? checkpointStatement(staging.name, dialect, besides) : undefined,
        read: () => stagingClient.use((open) => readMemo(open, staging, key)),
        write: (position, expected) =>
          stagingClient.use((open) => moveCheckpoint(open, staging, key, position, expected, besides)),
      },
      identity: {
        read: async () =>
          (await stagingClient.use((open) => readIdentity(open, staging, source.kind, schema.raw)))?.source,
        write: (identity) => stagingClient.use((open) => writeIdentity(open, staging, source.kind, schema, identity)),
      },
      withClient: (work) => client.use(work),
      connectStaging,
      async openSession() {
        const open = await dial(connection, 'target');
        const session = new Session(open, settings.statementCache, settings.applyTimeout + ANSWER_SLACK);
        await session.run(sessionSettings(dialect, settings.applyTimeout));
        return session;
      },
      defaultsOf: (table) => client.use((open) => readDefaults(open, dialect, schema, table)),
      async close() {
        await client.close();
        if (stagingClient !== client) await stagingClient.close();
      },
    };
  } catch (error) {
    await client.close();
    if (stagingClient !== client) await stagingClient.close();
    throw error;
  }
}
