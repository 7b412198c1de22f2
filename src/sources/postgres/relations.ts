import type { ReplicaIdentity, SourceColumn, SourceTable } from '../../changes/table.ts';
import type { MessageReader } from './message-reader.ts';
import { TypeNames } from './type-names.ts';

const IDENTITY_FLAG = 1;

/**
 * The tables that the server has described, by relation id. A table is described again after reconnecting and after any
 * invalidation of the server's cache; the same SourceTable object is given out as long as nothing really changed.
 */
export class Relations {
  readonly #current = new Map<number, SourceTable>();
  readonly #interned = new Map<number, SourceTable>();
  /** What the columns' types are called. */
  types = new TypeNames(new Map());

  /** The table as it was described last on this stream; undefined when it was not. */
  get(relation: number): SourceTable | undefined {
    return this.#current.get(relation);
  }

  set(relation: number, table: SourceTable): void {
    this.#current.set(relation, table);
  }

  /** Gives out the known object for a table when it is described as before, else makes `table` the known one. */
  intern(relation: number, table: SourceTable): SourceTable {
    const known = this.#interned.get(relation);
    if (known !== undefined && sameTable(known, table)) return known;
    this.#interned.set(relation, table);
    return table;
  }

  /** To be called when a new stream starts: the server describes each table anew before it is used. */
  startStream(): void {
    this.#current.clear();
  }
}

/** Reads a Relation message behind its type byte (and transaction id): the relation's id and its description. */
export function readRelation(reader: MessageReader, types: TypeNames): { relation: number; table: SourceTable } {
  const relation = reader.uint32();
  // The namespace of pg_catalog is sent as an empty string.
  const schema = reader.string() || 'pg_catalog';
  const name = reader.string();
  const replicaIdentity = reader.uint8();
  const count = reader.uint16();
  const columns: SourceColumn[] = [];
  for (let i = 0; i < count; i++) {
    const flags = reader.uint8();
    const column = reader.string();
    const type = types.describe(reader.uint32(), reader.uint32() | 0);
    columns.push({ name: column, identity: (flags & IDENTITY_FLAG) !== 0, type });
  }
  reader.finish();
  const identity = replicaIdentityOf(String.fromCharCode(replicaIdentity), columns);
  if (identity === undefined) throw reader.malformed(`unknown replica identity ${replicaIdentity}`);
  return { relation, table: { schema, name, identity, columns } };
}

/** Meaning of pg_class.relreplident for a table with these columns; undefined for an unknown letter. */
export function replicaIdentityOf(letter: string, columns: readonly SourceColumn[]): ReplicaIdentity | undefined {
  switch (letter) {
    case 'f':
      return 'full';
    case 'n':
      return 'nothing';
    case 'd':
    case 'i':
      return columns.some((column) => column.identity) ? 'key' : 'nothing';
    default:
      return undefined;
  }
}

function sameTable(a: SourceTable, b: SourceTable): boolean {
  return (
    a.name === b.name &&
    a.schema === b.schema &&
    a.identity === b.identity &&
    a.columns.length === b.columns.length &&
    a.columns.every((column, i) => sameColumn(column, b.columns[i]))
  );
}

function sameColumn(a: SourceColumn, b: SourceColumn): boolean {
  return a.name === b.name && a.identity === b.identity && a.type === b.type;
}
