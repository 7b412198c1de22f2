import type { SourceTable } from '../../src/changes/table.ts';
import type { Batcher } from '../../src/engine/batcher.ts';
import type { Position } from '../../src/sources/source.ts';
import { append, type Values } from './apply-rig.ts';

/** A position that is a plain number. */
export class NumberPosition implements Position {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  covers(other: Position): boolean {
    return this.value >= Number(other.toString());
  }

  toString(): string {
    return String(this.value);
  }
}

/** Stands in for a source: delivers transactions written by hand into a batcher, each at the next position. */
export class Feed {
  readonly batcher: Batcher;
  position = 0;

  constructor(batcher: Batcher) {
    this.batcher = batcher;
  }

  begin(): void {
    this.batcher.begin(1_700_000_000_000_000 + this.position);
  }

  insert(table: SourceTable, row: Values): void {
    append.insert(this.batcher.changes, table, row);
    this.batcher.entryAppended();
  }

  update(table: SourceTable, row: Values, old?: Values): void {
    append.update(this.batcher.changes, table, row, old);
    this.batcher.entryAppended();
  }

  delete(table: SourceTable, old: Values): void {
    append.delete(this.batcher.changes, table, old);
    this.batcher.entryAppended();
  }

  truncate(table: SourceTable): void {
    this.batcher.changes.appendTruncate(table);
    this.batcher.entryAppended();
  }

  /** Ends the open transaction; returns its position. */
  commit(): number {
    this.batcher.commit(new NumberPosition(++this.position));
    return this.position;
  }

  /** A whole transaction. */
  transaction(fill: (feed: Feed) => void): number {
    this.begin();
    fill(this);
    return this.commit();
  }

  progress(): number {
    this.batcher.progress(new NumberPosition(++this.position));
    return this.position;
  }
}
