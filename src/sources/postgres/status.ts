import type { Retention, SourceStatus } from '../source.ts';
import { Lsn } from './lsn.ts';

/** How far the source is, what was heard of its log, and what was acknowledged. Positions never go back. */
export class PostgresStatus implements SourceStatus {
  state: SourceStatus['state'] = 'waiting';
  retainedBytes: number | undefined;
  retention: Retention | undefined;
  lastReceived = 0;
  received = 0;
  #head: bigint | undefined;
  #acknowledged: bigint | undefined;

  get head(): Lsn | undefined {
    return this.#head === undefined ? undefined : new Lsn(this.#head);
  }

  /** Everything before it is on the target; undefined when nothing is known yet. */
  get acknowledged(): bigint | undefined {
    return this.#acknowledged;
  }

  get lagBytes(): number | undefined {
    if (this.#head === undefined || this.#acknowledged === undefined) return undefined;
    return this.#head > this.#acknowledged ? Number(this.#head - this.#acknowledged) : 0;
  }

  /** The source's log was seen to reach `position`. */
  headAt(position: bigint): void {
    if (this.#head === undefined || position > this.#head) this.#head = position;
  }

  /** False when that was known already. */
  acknowledge(position: bigint): boolean {
    if (this.#acknowledged !== undefined && position <= this.#acknowledged) return false;
    this.#acknowledged = position;
    return true;
  }
}
