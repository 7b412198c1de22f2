import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';

const SSL_REQUEST = 80877103;

/** Path of a test certificate: `authority` signed `server`, which is for the host name localhost. */
export const certificate = (name: string) => fileURLToPath(new URL(`certificates/${name}.pem`, import.meta.url));

export interface Behaviour {
  /** Whether the server agrees to TLS. */
  readonly tls: boolean;
  /** The answer to the startup message; a server error is `[SQLSTATE, message]`. */
  readonly answer: (encrypted: boolean) => 'ready' | 'password' | 'nothing' | 'hang up' | [string, string];
}

/**
 * A server that knows the beginning of PostgreSQL's protocol: the request for TLS, the startup message, and one answer. It
 * has no data, checks no password (it refuses all), and takes each message to arrive in one piece.
 */
export async function fakeServer({ tls, answer }: Behaviour) {
  const startups: { encrypted: boolean; parameters: string }[] = [];
  const sockets = new Set<Socket>();

  function serve(socket: Socket, encrypted: boolean): void {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      if (data.readInt32BE(4) === SSL_REQUEST) {
        socket.write(tls ? 'S' : 'N');
        if (!tls) return serve(socket, false);
        const [key, cert] = [readFileSync(certificate('server-key')), readFileSync(certificate('server'))];
        return serve(new TLSSocket(socket, { isServer: true, key, cert }), true);
      }
      startups.push({ encrypted, parameters: data.toString('latin1', 8) });
      const reply = answer(encrypted);
      if (reply === 'ready') socket.write(Buffer.concat([message('R', [0, 0, 0, 0]), message('Z', ['I'])]));
      else if (reply === 'hang up') socket.destroy();
      else if (reply === 'password') {
        socket.write(message('R', [0, 0, 0, 3]));
        socket.once('data', () => socket.end(error('28P01', 'password authentication failed for user "u"')));
      } else if (reply !== 'nothing') socket.end(error(...reply));
    });
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    serve(socket, false);
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    startups,
    /** Cuts every connection. */
    cut,
    [Symbol.dispose]: () => {
      server.close();
      cut();
    },
  };
}

function message(type: string, body: (number | string)[]): Buffer {
  const content = Buffer.concat(
    body.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part))),
  );
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

function error(code: string, text: string): Buffer {
  return message('E', ['SFATAL', 0, `C${code}`, 0, `M${text}`, 0, 0]);
}
