/** What the source counts. Called once per window or batch of rows, not once per row. */
export interface OracleMetrics {
  mutation(kind: 'insert' | 'update' | 'delete' | 'truncate', count: number): void;
  /** Redo that could not be turned into a change of a row, by why. */
  skipped(why: SkipReason, count: number): void;
  /** SCNs between what was read and the server's newest one. */
  distance(scns: number): void;
  /** A window of `size` SCNs was read; times in seconds, the second one the query's alone. */
  window(total: number, query: number, size: number): void;
  /** Transactions that are open, of which changes were read. */
  open(transactions: number): void;
}

/** Why redo was passed over: a kind of operation that LogMiner does not tell the content of, or a table that the dictionary does not know. */
export type SkipReason = 'unsupported' | 'lob' | 'unknown_table' | 'ddl';
