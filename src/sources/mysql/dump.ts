import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import { type Connection, close } from './connection.ts';
import type { Flavour } from './flavour.ts';
import { PacketReader } from './packets.ts';
import { protocolError } from './protocol-error.ts';

/** Milliseconds of quiet after which the server shows that it is there. It does so only when it is asked to. */
export const HEARTBEAT = 5000;

/**
 * Seconds that the server waits for a reader that does not read, as one does whose target is slow: usually a minute. Within
 * this time a reader that is gone is noticed by the heartbeats instead.
 */
const WRITE_TIMEOUT = 3600;

/** By which a server knows its readers apart: a second one of the same name ends the first. */
export interface ReaderIdentity {
  readonly flavour: Flavour;
  readonly serverId: number;
  /** MySQL goes by this where it is given, MariaDB by the server id alone. */
  readonly uuid: string;
}

/** What is asked for: everything that is not in a GTID set of MySQL, or that comes after a position of MariaDB. */
export type DumpRequest =
  | { readonly flavour: 'mysql'; readonly executed: Buffer }
  | { readonly flavour: 'mariadb'; readonly position: string }
  /** MariaDB: everything that its log still has, up to now. The stream ends there. */
  | { readonly flavour: 'mariadb'; readonly everything: true };

export interface DumpHandlers {
  /**
   * An event, header and checksum included; the bytes may be overwritten afterwards. Nothing is read from the socket
   * until a promise that it returns resolves.
   */
  event(buffer: Buffer, start: number, end: number): Promise<void> | undefined;
  /** Bytes came. */
  heard(bytes: number): void;
}

/** What the server answered with. */
export interface ServerFailure extends Error {
  readonly errno: number;
}

const COM_BINLOG_DUMP = 0x12;
const COM_REGISTER_SLAVE = 0x15;
const COM_BINLOG_DUMP_GTID = 0x1e;

const OK = 0x00;
const EOF = 0xfe;
const ERR = 0xff;

/** End the stream at the end of the log. */
const NON_BLOCKING = 1;
/** Position of the first event of a log file. */
const FIRST_POSITION = 4;
/** Most bytes of a host name that the server takes. */
const LONGEST_HOST = 60;

/** Session variables that the server reads when the dump begins; those that it does not know are harmless. */
async function prepare(connection: Connection, { flavour, uuid }: ReaderIdentity, request: DumpRequest): Promise<void> {
  const heartbeat = HEARTBEAT * 1e6; // nanoseconds
  const variables: [string, string | number][] = [
    ['@master_binlog_checksum', 'CRC32'],
    ['@master_heartbeat_period', heartbeat],
    ['@slave_uuid', uuid],
  ];
  if (flavour === 'mysql') {
    variables.push(
      ['@source_binlog_checksum', 'CRC32'],
      ['@source_heartbeat_period', heartbeat],
      ['@replica_uuid', uuid],
    );
  } else {
    // Without this capability the server rewrites what it sends, and leaves GTIDs out.
    variables.push(['@mariadb_slave_capability', 4]);
    if ('position' in request) {
      variables.push(
        ['@slave_connect_state', request.position],
        ['@slave_gtid_strict_mode', 1],
        ['@slave_gtid_ignore_duplicates', 0],
      );
    }
  }
  const assignments = [...variables.map(([name]) => `${name} = ?`), `SESSION net_write_timeout = ${WRITE_TIMEOUT}`];
  await connection.query(
    `SET ${assignments.join(', ')}`,
    variables.map(([, value]) => value),
  );
}

/** The socket of a connection of the client library, TLS and all, and the server's number for the connection. */
function socketOf(connection: Connection): { socket: Duplex; threadId: number } {
  const { stream, threadId } = (connection as unknown as { connection: { stream: Duplex; threadId: number } })
    .connection;
  return { socket: stream, threadId };
}

/**
 * A connection that is used up by reading the binary log. It is opened and authenticated by the client library; from then on
 * its packets are read here, as the library would make an object of each event and has no words for back-pressure.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication.html
 */
export class BinlogDump {
  /** The server's number for this connection, by which another one can KILL it. */
  readonly threadId: number;
  readonly #socket: Duplex;
  readonly #packets = new PacketReader((buffer, start, end) => this.#onPayload(buffer, start, end));
  readonly #ended = Promise.withResolvers<void>();
  #handlers: DumpHandlers | undefined;
  #registered: (() => void) | undefined;
  #over = false;
  #endedByServer = false;
  #waiting = false;

