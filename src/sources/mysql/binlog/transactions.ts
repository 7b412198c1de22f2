import type { SpilledTransaction } from '../../../changes/spill.ts';
import { OperatorError } from '../../../errors.ts';
import type { ChangeSink } from '../../source.ts';
import type { Flavour } from '../flavour.ts';
import { type Gtid, gtidText, type MysqlPosition, type PositionTracker } from '../positions.ts';
import { protocolError } from '../protocol-error.ts';
import type { TransactionStart } from './gtid-events.ts';
import { OpenTransaction } from './open-transaction.ts';
import type { XaPrepare, Xid } from './xid.ts';

/**
 * Finds the changes of an XA transaction whose XA PREPARE lies before the position that a stream began at; `commit` is the GTID of
 * its XA COMMIT. Undefined when the log does not have them any more.
 */
export type PreparedSearch = (xid: Xid, commit: Gtid) => Promise<SpilledTransaction | undefined>;

export interface TransactionsOptions {
  readonly flavour: Flavour;
  readonly sink: ChangeSink;
  readonly positions: PositionTracker;
  readonly spillDirectory: string;
  readonly searchPrepared?: PreparedSearch;
  /**
   * GTIDs of transactions that take back some of their changes, and so must be gathered before any is handed on. They are
   * found out when it is too late for a stream: the next one is to be given the same set.
   */
  readonly gather: Set<string>;
}

/** The changes of an XA transaction that is prepared; without changes: none that are of interest. */
interface Prepared {
  readonly gtid: Gtid;
  readonly spilled: SpilledTransaction | undefined;
}

/**
 * Which transaction is open, and what becomes of its changes at its end. Positions follow: MySQL's hold a transaction that is
 * prepared only once it is decided, so that the server sends it again until then; MariaDB's have no gaps and move on.
 */
export class Transactions {
  readonly #options: TransactionsOptions;
  readonly #prepared = new Map<Xid, Prepared>();
  #open: OpenTransaction | undefined;

  constructor(options: TransactionsOptions) {
    this.#options = options;
  }

  get open(): OpenTransaction | undefined {
    return this.#open;
  }

