import type { Logger } from '../../log/logger.ts';
import { type Connection, close } from './connection.ts';
import type { Flavour } from './flavour.ts';
import { parseMysqlPosition } from './positions.ts';
import { select } from './server-facts.ts';
import type { MysqlStatus } from './status.ts';
import type { DumpState } from './stream.ts';
import { EXPIRY_VARIABLES, keptSeconds } from './log-expiry.ts';

/** Milliseconds between two questions for what the source has committed. */
const INTERVAL = 1000;
/** At most one part in so many of the time goes into asking: GTID sets can be long. */
const SHARE = 20;
/** Milliseconds between two questions for how long it keeps its log, which hardly ever changes. */
const EXPIRY_INTERVAL = 60_000;
/** Milliseconds that the server is given to answer. */
const ANSWER_TIMEOUT = 5000;
/** Milliseconds that it is given to end a dump, for which a stop or a new attempt waits. */
const KILL_TIMEOUT = 2000;

/** How a server says that a dump has sent everything, and therefore heartbeats. */
const ALL_SENT = /has sent all binlog/i;

/**
 * Asks the source, on a connection of its own, how far it is and what it does for a stream. It only informs: when it cannot
 * ask, the stream goes on.
 */
export class SourceMonitor {
  readonly #connect: () => Promise<Connection>;
  readonly #flavour: Flavour;
  readonly #status: MysqlStatus;
  readonly #log: Logger;
  #connection: Promise<Connection> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #expiryReadAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(connect: () => Promise<Connection>, flavour: Flavour, status: MysqlStatus, log: Logger) {
    this.#connect = connect;
    this.#flavour = flavour;
    this.#status = status;
    this.#log = log;
  }

  /** Asks now and then every second for what the source has committed. */
  start(): void {
    const look = async () => {
      const started = performance.now();
      try {
        await this.#readHead();
        if (started - this.#expiryReadAt > EXPIRY_INTERVAL) await this.#readExpiry(started);
      } catch (error) {
        this.#log.debug('cannot ask the source how far it is', { error: String(error) });
      }
      const took = performance.now() - started;
      if (!this.#stopped) this.#timer = setTimeout(look, Math.max(INTERVAL, SHARE * took));
    };
    void look();
  }

  /** What the server does for the dump of this number. Rejects when it does not answer. */
  async dumpState(threadId: number): Promise<DumpState> {
    const rows = await this.#ask<{ Id: number | string; State: string | null }>('SHOW PROCESSLIST');
    const row = rows.find(({ Id }) => Number(Id) === threadId);
    if (row === undefined) return undefined;
    return ALL_SENT.test(row.State ?? '') ? 'waiting' : 'working';
  }

  /** Ends a dump whose connection was cut, which the server would notice late. Never rejects. */
  async kill(threadId: number): Promise<void> {
    await this.#ask(`KILL ${threadId}`, KILL_TIMEOUT).catch((error: unknown) => {
      this.#log.debug('the source did not end the former stream', { error: String(error) });
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#drop();
  }

  async #readHead(): Promise<void> {
    const name = this.#flavour === 'mysql' ? 'gtid_executed' : 'gtid_binlog_pos';
    const [{ head }] = await this.#ask<{ head: string }>(`SELECT @@GLOBAL.${name} AS head`);
    if (head !== '') this.#status.head = parseMysqlPosition(head);
  }

  async #readExpiry(at: number): Promise<void> {
    const rows = await this.#ask<{ Variable_name: string; Value: string }>(EXPIRY_VARIABLES);
    const variables = new Map(rows.map(({ Variable_name, Value }) => [Variable_name.toLowerCase(), Value]));
    this.#status.retention = {
      limitBytes: undefined,
      safeBytes: undefined,
      walStatus: undefined,
      keptSeconds: keptSeconds(variables),
    };
    this.#expiryReadAt = at;
  }

  async #ask<Row>(sql: string, timeout = ANSWER_TIMEOUT): Promise<Row[]> {
    const answer = this.#opened().then((connection) => select<Row>(connection, sql));
    answer.catch(() => {}); // it may fail after the time is up
    const timeUp = Promise.withResolvers<never>();
    const timer = setTimeout(() => timeUp.reject(new Error('no answer')), timeout);
    try {
      return await Promise.race([answer, timeUp.promise]);
    } catch (error) {
      this.#drop();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #opened(): Promise<Connection> {
    if (this.#connection !== undefined) return this.#connection;
    const opening = this.#connect().then((connection) => {
      connection.on('error', () => {
        if (this.#connection === opening) this.#connection = undefined;
      });
      if (this.#stopped) close(connection);
      return connection;
    });
    this.#connection = opening;
    return opening;
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.then(close).catch(() => {});
  }
}
