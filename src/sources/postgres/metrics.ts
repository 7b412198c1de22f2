/** What the source counts. Called once per transaction or block, not once per row. */
export interface PostgresMetrics {
  /** A START_REPLICATION that worked. */
  dialSuccess(): void;
  /** An attempt to reach the stream that failed. */
  dialFailure(): void;
  /** Values that the server did not send because they are large and did not change. */
  unchangedToast(count: number): void;
  /** A transaction without a change of a published table. */
  emptyTransaction(): void;
  mutation(kind: 'insert' | 'update' | 'delete' | 'truncate', count: number): void;
}
