import { Applier, type ApplierOptions } from '../../src/engine/applier.ts';
import type { LargeMode } from '../../src/engine/large-mode.ts';
import { Batcher, type BatcherOptions } from '../../src/engine/batcher.ts';
import { Checkpoint } from '../../src/engine/checkpoint.ts';
import { type DeadLetters, openLetters } from '../../src/engine/letters.ts';
import { Pause } from '../../src/engine/pause.ts';
import { sessionSettings } from '../../src/engine/target.ts';
import { checkpointStatement, ensureCheckpoint, moveCheckpoint, readMemo } from '../../src/staging/memo.ts';
import { openStagingSchema } from '../../src/staging/staging-schema.ts';
import { describeServer } from '../../src/target/dialect.ts';
import { stagingSchemaName, targetSchemaName } from '../../src/target/identifiers.ts';
import type { Session } from '../../src/target/session.ts';
import type { TestDatabase } from '../servers/postgres.ts';
import { connectText } from '../servers/text-client.ts';
import { openSession, openTargetTables } from './apply-rig.ts';
import { Feed, NumberPosition } from './feed.ts';
import { RecordingLogger } from './recording-logger.ts';

interface TestScope {
  after(done: () => Promise<void>): void;
}

const KEY = 'test-checkpoint';

export interface AppliedCommit {
  readonly transactions: number;
  readonly exact: boolean;
  /** `table +upserts -deletes`. */
  readonly written: readonly string[];
}

export interface RigOptions {
  readonly batching?: Partial<BatcherOptions>;
  readonly applying?: Partial<ApplierOptions>;
  readonly largeMode?: LargeMode;
  /** Commits do not wait for the target's disk; the applier asks for durability by itself. Default true. */
  readonly deferred?: boolean;
  /** Keeps the checkpoint apart from the data, as a staging schema on another server does. */
  readonly apart?: boolean;
  /** Where the data goes, when not straight to the database. */
  readonly url?: string;
  readonly deadLetters?: DeadLetters;
}

/** An applier with a real target, fed by hand. One rig is one stream: after a failure a new one goes on at the checkpoint. */
export class ApplierRig {
  readonly feed: Feed;
  readonly applier: Applier;
  readonly session: Session;
  readonly log = new RecordingLogger();
  readonly commits: AppliedCommit[] = [];
  readonly events: string[] = [];
  readonly pause = new Pause();
  /** Newest position that is durable. */
  durable = 0;
  readonly #running: Promise<void>;
  failure: Error | undefined;

  private constructor(applier: (rig: ApplierRig) => Applier, batcher: Batcher, session: Session, position: number) {
    this.feed = new Feed(batcher);
    this.feed.position = position;
    this.session = session;
    this.applier = applier(this);
    this.#running = this.applier.run().catch((error: Error) => {
      this.failure = error;
    });
  }

  static async open(test: TestScope, database: TestDatabase, options: RigOptions = {}): Promise<ApplierRig> {
    const client = await connectText(test, database.url);
    const server = await describeServer(client);
    const staging = { name: stagingSchemaName('_replicator', server), dialect: server.dialect };
    await openStagingSchema(client, staging, { create: true });
    await ensureCheckpoint(client, staging, KEY);
    const url = options.url ?? database.url;
    const openDataSession = async () => {
      const session = await openSession(test, url);
      await session.run(sessionSettings(server.dialect, 30_000));
      return session;
    };
    const [session, tables] = await Promise.all([openDataSession(), openTargetTables(test, database.url, 'public')]);
    const batcher = new Batcher({
      flushSize: 1000,
      transactionLimit: 1000,
      memoryLimit: 64 * 1024 * 1024,
      queueSize: 100,
      ...options.batching,
    });
    const read = () => readMemo(client, staging, KEY);
    const stored = await read();
    const store = {
      fence: options.apart ? undefined : checkpointStatement(staging.name, staging.dialect),
      key: KEY,
      read,
      write: (position: string, expected: string) =>
        options.apart
          ? moveCheckpoint(client, staging, KEY, position, expected)
          : Promise.reject(new Error('the checkpoint moves with the data')),
    };
    const checkpoint = new Checkpoint(
      store,
      stored === '' ? undefined : new NumberPosition(Number(stored)),
      stored,
      options.deferred ?? true,
      (error) => {
        throw error;
      },
    );
    const schema = targetSchemaName('public', server);
    const letters = openLetters({ schema, dialect: server.dialect, withClient: (work) => work(client) }, 'letters');
    const make = (rig: ApplierRig) =>
      new Applier({
        batcher,
        session,
        openSession: openDataSession,
        dialect: server.dialect,
        tables,
        checkpoint,
        options: {
          flushPeriod: 100,
          maxRetries: 3,
          retryInitialBackoff: 5,
          retryMaxBackoff: 20,
          retryMultiplier: 2,
          onApplyError: 'stop',
          collapse: true,
          lanes: 1,
          ...options.applying,
        },
        deadLetters: options.deadLetters ?? letters,
        log: rig.log,
        largeMode: options.largeMode ?? 'copy',
        largeReason: undefined,
        pause: rig.pause,
        events: {
          committed: (transactions, _time, _duration, written, exact) => {
            const counted = written.map(({ table, upserts, deletes }) => `${table} +${upserts} -${deletes}`);
            rig.commits.push({ transactions, exact, written: counted });
          },
          durable: (position) => {
            rig.durable = Number(position.toString());
          },
          refused: (table, state) => void rig.events.push(`refused ${table} ${state}`),
          retried: (state) => void rig.events.push(`retried ${state}`),
          deadLettered: (position, changes) => void rig.events.push(`dead-lettered ${position} ${changes}`),
        },
      });
    const rig = new ApplierRig(make, batcher, session, Number(stored));
    test.after(async () => {
      rig.applier.close();
      session.destroy();
      rig.applier.drain();
      batcher.discard();
      await rig.#running;
    });
    return rig;
  }

  /** Lets the applier finish what it has; resolves when it has, rejects with what stopped it. */
  async finish(): Promise<void> {
    this.applier.drain();
    await this.#running;
    if (this.failure !== undefined) throw this.failure;
  }

  /** Waits for the applier to stop by a failure. */
  async failed(): Promise<Error> {
    await this.#running;
    if (this.failure === undefined) throw new Error('the applier ended without a failure');
    return this.failure;
  }
}

/** The checkpoint as it is on the target; 0 before the first. */
export async function checkpointOf(database: TestDatabase): Promise<number> {
  const [row] = await database.query<{ value: string }>(
    `SELECT convert_from(value, 'UTF8') AS value FROM _replicator.memo WHERE key = $1`,
    [KEY],
  );
  return Number(row.value);
}
