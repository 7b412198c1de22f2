import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type Answer, type AnswerResult, type BindValue, OraError } from './answer.ts';
import { Faults } from './faults.ts';
import { parseAlterSession } from './handshake.ts';
import { type Features, Session, type SessionHost } from './session.ts';

/**
 * A test double of an Oracle database, to which the real thin driver connects over TCP. It speaks the protocol (TNS
 * packets, TTC messages, logon with the 12c verifier) and knows no SQL: each statement has an answer that a test has
 * given, or is refused and noted.
 *
 * Binds reach an answer in the order in which the driver sends them: by position in SQL, by first appearance of the
 * name in PL/SQL. An integral NUMBER is a bigint, any other NUMBER its digits, a DATE or TIMESTAMP its text
 * (`YYYY-MM-DD HH:MM:SS`, and nine digits of a second when there are any), a RAW bytes, a BINARY_DOUBLE a number.
 * An empty string is null, as in Oracle. `out` of an answer to PL/SQL has a value for each bind, null for those that
 * are IN; binds after its end are IN. An OUT bind shows as null, or from a cached statement's second execution on as
 * what the driver has in it.
 *
 * What it does not imitate: native encryption and checksums of the network, certificates of clients, other verifiers, change of a password,
 * proxy users; character sets other than AL32UTF8, and NVARCHAR2; other types of columns than AnswerColumn has;
 * locators of LOBs (a CLOB is for `fetchAsString` or a handler of fetch types), cursors as values, objects, arrays as
 * binds; RETURNING INTO; batch errors and row counts of executeMany; implicit results; a describe without an
 * execution; pipelines, sessionless and distributed transactions, queues, notifications; VARCHAR2 beyond 4000 bytes
 * in columns. It keeps no data, locks nothing, and knows of a transaction only whether DML ran since the last commit
 * or rollback: DDL does not commit. A query's positions of errors are always 0. Rows that a batch has read when one
 * fails in its middle are lost, as they are to users of the driver.
 */
export class OracleDouble<S> implements SessionHost {
  readonly features: Features;
  readonly faults = new Faults();
  readonly #options: DoubleOptions<S>;
  readonly #answers: readonly CompiledAnswer<S>[];
  readonly #listener: Server;
  readonly #sessions = new Set<Session>();
  readonly #refused: string[] = [];
  #refusal: number | undefined;
  #lastSession = 0;

  private constructor(options: DoubleOptions<S>) {
    this.#options = options;
    this.features = PROFILES[options.profile];
    this.#answers = options.answers.map(compile);
    const serve = (socket: Socket) => {
      this.#sessions.add(new Session(++this.#lastSession, socket, this));
    };
    // A client that does not trust the certificate is gone before there is a session.
    this.#listener =
      options.tls === undefined
        ? createServer({ noDelay: true }, serve)
        : createTlsServer({ noDelay: true, ...options.tls }, serve).on('tlsClientError', () => {});
  }

