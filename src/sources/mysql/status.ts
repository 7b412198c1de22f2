import type { Retention, SourceStatus } from '../source.ts';
import { type MysqlPosition, transactionsBetween } from './positions.ts';

/** How far the source is, as far as it was heard of, and what was acknowledged. */
export class MysqlStatus implements SourceStatus {
  state: SourceStatus['state'] = 'waiting';
  /** A server keeps its log by age, not for its readers. */
  readonly retainedBytes = undefined;
  retention: Retention | undefined;
  /** Positions are sets of transactions, which say nothing of bytes. */
  readonly lagBytes = undefined;
  lastReceived = 0;
  received = 0;
  head: MysqlPosition | undefined;
  #acknowledged: MysqlPosition | undefined;

  /** Everything in it is on the target. */
  acknowledge(position: MysqlPosition): void {
    this.#acknowledged = position;
  }

  get waitingTransactions(): number | undefined {
    if (this.head === undefined || this.#acknowledged === undefined) return undefined;
    return transactionsBetween(this.#acknowledged, this.head);
  }
}
