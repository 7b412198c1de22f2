import type { Duplex } from 'node:stream';
import pg from 'pg';
import { PUBLICATION } from './workload.ts';

/** Microseconds from the Unix epoch to PostgreSQL's. */
const POSTGRES_EPOCH_US = 946_684_800_000_000n;
const FEEDBACK_INTERVAL_MS = 1000;
/** Type, start of the data in the log, end of the log, clock: what stands before a logical message. */
const XLOG_HEADER = 25;

/**
 * A reader that receives everything and applies nothing: no replicator behind the same walsender can be faster.
 *
 * @see https://www.postgresql.org/docs/current/protocol-replication.html
 */
export class Reader {
  readonly #client: pg.Client;
  readonly #stream: Duplex;
  readonly #timer: NodeJS.Timeout;
  #received = 0n;
  #committed = 0n;
  #failure: Error | undefined;
  #waiting: { lsn: bigint; resolve: () => void; reject: (error: Error) => void } | undefined;

  private constructor(client: pg.Client) {
    this.#client = client;
    this.#stream = client.connection.stream;
    this.#timer = setInterval(() => this.#feedback(), FEEDBACK_INTERVAL_MS);
    client.on('error', (error) => this.#fail(error));
  }

  static async start(sourceUrl: string, slot: string): Promise<Reader> {
    const url = new URL(sourceUrl);
    url.searchParams.set('replication', 'database');
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    const reader = new Reader(client);
    client.connection.on('copyData', ({ chunk }: { chunk: Buffer }) => reader.#message(chunk));
    const options = `proto_version '2', streaming 'on', publication_names '${PUBLICATION}'`;
    client
      .query(`START_REPLICATION SLOT "${slot}" LOGICAL 0/0 (${options})`)
      .catch((error: Error) => reader.#fail(error));
    return reader;
  }

  /** Resolves once a commit at or past `lsn` was received. */
  async reach(lsn: bigint): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#committed >= lsn) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting = { lsn, resolve, reject };
    });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#feedback();
    this.#client.removeAllListeners('error').on('error', () => {});
    await new Promise<void>((resolve) => {
      this.#stream.once('close', resolve);
      this.#stream.destroy();
    });
  }

  #message(chunk: Buffer): void {
    if (chunk[0] === 0x6b) {
      // Keepalive: end of the log, clock, whether an answer is wanted.
      this.#received = chunk.readBigUInt64BE(1);
      if (chunk[17] === 1) this.#feedback();
      return;
    }
    this.#received = chunk.readBigUInt64BE(1);
    const kind = chunk[XLOG_HEADER];
    if (kind === 0x43) this.#commit(chunk.readBigUInt64BE(XLOG_HEADER + 2));
    else if (kind === 0x63) this.#commit(chunk.readBigUInt64BE(XLOG_HEADER + 6));
  }

  #commit(lsn: bigint): void {
    this.#committed = lsn;
    if (this.#waiting && lsn >= this.#waiting.lsn) {
      this.#waiting.resolve();
      this.#waiting = undefined;
    }
  }

  #feedback(): void {
    const frame = Buffer.alloc(1 + 4 + 34);
    frame[0] = 0x64;
    frame.writeInt32BE(frame.length - 1, 1);
    frame[5] = 0x72;
    for (const at of [6, 14, 22]) frame.writeBigUInt64BE(this.#received, at);
    frame.writeBigInt64BE(BigInt(Date.now()) * 1000n - POSTGRES_EPOCH_US, 30);
    if (this.#stream.writable) this.#stream.write(frame);
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#waiting?.reject(error);
  }
}
