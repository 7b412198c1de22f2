import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { SourceTable } from '../../changes/table.ts';
import type { MysqlConnectionDescription } from '../../config/mysql-connection.ts';
import { OperatorError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import { refuseFirst } from '../finding.ts';
import type { ChangeSink, Position, Source } from '../source.ts';
import { BinlogReader, type TruncatePolicy } from './binlog/binlog-reader.ts';
import { TableVersions } from './binlog/table-versions.ts';
import { Charsets } from './charsets.ts';
import { checkpointKey, KIND } from './checkpoint-key.ts';
import { type Connection, close, connect } from './connection.ts';
import { Definitions } from './definitions.ts';
import type { DumpRequest, ReaderIdentity } from './dump.ts';
import { type Flavour, productName } from './flavour.ts';
import type { MysqlIdentity } from './identity.ts';
import type { MysqlMetrics } from './metrics.ts';
import { asMysqlPosition, type MysqlPosition, PositionTracker, parseMysqlPosition } from './positions.ts';
import { searchPrepared } from './prepared-search.ts';
import { checkServer } from './server-checks.ts';
import { type StreamContext, streamError } from './server-errors.ts';
import { select } from './server-facts.ts';
import { fetchesMetadata } from './server-requirements.ts';
import { SourceMonitor } from './source-monitor.ts';
import { hasGeneratedKey, sourceTable } from './source-table.ts';
import { checkStart, identityOf } from './start-position.ts';
import { MysqlStatus } from './status.ts';
import { BinlogStream } from './stream.ts';
import { logsCascades, nameClashFinding } from './tables.ts';
import type { ValueOptions } from './values/column.ts';

export interface MysqlSourceOptions {
  readonly connection: MysqlConnectionDescription;
  /** Replicate all databases, and not only the one that the connection names. */
  readonly allDatabases: boolean;
  /** The GTID set to start from while no checkpoint is stored; empty: the first transaction. Undefined: not given. */
  readonly start: string | undefined;
  /** By which this reader is known to the server: unlike that of any replica. */
  readonly serverId: number;
  /** Read names and types of columns from the catalogue, where the binary log lacks them. */
  readonly fetchMetadata: boolean;
  readonly zeroDates: ValueOptions['zeroDates'];
  readonly truncate: TruncatePolicy;
  /** What is gathered before it can be applied is kept in its directory `spill`. */
  readonly dataDir: string;
  readonly log: Logger;
  readonly metrics?: MysqlMetrics;
}

/** What `connect` finds out, and what outlives streams. */
interface Connected {
  readonly database: string | undefined;
  readonly charsets: Charsets;
  readonly definitions: Definitions;
  readonly fetchMetadata: boolean;
  readonly logsCascades: boolean;
  readonly reader: ReaderIdentity;
}

/** A MySQL server, version 5.7 to 9, or a MariaDB server, 10.6 to 11, read by the GTIDs of its binary log. */
export class MysqlSource implements Source {
  readonly kind = KIND;
  readonly status = new MysqlStatus();
  readonly #options: MysqlSourceOptions;
  readonly #tables = new TableVersions();
  /** Transactions that have to be gathered before any of their rows are handed on, found out by a stream that failed. */
  readonly #gather = new Set<string>();
  readonly #closing = new AbortController();
  #connected: Connected | undefined;
  #identity: MysqlIdentity | undefined;
  #running: Promise<void> = Promise.resolve();
  #startTold = false;

  constructor(options: MysqlSourceOptions) {
    this.#options = options;
  }

  /** Known once `connect` has resolved. Its server moves on when `verifyCheckpoint` accepts a failover. */
  get identity(): MysqlIdentity {
    if (this.#identity === undefined) throw notConnected();
    return this.#identity;
  }

  get logsCascades(): boolean | undefined {
    return this.#connected?.logsCascades;
  }

  async connect(reader: string): Promise<readonly SourceTable[]> {
    const { connection: description, allDatabases, fetchMetadata, serverId, log } = this.#options;
    return this.#asking(async (connection) => {
      // As the server spells it, which may have other capitals.
      const [{ name }] = await select<{ name: string | null }>(connection, 'SELECT DATABASE() AS name');
      const database = allDatabases ? undefined : (name ?? description.database);
      const server = await checkServer(connection, { database, fetchMetadata }, log);
      this.#identity = await identityOf(connection, database);
      const open = () => this.#open();
      const definitions = new Definitions(open);
      this.#connected = {
        database,
        charsets: await Charsets.load(open),
        definitions,
        fetchMetadata: fetchesMetadata(server, fetchMetadata),
        logsCascades: logsCascades(server),
        reader: { flavour: server.version.flavour, serverId, uuid: readerUuid(`${reader}/${serverId}`) },
      };
      const tables = await definitions.readAll(database);
      if (allDatabases) refuseFirst([nameClashFinding(tables)]);
      return tables.filter((table) => !hasGeneratedKey(table)).map(sourceTable);
    });
  }

  checkpointKey(targetSchema: string): string {
    return checkpointKey(targetSchema);
  }

  parsePosition(text: string): MysqlPosition {
    return parseMysqlPosition(text);
  }

  async initialPosition(): Promise<MysqlPosition | undefined> {
    const { start, log } = this.#options;
    if (start === undefined) throw startUnknown(this.identity);
    const position = start.trim() === '' ? undefined : parseMysqlPosition(start);
    log.info(`Using GTID from the command line: ${position ?? 'none, so from the first transaction on'}`);
    this.#startTold = true;
    return position;
  }

  async verifyCheckpoint(
    checkpoint: Position | undefined,
    stored: Readonly<Record<string, string>> | undefined,
  ): Promise<void> {
    const { start, log } = this.#options;
    if (!this.#startTold && checkpoint !== undefined) {
      this.#startTold = true;
      const besides = start === undefined ? '' : '; --defaultGTIDSet is for a start without a checkpoint';
      log.info(`Using GTID Set stored in the memo table: ${checkpoint}${besides}`);
    }
    await this.#asking((connection) => this.#verify(connection, checkpoint, stored));
  }

  async stream(checkpoint: Position | undefined, sink: ChangeSink, signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    if (stop.aborted) return;
    this.status.state = 'connecting';
    const running = this.#run(checkpoint === undefined ? undefined : asMysqlPosition(checkpoint), sink, stop).finally(
      () => {
        this.status.state = 'waiting';
      },
    );
    this.#running = running.catch(() => {}); // its failure is the caller's affair
    await running;
  }

  acknowledge(position: Position): void {
    this.status.acknowledge(asMysqlPosition(position));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(checkpoint: MysqlPosition | undefined, sink: ChangeSink, stop: AbortSignal): Promise<void> {
    const { truncate, zeroDates, dataDir, log, metrics } = this.#options;
    const { status } = this;
    const { database, charsets, definitions, fetchMetadata, reader } = this.#connectedParts;
    const { flavour } = reader;
    const parts = {
      database,
      sink,
      definitions,
      fetchMetadata,
      values: { zeroDates },
      spillDirectory: join(dataDir, 'spill'),
      tables: this.#tables,
      charsets,
      log,
    };
    const decoder = new BinlogReader({
      ...parts,
      flavour,
      positions: new PositionTracker(flavour, checkpoint),
      truncate,
      metrics,
      gather: this.#gather,
      ...(flavour === 'mariadb' && {
        searchPrepared: async (_xid, commit) => searchPrepared(await this.#open(), parts, commit, stop),
      }),
    });
    const monitor = new SourceMonitor(() => this.#open(), flavour, status, log);
    const stream = new BinlogStream(decoder, sink, status, this.#context, (id) => monitor.dumpState(id), log);
    try {
      try {
        const connection = await this.#open();
        await this.#verify(connection, checkpoint, this.identity);
        // What the checkpoint covers is on the target.
        if (checkpoint !== undefined) status.acknowledge(checkpoint);
        if (stop.aborted) return close(connection);
        await stream.start(connection, reader, dumpRequest(flavour, checkpoint));
      } catch (error) {
        if (stop.aborted) return;
        metrics?.dialFailure();
        throw this.#named(error);
      }
      metrics?.dialSuccess();
      status.state = 'streaming';
      monitor.start();
      await stream.run(stop);
    } finally {
      decoder.discard();
      // The server would keep the former stream until it next has something to send.
      if (stream.cutOff !== undefined) await monitor.kill(stream.cutOff);
      monitor.stop();
    }
  }

  /** Refuses to go on from the checkpoint when the server that answers cannot, and remembers who it is. */
  async #verify(
    connection: Connection,
    checkpoint: Position | undefined,
    stored: Readonly<Record<string, string>> | undefined,
  ): Promise<void> {
    const identity = await identityOf(connection, this.#connectedParts.database);
    const { warnings } = await checkStart(connection, { position: checkpoint, identity, stored });
    for (const { code, message } of warnings) this.#options.log.warn(message, { code });
    if (this.#identity?.server !== identity.server) this.#identity = identity;
  }

  get #connectedParts(): Connected {
    if (this.#connected === undefined) throw notConnected();
    return this.#connected;
  }

  get #context(): StreamContext {
    const { connection, serverId } = this.#options;
    return { flavour: this.#connected?.reader.flavour ?? 'mysql', user: connection.user, serverId };
  }

  /** Asks the server something on a connection of its own. */
  async #asking<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#open();
    try {
      return await work(connection);
    } catch (error) {
      throw this.#named(error);
    } finally {
      close(connection);
    }
  }

  #open(): Promise<Connection> {
    return connect(this.#options.connection);
  }

  #named(error: unknown): OperatorError {
    return streamError(error, this.#context);
  }
}

/** An empty GTID set in the form of COM_BINLOG_DUMP_GTID. */
const NO_SETS = Buffer.alloc(8);

function dumpRequest(flavour: Flavour, checkpoint: MysqlPosition | undefined): DumpRequest {
  if (flavour === 'mariadb') return { flavour, position: checkpoint?.toString() ?? '' };
  return { flavour, executed: checkpoint?.encode() ?? NO_SETS };
}

function startUnknown({ flavour }: MysqlIdentity): OperatorError {
  const look =
    flavour === 'mysql'
      ? 'SHOW BINARY LOG STATUS; -- SHOW MASTER STATUS before MySQL 8.2'
      : 'SELECT @@GLOBAL.gtid_binlog_pos;';
  return new OperatorError(
    'MYSQL_GTID_EMPTY',
    `no checkpoint is stored for this target schema, and nobody has said from which GTID set of ${productName(flavour)} to start: what was changed since the data was copied would be missing`,
    {
      fix: `Give the GTID set as of which the data was copied: --defaultGTIDSet '…'\nWhen nothing was changed since, that is what the source has executed by now:\n${look}`,
    },
  );
}

function notConnected(): TypeError {
  return new TypeError('the source is not connected yet');
}

/** The same for the same reader after every restart, so that the server ends what is left of the former connection. */
function readerUuid(name: string): string {
  const hex = createHash('sha256').update(`instar/${name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
