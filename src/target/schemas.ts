import type { Queryable } from './dialect.ts';

/** A schema that rows can be written to. */
export interface SchemaSummary {
  readonly name: string;
  /** How many tables it has. */
  readonly tables: number;
}

/** The schemas of the connected database that are the users' own, sorted by name. */
export async function listSchemas(client: Queryable): Promise<SchemaSummary[]> {
  const { rows } = await client.query<{ name: string; tables: string }>(`
    SELECT n.nspname::TEXT AS name, count(c.oid)::TEXT AS tables
      FROM pg_catalog.pg_namespace n
      LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
     WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'crdb_internal')
     GROUP BY n.nspname ORDER BY n.nspname`);
  return rows.map(({ name, tables }) => ({ name, tables: Number(tables) }));
}
