import type { ErrorCode } from '../explanations/table.ts';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PACKAGE_ROOT } from '../config/build.ts';
import type { LogLevel } from '../log/logger.ts';
import { entryOfCall, PROGRESS_WORDS } from './call-reader.ts';
import type { FromWorker, RowsDone, ToWorker, WorkerData } from './protocol.ts';
import { type Configuration, HANDLERS, Progress, type ThrownText } from './realm/io.ts';
import { problem, ScriptFailure } from './sandbox.ts';

export interface ScriptLimits {
  /** Milliseconds that one call of a handler may take. */
  readonly time: number;
  /** Megabytes that the script may hold. */
  readonly memory: number;
  /** Characters that one call may return. */
  readonly output: number;
}

export interface WorkerEvents {
  log(level: LogLevel, message: string): void;
  counters(counters: Float64Array): void;
  /** A new thread counts from zero. */
  started(): void;
}

/** Answers what an onWrite asks of the target. */
export type Answerer = (
  ask: Extract<FromWorker, { kind: 'query' | 'exec' | 'put' }>,
) => Promise<readonly (readonly (string | boolean | null)[])[] | undefined>;

/** The thread was ended while it worked on a request. */
export class WorkerEnded extends ScriptFailure {
  /** Where the entry begins in the request that a handler was called for. */
  readonly entry: number;
  constructor(thrown: ThrownText, entry: number) {
    super(thrown);
    this.entry = entry;
  }
}

/** The source runs as it is, the build as it was bundled. */
const FILE = import.meta.filename.endsWith('.ts')
  ? join(import.meta.dirname, 'worker.ts')
  : join(PACKAGE_ROOT, 'dist', 'userscript', 'worker.js');

/** Milliseconds that loading a script may take at least. */
const STARTING = 15_000;

/** Times in the limit that the thread is looked at. */
const LOOKS = 8;

interface Pending {
  readonly kind: 'rows' | 'write';
  readonly answer: Answerer | undefined;
  resolve(done: RowsDone | ThrownText | undefined): void;
  reject(error: Error): void;
}

/** A userscript in a thread of its own. One that was ended can be started again, with everything that it knew. */
export class ScriptWorker {
  readonly #code: string;
  readonly #limits: ScriptLimits;
  readonly #events: WorkerEvents;
  readonly #pending = new Map<number, Pending>();
  /** What a new thread has to be told. */
  readonly #told: ToWorker[] = [];
  #progress = new Int32Array(new SharedArrayBuffer(4 * PROGRESS_WORDS));
  #worker: Worker | undefined;
  #starting: { resolve(configuration: Configuration): void; reject(error: Error): void } | undefined;
  #watch: NodeJS.Timeout | undefined;
  #requests = 0;
  /** Questions to the target that are being answered: the time that they take is not the script's. */
  #asked = 0;
  #seen = 0;
  #still = 0;
  #lookedAt = 0;

  constructor(code: string, limits: ScriptLimits, events: WorkerEvents) {
    this.#code = code;
    this.#limits = limits;
    this.#events = events;
  }

