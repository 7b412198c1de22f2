/** A column as the source describes it. */
export interface SourceColumn {
  readonly name: string;
  /** True when the column is part of the replica identity: old values of it are sent with updates and deletes. */
  readonly identity: boolean;
  /** The source's own text for the type (`character varying(20)`), where it tells: for DDL that is proposed, never for values. */
  readonly type?: string;
}

/**
 * How the source tells which row an update or delete is about.
 * - `key`: by the identity columns (primary key or a chosen unique index)
 * - `full`: by the whole old row, which is always sent
 * - `nothing`: not at all; such a table can only be inserted into
 */
export type ReplicaIdentity = 'key' | 'full' | 'nothing';

/**
 * One version of a source table. Made once when the source describes it; a schema change makes a new object, so
 * identity (`===`) is enough to know that the columns are the same.
 */
export interface SourceTable {
  readonly schema: string;
  readonly name: string;
  /** The source writes plain names in capitals: DDL that is proposed for the target has those in lower case. */
  readonly capitals?: true;
  readonly identity: ReplicaIdentity;
  readonly columns: readonly SourceColumn[];
}

/** What a target column takes, in words common to CockroachDB and PostgreSQL. */
export type TargetKind =
  | 'bool'
  | 'int'
  | 'decimal'
  | 'float'
  | 'string'
  | 'bytes'
  | 'uuid'
  | 'bit'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'time'
  | 'timetz'
  | 'interval'
  | 'json'
  | 'geometry'
  | 'geography'
  | 'inet'
  | 'enum'
  | 'vector'
  | 'other';

/** What a source may know of the target column that its values go to, where its own types leave a choice of text. */
export interface TargetColumnFacts {
  /** Of an array: of its elements. */
  readonly kind: TargetKind;
  readonly array: boolean;
  readonly nullable: boolean;
}
