import { OperatorError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { ChangeSink } from '../source.ts';
import type { Connection } from './connection.ts';
import { BinlogDump, type DumpRequest, HEARTBEAT, type ReaderIdentity } from './dump.ts';
import { type StreamContext, streamError } from './server-errors.ts';
import type { MysqlStatus } from './status.ts';

/** What takes the events: the decoder. A promise means that it must not be given another one before that resolves. */
export interface EventReader {
  feed(buffer: Buffer, start: number, end: number): Promise<void> | undefined;
}

/** Milliseconds of silence after which the server is asked about: it was to send something three times by then. */
const SILENCE_LIMIT = 3 * HEARTBEAT;
/** Milliseconds after which even a server that works for this reader counts as cut off from it. */
const SILENCE_END = 4 * SILENCE_LIMIT;
/** Milliseconds between two looks at the clock. */
const INTERVAL = 1000;

/** What the server says a dump is doing; undefined when it knows none of that number. */
export type DumpState = 'waiting' | 'working' | undefined;

/** One run of a dump: hands what comes to the decoder, holds the server back while the sink is full, notices its silence. */
export class BinlogStream {
  readonly #reader: EventReader;
  readonly #sink: ChangeSink;
  readonly #status: MysqlStatus;
  readonly #context: StreamContext;
  readonly #dumpState: (threadId: number) => Promise<DumpState>;
  readonly #log: Logger;
  readonly #outcome = Promise.withResolvers<void>();

  #dump: BinlogDump | undefined;
  #over = false;
  #checkingSilence = false;
  #lastTick = 0;
  #heardAt = 0;

  /** @param dumpState asks the server, on another connection, what it does for this stream */
  constructor(
    reader: EventReader,
    sink: ChangeSink,
    status: MysqlStatus,
    context: StreamContext,
    dumpState: (threadId: number) => Promise<DumpState>,
    log: Logger,
  ) {
    this.#reader = reader;
    this.#sink = sink;
    this.#status = status;
    this.#context = context;
    this.#dumpState = dumpState;
    this.#log = log;
    this.#outcome.promise.catch(() => {}); // told by `run`
  }

  /** The server's number for the connection; undefined before the server knows the reader. */
  get threadId(): number | undefined {
    return this.#dump?.threadId;
  }

  /** The number of a connection that was cut here, so that the server may still work for it. */
  get cutOff(): number | undefined {
    return this.#over && this.#dump?.endedByServer === false ? this.threadId : undefined;
  }

  /** Asks for the stream on `connection`, which belongs to it afterwards. Rejects with an OperatorError. */
  async start(connection: Connection, identity: ReaderIdentity, request: DumpRequest): Promise<void> {
    this.#heardAt = this.#lastTick = Date.now();
    try {
      this.#dump = await BinlogDump.start(connection, identity, request, {
        event: (buffer, start, end) => this.#event(buffer, start, end),
        heard: (bytes) => this.#hear(bytes),
      });
    } catch (error) {
      throw streamError(error, this.#context);
    }
    this.#dump.ended.then(
      () => this.#end(new Error('the server ended the stream')),
      (error: unknown) => this.#end(error),
    );
  }

  /** Streams until `signal` aborts, then resolves, or until something fails, then rejects with an OperatorError. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#end(undefined);
    const ticker = setInterval(() => this.#tick(), INTERVAL);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      await this.#outcome.promise;
    } finally {
      signal.removeEventListener('abort', stop);
      clearInterval(ticker);
    }
  }

  #event(buffer: Buffer, start: number, end: number): Promise<void> | undefined {
    if (this.#over) return undefined;
    const wait = this.#reader.feed(buffer, start, end);
    if (wait !== undefined) return wait.then(() => (this.#sink.full ? this.#sink.drained() : undefined));
    return this.#sink.full ? this.#sink.drained() : undefined;
  }

  #hear(bytes: number): void {
    this.#heardAt = Date.now();
    this.#status.received += bytes;
    this.#status.lastReceived = this.#heardAt;
  }

  #tick(): void {
    const now = Date.now();
    // A process that did not run (suspended, or busy) has not listened either, nor one that waits for its target.
    if (now - this.#lastTick > 2 * INTERVAL || this.#dump?.waiting === true) this.#heardAt = now;
    this.#lastTick = now;
    const silence = now - this.#heardAt;
    if (silence <= SILENCE_LIMIT || this.#checkingSilence) return;
    this.#checkingSilence = true;
    void this.#judgeSilence(silence);
  }

  /** A server may also be silent while it looks through a long log for where to begin. */
  async #judgeSilence(silence: number): Promise<void> {
    const threadId = this.#dump?.threadId;
    const state = threadId === undefined ? undefined : await this.#dumpState(threadId).catch(() => undefined);
    this.#checkingSilence = false;
    if (this.#over || Date.now() - this.#heardAt < silence) return;
    if (state === 'working' && silence < SILENCE_END) {
      this.#log.debug('the source is silent but still works for this stream', { silentMs: silence });
      return;
    }
    this.#end(
      new OperatorError('MYSQL_SOURCE_SILENT', `nothing came from the source database for ${Math.round(silence)} ms`, {
        transient: true,
      }),
    );
  }

  /** `error`: undefined when it was asked for. */
  #end(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#dump?.destroy();
    if (error === undefined) this.#outcome.resolve();
    else this.#outcome.reject(streamError(error, this.#context));
  }
}
