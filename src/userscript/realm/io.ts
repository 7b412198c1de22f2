import type { ErrorCode } from '../../explanations/table.ts';
/** How the text of a column is shown to a script, and what a script's value for it is written as. */
export const Shown = {
  /** As it is: text, numbers, dates. */
  text: 0,
  bool: 1,
  json: 2,
  /** Arrays of texts, of booleans, of JSON documents. */
  array: 3,
  boolArray: 4,
  jsonArray: 5,
} as const;
export type Shown = (typeof Shown)[keyof typeof Shown];

/** What became of a call of a handler. */
export const Outcome = {
  /** The row goes on as the source sent it, to the byte. */
  same: 0,
  filtered: 1,
  /** Rows were put into `out`. */
  rows: 2,
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** What a handler is called for. */
export const Call = { upsert: 0, delete: 1 } as const;
export type Call = (typeof Call)[keyof typeof Call];

/** Words of `progress`: what the sandbox is doing, to be read from another thread. */
export const Progress = {
  /** Counts up with every call of a handler. */
  count: 0,
  /** Number of the call in its run. */
  call: 1,
  /** Which handler, see HANDLERS. */
  handler: 2,
  /** Where in the request's buffer the run begins; written by the sandbox. */
  at: 3,
  /** Entries of the request in front of that. */
  entries: 4,
} as const;

/** The handlers as `progress` numbers them: the first two are of a schema, the others of a table. */
export const HANDLERS = ['onRowUpsert', 'onRowDelete', 'onRowUpsert', 'onRowDelete', 'onWrite'] as const;

/** Counters of a handler: calls, rows left out, rows passed on, milliseconds. */
export const COUNTERS = 4;

/** A failure inside the script, in plain texts: objects of the script's own never leave its realm. */
export interface ThrownText {
  /** The code of an error of ours, as in `SCRIPT_RESULT`; empty for the script's own. */
  readonly code: ErrorCode | '';
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** Number of the request to the database that failed with just this error; 0 when it is another. */
  readonly request: number;
  /** The handler that ran; empty while the script was loaded. */
  readonly handler: string;
  /** The target table of that handler; empty for those of a schema. */
  readonly table: string;
}

/** What the realm knows of a table whose rows go through handlers. */
export interface PlanSpec {
  readonly id: number;
  /** The source's name, which schema-level handlers are told. */
  readonly table: string;
  /** The target table that a bare row goes to. */
  readonly target: string;
  readonly schema: string;
  readonly columns: readonly string[];
  readonly shown: readonly Shown[];
  /** Number of the pair of schema-level handlers that applies, or -1. */
  readonly handlers: number;
}

/** What the realm knows of a target table. */
export interface TargetSpec {
  readonly name: string;
  readonly columns: readonly string[];
  readonly shown: readonly Shown[];
  /** TargetKind of each column. */
  readonly kinds: readonly string[];
  /** The columns that tell its rows apart, as they are known to the engine. */
  readonly key: readonly string[];
  /** True when the target makes a key for rows that come without one. */
  readonly makesKey: boolean;
}

/** What a script has configured; `counters` is where the counters of an entry begin: three handlers of COUNTERS each. */
export interface Configuration {
  /** Names given to `configureTargetSchema`, by number of the pair of handlers. */
  readonly schemas: readonly { readonly name: string; readonly counters: number }[];
  /** By number of the handlers. */
  readonly tables: readonly {
    /** Names given to `configureTargetTables`. */
    readonly names: readonly string[];
    /** Whether onRowUpsert and onRowDelete were given. */
    readonly rows: boolean;
    /** Whether onWrite was given. */
    readonly write: boolean;
    readonly counters: number;
  }[];
}

/**
 * What the sandbox lends to the realm. Nothing of it is ever handed on to the script: whoever holds one object of another
 * realm can reach everything in it.
 */
export interface RealmIo {
  readonly progress: Int32Array;
  /** COUNTERS of every handler: upserts, deletes and writes of an entry of the configuration, one entry behind the other. */
  readonly counts: Float64Array;
  /** Values of the rows of a run, one behind the other: text, boolean, null, or `missing`. */
  readonly values: unknown[];
  /** Rows made by handlers: call, target, number of columns; then name, text, and source column or -1, of each. */
  readonly out: unknown[];
  /** Outcome of each call of a run. */
  readonly outcomes: number[];
  /** What the script wants of the outside: a kind, a number or level, a text or list. */
  readonly events: unknown[];
  /** Stands for a value that the source did not send, and for one that nobody has looked at. */
  readonly missing: symbol;
  /** [0] is 1 while a row is asked for values that the script has not looked at, which are `missing` then. */
  readonly probe: Int32Array;
  /** Longest text that one call may return, characters. */
  readonly longest: number;
}

/** A run of calls: the plan and the kind of each, and where its values begin. */
export interface RealmRun {
  readonly plans: readonly number[];
  readonly calls: readonly number[];
  readonly at: readonly number[];
  readonly length: number;
}

/** The rows of a call of onWrite. */
export interface RealmWrite extends RealmRun {
  /** Where the values of the row before the change begin, or -1. */
  readonly before: readonly number[];
  readonly handler: number;
  readonly target: string;
  /** Quoted names. */
  readonly schema: string;
  readonly table: string;
  /** JSON of what `columns()` tells. */
  readonly columns: string;
}
