import net from 'node:net';
import { OperatorError } from '../../errors.ts';

/** What the client library calls it when the server hangs up. */
export const CONNECTION_LOST = 'PROTOCOL_CONNECTION_LOST';

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** Path of a Unix-domain socket, instead of host and port. */
  readonly socketPath?: string;
  /** Milliseconds until the server has to have spoken. */
  readonly timeout: number;
  /** Milliseconds of silence after which the operating system looks whether the peer is still there; undefined never. */
  readonly keepAlive: number | undefined;
}

/** Length of a packet (3 bytes), its number (1), and the first byte of what it holds. */
const HEAD = 5;
/** First byte of the greeting of every server since MySQL 3.21, and that of an error in its place. */
const GREETINGS = [0x0a, 0xff];

/**
 * Opens a socket to a server and waits until it has spoken, which a MySQL server does first. The socket is paused, with the
 * greeting still to be read. The client library would wait for ever for the rest of what another server says.
 * @throws OperatorError MYSQL_NOT_MYSQL, MYSQL_SILENT; else the error of the operating system.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
 */
export function openGreeted({ host, port, socketPath, timeout, keepAlive }: Address): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = socketPath === undefined ? net.connect(port, host) : net.connect(socketPath);
    // The client library tells TLS no host when it is an address, which would then be compared as "localhost". Node.js asks
    // the socket in that case, and sets this itself for names only.
    Object.assign(socket, { _host: host });
    socket.setNoDelay(true);
    if (keepAlive !== undefined) socket.setKeepAlive(true, keepAlive);
    let received: Buffer = Buffer.alloc(0);
    let connected = false;

    const settle = (failure?: unknown) => {
      clearTimeout(timer);
      socket.off('connect', onConnect).off('data', onData).off('error', settle).off('end', onEnd);
      // Whatever happens to the socket from here on is told by its next listeners, if at all.
      socket.on('error', () => {});
      if (failure === undefined) return resolve(socket);
      socket.destroy();
      reject(failure);
    };
    const timer = setTimeout(() => settle(connected ? silent(timeout, received.length) : timedOut()), timeout);
    const onConnect = () => {
      connected = true;
    };
    const onEnd = () => {
      settle(received.length > 0 ? notMysql(received) : closed());
    };
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < HEAD) return;
      if (received[3] !== 0 || !GREETINGS.includes(received[4])) return settle(notMysql(received));
      socket.pause();
      socket.unshift(received);
      settle();
    };
    socket.on('connect', onConnect).on('data', onData).on('error', settle).on('end', onEnd);
  });
}

function notMysql(received: Buffer): OperatorError {
  const text = received
    .subarray(0, 40)
    .toString('latin1')
    .replaceAll(/[^ -~]/g, '.');
  return new OperatorError(
    'MYSQL_NOT_MYSQL',
    `does not speak MySQL's protocol: it greets with ${JSON.stringify(text)}`,
    {
      fix: 'Give host and port of the MySQL or MariaDB server itself (3306 unless it was changed; 33060 is for another protocol).',
    },
  );
}

function silent(timeout: number, bytes: number): OperatorError {
  const said = bytes === 0 ? 'nothing' : `no more than ${bytes} bytes`;
  return new OperatorError(
    'MYSQL_SILENT',
    `accepts connections but said ${said} within ${timeout / 1000} s, although a MySQL server speaks first: it is overloaded, something on the way holds the answer back, or it is a server of another kind`,
    { fix: 'Check host and port, and whether the server answers others: mysqladmin ping', transient: true },
  );
}

function timedOut(): Error {
  return Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' });
}

function closed(): Error {
  return Object.assign(new Error('the server closed the connection before it said anything'), {
    code: CONNECTION_LOST,
  });
}
