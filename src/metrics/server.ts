import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mask } from '../config/secrets.ts';
import { OperatorError } from '../errors.ts';
import type { Logger } from '../log/logger.ts';
import { DebugPages } from './debug/debug-pages.ts';
import type { Diagnostics } from './diagnostics.ts';
import { formatListenAddress, isLoopback, parseListenAddress } from './listen-address.ts';
import { OPEN_METRICS_TYPE, PROMETHEUS_TYPE, toOpenMetrics, wantsOpenMetrics } from './open-metrics.ts';
import type { Metrics } from './registry.ts';

/** How long `close` lets answers that are under way finish. */
const CLOSE_GRACE_MS = 500;

const TEXT = 'text/plain; charset=utf-8';

export interface MetricsServerOptions {
  /** `--metricsAddr`: `:30005`, `127.0.0.1:0`, `[::1]:30005`. */
  readonly address: string;
  readonly metrics: Metrics;
  readonly diagnostics: Diagnostics;
  /** Why the replication is not healthy; undefined when it is. */
  readonly health: () => string | undefined;
  readonly logger: Logger;
  /** What POST `/_/pause` and `/_/continue` do for those who know the token; without it these do not exist. */
  readonly control?: Control;
  /** `--enableDebugEndpoints`: the pages under `/debug/` are there on addresses, too, that other machines reach. */
  readonly debugEverywhere?: boolean;
}

/** Control over the engine, for the holder of a secret. */
export interface Control {
  /** Sent as `authorization: Bearer TOKEN`. */
  readonly token: string;
  pause(): void;
  continue(): void;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The HTTP endpoints `/_/varz`, `/_/diag` and `/_/healthz`, with a token `/_/pause` and `/_/continue`, and `/debug/`. */
export class MetricsServer {
  /** The port that is listened on, also when port 0 was asked for. */
  readonly port: number;
  /** The address and port that are listened on, `127.0.0.1:30005`. */
  readonly address: string;
  readonly #server: Server;
  readonly #debug: DebugPages;

  private constructor(server: Server, options: MetricsServerOptions) {
    const bound = server.address() as AddressInfo;
    this.port = bound.port;
    this.address = formatListenAddress(bound.address, bound.port);
    this.#server = server;
    this.#debug = new DebugPages(options.debugEverywhere === true || isLoopback(bound.address));
    server.on('request', (request, response) => respond(request, response, options, this.#debug));
  }

  /**
   * Listens, and says so in the log.
   *
   * @throws UsageError when the address cannot be read; OperatorError METRICS_ADDRESS_IN_USE or METRICS_ADDRESS_REFUSED
   */
  static async start(options: MetricsServerOptions): Promise<MetricsServer> {
    const { host, port } = parseListenAddress(options.address);
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, options.address, port)));
      server.listen({ host, port }, resolve);
    });
    const metricsServer = new MetricsServer(server, options);
    options.logger.info(`metrics server bound to ${metricsServer.address}`);
    return metricsServer;
  }

  /** Stops listening. Idle connections end at once, busy ones within half a second. */
  async close(): Promise<void> {
    this.#debug.close();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS);
      this.#server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }
}

const NOT_FOUND: Answer = { status: 404, type: TEXT, body: 'not found; try /_/varz, /_/diag, /_/healthz or /debug/\n' };

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: MetricsServerOptions,
  debug: DebugPages,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let answer: Answer;
  try {
    answer = await answerTo(request, options, debug, gone.signal);
  } catch (error) {
    // Nobody is there any more to be told anything.
    if (gone.signal.aborted) return;
    const reason = mask(error instanceof Error ? error.message : String(error));
    options.logger.warn('a request to the metrics server failed', { path: pathOf(request), error: reason });
    answer = { status: 500, type: TEXT, body: `${reason}\n` };
  }
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    ...answer.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

async function answerTo(
  request: IncomingMessage,
  options: MetricsServerOptions,
  debug: DebugPages,
  gone: AbortSignal,
): Promise<Answer> {
  const path = pathOf(request);
  if (/^\/debug(\/|$)/.test(path)) return await debug.answer(request.url ?? path, request.method ?? 'GET', gone);
  if (path === '/_/pause' || path === '/_/continue') {
    return options.control === undefined ? NOT_FOUND : controlled(request, path, options.control);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, type: TEXT, body: 'only GET and HEAD are answered\n', headers: { allow: 'GET, HEAD' } };
  }
  switch (path) {
    case '/_/varz':
      return varz(request, options.metrics);
    case '/_/diag':
      return { status: 200, type: 'application/json; charset=utf-8', body: `${options.diagnostics.document()}\n` };
    case '/_/healthz': {
      const reason = options.health();
      return reason === undefined
        ? { status: 200, type: TEXT, body: 'OK' }
        : { status: 503, type: TEXT, body: `${mask(reason)}\n` };
    }
    default:
      return NOT_FOUND;
  }
}

/** The body of the request, if there is one, says nothing and is not waited for. */
function controlled(request: IncomingMessage, path: '/_/pause' | '/_/continue', control: Control): Answer {
  request.resume();
  if (request.method !== 'POST') {
    return { status: 405, type: TEXT, body: 'only POST is answered\n', headers: { allow: 'POST' } };
  }
  if (!isBearer(request.headers.authorization, control.token)) {
    return { status: 403, type: TEXT, body: 'send authorization: Bearer with the token of INSTAR_CONTROL_TOKEN\n' };
  }
  if (path === '/_/pause') control.pause();
  else control.continue();
  return { status: 200, type: TEXT, body: path === '/_/pause' ? 'paused\n' : 'continued\n' };
}

/** Whether a header holds the token. Takes the same time whatever part of it is right. */
function isBearer(header: string | undefined, token: string): boolean {
  const [, given = ''] = /^bearer +(.+)$/i.exec(header ?? '') ?? [];
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

async function varz(request: IncomingMessage, metrics: Metrics): Promise<Answer> {
  const { promhttp_metric_handler_requests_total: requests, promhttp_metric_handler_requests_in_flight: inFlight } =
    metrics.handle;
  inFlight.inc();
  try {
    const text = await metrics.text();
    requests.inc({ code: '200' });
    return wantsOpenMetrics(request.headers.accept)
      ? { status: 200, type: OPEN_METRICS_TYPE, body: toOpenMetrics(text) }
      : { status: 200, type: PROMETHEUS_TYPE, body: text };
  } catch (error) {
    requests.inc({ code: '500' });
    throw error;
  } finally {
    inFlight.dec();
  }
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0];
}

function listenError(error: NodeJS.ErrnoException, address: string, port: number): OperatorError {
  if (error.code === 'EADDRINUSE') {
    return new OperatorError(
      'METRICS_ADDRESS_IN_USE',
      `cannot serve metrics on ${address}: another process listens there; nothing was replicated`,
      { cause: error, fix: `ss -ltnp 'sport = :${port}'   # who it is\n--metricsAddr 127.0.0.1:0   # any free port` },
    );
  }
  return new OperatorError(
    'METRICS_ADDRESS_REFUSED',
    `cannot serve metrics on ${address}: ${error.message}; nothing was replicated`,
    { cause: error, fix: '--metricsAddr 127.0.0.1:30005' },
  );
}
