import type { CountedValue } from './values/column.ts';

/** What the source counts. Called once per transaction or block, not once per row. */
export interface MysqlMetrics {
  /** A dump that was started. */
  dialSuccess(): void;
  /** An attempt to start one that failed. */
  dialFailure(): void;
  mutation(kind: 'insert' | 'update' | 'delete' | 'truncate', count: number): void;
  /** Values that the target got in another form than the source has them, by why. */
  valueChanged(what: CountedValue, count: number): void;
}
