import http from 'node:http';
import https from 'node:https';
import { UsageError } from '../errors.ts';

/** The endpoints of a replicator. */
export interface Endpoint {
  /** As people are told of it, without a password. */
  readonly display: string;
  readonly varz: URL;
  readonly diag: URL;
  /** What to present to a server that asks who is there. */
  readonly authorization: string | undefined;
}

/** What the endpoints answered. */
export interface Answer {
  readonly varz: string;
  /** The document of `/_/diag`; undefined where there is none, as JSON at least. */
  readonly diag: unknown;
  /** Milliseconds by which the clock over there is ahead of this one; 0 when the difference is too small to tell. */
  readonly clockAhead: number;
}

interface Page {
  readonly body: string;
  readonly date: string | undefined;
}

/** One connection is kept open for each page from look to look. */
const lines = {
  http: new http.Agent({ keepAlive: true, maxSockets: 4 }),
  https: new https.Agent({ keepAlive: true, maxSockets: 4 }),
};

/** What is read of an answer at most, characters: whoever sends more is no replicator. */
const LARGEST = 64 * 1024 * 1024;
/** The Date header has whole seconds, and the answer takes its time: less than this is no difference of clocks. */
const CLOCK_NOISE = 2500;

/**
 * The endpoints meant by `text`: `http://127.0.0.1:30005`, `127.0.0.1:30005`, `:30005`, or the URL of any page of them such as
 * `https://user:password@host/replicator/_/varz`.
 * @throws UsageError when it is none of these.
 */
export function parseEndpoint(text: string): Endpoint {
  const wrong = new UsageError(`"${hidePassword(text)}" is not the address of a replicator's metrics`, {
    fix: 'instar watch http://127.0.0.1:30005\ninstar watch https://host:30005/_/varz',
  });
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
    ? text
    : `http://${text.startsWith(':') ? '127.0.0.1' : ''}${text}`;
  if (!URL.canParse(whole)) throw wrong;
  const url = new URL(whole);
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') throw wrong;
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const authorization = credentials === ':' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
  url.username = '';
  url.password = '';
  url.hash = '';
  const prefix = url.pathname.replace(/\/(_(\/.*)?)?$/, '');
  const page = (name: string) => Object.assign(new URL(url), { pathname: `${prefix}/_/${name}` });
  return { display: `${url.host}${prefix}`, varz: page('varz'), diag: page('diag'), authorization };
}

/** Reads both pages. Rejects with an Error that says, in a few words for an operator, why there is no answer. */
export async function ask(endpoint: Endpoint, signal: AbortSignal): Promise<Answer> {
  const [varz, diag] = await Promise.all([
    page(endpoint.varz, endpoint, signal),
    page(endpoint.diag, endpoint, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      if (error instanceof Error) return undefined;
      throw error;
    }),
  ]);
  if (!/^[a-z_:][\w:]*(\{.*\})?[ \t]/im.test(varz.body)) {
    throw new Error(`${endpoint.varz.pathname} of ${endpoint.display} has no metrics`);
  }
  const date = Date.parse(varz.date ?? '');
  const ahead = Number.isNaN(date) ? 0 : date + 500 - Date.now();
  return {
    varz: varz.body,
    diag: diag === undefined ? undefined : parsedJson(diag.body),
    clockAhead: Math.abs(ahead) < CLOCK_NOISE ? 0 : ahead,
  };
}

function page(url: URL, endpoint: Endpoint, signal: AbortSignal): Promise<Page> {
  const { display, authorization } = endpoint;
  const secure = url.protocol === 'https:';
  const headers = authorization === undefined ? {} : { authorization };
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(signal.reason);
      // A connection kept from the last look may have been closed in the moment that it was used again.
      else if (request.reusedSocket && error.code === 'ECONNRESET') resolve(page(url, endpoint, signal));
      else reject(plainly(error, display));
    };
    const request = (secure ? https : http).get(url, { signal, headers, agent: secure ? lines.https : lines.http });
    request.on('error', fail);
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('error', fail);
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > LARGEST) request.destroy(new Error(`${display} answers with more than metrics`));
      });
      response.on('end', () => {
        const { statusCode: status = 0 } = response;
        if (status >= 200 && status < 300) resolve({ body, date: response.headers.date });
        else reject(new Error(`${url.pathname} of ${display} answers with status ${status}`));
      });
    });
  });
}

function parsedJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function plainly(error: NodeJS.ErrnoException, display: string): Error {
  switch (error.code) {
    case 'ECONNREFUSED':
      return new Error(`nobody listens on ${display} (connection refused)`, { cause: error });
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new Error(`the name of ${display} is not known (DNS)`, { cause: error });
    case 'ECONNRESET':
    case 'EPIPE':
      return new Error(`${display} closed the connection`, { cause: error });
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return new Error(`${display} cannot be reached (${error.code})`, { cause: error });
    default:
      return error.code?.startsWith('HPE_') ? new Error(`${display} does not speak HTTP`, { cause: error }) : error;
  }
}

function hidePassword(text: string): string {
  return text.replace(/(\/\/[^\s/@:]*:)[^\s/]*@/, '$1*****@');
}
