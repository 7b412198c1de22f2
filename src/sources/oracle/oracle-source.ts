import type { SourceTable } from '../../changes/table.ts';
import type { OracleConnectionDescription } from '../../config/oracle-connection.ts';
import { OperatorError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { ChangeSink, Position, Source } from '../source.ts';
import { checkpointKey, KIND } from './checkpoint-key.ts';
import { close, connect, type OracleConnection } from './connection.ts';
import { checkStart, type OracleIdentity, readIdentity } from './identity.ts';
import { LogMinerSession, readCurrentScn } from './logminer-session.ts';
import type { OracleMetrics } from './metrics.ts';
import { Miner } from './miner.ts';
import { oracleError, remedyOf } from './ora-errors.ts';
import { asScnPosition, parseScnPosition, ScnPosition } from './position.ts';
import { RedoReader, type TruncatePolicy } from './redo/redo-reader.ts';
import type { Scn } from './scn.ts';
import { SENTINEL } from './sentinel.ts';
import { checkServer } from './server-checks.ts';
import { sourceTable } from './source-table.ts';
import { readStart } from './start-scn.ts';
import { OracleStatus } from './status.ts';
import { TablePlans } from './table-plans.ts';
import { problemCode, readTables } from './tables.ts';
import { Transactions } from './transactions.ts';
import { Windows } from './windows.ts';

export interface OracleSourceOptions {
  /** Of the whole server (CDB$ROOT), or of the only database that it has. */
  readonly connection: OracleConnectionDescription;
  /** Of the pluggable database; undefined on a server without any. */
  readonly pdbConnection: OracleConnectionDescription | undefined;
  /** Owner of the tables, as Oracle spells it. */
  readonly sourceSchema: string;
  /** The SCN as of which the data was copied; undefined: not given. */
  readonly scn: Scn | undefined;
  /** The SCN at which the oldest transaction began that was open then; undefined: not given. */
  readonly backfillFrom: Scn | undefined;
  /** Users whose open transactions count for where to begin; none named: everybody's. */
  readonly applicationUsers: readonly string[];
  /** SCNs in a window at most; undefined: as many as are right. */
  readonly windowLimit: Scn | undefined;
  readonly truncate: TruncatePolicy;
  /** What open transactions hold beyond the budget is kept in its directory `spill`. */
  readonly dataDir: string;
  /** Bytes that open transactions may hold in memory. */
  readonly memoryBudget: number;
  readonly log: Logger;
  readonly metrics?: OracleMetrics;
}

/** Milliseconds for one question: a start of LogMiner may take its time, and a server that never answers is given up. */
const CALL_TIMEOUT = 300_000;

/** The two connections of a stream. */
interface Connections {
  readonly mining: OracleConnection;
  readonly tables: OracleConnection;
}

/** An Oracle database, 12.2 to 23ai, read with LogMiner. */
export class OracleSource implements Source {
  readonly kind = KIND;
  readonly status = new OracleStatus();
  /** What a foreign key deletes has redo of its own. */
  readonly logsCascades = true;
  readonly #options: OracleSourceOptions;
  readonly #windows: Windows;
  readonly #closing = new AbortController();
  #identity: OracleIdentity | undefined;
  #running: Promise<void> = Promise.resolve();
  #begun = false;

  constructor(options: OracleSourceOptions) {
    this.#options = options;
    this.#windows = new Windows(options.windowLimit);
  }

  /** Known once `connect` has resolved. */
  get identity(): OracleIdentity {
    if (this.#identity === undefined) throw new TypeError('the source is not connected yet');
    return this.#identity;
  }

  async connect(): Promise<readonly SourceTable[]> {
    const { sourceSchema, log } = this.#options;
    return this.#asking(async ({ mining, tables }) => {
      const { connection, pdbConnection } = this.#options;
      const users = { miningUser: connection.user, tablesUser: (pdbConnection ?? connection).user };
      await checkServer({ mining, tables, owner: sourceSchema, ...users }, log);
      this.#identity = await readIdentity(mining, tables, sourceSchema);
      const found = await readTables(tables, sourceSchema);
      for (const { name, columns, problem } of found) {
        if (problem !== undefined)
          log.warn(`${sourceSchema}.${name} cannot be replicated: ${problem}`, { code: problemCode(name, columns) });
      }
      return found.filter(({ name, problem }) => name !== SENTINEL && problem === undefined).map(sourceTable);
    });
  }

  checkpointKey(targetSchema: string): string {
    return checkpointKey(targetSchema);
  }

  parsePosition(text: string): ScnPosition {
    return parseScnPosition(text);
  }

  async initialPosition(): Promise<ScnPosition> {
    const { scn, backfillFrom, log } = this.#options;
    if (scn === undefined) throw startUnknown();
    if (backfillFrom !== undefined && backfillFrom > scn) throw backfillAfterScn(backfillFrom, scn);
    this.#begun = true;
    // The first row of the oldest transaction may stand at that very SCN.
    const mineFrom = backfillFrom === undefined || backfillFrom === 0n ? scn : backfillFrom - 1n;
    await this.#asking((connections) => this.#tellOpen(connections, mineFrom));
    const open = backfillFrom === undefined ? '' : `, with what was open since SCN ${backfillFrom}`;
    log.info(`Using SCN from the command line: ${scn}${open}`);
    return new ScnPosition(mineFrom, scn);
  }

  async verifyCheckpoint(
    checkpoint: Position | undefined,
    stored: Readonly<Record<string, string>> | undefined,
  ): Promise<void> {
    const { scn, backfillFrom, log } = this.#options;
    if (checkpoint === undefined) return;
    if (!this.#begun) {
      if (scn !== undefined || backfillFrom !== undefined) throw scnAndCheckpoint(asScnPosition(checkpoint));
      this.#begun = true;
      log.info(`Using SCN stored in the staging schema: ${checkpoint}`);
    }
    await this.#asking(({ mining }) => checkStart(mining, asScnPosition(checkpoint), this.identity, stored));
  }

  async stream(checkpoint: Position | undefined, sink: ChangeSink, signal: AbortSignal): Promise<void> {
    if (checkpoint === undefined) throw startUnknown();
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    if (stop.aborted) return;
    this.status.state = 'connecting';
    const running = this.#run(asScnPosition(checkpoint), sink, stop).finally(() => {
      this.status.state = 'waiting';
    });
    this.#running = running.catch(() => {}); // its failure is the caller's affair
    await running;
  }

  acknowledge(): void {
    // A server keeps its redo by age, whoever reads it.
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(start: ScnPosition, sink: ChangeSink, stop: AbortSignal): Promise<void> {
    const { sourceSchema: owner, truncate, dataDir, memoryBudget, log, metrics } = this.#options;
    const { status } = this;
    const transactions = new Transactions(start, dataDir, memoryBudget);
    let connections: Connections | undefined;
    try {
      connections = await this.#open();
      const { mining, tables } = connections;
      await checkStart(mining, start, this.identity, this.identity);
      const plans = new TablePlans(sink, async () => {
        const { scn: asOf } = await readCurrentScn(mining);
        return { tables: await readTables(tables, owner), asOf };
      });
      await plans.load();
      const session = new LogMinerSession(mining, owner, this.identity.container || undefined);
      const reader = new RedoReader({ owner, plans, transactions, sink, truncate, log, metrics });
      const windows = this.#windows;
      const parts = {
        mining,
        tables,
        owner,
        session,
        reader,
        transactions,
        plans,
        windows,
        sink,
        status,
        log,
        metrics,
      };
      status.state = 'streaming';
      await new Miner(parts, start.mineFrom).run(stop);
      await session.end().catch(() => {}); // its memory at the server goes with the connection at the latest
    } catch (error) {
      if (stop.aborted) return;
      if (remedyOf(error) === 'shrink') this.#windows.failed();
      throw this.#named(error);
    } finally {
      transactions.discard();
      if (connections !== undefined) await closeBoth(connections);
    }
  }

  /** Of a transaction that began before the redo which is read, the rows from before would be missing. */
  async #tellOpen({ mining, tables }: Connections, mineFrom: Scn): Promise<void> {
    const { applicationUsers, log } = this.#options;
    const { oldest } = await readStart(mining, tables, applicationUsers);
    if (oldest === undefined || oldest.scn > mineFrom) return;
    log.warn(
      `a transaction of ${oldest.user || 'an unknown user'} is open since ${oldest.since} (SCN ${oldest.scn}), from before the redo that is read: what it did up to SCN ${mineFrom} in tables of this replication is not replicated`,
      {
        code: 'ORACLE_OPEN_TRANSACTIONS',
        fix: `Begin anew with --backfillFromSCN ${oldest.scn}, or name the users that count with --oracle-application-users.`,
      },
    );
  }

  async #asking<T>(work: (connections: Connections) => Promise<T>): Promise<T> {
    const connections = await this.#open();
    try {
      return await work(connections);
    } catch (error) {
      throw this.#named(error);
    } finally {
      await closeBoth(connections);
    }
  }

  async #open(): Promise<Connections> {
    const { connection, pdbConnection } = this.#options;
    const mining = await connect(connection, { action: 'LogMiner', callTimeout: CALL_TIMEOUT });
    try {
      return {
        mining,
        tables: await connect(pdbConnection ?? connection, { action: 'sentinel', callTimeout: CALL_TIMEOUT }),
      };
    } catch (error) {
      await close(mining);
      throw error;
    }
  }

  #named(error: unknown): OperatorError {
    if (error instanceof OperatorError) return error;
    const { user, display } = this.#options.connection;
    return oracleError(error, { user, place: display });
  }
}

