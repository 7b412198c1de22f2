import { SpilledTransaction } from '../../changes/spill.ts';
import type { SourceTable } from '../../changes/table.ts';

/** One transaction that the server sends while it is still open. */
export interface StreamedTransaction {
  readonly id: number;
  readonly spilled: SpilledTransaction;
  /**
   * Tables as this transaction sees them. They count for others only once it commits, which is also when the server
   * takes them as described.
   */
  readonly relations: Map<number, SourceTable>;
  /** TRUNCATEs that the operator wants refused, by subtransaction: they matter only if that is not rolled back. */
  readonly refusedTruncates: Map<number, SourceTable>;
}

let filesMade = 0;

/** The transactions that the server streams before they end, each gathered in a spill file. */
export class StreamedTransactions {
  readonly #directory: string;
  readonly #open = new Map<number, StreamedTransaction>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  get(id: number): StreamedTransaction | undefined {
    return this.#open.get(id);
  }

  /** Makes the transaction's spill file; throws OperatorError SPILL_FAILED. */
  start(id: number): StreamedTransaction {
    filesMade++;
    const transaction: StreamedTransaction = {
      id,
      spilled: new SpilledTransaction(this.#directory, `postgres-${process.pid}-${filesMade}-${id}`),
      relations: new Map(),
      refusedTruncates: new Map(),
    };
    this.#open.set(id, transaction);
    return transaction;
  }

  /** Forgets the transaction without touching its file, which now belongs to the caller. */
  release(id: number): void {
    this.#open.delete(id);
  }

  /** Drops what was gathered for a transaction, or for one of its subtransactions, because it was rolled back. */
  abort(id: number, subtransaction: number): void {
    const transaction = this.#open.get(id);
    if (transaction === undefined) return;
    if (subtransaction === id) {
      this.#open.delete(id);
      transaction.spilled.discard();
    } else {
      transaction.spilled.abort(subtransaction);
      transaction.refusedTruncates.delete(subtransaction);
    }
  }

  /** Deletes the files of all that are still open. */
  discardAll(): void {
    for (const transaction of this.#open.values()) transaction.spilled.discard();
    this.#open.clear();
  }
}
