import type { TargetKind } from '../changes/table.ts';
import { OperatorError } from '../errors.ts';
import { type CatalogueRows, type ColumnRow, readCatalogueRows } from './catalogue-rows.ts';
import {
  type ColumnType,
  cockroachdbColumnType,
  domainHas,
  postgresqlColumnType,
  type TypeRow,
} from './column-types.ts';
import type { Dialect, Queryable } from './dialect.ts';
import { matchName, qualify, quoteIdentifier, type SchemaName } from './identifiers.ts';

export interface TargetColumn {
  readonly name: string;
  /**
   * Type for casts, without length or precision: an explicit cast to varchar(5) cuts text silently, the assignment to a
   * varchar(5) column refuses it. A domain is given as its base type for the same reason.
   */
  readonly castType: string;
  /** True when an array literal of this type may be bound and unnested; other types travel as text[] and are cast one by one. */
  readonly arrayBindable: boolean;
  /**
   * True when no value of this type needs quotes in an array literal. A source column of another type may still send text
   * that does (`1,2` for an integer), so the text has to be looked at before the quotes are left out.
   */
  readonly unquoted: boolean;
  /** What it holds; of an array: its elements. */
  readonly kind: TargetKind;
  readonly array: boolean;
  /** For messages, with modifiers. */
  readonly typeName: string;
  /** Computed by the target: never written. */
  readonly generated: boolean;
  /** GENERATED ALWAYS AS IDENTITY. */
  readonly identityAlways: boolean;
  /** CockroachDB's NOT VISIBLE columns, its own among them. */
  readonly hidden: boolean;
  readonly hasDefault: boolean;
  readonly nullable: boolean;
}

export type ReferentialAction = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  /** Table of the same schema. */
  readonly referenced: string;
  readonly referencedColumns: readonly string[];
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
  readonly deferrable: boolean;
}

export interface TargetTable {
  readonly name: string;
  /** Quoted, with database and schema as the dialect wants them. */
  readonly qualified: string;
  readonly columns: readonly TargetColumn[];
  /** Column names in key order; empty without a primary key, with a hidden one (rowid), and with a deferrable one. */
  readonly primaryKey: readonly string[];
  /** The other unique indexes that an ON CONFLICT can name: whole, immediate, valid, over plain columns. */
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly foreignKeys: readonly ForeignKey[];
  /** True when triggers fire for what is written here. */
  readonly triggers: boolean;
}

/** What is known about the tables of the target schema at one moment. */
export class Catalogue {
  readonly tables: ReadonlyMap<string, TargetTable>;

  constructor(tables: Iterable<TargetTable>) {
    this.tables = new Map(Array.from(tables, (table) => [table.name, table]));
  }

  /** The table of that name, else the only one whose name differs in case alone. */
  find(name: string): TargetTable | undefined {
    const found = this.tables.has(name) ? name : matchName(name, this.tables.keys());
    return found === undefined ? undefined : this.tables.get(found);
  }
}

/**
 * Reads the whole schema in a handful of queries, in a read-only transaction of its own: meanwhile nobody else may use
 * the client.
 * @throws OperatorError TARGET_SCHEMA_MISSING when there is no such schema.
 */
export async function readCatalogue(client: Queryable, dialect: Dialect, schema: SchemaName): Promise<Catalogue> {
  try {
    const rows = await readCatalogueRows(client, dialect.product, schema);
    if (rows.tables.length === 0) await requireSchema(client, dialect, schema);
    return buildCatalogue(rows, dialect, schema);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '3D000') throw schemaMissing(schema, dialect);
    throw error;
  }
}

