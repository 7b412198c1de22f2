import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../errors.ts';
import type { Logger } from '../log/logger.ts';
import type { Position, Source } from '../sources/source.ts';
import type { Dialect } from '../target/dialect.ts';
import type { Session } from '../target/session.ts';
import { isScriptError } from '../userscript/script-error.ts';
import { Applier, type ApplierOptions } from './applier.ts';
import type { ApplierEvents } from './apply-events.ts';
import { Batcher, type BatcherOptions } from './batcher.ts';
import { Checkpoint, type CheckpointStore } from './checkpoint.ts';
import { connectionLost, isTransient } from './connection-loss.ts';
import { type LargeMode, Rewind } from './large-mode.ts';
import type { DeadLetters } from './letters.ts';
import type { Pause } from './pause.ts';
import { ScriptStage } from './script-stage.ts';
import type { ScriptParts } from './scripted-writes.ts';
import { Stopwatch } from './stopwatch.ts';
import type { TargetTables } from './target-tables.ts';

/** Waits between attempts to connect again, milliseconds: short enough to be back within a second of the server. */
const FIRST_BACKOFF = 50;
const LONGEST_BACKOFF = 500;

/** The same trouble is logged again only after this many milliseconds. */
const REPEAT_LOG = 10_000;

/** Milliseconds without a commit, while there is something to commit, after which the engine calls itself stalled. */
const STALLED = 60_000;

export interface PipelineParts {
  readonly source: Source;
  readonly dialect: Dialect;
  readonly tables: TargetTables;
  readonly store: CheckpointStore;
  readonly deadLetters: DeadLetters;
  /** Opens a connection for the data. */
  readonly openSession: () => Promise<Session>;
  /** The identity kept with the checkpoint, and how to keep it. */
  readonly identity: {
    read(): Promise<Readonly<Record<string, string>> | undefined>;
    write(identity: Readonly<Record<string, string>>): Promise<void>;
  };
  /** The userscript, where there is one. */
  readonly script?: ScriptParts;
  readonly batching: BatcherOptions;
  readonly applying: ApplierOptions;
  /** Milliseconds that a stop may take to apply what is in hand. */
  readonly gracePeriod: number;
  /** While it is active nothing is applied, and the connection to the source stays. */
  readonly pause: Pause;
  readonly events: ApplierEvents & { reconnecting(error: OperatorError): void };
  readonly log: Logger;
}

/** What `/_/diag` and the metrics show. */
export interface PipelineState {
  state: 'starting' | 'streaming' | 'reconnecting' | 'stopping' | 'stopped' | 'failed';
  /** Why, where the state is a bad one. */
  reason: string | undefined;
  checkpoint: Position | undefined;
}

/**
 * Source to target, for as long as it takes: starts at the checkpoint, and after any failure that can pass starts again at
 * the checkpoint. What was in memory is simply forgotten then, because the source delivers it again.
 */