  /** Listens on a free port of the loopback interface. */
  static async start<S>(options: DoubleOptions<S>): Promise<OracleDouble<S>> {
    const double = new OracleDouble(options);
    await new Promise<void>((resolve, reject) => {
      double.#listener.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return double;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /**
   * SQL texts that no answer knew, and whatever else the double could not do, with the reason: a test's last assertion
   * is that it is empty.
   */
  get refused(): readonly string[] {
    return this.#refused;
  }

  /** Open connections. */
  get connections(): number {
    return this.#sessions.size;
  }

  /**
   * The next statement whose text matches gets this error instead, or the next `times` of them. The driver's commit
   * and rollback have the texts `COMMIT` and `ROLLBACK`, here and in the other faults.
   */
  failNext(sql: RegExp, error: OraError, times = 1): void {
    this.faults.fail(sql, error, times);
  }

  /**
   * The connection is destroyed when the next statement that matches is received. With `rows`, and when it is a query,
   * after so many of its rows were sent: in the batch that would have more, or in the next fetch.
   */
  dropNext(sql: RegExp, options: { rows?: number } = {}): void {
    this.faults.drop(sql, options.rows);
  }

  /** Statements that match wait until the returned function is called. */
  hold(sql: RegExp): () => void {
    return this.faults.hold(sql);
  }

  /** Refuses new connections with this error of the listener (12514: the service is not known), until undefined. */
  refuse(err: number | undefined): void {
    this.#refusal = err;
  }

  get refusal(): number | undefined {
    return this.#refusal;
  }

  /** Destroys every connection. */
  dropAll(): void {
    for (const session of this.#sessions) session.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    this.dropAll();
    await closed;
  }

  user(name: string): { readonly name: string; readonly password: string } | undefined {
    const known = Object.entries(this.#options.users).find(([user]) => user.toUpperCase() === name.toUpperCase());
    return known && { name: known[0], password: known[1] };
  }

  service(name: string): string | undefined {
    return this.#options.services.find((service) => service.toUpperCase() === name.toUpperCase());
  }

  note(text: string): void {
    this.#refused.push(text);
  }

  gone(session: Session): void {
    this.#sessions.delete(session);
  }

  alterSession(session: Session, sql: string): boolean {
    const settings = parseAlterSession(sql);
    for (const [name, value] of settings ?? []) session.settings.set(name, value);
    return settings !== null;
  }

  async answer(session: Session, sql: string, binds: readonly BindValue[]): Promise<AnswerResult> {
    if (this.alterSession(session, sql)) return {};
    const text = sql.trim();
    const known = this.#answers.find(({ matches }) => matches(text));
    if (known === undefined) {
      this.note(sql);
      throw new OraError(900, 'invalid SQL statement');
    }
    return known.answer.answer(this.#options.server, session, binds, sql);
  }
}

export interface DoubleOptions<S> {
  /** Which server it is like: 19c with its classic logon, or 23ai with fast authentication and ends of responses. */
  readonly profile: '19c' | '23ai';
  /** Database users and their passwords. */
  readonly users: Readonly<Record<string, string>>;
  /** Names of services, of which one becomes `session.service`. */
  readonly services: readonly string[];
  /** The first that matches a statement answers it. */
  readonly answers: readonly Answer<S, DoubleSession>[];
  /** Is handed to the answers. */
  readonly server: S;
  /** It listens with TLS (TCPS), with this certificate and its key, as PEM; without TLS when left out. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface DoubleSession {
  readonly user: string;
  readonly service: string;
  readonly id: number;
  /** Values of ALTER SESSION SET, with names in upper case. */
  readonly settings: Map<string, string>;
  /** Free for answers: what a session has set up, such as the state of LogMiner. */
  readonly state: Map<string, unknown>;
  /** After a commit of the driver's, or DML that commits itself. */
  onCommit?: () => void;
  /** After a rollback of the driver's, and when a connection ends in a transaction. */
  onRollback?: () => void;
}

const PROFILES: Readonly<Record<DoubleOptions<unknown>['profile'], Features>> = {
  '19c': { tnsVersion: 317, fieldVersion: 12, fastAuth: false, endOfResponse: false, release: [19, 28] },
  '23ai': { tnsVersion: 319, fieldVersion: 24, fastAuth: true, endOfResponse: true, release: [23, 26] },
};

interface CompiledAnswer<S> {
  readonly answer: Answer<S, DoubleSession>;
  matches(text: string): boolean;
}

const inLine = (text: string) => text.trim().replace(/\s+/g, ' ');

function compile<S>(answer: Answer<S, DoubleSession>): CompiledAnswer<S> {
  const { sql } = answer;
  if (typeof sql === 'string') {
    const expected = inLine(sql);
    return { answer, matches: (text) => inLine(text) === expected };
  }
  // The ends are those of the text even with the flag m; and a pattern with the flag g would start where it stopped.
  const whole = new RegExp(`(?<![^])(?:${sql.source})(?![^])`, sql.flags.replace(/[gy]/g, ''));
  return { answer, matches: (text) => whole.test(text) };
}
