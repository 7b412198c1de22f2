import type { Socket } from 'node:net';

/** What a lane does to bytes on their way; read again for every chunk, so that it can change at any time. */
export interface LaneConditions {
  /** How long bytes are under way, in milliseconds. */
  delayMs: number;
  /** Bytes are held until this is false again and `pump` is called. */
  stalled: boolean;
}

/** Bytes held at most before the sender is asked to wait; far above what a delay of some seconds keeps under way. */
const HELD_LIMIT_BYTES = 64 * 1024 * 1024;

/** One direction of a connection: keeps order and rate, adds delay, can be stalled. */
export class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #conditions: LaneConditions;
  /** `undefined` stands for the end of the stream. */
  readonly #queue: { due: number; bytes: Buffer | undefined }[] = [];
  #held = 0;
  #blocked = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, conditions: LaneConditions) {
    this.#from = from;
    this.#to = to;
    this.#conditions = conditions;
    to.on('drain', () => {
      this.#blocked = false;
      this.pump();
    });
    to.once('close', () => clearTimeout(this.#timer));
  }

  send(bytes: Buffer): void {
    this.#enqueue(bytes);
    this.#held += bytes.length;
    this.pump();
  }

  /** Ends the stream behind everything that was sent. */
  end(): void {
    this.#enqueue(undefined);
    this.pump();
  }

  /** Passes on whatever is due. */
  pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#queue.length > 0 && !this.#blocked && !this.#conditions.stalled && !this.#to.destroyed) {
      const wait = this.#queue[0].due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.pump(), wait);
        break;
      }
      const { bytes } = this.#queue.shift()!;
      if (bytes === undefined) {
        this.#to.end();
      } else {
        this.#held -= bytes.length;
        this.#blocked = !this.#to.write(bytes);
      }
    }
    if (this.#blocked || this.#held > HELD_LIMIT_BYTES) this.#from.pause();
    else this.#from.resume();
  }

  #enqueue(bytes: Buffer | undefined): void {
    this.#queue.push({ due: performance.now() + this.#conditions.delayMs, bytes });
  }
}