  private constructor(connection: Connection) {
    const { socket, threadId } = socketOf(connection);
    this.threadId = threadId;
    this.#socket = socket;
    this.#ended.promise.catch(() => {}); // told to whoever waits for it
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.#serverEnded(error));
    for (const event of ['end', 'close']) {
      socket.on(event, () => this.#serverEnded(new Error('the server closed the connection')));
    }
  }

  /**
   * Asks for the stream on a connection that is open and has nothing under way; it belongs to the dump afterwards.
   * Resolves once the server knows the reader. `ended` tells how the stream ends: it resolves at the end of the log, where that
   * was asked for, and rejects otherwise, with a `ServerFailure` where the server says why, or what a handler threw.
   */
  static async start(
    connection: Connection,
    identity: ReaderIdentity,
    request: DumpRequest,
    handlers: DumpHandlers,
  ): Promise<BinlogDump> {
    try {
      await prepare(connection, identity, request);
    } catch (error) {
      close(connection);
      throw error;
    }
    const dump = new BinlogDump(connection);
    try {
      if (!('everything' in request)) await dump.#register(identity.serverId);
      dump.#begin(identity.serverId, request, handlers);
    } catch (error) {
      dump.destroy();
      throw error;
    }
    return dump;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** True when it was the server that ended the stream, or the network that lost it, and not this side. */
  get endedByServer(): boolean {
    return this.#endedByServer;
  }

  /** True while nothing is read because a handler asked for time. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Cuts the connection. The server notices when it next sends something. */
  destroy(): void {
    this.#end(new Error('the connection was closed here'));
    this.#socket.destroy();
  }

  /** Makes the reader visible to those who ask the server for its replicas. */
  async #register(serverId: number): Promise<void> {
    const host = Buffer.from(`instar@${hostname()}`).subarray(0, LONGEST_HOST);
    const command = Buffer.alloc(1 + 4 + 1 + host.length + 2 + 2 + 4 + 4);
    let at = command.writeUInt8(COM_REGISTER_SLAVE);
    at = command.writeUInt32LE(serverId, at);
    at = command.writeUInt8(host.length, at);
    host.copy(command, at);
    // User, password, port, rank and source stay empty.
    const registered = new Promise<void>((resolve) => {
      this.#registered = resolve;
    });
    this.#write(command);
    await Promise.race([registered, this.ended]);
  }

  #begin(serverId: number, request: DumpRequest, handlers: DumpHandlers): void {
    this.#handlers = handlers;
    this.#write(request.flavour === 'mysql' ? dumpGtid(serverId, request.executed) : dumpPosition(serverId, request));
  }

  #write(command: Buffer): void {
    const header = Buffer.alloc(4);
    header.writeUIntLE(command.length, 0, 3);
    this.#packets.expectAnswer();
    this.#socket.write(Buffer.concat([header, command]));
  }

  #onData(chunk: Buffer): void {
    if (this.#over) return;
    this.#handlers?.heard(chunk.length);
    try {
      const wait = this.#packets.read(chunk);
      if (wait === undefined) return;
      this.#waiting = true;
      this.#socket.pause();
      wait.then(
        () => {
          this.#waiting = false;
          if (!this.#over) this.#socket.resume();
        },
        (error: unknown) => this.#end(error),
      );
    } catch (error) {
      this.#end(error);
    }
  }

  #onPayload(buffer: Buffer, start: number, end: number): Promise<void> | undefined {
    if (this.#over) return undefined;
    switch (start < end ? buffer[start] : undefined) {
      case OK:
        if (this.#handlers !== undefined) return this.#handlers.event(buffer, start + 1, end);
        this.#registered?.();
        return undefined;
      case EOF:
        this.#serverEnded(undefined);
        return undefined;
      case ERR:
        this.#serverEnded(failure(buffer, start, end));
        return undefined;
      default:
        throw protocolError('the packets', 'one that is neither an event nor an error');
    }
  }

  #serverEnded(error: unknown): void {
    if (!this.#over) this.#endedByServer = true;
    this.#end(error);
  }

  #end(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = false;
    if (error === undefined) this.#ended.resolve();
    else this.#ended.reject(error);
  }
}

function dumpGtid(serverId: number, executed: Buffer): Buffer {
  const command = Buffer.alloc(1 + 2 + 4 + 4 + 8 + 4 + executed.length);
  let at = command.writeUInt8(COM_BINLOG_DUMP_GTID);
  at = command.writeUInt16LE(0, at);
  at = command.writeUInt32LE(serverId, at);
  at = command.writeUInt32LE(0, at); // no file: the server looks for it
  at = command.writeBigUInt64LE(BigInt(FIRST_POSITION), at);
  at = command.writeUInt32LE(executed.length, at);
  executed.copy(command, at);
  return command;
}

function dumpPosition(serverId: number, request: DumpRequest): Buffer {
  const command = Buffer.alloc(1 + 4 + 2 + 4);
  let at = command.writeUInt8(COM_BINLOG_DUMP);
  at = command.writeUInt32LE(FIRST_POSITION, at);
  at = command.writeUInt16LE('everything' in request ? NON_BLOCKING : 0, at);
  // As number 0 a reader ends no other one.
  command.writeUInt32LE('everything' in request ? 0 : serverId, at);
  return command;
}

/** `ff`, the number (2), `#` and the SQLSTATE (5), the text. */
function failure(buffer: Buffer, start: number, end: number): ServerFailure {
  const errno = end - start >= 3 ? buffer.readUInt16LE(start + 1) : 0;
  const text = buffer[start + 3] === 0x23 ? start + 9 : start + 3;
  return Object.assign(new Error(buffer.toString('utf8', text, end)), { errno });
}
