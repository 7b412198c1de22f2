import { setTimeout as sleep } from 'node:timers/promises';
import { parseConnectionString } from '../../src/config/connection.ts';
import type { SourceTable } from '../../src/changes/table.ts';
import type { Position } from '../../src/sources/source.ts';
import { PostgresSource, type PostgresSourceOptions } from '../../src/sources/postgres/postgres-source.ts';
import type { TestDatabase } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';
import { type Change, CollectingSink } from './collecting-sink.ts';
import { RecordingLogger } from './recording-logger.ts';

/** The slot and publication that `publish` makes. */
export const SLOT = 'test_slot';

const dataDir = scratchDirectory('source');

/** Runs the statements of `schema`, publishes everything, and makes a slot of the database's own. */
export async function publish(database: TestDatabase, schema: string, options = ''): Promise<string> {
  const slot = `${SLOT}_${database.name}`;
  await database.query(schema);
  await database.query(`CREATE PUBLICATION everything FOR ALL TABLES ${options}`);
  await database.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  return slot;
}

export interface RunOptions extends Partial<Omit<PostgresSourceOptions, 'connection'>> {
  readonly url: string;
  readonly slotName: string;
  readonly checkpoint?: Position;
  /** Acknowledge at once what was delivered; default true. */
  readonly acknowledge?: boolean;
}

/** A source that streams into a collecting sink. */
export class SourceRun {
  readonly source: PostgresSource;
  readonly sink = new CollectingSink();
  readonly log: RecordingLogger;
  readonly counted = { success: 0, failure: 0, unchanged: 0, empty: 0, mutations: {} as Record<string, number> };
  tables: readonly SourceTable[] = [];
  /** Settles when the stream ends. */
  ended: Promise<void> = Promise.resolve();
  failure: unknown;
  readonly #stop = new AbortController();

  private constructor(options: RunOptions) {
    this.log = new RecordingLogger();
    const { counted } = this;
    this.source = new PostgresSource({
      standbyTimeout: 5000,
      truncate: 'apply',
      dataDir,
      log: this.log,
      metrics: {
        dialSuccess: () => void counted.success++,
        dialFailure: () => void counted.failure++,
        unchangedToast: (count) => {
          counted.unchanged += count;
        },
        emptyTransaction: () => void counted.empty++,
        mutation: (kind, count) => {
          counted.mutations[kind] = (counted.mutations[kind] ?? 0) + count;
        },
      },
      ...options,
      connection: parseConnectionString(options.url, '--sourceConn', {}),
    });
  }

  /** A source that has passed its checks; nothing is streamed yet. */
  static async connect(options: RunOptions): Promise<SourceRun> {
    const run = new SourceRun(options);
    run.tables = await run.source.connect();
    if (options.acknowledge !== false) run.sink.onPosition = (position) => run.source.acknowledge(position);
    return run;
  }

  /** A source that streams until the test ends. */
  static async start(test: { after(done: () => Promise<void>): void }, options: RunOptions): Promise<SourceRun> {
    const run = await SourceRun.connect(options);
    test.after(() => run.stop());
    run.stream(options.checkpoint);
    await run.until(() => run.source.status.state === 'streaming', 'the stream has started');
    return run;
  }

  stream(checkpoint?: Position): void {
    this.ended = this.source.stream(checkpoint, this.sink, this.#stop.signal).catch((error: unknown) => {
      this.failure = error;
    });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.sink.drain();
    await this.ended;
    await this.source.close();
  }

  /** All changes of all transactions so far. */
  get changes(): Change[] {
    return this.sink.transactions.flatMap((transaction) => transaction.changes);
  }

  /** Waits for a condition; fails early when the stream has failed. */
  async until(condition: () => boolean, what: string): Promise<void> {
    await until(() => {
      if (this.failure !== undefined) throw this.failure;
      return condition();
    }, what);
    await this.sink.read();
  }

  /** Waits until that many transactions were delivered. */
  transactions(count: number): Promise<void> {
    return this.until(() => this.sink.transactions.length >= count, `${count} transactions have come`);
  }
}

/** Waits for a condition that may need a question to a server; fails after 20 s. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`in vain waited until ${what}`);
    await sleep(20);
  }
}
