import type { ChangeLog } from '../changes/change-log.ts';
import type { SpilledTransaction } from '../changes/spill.ts';
import type { SourceTable, TargetColumnFacts } from '../changes/table.ts';

/** An opaque, ordered point in a source's log: an LSN, a GTID set, an SCN. */
export interface Position {
  /** The form kept in the memo table and shown to people. */
  toString(): string;
  /** True when everything up to `other` is contained in this position. */
  covers(other: Position): boolean;
}

/**
 * Where a source delivers. Everything is called in the source's commit order from one place at a time. None of the
 * calls waits; when `full` is true the source stops reading its socket and goes on once `drained()` resolves.
 *
 * A transaction is `begin`, any number of entries appended to `changes`, then `commit`; or one call of
 * `commitSpilled` for a transaction that was gathered on disk while it was open. `changes` is the log to append to *now*:
 * read it anew after each call of `entryAppended`.
 */
export interface ChangeSink {
  readonly changes: ChangeLog;
  readonly full: boolean;
  drained(): Promise<void>;
  /** `commitTime`: microseconds since the Unix epoch, by the source's clock. */
  begin(commitTime: number): void;
  /** To be called after each entry: lets the sink cut a large transaction into chunks of bounded size. */
  entryAppended(): void;
  /** The open transaction is complete; once applied, the checkpoint is `position`. */
  commit(position: Position): void;
  /** A large transaction that is still open begins to be gathered: it can be followed from here on. */
  spillStarted(transaction: SpilledTransaction): void;
  commitSpilled(transaction: SpilledTransaction, commitTime: number, position: Position): void;
  /**
   * The target columns of a table, by position in its columns; undefined where there is none that can be written. For sources whose types leave a
   * choice of text: `1` or `t`, `\\x61` or `a`.
   */
  targetColumns(table: SourceTable): readonly (TargetColumnFacts | undefined)[];
  /** Nothing is open and everything before `position` was delivered: how the checkpoint moves on an idle stream. */
  progress(position: Position): void;
}

/** The limits of what a source keeps for a reader; undefined where it has none or does not tell. */
export interface Retention {
  /** Bytes of log that it keeps at most. */
  readonly limitBytes: number | undefined;
  /** Bytes of log that it may still write before it gives the reader up. */
  readonly safeBytes: number | undefined;
  /** In its own word: `reserved`, `extended`, `unreserved` or `lost`. */
  readonly walStatus: string | undefined;
  /** For how long it keeps its log, seconds, where it counts by age. */
  readonly keptSeconds?: number | undefined;
  /** Age of the oldest log that is needed after a restart, seconds; undefined where that is as old as what is missing on the target. */
  readonly neededSeconds?: number | undefined;
}

/** Gauges that a source keeps; the engine publishes them. */
export interface SourceStatus {
  state: 'connecting' | 'streaming' | 'waiting';
  /** Newest position of the source's log that was heard of. */
  head: Position | undefined;
  /** Bytes of log between what was applied and the head, where the source knows it. */
  lagBytes: number | undefined;
  /** Transactions that the source has committed and the target has not, where the source counts them. */
  waitingTransactions?: number | undefined;
  /** Bytes of log that the source keeps for this reader (the slot's restart_lsn to the end of WAL). */
  retainedBytes: number | undefined;
  /** How much more log the source would keep. */
  retention: Retention | undefined;
  /** Wall clock time, milliseconds, when something was last received. */
  lastReceived: number;
  /** Bytes received so far. */
  received: number;
}

/**
 * A database that changes are read from. Life: `connect` once (checks everything that can be checked, throws named
 * errors), then any number of `stream` calls, one at a time, then `close`.
 */
export interface Source {
  /** `pglogical`, `mylogical`, `oraclelogminer`: the command's name, used in metrics and in memo keys. */
  readonly kind: string;
  readonly status: SourceStatus;
  /**
   * Checks the source; the tables that will be streamed, as far as they are known beforehand. `reader` names the
   * replication, the same after every restart and unlike any other's, for sources that have to know a reader again.
   */
  connect(reader: string): Promise<readonly SourceTable[]>;
  /** Memo key of the checkpoint for a target schema given in raw dotted form. */
  checkpointKey(targetSchema: string): string;
  parsePosition(text: string): Position;
  /** Facts that tell this source from another (system identifier, slot, database): kept in staging, compared on resume. */
  readonly identity: Readonly<Record<string, string>>;
  /**
   * False when rows that its foreign keys change (ON DELETE CASCADE) are not in its log, so that the target's own have to change
   * them; known once `connect` has resolved.
   */
  readonly logsCascades?: boolean;
  /**
   * Where to begin while no checkpoint is stored, for sources that do not keep this themselves (as a slot does). It is
   * verified and stored before anything is streamed from it. Undefined: with the first transaction of the log.
   * @throws OperatorError when nobody has said where.
   */
  initialPosition?(): Promise<Position | undefined>;
  /**
   * Refuses, with a named error, to go on from `checkpoint` when the source can no longer deliver everything after it or
   * is not the source that the checkpoint was written for. `stored` is the identity kept with the checkpoint.
   */
  verifyCheckpoint(
    checkpoint: Position | undefined,
    stored: Readonly<Record<string, string>> | undefined,
  ): Promise<void>;
  /**
   * Streams from `checkpoint` (from the slot's own start when undefined) into `sink` until `signal` aborts or the stream
   * fails. Resolves after an abort; rejects with a transient OperatorError when reconnecting can help.
   */
  stream(checkpoint: Position | undefined, sink: ChangeSink, signal: AbortSignal): Promise<void>;
  /** The target has committed everything up to `position`: the source may forget it. Never called ahead of the commit. */
  acknowledge(position: Position): void;
  close(): Promise<void>;
}
