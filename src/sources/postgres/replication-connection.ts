import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import { FrameReader } from './frame-reader.ts';
import type { SystemFacts, TimelineSwitch } from './identity.ts';
import { parseTimelineHistory } from './identity.ts';
import { Lsn } from './lsn.ts';
import { ReadPace } from './read-pace.ts';
import { type SlotFacts, readSlot } from './slot.ts';

/** What a session says about the server it reached. */
export interface SessionFacts {
  readonly version: number;
  readonly inRecovery: boolean;
  /** Milliseconds after which the server cuts a silent reader off; 0 when never. */
  readonly walSenderTimeout: number;
}

/** Where the stream's events go. */
export interface StreamHandlers {
  /** The payload of one CopyData message, in [start, end). The buffer may be reused as soon as this returns. */
  data(buffer: Buffer, start: number, end: number): void;
  /** So many bytes came in, perhaps only a part of a message. */
  heard(bytes: number): void;
  /** The server warns of something; `code` is its SQLSTATE. */
  notice(code: string | undefined, message: string): void;
}

/** Milliseconds that a connection is given to say goodbye. */
const CLOSE_TIMEOUT = 1000;

/** Milliseconds from the connection to the start of the stream, or to the end of what else it was opened for. */
const PREPARE_TIMEOUT = 30_000;

const UNIX_TO_POSTGRES_EPOCH = 946_684_800_000n;

/**
 * A connection in logical replication mode (`replication=database`), which takes replication commands and, by the
 * simple query protocol only, SQL.
 *
 * @see https://www.postgresql.org/docs/current/protocol-replication.html
 */
export class ReplicationConnection {
  readonly #client: Client;
  /** A server that stops answering before the stream has begun would be waited for without end. */
  readonly #deadline: NodeJS.Timeout;

  constructor(client: Client) {
    this.#client = client;
    this.#deadline = setTimeout(() => this.cut(), PREPARE_TIMEOUT);
    // Losing the connection also fails the running command; without a listener it would end the process.
    client.on('error', () => {});
  }

