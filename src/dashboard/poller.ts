import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../errors.ts';
import { type Answer, ask, type Endpoint, parseEndpoint } from './endpoint.ts';
import { readFacts } from './facts.ts';
import { ReadingModel } from './model.ts';
import type { Reading } from './reading.ts';

/** What a poller knows; a new object whenever that has changed. */
export interface PollerState {
  /** The endpoint as people are told of it. */
  readonly endpoint: string;
  /** Undefined until the first answer. */
  readonly reading: Reading | undefined;
  /** Why there is no reading yet. */
  readonly problem: string | undefined;
}

/** Where a dashboard has its readings from: live endpoints, or a history that is played. */
export interface ReadingSource {
  /** For `useSyncExternalStore`: the same object until something has changed. */
  readonly getState: () => PollerState;
  /** Calls `listener` after each change; returns how to end that. */
  readonly subscribe: (listener: () => void) => () => void;
  start(): void;
  stop(): void;
  /** Goes over to another endpoint, as after a resume; absent where nothing can be resumed. */
  watch?(endpoint: string): void;
}

export interface PollerOptions {
  /** Milliseconds between two looks; default a second, at least a quarter of one. */
  readonly interval?: number;
  /** Stands in for the network in tests. */
  readonly ask?: (endpoint: Endpoint, signal: AbortSignal) => Promise<Answer>;
  /** Stands in for the clock in tests, milliseconds since the epoch. */
  readonly now?: () => number;
}

/** How long an answer may take, milliseconds. */
const PATIENCE = 10_000;
/** An answer older than this many intervals is stale, and than this in any case. */
const STALE_INTERVALS = 3;
const STALE = 3000;
/** Share of its time that a look may take. Thousands of tables make it look less often, for the engine's sake as well. */
const SHARE = 0.03;
/** Nobody reads faster. */
const SHORTEST = 250;
/** An interval is never stretched beyond this, milliseconds. */
const LONGEST = 15_000;

/**
 * Looks at the endpoints once in an interval and keeps what they tell, outside of whatever draws it. Listeners are called at
 * most once per look, and each second while there is no answer, so that the age of the numbers is told.
 */
export class Poller implements ReadingSource {
  readonly #interval: number;
  readonly #ask: NonNullable<PollerOptions['ask']>;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  #endpoint: Endpoint;
  #model = new ReadingModel();
  #state: PollerState;
  #timer: NodeJS.Timeout | undefined;
  #running: AbortController | undefined;
  #stopped = true;
  #answeredAt = Number.NaN;
  #nextAt = 0;

  /** @throws UsageError when `endpoint` is no address of an endpoint. */
  constructor(endpoint: string, options: PollerOptions = {}) {
    this.#endpoint = parseEndpoint(endpoint);
    this.#interval = Math.max(SHORTEST, options.interval ?? 1000);
    this.#ask = options.ask ?? ask;
    this.#now = options.now ?? Date.now;
    this.#state = { endpoint: this.#endpoint.display, reading: undefined, problem: undefined };
  }

  /** What is known now; undefined until the first answer. */
  get reading(): Reading | undefined {
    return this.#state.reading;
  }

  readonly getState = (): PollerState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Looks now, and then once in an interval. */
  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#tick();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = undefined;
  }

  /** Looks at another endpoint from now on, as after a resume. What was known of the one before is forgotten. */
  watch(endpoint: string): void {
    const stopped = this.#stopped;
    this.stop();
    this.#endpoint = parseEndpoint(endpoint);
    this.#model = new ReadingModel();
    this.#answeredAt = Number.NaN;
    this.#nextAt = 0;
    this.#publish(undefined, undefined);
    if (!stopped) this.start();
  }

  /** One look; resolves when it is over. For tests and for those who need a single reading. */
  async look(): Promise<void> {
    const controller = new AbortController();
    this.#running = controller;
    const model = this.#model;
    const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(PATIENCE)]);
    try {
      const answer = await this.#ask(this.#endpoint, signal);
      if (this.#running !== controller) return;
      this.#answeredAt = this.#now();
      const began = performance.now();
      const reading = model.observe(readFacts(answer, this.#answeredAt));
      const stretched = Math.min(LONGEST, (performance.now() - began) / SHARE);
      this.#nextAt = this.#answeredAt + Math.max(this.#interval, stretched) - this.#interval / 2;
      this.#publish(reading, undefined);
    } catch (error) {
      if (this.#running !== controller) return;
      this.#silent(signal.aborted ? `no answer within ${PATIENCE / 1000} s` : reasonOf(error));
    } finally {
      if (this.#running === controller) this.#running = undefined;
    }
  }

  #tick(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.#tick(), this.#interval);
    const now = this.#now();
    if (this.#running === undefined) {
      if (now >= this.#nextAt) void this.look();
    } else if (now - this.#answeredAt > Math.max(STALE, STALE_INTERVALS * this.#interval)) {
      this.#silent('it takes long');
    }
  }

  #silent(reason: string): void {
    this.#publish(this.#model.silent(this.#now(), reason), reason);
  }

  #publish(reading: Reading | undefined, problem: string | undefined): void {
    this.#state = { endpoint: this.#endpoint.display, reading, problem };
    for (const listener of [...this.#listeners]) listener();
  }
}

/**
 * One reading with rates: two looks, a second apart unless told otherwise.
 * @throws UsageError for what is no address; OperatorError WATCH_NO_ANSWER when the endpoint does not answer.
 */
export async function readOnce(endpoint: string, options: PollerOptions = {}): Promise<Reading> {
  const poller = new Poller(endpoint, options);
  await poller.look();
  if (poller.reading !== undefined) {
    await sleep(options.interval ?? 1000);
    await poller.look();
  }
  const { reading, problem, endpoint: display } = poller.getState();
  if (reading !== undefined) return reading;
  throw new OperatorError('WATCH_NO_ANSWER', `no replicator answers on ${display}: ${problem}`, {
    fix: 'start the engine with --metricsAddr 127.0.0.1:30005, and look at that address',
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
