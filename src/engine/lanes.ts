import type { MessageBuffer } from '../target/messages.ts';
import type { Session } from '../target/session.ts';
import type { Batch } from './batcher.ts';
import { type Footprint, footprintOf, overlap } from './footprint.ts';
import { Signal } from './signal.ts';
import type { TargetTables } from './target-tables.ts';

/** A batch whose statements take longer than this, milliseconds, is taken to wait for rows of the batches behind it. */
const PATIENCE = 1000;

/** A batch on a lane. */
interface Run {
  readonly batch: Batch;
  readonly footprint: Footprint;
  readonly session: Session;
  readonly started: number;
  /** Resolves, never rejects, when the statements were answered. */
  answered: Promise<void>;
  state: 'running' | 'ready' | 'committing' | 'failed';
  error: Error | undefined;
}

/** A batch that could not be applied beside the others, and those that were behind it. */
export interface Derailed {
  /** Undefined when nothing was refused: the batches only stood in the way of the one in front of them. */
  readonly error: Error | undefined;
  readonly batches: readonly Batch[];
}

export interface LanesParts {
  /** Most connections. */
  readonly limit: number;
  readonly openSession: () => Promise<Session>;
  readonly tables: TargetTables;
  /** Writes the beginning of the transaction and the batch's statements. */
  readonly write: (batch: Batch, session: Session, script: MessageBuffer) => void;
  /** Writes the fence and the commit. */
  readonly seal: (batch: Batch, session: Session, script: MessageBuffer) => void;
  /** The batch was committed; `started` is when its statements were sent. */
  readonly committed: (batch: Batch, started: number) => void;
  /** Something changed that may be acted upon. */
  readonly wake: () => void;
}

/**
 * Batches that share no row, each on a connection of its own. Their statements run at the same time; their commits come
 * one after the other, in the source's order, so that the checkpoint stays a single position and the target shows the
 * source's past exactly as it does without lanes.
 */
export class Lanes {
  readonly #parts: LanesParts;
  readonly #free: Session[] = [];
  readonly #runs: Run[] = [];
  readonly #signal = new Signal();
  #open = 0;
  #failure: Error | undefined;

  constructor(parts: LanesParts) {
    this.#parts = parts;
  }

  /** Batches under way. */
  get size(): number {
    return this.#runs.length;
  }

  /** True when `recover` has something to do. */
  get troubled(): boolean {
    return this.#failure !== undefined || this.#runs.some((run) => run.state === 'failed') || this.#stuck;
  }

  /**
   * Takes a batch once no batch under way shares a row with it and a lane is free. False when it must be applied alone, or
   * when there is trouble; the caller keeps it then. Throws what opening a connection and resolving tables throw.
   */
  async accept(batch: Batch): Promise<boolean> {
    const footprint = footprintOf(batch.log, (table) => this.#parts.tables.resolve(table));
    if (footprint.alone) return false;
    while (!this.troubled) {
      if (!this.#runs.some((run) => overlap(run.footprint, footprint))) {
        const session = await this.#lane();
        if (session !== undefined) {
          this.#start(batch, footprint, session);
          return true;
        }
      }
      await this.#signal.wait(PATIENCE);
    }
    return false;
  }

  /** Resolves when nothing is under way, or when there is trouble. */
  async drained(): Promise<void> {
    while (this.#runs.length > 0 && !this.troubled) await this.#signal.wait(PATIENCE);
  }

  /**
   * Lets the batches in front of the trouble commit and rolls back the rest, which is returned in order. Throws when a
   * connection was lost.
   */
  async recover(): Promise<Derailed> {
    const failed = this.#runs.findIndex((run) => run.state === 'failed');
    const behind = this.#runs.splice(failed < 0 ? 1 : failed);
    const error = behind[0]?.error;
    // All at the same time: one of them may wait for rows of another.
    await Promise.all(
      behind.map(async (run) => {
        await run.answered;
        await run.session.run('ROLLBACK').catch((lost: Error) => {
          this.#failure ??= lost;
        });
        this.#free.push(run.session);
      }),
    );
    while (this.#runs.length > 0 && this.#runs.every((run) => run.state !== 'failed') && this.#failure === undefined) {
      await this.#signal.wait(PATIENCE);
    }
    if (this.#failure !== undefined) throw this.#failure;
    const batches = behind.map((run) => run.batch);
    if (this.#runs.length === 0) return { error: failed < 0 ? undefined : error, batches };
    const front = await this.recover();
    return { error: front.error, batches: [...front.batches, ...batches] };
  }

  /** Cuts all connections. */
  close(): void {
    for (const session of [...this.#free, ...this.#runs.map((run) => run.session)]) session.destroy();
  }

  /** The batch in front waits although others could give way. */
  get #stuck(): boolean {
    const [front, next] = this.#runs;
    return next !== undefined && front.state === 'running' && performance.now() - front.started > PATIENCE;
  }

  async #lane(): Promise<Session | undefined> {
    const free = this.#free.pop();
    if (free !== undefined || this.#open >= this.#parts.limit) return free;
    this.#open++;
    return await this.#parts.openSession();
  }

  #start(batch: Batch, footprint: Footprint, session: Session): void {
    const script = session.script();
    try {
      this.#parts.write(batch, session, script);
    } catch (error) {
      session.forgetStatements();
      this.#free.push(session);
      throw error;
    }
    const run: Run = {
      batch,
      footprint,
      session,
      started: performance.now(),
      answered: Promise.resolve(),
      state: 'running',
      error: undefined,
    };
    run.answered = session.send(script).then(
      () => {
        run.state = 'ready';
        this.#advance();
      },
      (error: Error) => this.#fail(run, error),
    );
    this.#runs.push(run);
  }

  /** Commits the batch in front when it is ready. */
  #advance(): void {
    const front = this.#runs[0];
    if (front?.state !== 'ready') return;
    front.state = 'committing';
    const { batch, session } = front;
    const script = session.script();
    this.#parts.seal(batch, session, script);
    session.send(script).then(
      () => {
        this.#runs.shift();
        this.#free.push(session);
        this.#parts.committed(batch, front.started);
        this.#tell();
        this.#advance();
      },
      (error: Error) => this.#fail(front, error),
    );
  }

  #fail(run: Run, error: Error): void {
    run.state = 'failed';
    run.error = error;
    this.#tell();
  }

  #tell(): void {
    this.#signal.wake();
    this.#parts.wake();
  }
}
