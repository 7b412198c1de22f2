import { join } from 'node:path';
import type { Client } from 'pg';
import type { SourceTable } from '../../changes/table.ts';
import type { ConnectionDescription } from '../../config/connection.ts';
import { connect } from '../../config/postgres-client.ts';
import { OperatorError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { ChangeSink, Position, Source } from '../source.ts';
import { checkpointKey, KIND } from './checkpoint-key.ts';
import { checkResumable, identityOf, type SourceIdentity } from './identity.ts';
import { asLsn, Lsn } from './lsn.ts';
import type { PostgresMetrics } from './metrics.ts';
import { PgoutputDecoder, type TruncatePolicy } from './pgoutput.ts';
import { checkSource } from './preflight.ts';
import { Relations } from './relations.ts';
import { closeClient, ReplicationConnection, type SessionFacts } from './replication-connection.ts';
import { streamError } from './server-errors.ts';
import { checkSlot } from './slot.ts';
import { SlotMonitor } from './slot-monitor.ts';
import { PostgresStatus } from './status.ts';
import { ReplicationStream } from './stream.ts';

export interface PostgresSourceOptions {
  readonly connection: ConnectionDescription;
  readonly slotName: string;
  /** Left out: the only publication of the source database. */
  readonly publicationName?: string;
  /** Milliseconds between status updates to the source; fewer are waited when the source would cut off earlier. */
  readonly standbyTimeout: number;
  readonly truncate: TruncatePolicy;
  /** Large transactions that are still open at the source are gathered in its directory `spill`. */
  readonly dataDir: string;
  readonly log: Logger;
  readonly metrics?: PostgresMetrics;
}

/** Milliseconds that the source is given to answer a query. */
const ANSWER_TIMEOUT = 30_000;

/** Milliseconds that it is given at most to say how the slot is while a stream runs. */
const LOOK_TIMEOUT = 5000;

/** A PostgreSQL database, version 12 to 18, read through a logical replication slot with the pgoutput plugin. */
export class PostgresSource implements Source {
  readonly kind = KIND;
  readonly status = new PostgresStatus();
  readonly #options: PostgresSourceOptions;
  /** Outlives streams, so that tables keep their objects across reconnections. */
  readonly #relations = new Relations();
  #publication = '';
  #identity: SourceIdentity | undefined;
  #stream: ReplicationStream | undefined;
  readonly #closing = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: PostgresSourceOptions) {
    this.#options = options;
  }

  /** Known once `connect` has resolved. Its timeline moves on when `verifyCheckpoint` accepts a failover. */
  get identity(): SourceIdentity {
    if (this.#identity === undefined) throw new TypeError('the source is not connected yet');
    return this.#identity;
  }

  async connect(): Promise<readonly SourceTable[]> {
    const { slotName, publicationName, log } = this.#options;
    const client = await this.#open();
    let checked: Awaited<ReturnType<typeof checkSource>>;
    try {
      checked = await checkSource(client, slotName, publicationName, log);
    } catch (error) {
      throw this.#named(error);
    } finally {
      await closeClient(client);
    }
    this.#publication = checked.publication.name;
    this.#relations.types = checked.types;
    const { connection } = await this.#openReplication();
    try {
      this.#identity = identityOf(await connection.identify(), slotName);
    } catch (error) {
      throw this.#named(error);
    } finally {
      await connection.close();
    }
    return checked.published.map(({ relation, table }) => this.#relations.intern(relation, table));
  }

  checkpointKey(targetSchema: string): string {
    return checkpointKey(targetSchema);
  }

  parsePosition(text: string): Lsn {
    return Lsn.parse(text);
  }

  async verifyCheckpoint(
    checkpoint: Position | undefined,
    stored: Readonly<Record<string, string>> | undefined,
  ): Promise<void> {
    const { connection } = await this.#openReplication();
    try {
      await this.#verify(connection, checkpoint === undefined ? undefined : asLsn(checkpoint), stored);
    } catch (error) {
      throw this.#named(error);
    } finally {
      await connection.close();
    }
  }

  async stream(checkpoint: Position | undefined, sink: ChangeSink, signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    if (stop.aborted) return;
    this.status.state = 'connecting';
    const running = this.#run(checkpoint === undefined ? undefined : asLsn(checkpoint), sink, stop).finally(() => {
      this.status.state = 'waiting';
    });
    this.#running = running.catch(() => {}); // its failure is the caller's affair
    await running;
  }

  acknowledge(position: Position): void {
    if (this.status.acknowledge(asLsn(position).value)) this.#stream?.acknowledged();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(checkpoint: Lsn | undefined, sink: ChangeSink, stop: AbortSignal): Promise<void> {
    const { slotName, standbyTimeout, dataDir, log, metrics, truncate } = this.#options;
    const { status } = this;
    const decoder = new PgoutputDecoder(this.#relations, sink, checkpoint, {
      truncate,
      spillDirectory: join(dataDir, 'spill'),
      log,
      metrics,
    });
    let connection: ReplicationConnection | undefined;
    let monitor: SlotMonitor | undefined;
    const cut = () => connection?.cut();
    stop.addEventListener('abort', cut);
    try {
      let session: SessionFacts;
      let stream: ReplicationStream;
      try {
        ({ connection, session } = await this.#openReplication());
        await this.#verify(connection, checkpoint, this.identity);
        // What the checkpoint covers is in the memo, so the source may forget it.
        if (checkpoint !== undefined) status.acknowledge(checkpoint.value);
        const pid = await connection.pid();
        const settings = {
          slot: slotName,
          publication: this.#publication,
          version: session.version,
          from: checkpoint ?? Lsn.zero,
          standbyTimeout,
          walSenderTimeout: session.walSenderTimeout,
        };
        const answerTimeout = Math.min(session.walSenderTimeout || LOOK_TIMEOUT, LOOK_TIMEOUT);
        const watching = new SlotMonitor(() => this.#open(), slotName, status, answerTimeout, log);
        monitor = watching;
        stream = new ReplicationStream(connection, decoder, sink, settings, status, () => watching.isServed(pid), log);
        await stream.start();
      } catch (error) {
        if (stop.aborted) return;
        metrics?.dialFailure();
        throw this.#named(error);
      }
      stop.removeEventListener('abort', cut); // from here on the stream says goodbye
      metrics?.dialSuccess();
      this.#stream = stream;
      status.state = 'streaming';
      monitor?.start();
      await stream.run(stop);
    } finally {
      stop.removeEventListener('abort', cut);
      this.#stream = undefined;
      decoder.discard();
      await Promise.all([monitor?.stop(), connection?.close()]);
    }
  }

  /** Refuses to go on from the checkpoint when the server that answers cannot, and remembers who it is. */
  async #verify(
    connection: ReplicationConnection,
    checkpoint: Lsn | undefined,
    stored: Readonly<Record<string, string>> | undefined,
  ): Promise<void> {
    const { slotName } = this.#options;
    const system = await connection.identify();
    const slot = await connection.slot(slotName);
    checkSlot(slot, slotName, system.database);
    this.status.headAt(system.flushed.value);
    await checkResumable(system, slot, checkpoint, stored, () => connection.timelineHistory(system.timeline));
    const identity = identityOf(system, slotName);
    if (this.#identity?.systemId !== identity.systemId || this.#identity.timeline !== identity.timeline) {
      this.#identity = identity;
    }
  }

  async #openReplication(): Promise<{ connection: ReplicationConnection; session: SessionFacts }> {
    const client = await this.#open('database');
    const connection = new ReplicationConnection(client);
    try {
      const session = await connection.prepare();
      if (session.inRecovery) {
        throw new OperatorError(
          'PG_IN_RECOVERY',
          'the source is a standby (it is in recovery); replication reads from the primary only',
          { fix: 'Connect to the primary, or wait until this server is promoted.', transient: true },
        );
      }
      return { connection, session };
    } catch (error) {
      await connection.close();
      throw this.#named(error);
    }
  }

  #open(replication?: 'database'): Promise<Client> {
    const extra = replication === undefined ? { query_timeout: ANSWER_TIMEOUT } : { replication };
    return connect(this.#options.connection, 'source', extra);
  }

  #named(error: unknown): OperatorError {
    return streamError(error, { slot: this.#options.slotName, publication: this.#publication, started: false });
  }
}
