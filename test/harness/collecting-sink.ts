import { ChangeKind, ChangeLog, decodeTuple, ENTRY_HEADER, OldTuple, tupleEnd } from '../../src/changes/change-log.ts';
import type { SpilledTransaction } from '../../src/changes/spill.ts';
import type { SourceTable } from '../../src/changes/table.ts';
import type { ChangeSink, Position } from '../../src/sources/source.ts';

type Values = (string | null | undefined)[];

/** One change as a test can compare it. */
export interface Change {
  kind: 'insert' | 'update' | 'delete' | 'truncate';
  table: SourceTable;
  oldKind?: 'key' | 'full';
  old?: Values;
  new?: Values;
}

export interface CollectedTransaction {
  changes: Change[];
  position: string;
  commitTime: number;
  spilled: boolean;
}

const KINDS = {
  [ChangeKind.insert]: 'insert',
  [ChangeKind.update]: 'update',
  [ChangeKind.delete]: 'delete',
  [ChangeKind.truncate]: 'truncate',
} as const;

/** The entries of a log, decoded. */
export function readChanges(log: ChangeLog): Change[] {
  const changes: Change[] = [];
  for (let at = 0; at < log.length; at += log.buffer.readUInt32BE(at)) {
    const kind = log.buffer[at + 4] as ChangeKind;
    const old = log.buffer[at + 5] as OldTuple;
    const change: Change = { kind: KINDS[kind], table: log.tables[log.buffer.readUInt16BE(at + 6)] };
    let tuple = at + ENTRY_HEADER;
    if (old !== OldTuple.none) {
      change.oldKind = old === OldTuple.key ? 'key' : 'full';
      change.old = decodeTuple(log.buffer, tuple);
      tuple = tupleEnd(log.buffer, tuple);
    }
    if (kind === ChangeKind.insert || kind === ChangeKind.update) change.new = decodeTuple(log.buffer, tuple);
    changes.push(change);
  }
  return changes;
}

/** Stands in for the engine: keeps what a source delivers. It applies nothing and is full only when told. */
export class CollectingSink implements ChangeSink {
  changes = new ChangeLog();
  full = false;
  readonly transactions: CollectedTransaction[] = [];
  readonly progressed: string[] = [];
  /** Newest position that was delivered. */
  position: Position | undefined;
  /** Called for each commit and progress once everything up to it has been read. */
  onPosition: (position: Position) => void = () => {};
  /** Stands in for the target. */
  targetColumns: ChangeSink['targetColumns'] = () => [];
  #open: number | undefined;
  #reading: Promise<void> = Promise.resolve();
  #spilledOpen = 0;
  #waiting: (() => void)[] = [];

  get begun(): boolean {
    return this.#open !== undefined;
  }

  drained(): Promise<void> {
    return this.full ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  /** Ends the back-pressure that `full = true` began. */
  drain(): void {
    this.full = false;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  begin(commitTime: number): void {
    if (this.#open !== undefined) throw new Error('begin within a transaction');
    this.#open = commitTime;
  }

  entryAppended(): void {
    if (this.#open === undefined) throw new Error('a change outside of a transaction');
  }

  commit(position: Position): void {
    if (this.#open === undefined) throw new Error('commit without begin');
    const changes = readChanges(this.changes);
    this.transactions.push({ changes, position: String(position), commitTime: this.#open, spilled: false });
    this.#open = undefined;
    this.changes = new ChangeLog();
    this.#reached(position);
  }

  spillStarted(): void {}

  commitSpilled(spilled: SpilledTransaction, commitTime: number, position: Position): void {
    if (this.#open !== undefined) throw new Error('a spilled transaction within another');
    const transaction: CollectedTransaction = {
      changes: [],
      position: String(position),
      commitTime,
      spilled: true,
    };
    this.transactions.push(transaction);
    this.#spilledOpen++;
    this.#reading = this.#reading.then(async () => {
      for await (const log of spilled.read()) transaction.changes.push(...readChanges(log));
      spilled.discard();
      this.#spilledOpen--;
    });
    this.#reached(position);
  }

  progress(position: Position): void {
    if (this.#open !== undefined) throw new Error('progress within a transaction');
    this.progressed.push(String(position));
    this.#reached(position);
  }

  /** Resolves once the spilled transactions that were delivered have been read. */
  read(): Promise<void> {
    return this.#reading;
  }

  #reached(position: Position): void {
    if (this.position !== undefined && !position.covers(this.position)) throw new Error('a position went back');
    this.position = position;
    // What was delivered earlier is done earlier, as in the engine.
    if (this.#spilledOpen === 0) this.onPosition(position);
    else this.#reading = this.#reading.then(() => this.onPosition(position));
  }
}
