import type { TypeRow } from './column-types.ts';
import type { Queryable } from './dialect.ts';
import { quoteIdentifier, type SchemaName } from './identifiers.ts';

/*
 * The catalogue as the servers tell it: five queries for a whole schema, however many tables it has, with answers of the same
 * shape from both products and every value as text. CockroachDB is asked through information_schema and pg_catalog only:
 * crdb_internal is closed by default since v26.1.
 */

export interface TableRow {
  readonly table: string;
  readonly triggers: string;
}

export interface ColumnRow {
  readonly table: string;
  /** pg_attribute.attnum, by which keys name columns. */
  readonly position: string;
  readonly name: string;
  /** OID of the type. */
  readonly type: string;
  /** The type with its modifiers. */
  readonly type_text: string;
  /** `true`, `false`, or what information_schema says: `ALWAYS`, `YES`, `NEVER`, `NO`. */
  readonly generated: string | null;
  readonly identity_always: string | null;
  readonly hidden: string | null;
  readonly has_default: string | null;
  readonly nullable: string | null;
}

/** A key column of a unique index, in key order. */
export interface KeyRow {
  readonly table: string;
  readonly index: string;
  readonly column: string;
  readonly primary: string;
  /** In the index without having been declared: a CockroachDB shard or region column. */
  readonly implicit: string;
}

export interface ForeignKeyRow {
  readonly name: string;
  readonly table: string;
  readonly referenced: string;
  /** Array literals of column positions. */
  readonly columns: string;
  readonly referenced_columns: string;
  /** pg_constraint.confdeltype and confupdtype. */
  readonly on_delete: string;
  readonly on_update: string;
  readonly deferrable: string;
}

export interface CatalogueRows {
  readonly tables: readonly TableRow[];
  readonly columns: readonly ColumnRow[];
  readonly types: readonly TypeRow[];
  readonly keys: readonly KeyRow[];
  readonly foreignKeys: readonly ForeignKeyRow[];
}

/** `$1` is the schema. PG names schemas by oid at once so that each query finds its tables by index. */
const POSTGRESQL = {
  tables: `
    SELECT c.relname::text AS "table",
           EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g
                   WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D')::text AS triggers
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p') ORDER BY c.relname`,
  columns: `
    SELECT c.relname::text AS "table", a.attnum::text AS position, a.attname::text AS name, a.atttypid::int8::text AS type,
           pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_text, (a.attgenerated <> '')::text AS generated,
           (a.attidentity = 'a')::text AS identity_always, 'false' AS hidden,
           (a.atthasdef OR a.attidentity <> '')::text AS has_default, (NOT a.attnotnull)::text AS nullable
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum`,
  types: `
    WITH RECURSIVE used(oid) AS (
      SELECT a.atttypid FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
      UNION
      SELECT t.typbasetype FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.oid WHERE t.typtype = 'd')
    SELECT t.oid::int8::text AS oid, n.nspname::text AS schema, t.typname::text AS name, t.typtype::text AS kind,
           t.typcategory::text AS category, t.typdelim::text AS delimiter, (t.typarray <> 0)::text AS has_array,
           t.typbasetype::int8::text AS base, t.typnotnull::text AS not_null, (t.typdefault IS NOT NULL)::text AS has_default,
           en.nspname::text AS element_schema, e.typname::text AS element_name, e.typtype::text AS element_kind
    FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.oid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem LEFT JOIN pg_catalog.pg_namespace en ON en.oid = e.typnamespace`,
  keys: `
    SELECT c.relname::text AS "table", x.relname::text AS index, a.attname::text AS column, i.indisprimary::text AS primary,
           'false' AS implicit
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, seq)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
    WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p') AND i.indisunique AND i.indisvalid AND i.indisready
      AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND k.seq <= i.indnkeyatts
    ORDER BY c.relname, x.relname, k.seq`,
  foreignKeys: `
    SELECT o.conname::text AS name, c.relname::text AS "table", f.relname::text AS referenced, o.conkey::text AS columns,
           o.confkey::text AS referenced_columns, o.confdeltype::text AS on_delete, o.confupdtype::text AS on_update,
           o.condeferrable::text AS deferrable
    FROM pg_catalog.pg_constraint o
    JOIN pg_catalog.pg_class c ON c.oid = o.conrelid JOIN pg_catalog.pg_class f ON f.oid = o.confrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE o.contype = 'f' AND n.nspname = $1::text AND f.relnamespace = c.relnamespace
    ORDER BY c.relname, o.conname, f.relname`,
};