  /**
   * Makes the text of values what PostgreSQL's own subscriptions use, whatever the database's or role's settings say:
   * unambiguous for any reader, and exact. Returns what the session knows of the server.
   */
  async prepare(): Promise<SessionFacts> {
    const { rows } = await this.#client.query<{ facts: string }>(`
      SELECT json_build_object(
               'version', current_setting('server_version_num')::int, 'inRecovery', pg_is_in_recovery(),
               'walSenderTimeout', (SELECT setting::int FROM pg_settings WHERE name = 'wal_sender_timeout'),
               'set', json_build_array(
                 set_config('datestyle', 'ISO', false), set_config('intervalstyle', 'postgres', false),
                 set_config('extra_float_digits', '3', false), set_config('bytea_output', 'hex', false),
                 set_config('timezone', 'UTC', false), set_config('search_path', '', false),
                 set_config('statement_timeout', '0', false), set_config('client_min_messages', 'warning', false))
             )::text AS facts`);
    return JSON.parse(rows[0].facts);
  }

  async identify(): Promise<SystemFacts> {
    const { rows } = await this.#client.query<{ systemid: string; timeline: string; xlogpos: string; dbname: string }>(
      'IDENTIFY_SYSTEM',
    );
    const [row] = rows;
    return {
      systemId: row.systemid,
      timeline: Number(row.timeline),
      flushed: Lsn.parse(row.xlogpos),
      database: row.dbname,
    };
  }

  /** The switches that led to `timeline`, oldest first. */
  async timelineHistory(timeline: number): Promise<TimelineSwitch[]> {
    if (timeline === 1) return []; // the first one has no history file
    const { rows } = await this.#client.query<{ content: Buffer | string }>(`TIMELINE_HISTORY ${timeline}`);
    return parseTimelineHistory(rows[0].content.toString());
  }

  slot(name: string): Promise<SlotFacts | undefined> {
    return readSlot(this.#client, name);
  }

  /** Process id of the server's end. */
  async pid(): Promise<number> {
    const { rows } = await this.#client.query<{ pid: string }>('SELECT pg_backend_pid()::text AS pid');
    return Number(rows[0].pid);
  }

  /**
   * Starts streaming. `started` settles with the server's answer; `ended` settles when the stream is over, whoever
   * ended it.
   */
  start(
    slot: string,
    from: Lsn,
    publication: string,
    version: number,
    handlers: StreamHandlers,
  ): { started: Promise<void>; ended: Promise<void> } {
    const { connection } = this.#client;
    const started = new Promise<void>((resolve) => {
      connection.once('replicationStart', () => {
        clearTimeout(this.#deadline);
        resolve();
      });
    });
    // pg makes an object and an event of each message; with one message per row that is most of the work. It still gets
    // everything that is not a row, whole messages each time, as it stands between two messages now.
    const { stream } = connection;
    const parsers = stream.listeners('data') as ((frame: Buffer) => void)[];
    stream.removeAllListeners('data');
    const frames = new FrameReader({
      copyData: (buffer, start, end) => handlers.data(buffer, start, end),
      other: (frame) => {
        for (const parse of parsers) parse(frame);
      },
    });
    const pace = new ReadPace();
    stream.on('data', (chunk: Buffer) => {
      handlers.heard(chunk.length);
      pace.step(chunk.length);
      frames.read(chunk);
    });
    this.#client.on('notice', (notice) => handlers.notice(notice.code, notice.message ?? ''));
    const ended = this.#client.query(startCommand(slot, from, publication, version)).then(() => {});
    return { started: Promise.race([started, ended]), ended };
  }

  /**
   * Tells the server how far this reader is. Everything before `flushed` may be forgotten by the server.
   * @param reply asks for a keepalive at once
   */
  sendStatus(written: bigint, flushed: bigint, reply: boolean): void {
    const message = Buffer.allocUnsafe(39);
    message[0] = 0x64; // CopyData
    message.writeUInt32BE(38, 1);
    message[5] = 0x72; // Standby status update
    message.writeBigUInt64BE(written, 6);
    message.writeBigUInt64BE(flushed, 14);
    message.writeBigUInt64BE(flushed, 22); // applied
    message.writeBigInt64BE((BigInt(Date.now()) - UNIX_TO_POSTGRES_EPOCH) * 1000n, 30);
    message[38] = reply ? 1 : 0;
    this.#send(message);
  }

  /** Asks the server to end the stream. */
  sendCopyDone(): void {
    this.#send(Buffer.from([0x63, 0, 0, 0, 4]));
  }

  /** Stops reading, so that the server has to wait; what the socket holds already may still come. */
  pause(): void {
    this.#client.connection.stream.pause();
  }

  resume(): void {
    this.#client.connection.stream.resume();
  }

  close(): Promise<void> {
    clearTimeout(this.#deadline);
    return closeClient(this.#client);
  }

  /** Ends the connection without a goodbye; a running command fails. */
  cut(): void {
    clearTimeout(this.#deadline);
    this.#client.connection.stream.destroy();
  }

  #send(message: Buffer): void {
    const { stream } = this.#client.connection;
    if (stream.writable) stream.write(message);
  }
}

/** Ends a connection; cuts it when the server does not answer within a second. Never rejects. */
export async function closeClient(client: Client): Promise<void> {
  const timer = setTimeout(() => client.connection.stream.destroy(), CLOSE_TIMEOUT);
  try {
    await client.end();
  } catch {
    client.connection.stream.destroy();
  } finally {
    clearTimeout(timer);
  }
}

function startCommand(slot: string, from: Lsn, publication: string, version: number): string {
  const options = [`proto_version '${protocolVersion(version)}'`];
  // Not "parallel": it would let the server interleave more, for nothing that this reader could use.
  if (version >= 140000) options.push(`streaming 'on'`);
  // The option holds a list of identifiers within a literal.
  options.push(`publication_names ${escapeLiteral(escapeIdentifier(publication))}`);
  return `START_REPLICATION SLOT ${escapeIdentifier(slot)} LOGICAL ${from} (${options.join(', ')})`;
}

/** The newest protocol version that a server of this version speaks. */
function protocolVersion(version: number): number {
  if (version >= 160000) return 4;
  if (version >= 150000) return 3;
  return version >= 140000 ? 2 : 1;
}
