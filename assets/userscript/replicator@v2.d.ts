/**
 * The API of userscripts, and the console that they have. Put this file and tsconfig.json beside a script for an editor's
 * help; `instar userscript check SCRIPT` checks against it in any case.
 */
declare module 'replicator@v2' {
  /**
   * A value of a column. Numbers are strings, so that none loses a digit; JSON columns are objects, the numbers in them strings
   * too, and array columns are arrays. Everything else is its text.
   */
  export type RowValue = string | boolean | null | Row | RowValue[];

  /** A row: values by column name. A column that the source did not send, because it did not change, is not there. */
  export type Row = { [column: string]: RowValue };

  /** Where a row belongs: `schema` is the target's; see each handler for `table`. */
  export type Metadata = Row & { schema: string; table: string };

  /** What a handler may return: a row; rows by the target table that they go to; or null to leave the row out. */
  export type Routed = Row | Record<string, Row[]> | null;

  export type RowHandlerFn = (row: Row, meta: Metadata) => Routed;

  /**
   * Sees every row on its way into a target schema. A row that is returned goes to the table of the same name as at the
   * source; `{ table: [row, …] }` sends rows elsewhere.
   * @param targetSchemaName as in --targetSchema, for example "defaultdb.public"
   */
  export function configureTargetSchema(
    targetSchemaName: string,
    handlers: {
      /** For an insert or an update. `meta.table` is the source's table. */
      onRowUpsert: RowHandlerFn;
      /** For a deletion, and for the old row where a key was changed. The row has the key's columns at least. */
      onRowDelete: RowHandlerFn;
    },
  ): void;

  export type onRowUpsertFn = (row: Row, meta: Metadata) => Row | null;
  /** Gets and returns the values of the primary key, in its order. */
  export type onRowDeleteFn = (keyVals: string[], meta: Metadata) => string[] | null;
  export type onWriteFn = (rows: RowOp[]) => Promise<any>;

  /**
   * Sees rows on their way into tables of the target, after the handlers of the schema. `meta.table` is the target's table.
   * @param tables names of target tables, with or without their schema; case counts
   */
  export function configureTargetTables(
    tables: string[],
    configuration: {
      onRowUpsert?: onRowUpsertFn;
      /** To be given where onRowUpsert is, and the other way round. */
      onRowDelete?: onRowDeleteFn;
      /** Writes the rows in place of the engine. What it returns is waited for; then the transaction is committed. */
      onWrite?: onWriteFn;
    },
  ): void;

  /** A change that is about to be written. */
  export type RowOp = ({ action: 'delete' } | { action: 'upsert'; data: Row }) & {
    /** The row before, as far as the source has sent it. */
    before?: Row;
    meta: Metadata;
    /** Values of the primary key. */
    pk: string[];
  };

  export interface TargetColumn {
    /** The DEFAULT expression, where there is one. */
    defaultExpr?: string;
    /** True when rows are not written to it: computed and hidden columns. */
    ignored: boolean;
    /** Quoted. */
    name: string;
    primary: boolean;
    type: string;
  }

  /** The target transaction that the rows are written in. */
  export interface TargetTX {
    /** Columns of the table, those of the primary key first. */
    columns(): TargetColumn[];
    /** Runs a statement without an answer. Parameters are $1, $2 and so on. */
    exec(sql: string, ...params: any[]): Promise<void>;
    /** Runs a query; each row is an array of its values. */
    query(sql: string, ...params: any[]): Promise<Iterable<any[]>>;
    /** Name of the schema, quoted. */
    schema(): string;
    /** Full name of the table, quoted. */
    table(): string;
  }

  /** Only inside of onWrite. Errors of the database have `SQLSTATE 23502` and the like in their message. */
  export function getTX(): TargetTX;

  /** Writes rows as the engine would. Only inside of onWrite. */
  export function write(rows: RowOp[]): Promise<void>;
}

/** Goes to the log of the engine: debug with -v, trace with -vv. */
declare const console: {
  log(...args: any[]): void;
  info(...args: any[]): void;
  debug(...args: any[]): void;
  trace(...args: any[]): void;
  warn(...args: any[]): void;
  error(...args: any[]): void;
  /** Nothing is logged from here on. */
  disable(): void;
  enable(): void;
};
