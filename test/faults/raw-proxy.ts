import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/** Stands between the replicator and a server of any kind, and cuts or stalls what passes. */
export class RawProxy {
  readonly port: number;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  #stalled = false;

  private constructor(listener: Server, port: number, target: { port: number }) {
    this.port = port;
    this.#listener = listener;
    listener.on('connection', (client) => {
      const server = dial({ host: '127.0.0.1', port: target.port, noDelay: true });
      this.#join(client, server);
      this.#join(server, client);
    });
  }

  /** Starts a proxy in front of a server of this machine. */
  static async start(target: { port: number }): Promise<RawProxy> {
    const listener = createServer({ noDelay: true });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ host: '127.0.0.1', port: 0 }, resolve);
    });
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('no port was given');
    return new RawProxy(listener, address.port, target);
  }

  /** The same connection string, through this proxy. */
  url(connectionString: string): string {
    const url = new URL(connectionString);
    url.port = String(this.port);
    return url.href;
  }

  /** Ends all connections at once. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** From now on nothing gets through, and nobody is told. */
  stall(): void {
    this.#stalled = true;
    for (const socket of this.#sockets) socket.pause();
  }

  resume(): void {
    this.#stalled = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (data: Buffer) => {
      if (!to.write(data)) {
        from.pause();
        to.once('drain', () => {
          if (!this.#stalled) from.resume();
        });
      }
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#stalled) from.pause();
  }
}
