import { type Duplex, duplexPair } from 'node:stream';
import type { Connection } from '../../src/sources/mysql/connection.ts';

const COM_REGISTER_SLAVE = 0x15;

/**
 * The server's end of a connection that has been authenticated, as far as a dump goes: it agrees to register the reader, and
 * then sends the packets that a test gives it. It has no log and looks at no GTIDs.
 */
export class FakeDump {
  /** What takes the place of the client library's connection. */
  readonly connection: Connection;
  /** Statements that were run before the dump began. */
  readonly statements: string[] = [];
  /** Commands that came, without their headers. */
  readonly commands: Buffer[] = [];
  /** The client's end of the socket. */
  readonly client: Duplex;
  readonly #server: Duplex;
  #sequence = 1;

  constructor({ threadId = 7 }: { threadId?: number } = {}) {
    const [client, server] = duplexPair();
    this.client = client;
    this.#server = server;
    const query = async (sql: string) => {
      this.statements.push(sql);
      return [[]];
    };
    this.connection = { query, connection: { stream: client, threadId } } as unknown as Connection;
    server.on('error', () => {});
    server.on('data', (data: Buffer) => {
      this.commands.push(data.subarray(4));
      this.#sequence = 1;
      if (data[4] === COM_REGISTER_SLAVE) this.send(Buffer.from([0, 0, 0, 2, 0, 0, 0]));
    });
  }

  /** The bytes of a packet with the next number. */
  packet(payload: Buffer): Buffer {
    const header = Buffer.alloc(4);
    header.writeUIntLE(payload.length, 0, 3);
    header[3] = this.#sequence;
    this.#sequence = (this.#sequence + 1) & 0xff;
    return Buffer.concat([header, payload]);
  }

  send(payload: Buffer): void {
    this.#server.write(this.packet(payload));
  }

  /** Several packets in one chunk. */
  sendAll(payloads: readonly Buffer[]): void {
    this.#server.write(Buffer.concat(payloads.map((payload) => this.packet(payload))));
  }

  event(text: string): Buffer {
    return Buffer.concat([Buffer.from([0]), Buffer.from(text)]);
  }

  fail(number: number, text: string): void {
    const head = Buffer.from([0xff, number & 0xff, number >> 8]);
    this.send(Buffer.concat([head, Buffer.from(`#HY000${text}`)]));
  }

  hangUp(): void {
    this.#server.end();
  }
}
