import type pg from 'pg';
import { MessageBuffer } from './messages.ts';

/** The parts of pg's connection object that the session works with. */
interface WireConnection {
  stream: { write(data: Buffer, done?: () => void): boolean };
  on(event: string, listener: (message: never) => void): void;
  removeAllListeners(event: string): void;
}

/** What the server said to one script. */
export interface ScriptResult {
  /** Command tags in order, such as `INSERT 0 5` or `COMMIT`. */
  readonly tags: readonly string[];
}

/** A value of an answer: booleans as such, everything else as text. */
export type AnswerValue = string | boolean | null;

/** The rows of one answer, gathered as they come. */
interface Gathering {
  readonly rows: AnswerValue[][];
  /** Which columns are booleans. */
  booleans: readonly boolean[];
  /** Characters so far. */
  size: number;
}

interface Pending {
  syncs: number;
  gathering: Gathering | undefined;
  error: Error | undefined;
  tags: string[];
  resolve(result: ScriptResult): void;
  reject(error: Error): void;
}

const completed = new WeakMap<Error, number>();

/** Statements that a script was given and that were carried out before the one that failed with `error`. */
export function statementsBefore(error: Error): number | undefined {
  return completed.get(error);
}

/** pg_type's OID of boolean. */
const BOOLEAN = 16;

/** An answer of more characters than this is given up: it would have to be held in memory. */
const LONGEST_ANSWER = 64 * 1024 * 1024;

/** Free buffers kept for reuse, and the size over which a buffer is let go instead. */
const POOLED_BUFFERS = 8;
const POOLED_CAPACITY = 4 * 1024 * 1024;

/**
 * A connection that sends whole scripts of messages without waiting for the answer to the last one: a round trip to the
 * target costs latency, never throughput. Answers are matched to scripts by counting ReadyForQuery.
 *
 * The client is one that `pg` has connected and authenticated; from then on the session owns it.
 */
export class Session {
  readonly #client: pg.Client;
  readonly #wire: WireConnection;
  readonly #pending: Pending[] = [];
  readonly #statements = new Map<string, string>();
  readonly #statementLimit: number;
  readonly #pool: MessageBuffer[] = [];
  #statementNumber = 0;
  /** True when the server may hold statements that were forgotten here. */
  #stale = false;
  #broken: Error | undefined;
  /** When the server last said something, or was asked while it had nothing to do. */
  #heardAt = 0;
  readonly #watch: NodeJS.Timeout | undefined;

