import type { Position } from '../sources/source.ts';

/** What was written to one table by one target transaction. */
export interface Written {
  readonly table: string;
  readonly upserts: number;
  readonly deletes: number;
}

/** What the applier tells of its work. */
export interface ApplierEvents {
  /** A target transaction was committed; times in milliseconds, commitTime in microseconds since the epoch. */
  committed(
    transactions: number,
    commitTime: number,
    duration: number,
    written: readonly Written[],
    exact: boolean,
  ): void;
  /** The source may forget everything up to here: it is durable on the target. */
  durable(position: Position): void;
  refused(table: string, state: string): void;
  retried(state: string): void;
  deadLettered(position: Position, changes: number): void;
}
