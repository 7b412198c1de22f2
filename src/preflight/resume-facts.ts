import type { ConnectionDescription } from '../config/connection.ts';
import type { SourceConnection } from '../config/source-connection.ts';
import type { SourceWishes } from './source-wishes.ts';

/** What a replication was told, and what was seen of it last. */
export interface ResumeFacts {
  readonly name: string;
  /** What it reads; nothing of it is to be made any more. */
  readonly wishes: SourceWishes;
  readonly targetSchema: string;
  readonly stagingSchema: string;
  /** Tables that were sent at the last start, as they are saved. */
  readonly tables: readonly string[] | undefined;
  /** What was left out of them then, a line each. */
  readonly leftOut?: readonly string[] | undefined;
  /** Going on without tables that are published no more is what the operator wants. */
  readonly acceptTables: boolean;
  /** Its engine was seen replicating before, so there has to be progress. */
  readonly replicated: boolean;
  /** Milliseconds since the epoch. */
  readonly lastStart: number | undefined;
  /** ISO 8601, and in words. */
  readonly lastEnd: { readonly at: string; readonly why: string } | undefined;
  /** Bytes of source log, or source transactions, applied per second when it last caught up. */
  readonly bytesPerSecond: number | undefined;
  readonly transactionsPerSecond: number | undefined;
  readonly dataDir: string;
}

export interface ResumeConnections {
  readonly source: SourceConnection;
  readonly target: ConnectionDescription;
  readonly staging: ConnectionDescription | undefined;
}
