import type { SourceTable } from '../changes/table.ts';
import type { TableWriter } from '../target/table-writer.ts';
import type { Written } from './apply-events.ts';

/** What became of a row in the segment at hand. */
export const RowState = {
  /** The source inserted it: nothing on the target has its key. */
  insert: 1,
  /** Its whole new content is known. */
  upsert: 2,
  /** Only some of its new values were sent. */
  partial: 3,
  delete: 4,
  /** Deleted and then inserted again. */
  replace: 5,
} as const;
export type RowState = (typeof RowState)[keyof typeof RowState];

/** Batches for which a table's rows are not sent by COPY after one such row turned out to exist. */
const COPY_PAUSE = 200;

/** A target table and the rows of it that are to be written next: the latest state of each, by key. */
export class TableWork {
  readonly source: SourceTable;
  readonly writer: TableWriter;
  /** Place in the order of tables, parents first. */
  readonly rank: number;
  /** Number of the foreign-key cycle that the table is in, or -1. */
  readonly cycle: number;
  readonly selfReferencing: boolean;
  /** Names of target tables whose rows the database itself changes when rows of this one go or change their key. */
  readonly cascades: ReadonlySet<string>;

  readonly slots = new Map<string, number>();
  /** Where each row stands, see RowStore. */
  readonly at: number[] = [];
  readonly states: RowState[] = [];
  /** Rows in other states than `delete`. */
  writes = 0;
  /** Counts since they were last read, for metrics. */
  upserted = 0;
  deleted = 0;
  #copyPause = 0;

  constructor(
    writer: TableWriter,
    place: { rank: number; cycle: number; selfReferencing: boolean; cascades: ReadonlySet<string> },
  ) {
    this.source = writer.mapping.source;
    this.writer = writer;
    this.rank = place.rank;
    this.cycle = place.cycle;
    this.selfReferencing = place.selfReferencing;
    this.cascades = place.cascades;
  }

  get name(): string {
    return this.writer.mapping.target.name;
  }

  get empty(): boolean {
    return this.at.length === 0;
  }

  /** Adds or replaces the row that has `key`. */
  set(key: string, state: RowState, at: number): void {
    const slot = this.slots.get(key);
    if (slot === undefined) {
      this.slots.set(key, this.at.length);
      this.add(state, at);
      return;
    }
    if (this.states[slot] === RowState.delete) this.writes++;
    if (state === RowState.delete) this.writes--;
    this.at[slot] = at;
    this.states[slot] = state;
  }

  /** Adds a row of a table without key. */
  add(state: RowState, at: number): void {
    this.at.push(at);
    this.states.push(state);
    if (state !== RowState.delete) this.writes++;
  }

  clear(): void {
    this.slots.clear();
    this.at.length = 0;
    this.states.length = 0;
    this.writes = 0;
  }

  /** What was written since the last call. */
  takeCounts(): Written {
    const counts = { table: this.name, upserts: this.upserted, deletes: this.deleted };
    this.upserted = 0;
    this.deleted = 0;
    return counts;
  }

  get copyAllowed(): boolean {
    return this.#copyPause === 0;
  }

  /** A row sent by COPY existed already, as while a stream overlaps a bulk load: send upserts for a while. */
  pauseCopy(): void {
    this.#copyPause = COPY_PAUSE;
  }

  /** The user may not use COPY. */
  forbidCopy(): void {
    this.#copyPause = Number.POSITIVE_INFINITY;
  }

  /** To be called once for each batch that has rows of the table. */
  countBatch(): void {
    if (this.#copyPause > 0) this.#copyPause--;
  }
}