export class Pipeline {
  readonly state: PipelineState = { state: 'starting', reason: undefined, checkpoint: undefined };
  readonly #parts: PipelineParts;
  readonly #busy = new Stopwatch();
  readonly #blocked = new Stopwatch();
  #batcher: Batcher | undefined;
  #applier: Applier | undefined;
  #largeMode: LargeMode = 'copy';
  #largeReason: Error | undefined;
  #largeAttempts = 0;
  #failures = 0;
  /** Times in a row that the checkpoint was found moved. */
  #moved = 0;
  #loggedAt = 0;
  #loggedCode = '';
  #lastCommit = performance.now();

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    parts.pause.onChange((active) => {
      if (!active) this.#lastCommit = performance.now();
    });
  }

  /** Bytes received and not yet applied. */
  get buffered(): number {
    return this.#batcher?.buffered ?? 0;
  }

  /** Batches that wait, and batches on their way to the target. */
  get queued(): number {
    return this.#batcher?.queued ?? 0;
  }

  get inFlight(): number {
    return this.#applier?.inFlight ?? 0;
  }

  /** Milliseconds so far in which the target had something to do. */
  get targetBusy(): number {
    return this.#busy.milliseconds;
  }

  /** Milliseconds so far in which the source was not read because nothing more could be held. */
  get sourceBlocked(): number {
    return this.#blocked.milliseconds;
  }

  /** Why replication is not going on; undefined when it is. */
  get health(): string | undefined {
    const { state, reason } = this.state;
    if (state !== 'streaming') return reason === undefined ? state : `${state}: ${reason}`;
    if (this.#parts.source.status.state !== 'streaming') return `the source is ${this.#parts.source.status.state}`;
    if (this.#parts.pause.active) return 'paused: changes are read and wait until it is told to continue';
    const waited = performance.now() - this.#lastCommit;
    if (this.buffered > 0 && waited > STALLED) {
      return `stalled: changes are waiting and nothing was committed for ${Math.round(waited / 1000)} s`;
    }
    return undefined;
  }

  /**
   * Runs until `stop` aborts; then applies what is in hand, within the grace period, and resolves; on a pause it applies no
   * more, as the source delivers it again after the next start. When `cut` aborts, it
   * stops at once and throws the signal's reason.
   * @throws OperatorError that somebody has to act upon.
   */
  async run(stop: AbortSignal, cut: AbortSignal): Promise<void> {
    try {
      while (!stop.aborted) {
        try {
          await this.#attempt(stop, cut);
        } catch (error) {
          cut.throwIfAborted();
          await this.#comeBack(error as Error, stop);
        }
      }
      this.state.state = 'stopped';
    } catch (error) {
      this.state.state = 'failed';
      this.state.reason = (error as Error).message;
      throw error;
    }
  }

  /** One stream, from the checkpoint to the stop or the first failure. */
  async #attempt(stop: AbortSignal, cut: AbortSignal): Promise<void> {
    const { source, store, identity, events, log } = this.#parts;
    let stored = await store.read();
    const position = stored === '' ? await source.initialPosition?.() : source.parsePosition(stored);
    await source.verifyCheckpoint(position, await identity.read());
    await identity.write(source.identity);
    if (stored === '' && position !== undefined) {
      // From here on the source may be resumed without being told where to begin, also when nothing is committed yet.
      stored = position.toString();
      await store.write(stored, '');
    }
    const session = await this.#parts.openSession();
    const batcher = new Batcher(this.#parts.batching, this.#blocked, (table) => this.#parts.tables.columnsOf(table));
    const streaming = new AbortController();
    let staging: Error | undefined;
    const checkpoint = new Checkpoint(
      store,
      position,
      stored,
      this.#parts.dialect.product === 'postgresql',
      (error) => {
        staging = error;
        streaming.abort();
      },
    );
    const { script } = this.#parts;
    const stage =
      script &&
      new ScriptStage(batcher, script.userscript, this.#parts.tables, {
        onApplyError: this.#parts.applying.onApplyError,
        sparesLarge: this.#largeMode === 'deadLetter' && isScriptError(this.#largeReason),
      });
    const applier = new Applier({
      batcher: stage ?? batcher,
      ...(stage && { script: { ...script!, stage } }),
      session,
      openSession: this.#parts.openSession,
      checkpoint,
      dialect: this.#parts.dialect,
      tables: this.#parts.tables,
      options: { ...this.#parts.applying, cascadesLogged: source.logsCascades },
      deadLetters: this.#parts.deadLetters,
      log,
      largeMode: this.#largeMode,
      largeReason: this.#largeReason,
      pause: this.#parts.pause,
      busy: this.#busy,
      events: {
        ...events,
        committed: (...facts) => {
          this.#lastCommit = performance.now();
          this.#largeAttempts = 0;
          this.#failures = 0;
          this.#moved = 0;
          this.state.checkpoint = checkpoint.position;
          events.committed(...facts);
        },
        durable: (durable) => {
          this.state.checkpoint = durable;
          source.acknowledge(durable);
          events.durable(durable);
        },
      },
    });
    this.#batcher = batcher;
    this.#applier = applier;
    this.#largeMode = 'copy';
    this.state.checkpoint = position;
    this.state.state = 'streaming';
    this.state.reason = undefined;
    this.#lastCommit = performance.now();
    log.info('streaming', { from: stored === '' ? 'where the source begins' : stored });

    const onStop = () => {
      this.state.state = 'stopping';
      batcher.close();
      applier.drain();
    };
    stop.addEventListener('abort', onStop);
    if (stop.aborted) onStop();
    const grace = whenAborted(stop, this.#parts.gracePeriod);
    let failure: Error | undefined;
    const stream = source.stream(position, batcher, streaming.signal).catch((error: Error) => {
      failure ??= error;
      applier.drain();
    });
    let onCut = () => {};
    const severed = new Promise<never>((_, reject) => {
      onCut = () => reject(cut.reason);
      cut.addEventListener('abort', onCut);
    });
    try {
      cut.throwIfAborted();
      await Promise.race([applier.run(), grace.passed, severed]);
    } catch (error) {
      failure = error as Error;
    } finally {
      grace.clear();
      cut.removeEventListener('abort', onCut);
      stop.removeEventListener('abort', onStop);
      await checkpoint.written();
      applier.close();
      streaming.abort();
      await stream;
      batcher.discard();
      if (failure === undefined && !grace.over()) await session.close();
      else session.destroy();
    }
    failure ??= staging;
    if (failure !== undefined && !stop.aborted) throw failure;
    if (failure !== undefined && !isTransient(failure)) throw failure;
  }

  /** After a failure: waits where waiting helps, throws where it does not. */
  async #comeBack(error: Error, stop: AbortSignal): Promise<void> {
    const { log, events, applying } = this.#parts;
    if (error instanceof Rewind) {
      this.#largeMode = error.largeMode;
      this.#largeReason = error.reason;
      if (++this.#largeAttempts > applying.maxRetries + 4) {
        throw new OperatorError(
          'APPLY_RETRIES',
          `maximum number of retries (${applying.maxRetries}) exceeded for a large transaction: ${error.reason.message}`,
          { cause: error.reason },
        );
      }
      await sleep(
        Math.min(
          applying.retryMaxBackoff,
          applying.retryInitialBackoff * applying.retryMultiplier ** (this.#largeAttempts - 1),
        ),
      );
      return;
    }
    // A commit of ours whose answer was lost may come late; whoever moves it again and again is somebody else.
    if (error instanceof OperatorError && error.code === 'CHECKPOINT_MOVED' && ++this.#moved > 3) throw error;
    if (!isTransient(error)) throw error;
    const failure = connectionLost(error);
    this.state.state = 'reconnecting';
    this.state.reason = failure.message;
    events.reconnecting(failure);
    const now = performance.now();
    if (failure.code !== this.#loggedCode || now - this.#loggedAt > REPEAT_LOG) {
      this.#loggedAt = now;
      this.#loggedCode = failure.code;
      log.warn(`${failure.message}; will retry from the checkpoint`, { code: failure.code });
    }
    const wait = Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** this.#failures++);
    await sleep(wait, undefined, { signal: stop }).catch(() => {});
  }
}

/** A promise that resolves `milliseconds` after `signal` aborts. */
function whenAborted(
  signal: AbortSignal,
  milliseconds: number,
): { passed: Promise<void>; over(): boolean; clear(): void } {
  let timer: NodeJS.Timeout | undefined;
  let start = () => {};
  let over = false;
  const passed = new Promise<void>((resolve) => {
    start = () => {
      timer = setTimeout(() => {
        over = true;
        resolve();
      }, milliseconds);
    };
  });
  signal.addEventListener('abort', start);
  if (signal.aborted) start();
  return {
    passed,
    over: () => over,
    clear() {
      clearTimeout(timer);
      signal.removeEventListener('abort', start);
    },
  };
}