  /** The open transaction. `event` cannot stand outside of one. */
  within(event: string): OpenTransaction {
    if (this.#open === undefined) throw protocolError(event, 'it belongs to no transaction');
    return this.#open;
  }

  /** The open transaction that goes on until something ends it. */
  begun(event: string): OpenTransaction {
    const transaction = this.within(event);
    if (!transaction.begun) throw protocolError(event, 'its transaction has not begun');
    return transaction;
  }

  start(event: string, start: TransactionStart): void {
    if (this.#open !== undefined) throw protocolError(event, 'the transaction before it has not ended');
    const { flavour, sink, spillDirectory, gather } = this.#options;
    const begun = flavour === 'mariadb' && !start.standalone;
    this.#open = new OpenTransaction(start, begun, sink, spillDirectory);
    if (start.prepares || (gather.size > 0 && gather.has(gtidText(start.gtid)))) this.#open.gather();
  }

  /** MySQL's BEGIN. */
  begin(event: string): OpenTransaction {
    const transaction = this.within(event);
    if (transaction.begun) throw protocolError(event, 'it stands within a transaction');
    transaction.begun = true;
    return transaction;
  }

  /** The open transaction is complete and committed. */
  commit(event: string): void {
    const transaction = this.within(event);
    this.#open = undefined;
    const position = this.#options.positions.add(transaction.start.gtid);
    if (transaction.delivering) this.#options.sink.commit(position);
    else this.#deliver(transaction.takeSpilled(), transaction.start.commitTime, position);
  }

  /** All of the open transaction is taken back. */
  rollback(event: string): void {
    const transaction = this.within(event);
    this.#refuseDelivered(transaction);
    this.#open = undefined;
    transaction.discard();
    this.#options.sink.progress(this.#options.positions.add(transaction.start.gtid));
  }

  rollbackTo(event: string, savepoint: string): void {
    const transaction = this.begun(event);
    if (!transaction.rollbackTo(savepoint)) this.#refuseDelivered(transaction);
  }

  /** The server was started anew: what was open before is gone. */
  forgetOpen(): void {
    const transaction = this.#open;
    if (transaction === undefined) return;
    this.#refuseDelivered(transaction);
    this.#open = undefined;
    transaction.discard();
  }

  /** The changes of the open transaction are kept until they are decided about, or committed if that is already said. */
  prepare(event: string, { xid, onePhase }: XaPrepare): void {
    const transaction = this.begun(event);
    if (onePhase) {
      this.commit(event);
      return;
    }
    if (transaction.delivering) throw protocolError(event, 'its transaction is no XA transaction');
    const { sink, positions, flavour } = this.#options;
    this.#open = undefined;
    const spilled = transaction.takeSpilled();
    spilled?.settle();
    this.#prepared.get(xid)?.spilled?.discard();
    const { gtid } = transaction.start;
    this.#prepared.set(xid, { gtid, spilled });
    if (flavour === 'mariadb') sink.progress(positions.add(gtid));
  }

  /** XA COMMIT or XA ROLLBACK, a transaction of its own. A promise when the changes have to be searched for first. */
  decide(event: string, xid: Xid, commits: boolean): Promise<void> | undefined {
    const transaction = this.within(event);
    if (transaction.hasChanges) throw protocolError(event, 'it stands within another transaction');
    const { start } = transaction;
    const { sink, positions, flavour, searchPrepared } = this.#options;
    const prepared = this.#prepared.get(xid);
    if (prepared === undefined && commits) return this.#searched(start, xid, searchPrepared);
    this.#prepared.delete(xid);
    this.#open = undefined;
    const gtids = prepared !== undefined && flavour === 'mysql' ? [prepared.gtid, start.gtid] : [start.gtid];
    const position = positions.add(...gtids);
    if (commits) {
      this.#deliver(prepared?.spilled, start.commitTime, position);
    } else {
      prepared?.spilled?.discard();
      sink.progress(position);
    }
    return undefined;
  }

  /** Deletes everything that is kept on disk. */
  discard(): void {
    this.#open?.discard();
    for (const { spilled } of this.#prepared.values()) spilled?.discard();
    this.#prepared.clear();
  }

  #deliver(spilled: SpilledTransaction | undefined, commitTime: number, position: MysqlPosition): void {
    const { sink } = this.#options;
    if (spilled !== undefined && spilled.count > 0) {
      sink.commitSpilled(spilled, commitTime, position);
    } else {
      spilled?.discard();
      sink.progress(position);
    }
  }

  async #searched(start: TransactionStart, xid: Xid, search: PreparedSearch | undefined): Promise<void> {
    const spilled = await search?.(xid, start.gtid);
    if (spilled === undefined) throw preparedUnknown(xid, start.gtid);
    this.#open = undefined;
    this.#deliver(spilled, start.commitTime, this.#options.positions.add(start.gtid));
  }

  /** What the sink has it cannot give back: the stream begins anew, and gathers this transaction. */
  #refuseDelivered(transaction: OpenTransaction): void {
    if (!transaction.delivering) return;
    const gtid = gtidText(transaction.start.gtid);
    this.#options.gather.add(gtid);
    throw new OperatorError(
      'MYSQL_REREAD',
      `transaction ${gtid} takes back some of its changes; it is read once more and gathered before any of it is applied`,
      { transient: true },
    );
  }
}

function preparedUnknown(xid: Xid, commit: Gtid): OperatorError {
  return new OperatorError(
    'MYSQL_XA_UNKNOWN',
    `XA COMMIT ${xid} (${gtidText(commit)}) commits changes whose XA PREPARE came before the position from which the stream began, and which cannot be found any more; they are not on the target`,
    {
      fix:
        'Start from a GTID set (a position, for MariaDB) from before the XA PREPARE, if the source still has its log.\n' +
        'Otherwise copy the data again and start from the GTID set of that copy, taken while XA RECOVER shows nothing.',
    },
  );
}
