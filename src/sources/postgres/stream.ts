import { OperatorError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { ChangeSink } from '../source.ts';
import { Lsn } from './lsn.ts';
import { Message } from './message-types.ts';
import { messageName, protocolError } from './protocol-error.ts';
import type { PgoutputDecoder } from './pgoutput.ts';
import { publicationDropped } from './publication.ts';
import type { ReplicationConnection } from './replication-connection.ts';
import { streamError } from './server-errors.ts';
import type { PostgresStatus } from './status.ts';

export interface StreamSettings {
  readonly slot: string;
  readonly publication: string;
  /** `server_version_num`. */
  readonly version: number;
  /** Where to start; the slot's own start when zero. */
  readonly from: Lsn;
  /** Milliseconds between status updates. */
  readonly standbyTimeout: number;
  /** Milliseconds; 0 when the server never cuts off. */
  readonly walSenderTimeout: number;
}

/** CopyData payloads that the server sends. */
const XLOG_DATA = 0x77;
const KEEPALIVE = 0x6b;
const XLOG_DATA_HEADER = 25;
const KEEPALIVE_LENGTH = 18;

/** Milliseconds between two status updates that only tell of progress. */
const PROGRESS_INTERVAL = 100;

/** Milliseconds that the server is given to end the stream when asked. */
const STOP_TIMEOUT = 2000;

/** Silence, in milliseconds, that is judged by when the server has no wal_sender_timeout of its own. */
const USUAL_WAL_SENDER_TIMEOUT = 60_000;

/** object_not_in_prerequisite_state: the code of the warning that a publication is gone, PostgreSQL 18 and newer. */
const PUBLICATION_SKIPPED = '55000';

/** One run of START_REPLICATION: hands what comes to the decoder and keeps the server informed. */
export class ReplicationStream {
  readonly #connection: ReplicationConnection;
  readonly #decoder: PgoutputDecoder;
  readonly #sink: ChangeSink;
  readonly #settings: StreamSettings;
  readonly #status: PostgresStatus;
  readonly #isServed: () => Promise<boolean>;
  readonly #log: Logger;
  readonly #interval: number;
  readonly #silenceLimit: number;
  readonly #outcome = Promise.withResolvers<void>();

  #over = false;
  #stopping = false;
  #started = false;
  #paused = false;
  #checkingSilence = false;
  #received: bigint;
  #lastSent = 0;
  #lastTick = 0;
  #heardAt = 0;
  #ticker: NodeJS.Timeout | undefined;
  #progressTimer: NodeJS.Timeout | undefined;
  #stopTimer: NodeJS.Timeout | undefined;

  /** @param isServed asks the server, on another connection, whether it still works for this stream */
  constructor(
    connection: ReplicationConnection,
    decoder: PgoutputDecoder,
    sink: ChangeSink,
    settings: StreamSettings,
    status: PostgresStatus,
    isServed: () => Promise<boolean>,
    log: Logger,
  ) {
    this.#connection = connection;
    this.#decoder = decoder;
    this.#sink = sink;
    this.#settings = settings;
    this.#status = status;
    this.#isServed = isServed;
    this.#log = log;
    this.#received = settings.from.value;
    // The server must hear of this reader in time also while reading is paused and its questions are not seen.
    const { standbyTimeout, walSenderTimeout } = settings;
    this.#interval = Math.max(
      10,
      walSenderTimeout > 0 ? Math.min(standbyTimeout, walSenderTimeout / 3) : standbyTimeout,
    );
    this.#silenceLimit = 1.5 * Math.max(walSenderTimeout || USUAL_WAL_SENDER_TIMEOUT, this.#interval);
  }

  /** Resolves when the server has agreed to stream; rejects with an OperatorError. */
  async start(): Promise<void> {
    const { slot, from, publication, version } = this.#settings;
    const { started, ended } = this.#connection.start(slot, from, publication, version, {
      data: (buffer, from, to) => this.#receive(buffer, from, to),
      heard: (bytes) => this.#hear(bytes),
      notice: (code, message) => this.#notice(code, message),
    });
    ended.then(
      () => this.#end(new Error('the server ended the stream')),
      (error: unknown) => this.#end(error),
    );
    try {
      await Promise.race([started, this.#outcome.promise]);
    } catch (error) {
      throw streamError(error, { slot, publication, started: false });
    }
    this.#started = true;
  }

  /** Streams until `signal` aborts, then resolves, or until something fails, then rejects with an OperatorError. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#stop();
    this.#heardAt = this.#lastTick = Date.now();
    this.#sendStatus(false);
    this.#ticker = setInterval(() => this.#tick(), this.#interval);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      await this.#outcome.promise;
    } finally {
      signal.removeEventListener('abort', stop);
      clearInterval(this.#ticker);
      clearTimeout(this.#progressTimer);
      clearTimeout(this.#stopTimer);
    }
  }

  /** What was acknowledged has moved on: the server is told now, or soon when it was told just before. */
  acknowledged(): void {
    if (!this.#started || this.#over || this.#stopping || this.#progressTimer !== undefined) return;
    const wait = this.#lastSent + PROGRESS_INTERVAL - Date.now();
    if (wait <= 0) this.#sendStatus(false);
    else this.#progressTimer = setTimeout(() => this.#sendStatus(false), wait);
  }

  #receive(buffer: Buffer, start: number, end: number): void {
    if (this.#over || this.#stopping) return;
    try {
      const type = start < end ? buffer[start] : 0;
      if (type === XLOG_DATA) this.#xlogData(buffer, start, end);
      else if (type === KEEPALIVE) this.#keepalive(buffer, start, end);
      else throw protocolError(messageName(type), 0, 'its type is unknown');
      if (this.#sink.full && !this.#paused) this.#pause();
    } catch (error) {
      this.#end(error);
    }
  }

  #xlogData(buffer: Buffer, start: number, end: number): void {
    const message = start + XLOG_DATA_HEADER;
    if (end <= message) throw protocolError("'w'", end - start, 'it is cut short');
    if (this.#log.enabled('trace')) {
      this.#log.trace('xlog data', {
        ByteCount: end - message,
        ServerTime: serverTime(buffer, start + 17),
        ServerWALEnd: positionAt(buffer, start + 9).toString(),
        WALStart: positionAt(buffer, start + 1).toString(),
      });
    }
    this.#decoder.decode(buffer, message, end);
    // Rows do not need it: the Commit that follows them tells as much.
    const type = buffer[message];
    if (type === Message.commit || type === Message.streamCommit) this.#reached(buffer.readBigUInt64BE(start + 9));
  }

  #keepalive(buffer: Buffer, start: number, end: number): void {
    if (end - start !== KEEPALIVE_LENGTH) throw protocolError("'k'", end - start, 'its length is wrong');
    const position = buffer.readBigUInt64BE(start + 1);
    const reply = buffer[start + 17] === 1;
    if (this.#log.enabled('debug')) {
      this.#log.debug('primary keepalive received', {
        ReplyRequested: reply,
        ServerTime: serverTime(buffer, start + 9),
        ServerWALEnd: new Lsn(position).toString(),
      });
    }
    this.#reached(position);
    this.#decoder.keepalive(position);
    if (reply) this.#sendStatus(false);
  }

  #reached(position: bigint): void {
    if (position <= this.#received) return;
    this.#received = position;
    this.#status.headAt(position);
  }

  #hear(bytes: number): void {
    this.#heardAt = Date.now();
    this.#status.received += bytes;
    this.#status.lastReceived = this.#heardAt;
  }

  /** PostgreSQL 18 and newer go on without a publication that is gone and only warn: changes would be lost unseen. */
  #notice(code: string | undefined, message: string): void {
    this.#log.warn('warning from the source database', { code: 'PG_SOURCE_WARNING', sqlState: code, message });
    if (code !== PUBLICATION_SKIPPED) return;
    this.#end(publicationDropped(this.#settings.publication));
  }

  #pause(): void {
    this.#paused = true;
    this.#connection.pause();
    this.#sink.drained().then(
      () => this.#resume(),
      (error: unknown) => this.#end(error),
    );
  }

  #resume(): void {
    this.#paused = false;
    this.#heardAt = Date.now();
    if (!this.#over) this.#connection.resume();
  }

  #tick(): void {
    const now = Date.now();
    // A process that did not run (suspended, or busy) has not listened either: silence counts from here.
    if (now - this.#lastTick > 2 * this.#interval) this.#heardAt = now;
    this.#lastTick = now;
    const silence = this.#paused ? 0 : now - this.#heardAt;
    this.#sendStatus(silence >= this.#interval / 2);
    if (silence > this.#silenceLimit && !this.#checkingSilence) {
      this.#checkingSilence = true;
      void this.#judgeSilence(silence);
    }
  }

  /** A server may also be silent because it works through a huge transaction that has nothing for this reader. */
  async #judgeSilence(silence: number): Promise<void> {
    const served = await this.#isServed().catch(() => false);
    this.#checkingSilence = false;
    if (this.#over || this.#stopping || Date.now() - this.#heardAt < silence) return;
    if (served) {
      this.#log.info('the source is silent but still works for this stream', { silentMs: silence });
      this.#heardAt = Date.now();
      return;
    }
    this.#end(
      new OperatorError('PG_SOURCE_SILENT', `nothing came from the source database for ${Math.round(silence)} ms`, {
        transient: true,
      }),
    );
  }

  #sendStatus(reply: boolean): void {
    if (this.#over) return;
    clearTimeout(this.#progressTimer);
    this.#progressTimer = undefined;
    this.#lastSent = Date.now();
    const flushed = this.#status.acknowledged ?? 0n;
    this.#connection.sendStatus(this.#received > flushed ? this.#received : flushed, flushed, reply);
  }

  #stop(): void {
    if (this.#over || this.#stopping) return;
    this.#sendStatus(false);
    this.#stopping = true;
    clearInterval(this.#ticker);
    this.#connection.sendCopyDone();
    this.#connection.resume(); // the server's answer stands behind what it has sent
    this.#stopTimer = setTimeout(() => this.#end(undefined), STOP_TIMEOUT);
  }

  #end(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#stopping) {
      this.#outcome.resolve();
      return;
    }
    const { slot, publication } = this.#settings;
    this.#outcome.reject(streamError(error, { slot, publication, started: this.#started }));
  }
}

function positionAt(buffer: Buffer, at: number): Lsn {
  return new Lsn(buffer.readBigUInt64BE(at));
}

/** The server's clock, given in microseconds since 2000. */
function serverTime(buffer: Buffer, at: number): string {
  const milliseconds = Number(buffer.readBigInt64BE(at)) / 1000 + Date.UTC(2000);
  return Math.abs(milliseconds) < 8.64e15 ? new Date(milliseconds).toISOString() : 'unknown';
}