  /**
   * `statementLimit`: prepared statements kept before all of them are dropped and made anew. `patience`: milliseconds
   * without a word from a server that owes an answer, after which the connection is given up; 0: never.
   */
  constructor(client: pg.Client, statementLimit: number, patience = 0) {
    this.#client = client;
    this.#statementLimit = Math.max(8, statementLimit);
    this.#wire = (client as unknown as { connection: WireConnection }).connection;
    const listeners: Record<string, (message: never) => void> = {
      readyForQuery: () => this.#ready(),
      commandComplete: (message: { text: string }) => this.#pending[0]?.tags.push(message.text),
      errorMessage: (message: Error) => this.#failed(message),
      dataRow: (message: { fields: (string | null)[] }) => this.#row(message.fields),
      rowDescription: (message: { fields: { dataTypeID: number }[] }) => {
        const gathering = this.#pending[0]?.gathering;
        if (gathering !== undefined) gathering.booleans = message.fields.map((field) => field.dataTypeID === BOOLEAN);
      },
      emptyQuery: () => {},
      parseComplete: () => {},
      portalSuspended: () => {},
      copyInResponse: () => {},
      copyData: () => {},
    };
    for (const [event, listener] of Object.entries(listeners)) {
      this.#wire.removeAllListeners(event);
      this.#wire.on(event, listener);
    }
    for (const event of ['commandComplete', 'readyForQuery', 'parseComplete', 'copyInResponse']) {
      this.#wire.on(event, () => {
        this.#heardAt = performance.now();
      });
    }
    if (patience > 0) {
      this.#watch = setInterval(() => {
        if (this.#pending.length > 0 && performance.now() - this.#heardAt > patience) {
          this.destroy('it owes an answer and says nothing');
        }
      }, patience / 4);
      this.#watch.unref();
    }
    this.#wire.on('error', (error: Error) => this.#break(error));
    this.#wire.on('end', () => this.#break(new Error('connection closed by the server')));
  }

  /** The user that it was opened as. */
  get user(): string | undefined {
    return this.#client.user;
  }

  /** Scripts sent and not yet answered. */
  get inFlight(): number {
    return this.#pending.length;
  }

  /** An empty script to fill and `send`. */
  script(): MessageBuffer {
    return this.#pool.pop() ?? new MessageBuffer();
  }

  /**
   * Name under which `sql` is prepared, preparing it in `script` on first use. The statement is only known for good when
   * the script succeeds: after any failure all names are forgotten and given anew.
   */
  statement(script: MessageBuffer, sql: string): string {
    let name = this.#statements.get(sql);
    if (name !== undefined) return name;
    if (this.#stale || this.#statements.size >= this.#statementLimit) {
      this.#statements.clear();
      this.#stale = false;
      script.query('DEALLOCATE ALL');
    }
    name = `s${++this.#statementNumber}`;
    this.#statements.set(sql, name);
    script.parse(name, sql);
    return name;
  }

  /** To be called when a script that prepared statements is dropped unsent. */
  forgetStatements(): void {
    this.#statements.clear();
    this.#stale = true;
  }

  /**
   * Sends a script. Resolves when the server has answered all of it without an error; rejects with the first error, as
   * pg's DatabaseError, or with the network error when the connection is lost.
   */
  send(script: MessageBuffer): Promise<ScriptResult> {
    return this.#send(script, undefined);
  }

  /** Runs one statement with text parameters in the open transaction; resolves to its rows. Rejects as `send` does. */
  async ask(sql: string, params: readonly (string | null)[]): Promise<AnswerValue[][]> {
    const script = this.script();
    script.parse('', sql);
    const mark = script.bind('', params.length);
    for (const param of params) {
      if (param === null) script.null();
      else script.text(param);
    }
    script.executeDescribed(mark);
    const gathering: Gathering = { rows: [], booleans: [], size: 0 };
    await this.#send(script, gathering);
    if (gathering.size > LONGEST_ANSWER) throw new Error(`the answer has more than ${LONGEST_ANSWER} characters`);
    return gathering.rows;
  }

  #send(script: MessageBuffer, gathering: Gathering | undefined): Promise<ScriptResult> {
    script.sync();
    // Without a message there would be no answer, and the next script's would be taken for this one's.
    if (script.syncs === 0) script.query('');
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) {
        reject(this.#broken);
        return;
      }
      if (this.#pending.length === 0) this.#heardAt = performance.now();
      this.#pending.push({ syncs: script.syncs, gathering, error: undefined, tags: [], resolve, reject });
      this.#wire.stream.write(script.buffer.subarray(0, script.length), () => this.#recycle(script));
    });
  }

  /** Runs one simple query outside of any script's transaction. */
  run(sql: string): Promise<ScriptResult> {
    const script = this.script();
    script.query(sql);
    return this.send(script);
  }

  /** Says goodbye, or just hangs up when the connection is already lost. */
  async close(): Promise<void> {
    const lost = this.#broken !== undefined;
    this.#break(new Error('session closed'));
    if (!lost) await this.#client.end().catch(() => {});
  }

  /** Cuts the connection at once; the server rolls back what was open. */
  destroy(reason = 'session closed'): void {
    this.#break(new Error(reason));
    (this.#wire.stream as unknown as { destroy(): void }).destroy();
  }

  #ready(): void {
    const head = this.#pending[0];
    if (head === undefined || --head.syncs > 0) return;
    this.#pending.shift();
    if (head.error === undefined) head.resolve({ tags: head.tags });
    else head.reject(head.error);
  }

  #row(fields: readonly (string | null)[]): void {
    const gathering = this.#pending[0]?.gathering;
    if (gathering === undefined) return;
    for (const field of fields) gathering.size += field?.length ?? 4;
    if (gathering.size > LONGEST_ANSWER) return;
    gathering.rows.push(fields.map((field, i) => (gathering.booleans[i] && field !== null ? field === 't' : field)));
  }

  #failed(error: Error): void {
    this.forgetStatements();
    const head = this.#pending[0];
    if (head === undefined) {
      this.#break(error);
    } else if (head.error === undefined) {
      head.error = error;
      // The session's own housekeeping is none of them.
      completed.set(error, head.tags.filter((tag) => !tag.startsWith('DEALLOCATE')).length);
    }
  }

  #break(error: Error): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    clearInterval(this.#watch);
    for (const pending of this.#pending.splice(0)) pending.reject(pending.error ?? error);
  }

  #recycle(script: MessageBuffer): void {
    if (this.#pool.length >= POOLED_BUFFERS || script.buffer.length > POOLED_CAPACITY) return;
    script.clear();
    this.#pool.push(script);
  }
}
