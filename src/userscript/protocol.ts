import type { SourceTable } from '../changes/table.ts';
import type { LogLevel } from '../log/logger.ts';
import type { Configuration, PlanSpec, TargetSpec, ThrownText } from './realm/io.ts';

/** A table whose rows go through handlers, as the worker knows it. */
export interface TablePlan extends PlanSpec {
  readonly identity: SourceTable['identity'];
  /** Positions of the columns by which an update tells whether its row has another key now; empty without a key. */
  readonly key: readonly number[];
  /** Whether the target table can take the rows as they are. */
  readonly fits: boolean;
  /** Positions of the columns that a tuple of an old key holds. */
  readonly sentKey: readonly number[];
}

/** A target table, as the worker knows it. */
export interface TargetPlan extends TargetSpec {
  /** Other unique keys, by which rows can be told apart where there is no primary key. */
  readonly uniqueKeys: readonly (readonly string[])[];
}

/** A table of a transformed log: one of the request, or one that handlers have made. */
export type OutTable =
  | { readonly index: number }
  | {
      /** The plan of the table that its rows come from; undefined for rows that onWrite has made. */
      readonly plan: number | undefined;
      readonly target: string;
      readonly columns: readonly string[];
      /** The columns that tell its rows apart; empty when nothing does. */
      readonly key: readonly string[];
    };

export type ToWorker =
  | { readonly kind: 'plans'; readonly plans: readonly TablePlan[] }
  | {
      readonly kind: 'targets';
      readonly targets: readonly TargetPlan[];
      readonly bindings: readonly (readonly [string, number])[];
      /** True when rows may go to tables that are not among the targets, as where there is no target to ask. */
      readonly open: boolean;
    }
  | {
      readonly kind: 'rows';
      readonly id: number;
      readonly buffer: Uint8Array;
      /** Plan of each table of the log; -1 for tables that no handler names. */
      readonly plans: readonly number[];
      /** Where each transaction ends. */
      readonly ends: readonly number[];
    }
  | {
      readonly kind: 'write';
      readonly id: number;
      readonly handler: number;
      readonly buffer: Uint8Array;
      readonly plans: readonly number[];
      readonly target: string;
      readonly schema: string;
      readonly table: string;
      readonly columns: string;
    }
  | {
      readonly kind: 'answer';
      readonly request: number;
      readonly rows: readonly (readonly (string | boolean | null)[])[] | undefined;
    }
  | { readonly kind: 'refuse'; readonly request: number; readonly message: string };

export interface RowsDone {
  readonly kind: 'rows';
  readonly id: number;
  /** Undefined when every entry goes on as it is. */
  readonly buffer: Uint8Array | undefined;
  readonly tables: readonly OutTable[];
  /** Where each transaction that went well ends in the new buffer, and its changes. */
  readonly ends: readonly number[];
  readonly counts: readonly number[];
  /** Why the transaction behind them did not. */
  readonly error: ThrownText | undefined;
  /** Of `error`: where the entry begins that the handler was called for. */
  readonly errorAt: number;
}

export type FromWorker =
  | { readonly kind: 'ready'; readonly configuration: Configuration }
  | { readonly kind: 'failed'; readonly error: ThrownText }
  | RowsDone
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string }
  | { readonly kind: 'counters'; readonly counters: Float64Array }
  | {
      readonly kind: 'query' | 'exec';
      readonly request: number;
      readonly sql: string;
      readonly params: readonly (string | null)[];
    }
  | {
      readonly kind: 'put';
      readonly request: number;
      readonly buffer: Uint8Array;
      readonly count: number;
      readonly tables: readonly OutTable[];
    }
  | { readonly kind: 'written'; readonly id: number; readonly error: ThrownText | undefined };

/** What a worker is started with. */
export interface WorkerData {
  readonly code: string;
  readonly progress: SharedArrayBuffer;
  readonly longest: number;
}