async function closeBoth({ mining, tables }: Connections): Promise<void> {
  await Promise.all([close(mining), close(tables)]);
}

function startUnknown(): OperatorError {
  return new OperatorError(
    'ORACLE_SCN_EMPTY',
    'no checkpoint is stored for this target schema, and nobody has said from which SCN to start: what was changed since the data was copied would be missing',
    {
      fix: 'Give the SCN as of which the data was copied, and that of the oldest transaction which was open then: --scn … --backfillFromSCN …\nWhen nothing was changed since, that is\nSELECT TO_CHAR(CURRENT_SCN) FROM V$DATABASE;\nSELECT TO_CHAR(MIN(START_SCN)) FROM V$TRANSACTION;',
    },
  );
}

function backfillAfterScn(backfillFrom: Scn, scn: Scn): OperatorError {
  return new OperatorError(
    'ORACLE_BACKFILL_AFTER_SCN',
    `--backfillFromSCN ${backfillFrom} is behind --scn ${scn}: it is to be the SCN at which the oldest transaction began that was still open at --scn`,
    { fix: 'Leave it out when nothing was open.' },
  );
}

function scnAndCheckpoint(checkpoint: ScnPosition): OperatorError {
  return new OperatorError(
    'ORACLE_SCN_AND_CHECKPOINT',
    `a checkpoint is stored for this target schema (${checkpoint}), so --scn and --backfillFromSCN cannot be followed: starting there would apply again what is applied, or leave out what is not`,
    {
      fix: 'To go on where it stopped, leave out --scn and --backfillFromSCN.\nTo begin anew, load the tables again and clear the checkpoint: delete its rows from memo and _oracle_checkpoint in the staging schema.',
    },
  );
}
