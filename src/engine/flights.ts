import { OperatorError } from '../errors.ts';
import type { Position } from '../sources/source.ts';
import type { MessageBuffer } from '../target/messages.ts';
import { type Session, statementsBefore } from '../target/session.ts';
import type { Written } from './apply-events.ts';
import type { Work } from './batcher.ts';
import type { StatementSubject } from './collapse.ts';
import type { Signal } from './signal.ts';
import type { TableWork } from './table-work.ts';

/** Scripts that may be under way at once, and their bytes: enough to hide a round trip, little enough to bound memory. */
export const WINDOW = 6;
const WINDOW_BYTES = 12 * 1024 * 1024;

/** A script as it is sent. */
export interface Script {
  readonly work: Work;
  /** Where the checkpoint is once it is committed; undefined when the script does not end the target transaction. */
  readonly position: Position | undefined;
  /** False when it leaves the checkpoint where it is, so that its failure would keep nothing behind it from being committed. */
  readonly moves?: boolean;
  /** True when its commit waits for the target's disk. */
  readonly sync: boolean;
  readonly exact: boolean;
  /** False while the log is needed for further scripts. */
  readonly release?: boolean;
  readonly written: readonly Written[];
  /** Tables to which rows were sent. */
  readonly touched: readonly TableWork[];
  /** What each of its statements is about, after `opening` statements that are about none. */
  readonly subjects: readonly StatementSubject[];
  readonly opening: number;
}

/** A target transaction that was committed. */
export type Commit = Pick<Flight, 'work' | 'sync' | 'exact' | 'started' | 'written'> & { readonly position: Position };

/** A script on its way. */
export interface Flight extends Script {
  readonly bytes: number;
  readonly started: number;
  error: Error | undefined;
  settled: boolean;
}

const subjects = new WeakMap<Error, StatementSubject>();

/** What the statement was about that a script failed at with `error`, where that is known. */
export function subjectOf(error: Error): StatementSubject | undefined {
  return subjects.get(error);
}

/** The scripts on their way to the target on the main connection, in the order in which they were sent. */
export class Flights {
  readonly #session: Session;
  readonly #signal: Signal;
  readonly #landed: (flight: Flight) => void;
  readonly #flights: Flight[] = [];
  #bytes = 0;

  /** `landed` is called for each script that was carried out, in order; `signal` is woken whenever anything changes. */
  constructor(session: Session, signal: Signal, landed: (flight: Flight) => void) {
    this.#session = session;
    this.#signal = signal;
    this.#landed = landed;
  }

  get count(): number {
    return this.#flights.length;
  }

  /** True when a script has failed that was not taken away yet. */
  get failed(): boolean {
    return this.#flights.some((flight) => flight.error !== undefined);
  }

  /** Milliseconds for which the oldest script has been under way. */
  get waiting(): number {
    return this.#flights.length === 0 ? 0 : performance.now() - this.#flights[0].started;
  }

  /** Whether one more may be sent when at most `window` may be under way. */
  hasRoom(window = WINDOW): boolean {
    if (this.#flights.at(-1)?.moves === false) return false;
    return this.#flights.length < window && this.#bytes < WINDOW_BYTES;
  }

  /** `extraBytes`: what is held for it besides its own text. */
  send(script: MessageBuffer, facts: Script, extraBytes = 0): void {
    const bytes = script.length + extraBytes;
    const flight: Flight = { ...facts, bytes, started: performance.now(), error: undefined, settled: false };
    this.#bytes += bytes;
    this.#flights.push(flight);
    const failed = (error: Error) => {
      const before = statementsBefore(error);
      const subject = before === undefined ? undefined : facts.subjects[before - facts.opening];
      if (subject !== undefined) subjects.set(error, subject);
      flight.error = error;
      flight.settled = true;
      this.#bytes -= bytes;
      this.#signal.wake();
    };
    this.#session.send(script).then(({ tags }) => {
      // The commit of a transaction that has failed before is answered by its rollback, and by no error.
      if (facts.position !== undefined && tags.at(-1) !== 'COMMIT') failed(new Error('rolled back'));
      else this.#carriedOut(flight);
    }, failed);
  }

  /** Waits until every script has been answered. */
  async settled(): Promise<void> {
    while (this.#flights.some((flight) => !flight.settled)) await this.#signal.wait();
  }

  /** Takes the first script away, and with `takeAll` every one, once they have settled. */
  take(): Flight | undefined {
    return this.#flights.shift();
  }

  takeAll(): Flight[] {
    return this.#flights.splice(0);
  }

  /** The server has carried out a script; scripts land in the order in which they were sent. */
  #carriedOut(flight: Flight): void {
    flight.settled = true;
    this.#bytes -= flight.bytes;
    if (this.#flights[0] === flight) {
      this.#flights.shift();
      this.#landed(flight);
    } else {
      // A piece may well be carried out behind a failure: there is a transaction around it that will be rolled back, or none
      // that a bare COMMIT could end. What has the fence in it cannot.
      const piece = flight.position === undefined || flight.work.kind === 'spilled';
      flight.error = piece
        ? new Error('rolled back')
        : new OperatorError('FENCE_BROKEN', 'a transaction was committed although the one before it failed');
    }
    this.#signal.wake();
  }
}
