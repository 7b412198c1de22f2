import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A TCP proxy on the loopback that holds back everything a client sends by a fixed time: a longer way to the server. Unlike
 * the proxy of the fault tests it does not look into the bytes, so it takes little of the processor that is measured.
 */
export class DelayProxy {
  readonly port: number;
  readonly #close: () => Promise<void>;

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
  }

  /** @param delay milliseconds added to each round trip; bytes on the way do not hold up those behind them */
  static async start(serverPort: number, delay: number): Promise<DelayProxy> {
    const sockets = new Set<Socket>();
    const proxy = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
      const server = connect({ port: serverPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
      for (const socket of [client, server]) {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          sockets.delete(socket);
          client.destroy();
          server.destroy();
        });
      }
      // Timers of the same length fire in the order in which they were set, so the bytes stay in order.
      client.on('data', (bytes) => setTimeout(() => server.write(bytes), delay));
      client.on('end', () => setTimeout(() => server.end(), delay));
      server.pipe(client);
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    return new DelayProxy((proxy.address() as AddressInfo).port, async () => {
      const closed = once(proxy, 'close');
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    });
  }

  /** The URL of the same database on the longer way. */
  through(url: string): string {
    const longer = new URL(url);
    longer.port = String(this.port);
    return longer.href;
  }

  async stop(): Promise<void> {
    await this.#close();
  }
}