  /** Evaluates the script. @throws ScriptFailure */
  start(): Promise<Configuration> {
    const progress = new SharedArrayBuffer(4 * PROGRESS_WORDS);
    this.#progress = new Int32Array(progress);
    const workerData: WorkerData = { code: this.#code, progress, longest: this.#limits.output };
    const worker = new Worker(FILE, {
      workerData,
      execArgv: [],
      env: {},
      stdin: false,
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.memory, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
    });
    this.#worker = worker;
    this.#events.started();
    worker.on('message', (message: FromWorker) => this.#message(message));
    worker.on('error', (error: Error & { code?: string }) => {
      const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#end(
        worker,
        memory ? 'SCRIPT_MEMORY' : 'SCRIPT_CRASHED',
        memory ? `it held more than ${this.#limits.memory} MiB` : `its thread ended: ${error.message}`,
      );
    });
    worker.on('exit', () => this.#end(worker, 'SCRIPT_CRASHED', 'its thread ended'));
    this.#look();
    return new Promise((resolve, reject) => {
      this.#starting = { resolve, reject };
    });
  }

  /** Keeps messages of a kind, which are void now, from threads to come. */
  forget(kind: ToWorker['kind']): void {
    for (let i = this.#told.length - 1; i >= 0; i--) if (this.#told[i].kind === kind) this.#told.splice(i, 1);
  }

  /** Tells the thread, and every one that comes after it. */
  tell(message: ToWorker): void {
    this.#told.push(message);
    this.#worker?.postMessage(message);
  }

  /** Takes rows through their handlers. @throws WorkerEnded */
  async rows(request: Omit<Extract<ToWorker, { kind: 'rows' }>, 'kind' | 'id'>): Promise<RowsDone> {
    return (await this.#ask({ kind: 'rows', ...request }, undefined)) as RowsDone;
  }

  /** Calls an onWrite; returns what it failed with. @throws WorkerEnded */
  async write(
    request: Omit<Extract<ToWorker, { kind: 'write' }>, 'kind' | 'id'>,
    answer: Answerer,
  ): Promise<ThrownText | undefined> {
    return (await this.#ask({ kind: 'write', ...request }, answer)) as ThrownText | undefined;
  }

  /** Ends the thread; what it works on fails with `code`. */
  cut(code: ErrorCode, message: string): void {
    if (this.#worker !== undefined) this.#end(this.#worker, code, message);
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    clearInterval(this.#watch);
    await worker?.terminate();
  }

  async #ask(
    request: Omit<Extract<ToWorker, { kind: 'rows' }>, 'id'> | Omit<Extract<ToWorker, { kind: 'write' }>, 'id'>,
    answer: Answerer | undefined,
  ): Promise<RowsDone | ThrownText | undefined> {
    if (this.#worker === undefined) {
      await this.start().catch((failure: Error) => {
        throw failure instanceof ScriptFailure ? new WorkerEnded(failure.thrown, 0) : failure;
      });
      for (const message of this.#told) this.#worker!.postMessage(message);
    }
    const id = ++this.#requests;
    return await new Promise((resolve, reject) => {
      this.#pending.set(id, { kind: request.kind, answer, resolve, reject });
      this.#worker!.postMessage({ ...request, id }, [request.buffer.buffer as ArrayBuffer]);
      this.#look();
    });
  }

  #message(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        this.#starting?.resolve(message.configuration);
        this.#starting = undefined;
        break;
      case 'failed': {
        const starting = this.#starting;
        this.#starting = undefined;
        void this.close();
        starting?.reject(new ScriptFailure(message.error));
        break;
      }
      case 'log':
        this.#events.log(message.level, message.message);
        break;
      case 'counters':
        this.#events.counters(message.counters);
        break;
      case 'rows':
        this.#settle(message.id)?.resolve(message);
        break;
      case 'written':
        this.#settle(message.id)?.resolve(message.error);
        break;
      default:
        void this.#answer(message);
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  async #answer(ask: Parameters<Answerer>[0]): Promise<void> {
    const worker = this.#worker;
    const answer = [...this.#pending.values()].find((pending) => pending.answer !== undefined)?.answer;
    this.#asked++;
    let reply: ToWorker;
    try {
      reply = { kind: 'answer', request: ask.request, rows: await answer?.(ask) };
    } catch (error) {
      reply = { kind: 'refuse', request: ask.request, message: (error as Error).message };
    }
    this.#asked--;
    if (this.#worker === worker) worker?.postMessage(reply);
  }

  /** Looks at the thread from now on, until it has nothing to do. */
  #look(): void {
    this.#still = 0;
    this.#lookedAt = performance.now();
    if (this.#watch !== undefined) return;
    const every = this.#limits.time / LOOKS;
    this.#watch = setInterval(() => {
      const busy = this.#pending.size > 0 || this.#starting !== undefined;
      if (!busy) {
        clearInterval(this.#watch);
        this.#watch = undefined;
        return;
      }
      const now = performance.now();
      // A machine that slept, or was too busy to look, has not given the script the time either.
      const passed = Math.min(now - this.#lookedAt, 2 * every);
      this.#lookedAt = now;
      const count = Atomics.load(this.#progress, Progress.count);
      this.#still = count !== this.#seen || this.#asked > 0 ? 0 : this.#still + passed;
      this.#seen = count;
      // A thread that has to be made first is not the script's fault either.
      const limit = this.#starting === undefined ? this.#limits.time : Math.max(this.#limits.time, STARTING);
      if (this.#still > limit) {
        this.cut('SCRIPT_TIMEOUT', `it ran for more than ${limit / 1000} s and was cut off`);
      }
    }, every);
    this.#watch.unref();
  }

  #end(worker: Worker, code: ErrorCode, message: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    clearInterval(this.#watch);
    this.#watch = undefined;
    void worker.terminate();
    const loading = this.#starting !== undefined;
    const handler = loading ? '' : HANDLERS[this.#progress[Progress.handler]];
    const thrown = { ...problem(code, message), handler };
    const entry = entryOfCall(this.#progress, this.#progress[Progress.call]);
    this.#starting?.reject(new ScriptFailure(thrown));
    this.#starting = undefined;
    for (const pending of this.#pending.values()) pending.reject(new WorkerEnded(thrown, entry));
    this.#pending.clear();
    this.#asked = 0;
  }
}