/** The same for CockroachDB; `db` is the quoted database, whose catalogues can be read from any other. */
function cockroachdbQueries(db: string): typeof POSTGRESQL {
  const schema = `${db}.pg_catalog.pg_class c JOIN ${db}.pg_catalog.pg_namespace n ON n.oid = c.relnamespace`;
  return {
    tables: `
      SELECT c.relname::STRING AS "table",
             EXISTS (SELECT 1 FROM ${db}.pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid)::STRING AS triggers
      FROM ${schema} WHERE n.nspname = $1::STRING AND c.relkind = 'r' ORDER BY c.relname`,
    columns: `
      SELECT i.table_name AS "table", a.attnum::STRING AS position, i.column_name AS name,
             a.atttypid::INT8::STRING AS type, i.crdb_sql_type AS type_text, i.is_generated AS generated,
             (i.is_identity = 'YES' AND i.identity_generation = 'ALWAYS')::STRING AS identity_always,
             i.is_hidden AS hidden, (i.column_default IS NOT NULL)::STRING AS has_default, i.is_nullable AS nullable
      FROM ${schema}
      JOIN ${db}.information_schema.columns i ON i.table_schema = n.nspname AND i.table_name = c.relname
      JOIN ${db}.pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = i.column_name
      WHERE n.nspname = $1::STRING AND i.table_schema = $1::STRING AND c.relkind = 'r'
      ORDER BY i.table_name, a.attnum`,
    types: `
      SELECT t.oid::INT8::STRING AS oid, n.nspname::STRING AS schema, t.typname::STRING AS name, t.typtype::STRING AS kind,
             t.typcategory::STRING AS category, t.typdelim::STRING AS delimiter, (t.typarray <> 0)::STRING AS has_array,
             '0' AS base, 'false' AS not_null, 'false' AS has_default,
             en.nspname::STRING AS element_schema, e.typname::STRING AS element_name, e.typtype::STRING AS element_kind
      FROM ${db}.pg_catalog.pg_type t JOIN ${db}.pg_catalog.pg_namespace n ON n.oid = t.typnamespace
      LEFT JOIN ${db}.pg_catalog.pg_type e ON e.oid = t.typelem
      LEFT JOIN ${db}.pg_catalog.pg_namespace en ON en.oid = e.typnamespace
      WHERE t.oid IN (SELECT a.atttypid FROM ${schema} JOIN ${db}.pg_catalog.pg_attribute a ON a.attrelid = c.oid
                      WHERE n.nspname = $1::STRING AND c.relkind = 'r')`,
    keys: `
      SELECT s.table_name AS "table", s.index_name AS index, s.column_name AS column, i.indisprimary::STRING AS primary,
             s.implicit AS implicit
      FROM ${schema}
      JOIN ${db}.pg_catalog.pg_index i ON i.indrelid = c.oid JOIN ${db}.pg_catalog.pg_class x ON x.oid = i.indexrelid
      JOIN ${db}.information_schema.statistics s
        ON s.table_schema = n.nspname AND s.table_name = c.relname AND s.index_name = x.relname
      WHERE n.nspname = $1::STRING AND s.table_schema = $1::STRING AND c.relkind = 'r' AND i.indisunique
        AND i.indpred IS NULL AND s.storing = 'NO'
      ORDER BY s.table_name, s.index_name, s.seq_in_index`,
    foreignKeys: `
      SELECT o.conname::STRING AS name, c.relname::STRING AS "table", f.relname::STRING AS referenced,
             o.conkey::STRING AS columns, o.confkey::STRING AS referenced_columns, o.confdeltype::STRING AS on_delete,
             o.confupdtype::STRING AS on_update, 'false' AS deferrable
      FROM ${schema}
      JOIN ${db}.pg_catalog.pg_constraint o ON o.conrelid = c.oid JOIN ${db}.pg_catalog.pg_class f ON f.oid = o.confrelid
      WHERE o.contype = 'f' AND n.nspname = $1::STRING AND f.relnamespace = c.relnamespace
      ORDER BY c.relname, o.conname`,
  };
}

/** The SQL of `readCatalogueRows`, for those who check what is sent. */
export function catalogueQueries(
  product: 'cockroachdb' | 'postgresql',
  database: string,
): Readonly<Record<keyof CatalogueRows, string>> {
  return product === 'cockroachdb' ? cockroachdbQueries(quoteIdentifier(database)) : POSTGRESQL;
}

/** Asks for all tables of `schema` in one transaction, so that the answers fit each other. */
export async function readCatalogueRows(
  client: Queryable,
  product: 'cockroachdb' | 'postgresql',
  schema: SchemaName,
): Promise<CatalogueRows> {
  const queries = catalogueQueries(product, schema.database);
  const ask = async <Row extends object>(text: string) => (await client.query<Row>(text, [schema.schema])).rows;
  await client.query(product === 'cockroachdb' ? 'BEGIN' : 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    const rows = {
      tables: await ask<TableRow>(queries.tables),
      columns: await ask<ColumnRow>(queries.columns),
      types: await ask<TypeRow>(queries.types),
      keys: await ask<KeyRow>(queries.keys),
      foreignKeys: await ask<ForeignKeyRow>(queries.foreignKeys),
    };
    await client.query('COMMIT');
    return rows;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
