import type { Position } from '../sources/source.ts';
import type { MessageBuffer } from '../target/messages.ts';
import type { Session } from '../target/session.ts';

/** Where the checkpoint is kept. */
export interface CheckpointStore {
  /** SQL of the fence when the staging schema lives on the target, else undefined. Parameters: key, new, expected. */
  readonly fence: string | undefined;
  readonly key: string;
  /** The stored text; empty when there is none. */
  read(): Promise<string>;
  /** Stores a position by itself: the one to begin with, and, where `fence` is undefined, any after the fact. */
  write(position: string, expected: string): Promise<void>;
}

/**
 * The checkpoint as the pipelined scripts see it: each script expects the value that the script before it leaves. With the
 * staging schema on the target it moves inside the data's own transaction, which makes the effect exactly once; with the
 * staging schema elsewhere it is written afterwards, which makes it at least once.
 */
export class Checkpoint {
  readonly #store: CheckpointStore;
  /** True when commits need not wait for the target's disk, because durability is asked for separately. */
  readonly deferred: boolean;
  #position: Position | undefined;
  #expected: string;
  #committed: string;
  #published: string;
  #publishing: Promise<void> = Promise.resolve();
  #onError: (error: Error) => void;

  /** `stored`: what the store holds now. `onError`: a write to a separate staging schema failed. */
  constructor(
    store: CheckpointStore,
    position: Position | undefined,
    stored: string,
    deferred: boolean,
    onError: (error: Error) => void,
  ) {
    this.#store = store;
    this.#position = position;
    this.#expected = stored;
    this.#committed = stored;
    this.#published = stored;
    this.deferred = deferred;
    this.#onError = onError;
  }

  /** True when the checkpoint moves inside the data's own transactions. */
  get transactional(): boolean {
    return this.#store.fence !== undefined;
  }

  /** The last committed position. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** Makes the script's transaction fail unless it follows the right one, and moves the checkpoint to `position` in it. */
  fence(session: Session, script: MessageBuffer, position: Position): void {
    const sql = this.#store.fence;
    if (sql === undefined) return;
    const mark = script.bind(session.statement(script, sql), 3);
    script.text(this.#store.key);
    script.text(hex(position.toString()));
    script.text(hex(this.#expected));
    script.execute(mark);
  }

  /** A script that leaves the checkpoint at `position` was made: the next one builds on it. Tells whether it moves. */
  advance(position: Position): boolean {
    const text = position.toString();
    const moves = text !== this.#expected;
    this.#expected = text;
    return moves;
  }

  /** Scripts that were made will not take effect: build on what is committed. */
  rollback(): void {
    this.#expected = this.#committed;
  }

  /** The transaction that leaves the checkpoint at `position` was committed. */
  committed(position: Position): void {
    this.#committed = position.toString();
    this.#position = position;
  }

  /** `position` is durable on the target; calls `done` when the checkpoint says so too. */
  publish(position: Position, done: () => void): void {
    if (this.#store.fence !== undefined) {
      done();
      return;
    }
    this.#publishing = this.#publishing
      .then(async () => {
        const text = position.toString();
        await this.#store.write(text, this.#published);
        this.#published = text;
        done();
      })
      .catch((error: Error) => this.#onError(error));
  }

  /** Resolves when every position given to `publish` has been written. */
  written(): Promise<void> {
    return this.#publishing;
  }

  /** True when the stored value is not the one that we left there. */
  async moved(): Promise<boolean> {
    return this.#store.fence !== undefined && (await this.#store.read()) !== this.#committed;
  }
}

function hex(text: string): string {
  return `\\x${Buffer.from(text).toString('hex')}`;
}
