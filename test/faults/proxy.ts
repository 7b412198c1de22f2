import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { type Chaos, type ChaosOptions, startChaos } from './chaos.ts';
import { Conversation } from './conversation.ts';
import { FaultBook, type FaultRule, type Injection } from './faults.ts';
import { errorFrame, FrameReader } from './frames.ts';
import { Lane, type LaneConditions } from './lane.ts';

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;

/** A direction of traffic. */
export type Direction = 'toServer' | 'toClient' | 'both';

/**
 * A network between a PostgreSQL client and its server that can be made bad in every way that matters: lost, stalled and slow
 * connections, refused ones, statements that fail, commits whose outcome nobody learns.
 *
 * It refuses encryption, and it counts requests by the rules of the simple and extended protocol; a client that sends a
 * Sync in the middle of COPY data is beyond it.
 */
export class FaultProxy {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly #listener: Server;
  readonly #links = new Set<Link>();
  readonly #faults = new FaultBook();
  readonly #recorders = new Set<(sql: string) => void>();
  readonly #toServer: LaneConditions = { delayMs: 0, stalled: false };
  readonly #toClient: LaneConditions = { delayMs: 0, stalled: false };
  #refusal: 'close' | { sqlstate: string } | undefined;
  #accepted = 0;

  private constructor(listener: Server, port: number, server: { host: string; port: number }) {
    this.#listener = listener;
    this.port = port;
    listener.on('connection', (client) => this.#accept(client, server));
  }

  /** Starts a proxy in front of a server on a free loopback port. */
  static async start(server: { host: string; port: number }): Promise<FaultProxy> {
    const listener = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ host: '127.0.0.1', port: 0 }, resolve);
    });
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('no port was given');
    return new FaultProxy(listener, address.port, server);
  }

  /** The same connection string, through this proxy. */
  url(original: string): string {
    const url = new URL(original);
    url.host = `${this.host}:${this.port}`;
    return url.href;
  }

  /** Connections open now. */
  get connections(): number {
    return this.#links.size;
  }

  /** Connections ever accepted: grows when a client connects anew. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Loses all connections now, by a reset (the way of a broken network) or an orderly close. */
  cut(how: 'reset' | 'close' = 'reset'): void {
    for (const link of [...this.#links]) link.cut(how);
  }

  /** Holds all bytes of a direction, also of connections still to come, until `resume`. */
  stall(direction: Direction = 'both'): void {
    if (direction !== 'toClient') this.#toServer.stalled = true;
    if (direction !== 'toServer') this.#toClient.stalled = true;
  }

  /** Lets held bytes go on. */
  resume(): void {
    this.#toServer.stalled = false;
    this.#toClient.stalled = false;
    for (const link of this.#links) link.pump();
  }

  /** Adds this many milliseconds to every round trip, half in each direction; bytes follow each other as fast as ever. */
  set delayMs(milliseconds: number) {
    this.#toServer.delayMs = milliseconds / 2;
    this.#toClient.delayMs = milliseconds / 2;
  }

  /** Turns new connections away: closes them at once, or answers their startup with this SQLSTATE (53300, 57P03). */
  refuse(how: 'close' | { sqlstate: string } = 'close'): void {
    this.#refusal = how;
  }

  /** Accepts connections again. */
  accept(): void {
    this.#refusal = undefined;
  }

  /** Makes the nth matching statement fail; see `Fault`. */
  inject(rule: FaultRule): Injection {
    return this.#faults.add(rule);
  }

  /** Gives every text that a client sends as a query or to be prepared. Returns how to stop it. */
  record(listener: (sql: string) => void): () => void {
    this.#recorders.add(listener);
    return () => void this.#recorders.delete(listener);
  }

  /** Random faults; the same seed and the same statements give the same faults. */
  chaos(options: ChaosOptions): Chaos {
    return startChaos(this, (source) => this.#faults.addSource(source), options);
  }

  /** Loses all connections and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    this.cut();
    await closed;
  }

  #accept(client: Socket, server: { host: string; port: number }): void {
    this.#accepted += 1;
    client.on('error', () => {});
    if (this.#refusal === 'close') {
      client.destroy();
      return;
    }
    const conversation = new Conversation(this.#faults, (sql) => {
      for (const listener of this.#recorders) listener(sql);
    });
    const link = new Link(client, server, conversation, {
      toServer: this.#toServer,
      toClient: this.#toClient,
      refusal: this.#refusal?.sqlstate,
    });
    this.#links.add(link);
    client.once('close', () => this.#links.delete(link));
  }
}

interface LinkConditions {
  toServer: LaneConditions;
  toClient: LaneConditions;
  /** SQLSTATE that answers the startup packet instead of the server. */
  refusal: string | undefined;
}

/** One client's connection and the one to the server that belongs to it. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #toServer: Lane;
  readonly #toClient: Lane;
  /** A fault took the connection away: nothing more passes. */
  #lost = false;

  constructor(
    client: Socket,
    server: { host: string; port: number },
    conversation: Conversation,
    { toServer, toClient, refusal }: LinkConditions,
  ) {
    this.#client = client;
    this.#server = dial({ ...server, allowHalfOpen: true, noDelay: true });
    this.#toServer = new Lane(client, this.#server, toServer);
    this.#toClient = new Lane(this.#server, client, toClient);
    this.#server.on('error', () => this.cut('close'));
    this.#server.once('close', () => client.destroy());
    client.once('close', () => this.#server.destroy());

    const requests = new FrameReader(false);
    client.on('data', (chunk) => {
      this.#pass(requests, chunk, this.#toServer, (frame) => {
        if (requests.typed) return conversation.fromClient(frame);
        const code = frame.readInt32BE(4);
        if (code === SSL_REQUEST || code === GSS_REQUEST) {
          this.#toClient.send(Buffer.from('N'));
          return { frames: [] };
        }
        requests.typed = true;
        if (refusal === undefined) return { frames: [frame] };
        this.#toClient.send(errorFrame('FATAL', refusal, 'refused by the fault proxy'));
        this.#toClient.end();
        return { frames: [] };
      });
    });
    client.once('end', () => this.#toServer.end());

    const answers = new FrameReader(true);
    this.#server.on('data', (chunk) => {
      this.#pass(answers, chunk, this.#toClient, (frame) => conversation.fromServer(frame));
    });
    this.#server.once('end', () => this.#toClient.end());
  }

  pump(): void {
    this.#toServer.pump();
    this.#toClient.pump();
  }

  cut(how: 'reset' | 'close'): void {
    if (how === 'reset') this.#client.resetAndDestroy();
    else this.#client.destroy();
    this.#server.destroy();
  }

  /** Sends what becomes of the frames of a chunk on, in one piece as they came. */
  #pass(
    reader: FrameReader,
    chunk: Buffer,
    lane: Lane,
    work: (frame: Buffer) => { frames: readonly Buffer[]; cut?: boolean },
  ): void {
    const out: Buffer[] = [];
    if (this.#lost) return;
    reader.push(chunk, (frame) => {
      if (this.#lost) return;
      const passage = work(frame);
      out.push(...passage.frames);
      this.#lost = passage.cut ?? false;
    });
    if (out.length > 0) lane.send(out.length === 1 ? out[0] : Buffer.concat(out));
    if (!this.#lost) return;
    // What was said before the loss still arrives; the close follows it.
    if (out.length > 0 && lane === this.#toClient) this.#toClient.end();
    else this.cut('reset');
  }
}