/** Makes a catalogue of the rows that either product answered. */
export function buildCatalogue(rows: CatalogueRows, dialect: Dialect, schema: SchemaName): Catalogue {
  const types = new Map(rows.types.map((type) => [type.oid, type]));
  const columns = Map.groupBy(rows.columns, (row) => row.table);
  const keys = Map.groupBy(rows.keys, (row) => row.table);
  const foreignKeys = Map.groupBy(rows.foreignKeys, (row) => row.table);
  const columnAt = new Map(rows.columns.map((row) => [`${row.position} ${row.table}`, row.name]));
  const columnNames = (table: string, positions: string) =>
    (positions.match(/\d+/g) ?? []).map((position) => columnAt.get(`${position} ${table}`) ?? '');

  return new Catalogue(
    rows.tables.map(({ table, triggers }): TargetTable => {
      const own = (columns.get(table) ?? []).map((row) => buildColumn(row, types, dialect, schema));
      const hidden = new Set(own.filter((column) => column.hidden).map((column) => column.name));
      const unique = new Map<string, { primary: boolean; columns: string[] }>();
      for (const row of keys.get(table) ?? []) {
        const key = unique.get(row.index) ?? { primary: isTrue(row.primary), columns: [] };
        unique.set(row.index, key);
        if (!isTrue(row.implicit) && !isPartition(row.column, hidden)) key.columns.push(row.column);
      }
      const usable = [...unique.values()].filter(
        (key) => key.columns.length > 0 && !key.columns.some((name) => hidden.has(name)),
      );
      return {
        name: table,
        qualified: qualify(schema, table),
        columns: own,
        primaryKey: usable.find((key) => key.primary)?.columns ?? [],
        uniqueKeys: usable.filter((key) => !key.primary).map((key) => key.columns),
        foreignKeys: (foreignKeys.get(table) ?? []).map((row) => ({
          name: row.name,
          columns: columnNames(table, row.columns),
          referenced: row.referenced,
          referencedColumns: columnNames(row.referenced, row.referenced_columns),
          onDelete: ACTIONS[row.on_delete] ?? 'no action',
          onUpdate: ACTIONS[row.on_update] ?? 'no action',
          deferrable: isTrue(row.deferrable),
        })),
        triggers: isTrue(triggers),
      };
    }),
  );
}

const ACTIONS: Readonly<Record<string, ReferentialAction>> = {
  a: 'no action',
  r: 'restrict',
  c: 'cascade',
  n: 'set null',
  d: 'set default',
};

function buildColumn(
  row: ColumnRow,
  types: ReadonlyMap<string, TypeRow>,
  dialect: Dialect,
  schema: SchemaName,
): TargetColumn {
  const postgresql = dialect.product === 'postgresql';
  const type: ColumnType = postgresql
    ? postgresqlColumnType(row.type, types)
    : cockroachdbColumnType(types.get(row.type), row.type_text, schema.database);
  return {
    name: row.name,
    castType: type.castType,
    arrayBindable: type.arrayBindable,
    unquoted: type.unquoted,
    kind: type.kind,
    array: type.array,
    typeName: row.type_text,
    generated: isTrue(row.generated),
    identityAlways: isTrue(row.identity_always),
    hidden: isTrue(row.hidden),
    hasDefault: isTrue(row.has_default) || domainHas('has_default', row.type, types),
    nullable: isTrue(row.nullable) && !domainHas('not_null', row.type, types),
  };
}

/** CockroachDB's shard and region columns lead an index but are no part of the key that was declared. */
function isPartition(column: string, hidden: ReadonlySet<string>): boolean {
  return hidden.has(column) && (column === 'crdb_region' || /^crdb_internal_.*_shard_\d+$/.test(column));
}

/** The servers and their versions write booleans in several ways. */
function isTrue(text: string | null): boolean {
  return text === 'true' || text === 't' || text === 'YES' || text === 'ALWAYS';
}

async function requireSchema(client: Queryable, dialect: Dialect, schema: SchemaName): Promise<void> {
  const prefix = dialect.product === 'cockroachdb' ? `${quoteIdentifier(schema.database)}.` : '';
  const found = await client.query(`SELECT 1 FROM ${prefix}pg_catalog.pg_namespace WHERE nspname = $1::TEXT`, [
    schema.schema,
  ]);
  if (found.rows.length === 0) throw schemaMissing(schema, dialect);
}

function schemaMissing(schema: SchemaName, dialect: Dialect): OperatorError {
  return new OperatorError(
    'TARGET_SCHEMA_MISSING',
    `the target schema ${quoteIdentifier(schema.database)}.${quoteIdentifier(schema.schema)} does not exist; nothing was written`,
    {
      fix:
        dialect.product === 'cockroachdb' && schema.schema === 'public'
          ? `CREATE DATABASE ${quoteIdentifier(schema.database)};`
          : `CREATE SCHEMA ${schema.sql};`,
    },
  );
}
