import type { Dialect, Queryable } from './dialect.ts';
import type { SchemaName } from './identifiers.ts';

/** Rights without which rows cannot be written. */
const NEEDED = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

/** Tables in one question whether they hold rows. */
const AT_A_TIME = 50;

/** Rights on a table that the connected user lacks. */
export interface MissingRights {
  /** Quoted, as it was asked for. */
  readonly table: string;
  readonly missing: readonly string[];
}

/** What the user lacks on each of the tables (quoted names); `privileges` are what is asked for. */
export async function readMissingRights(
  client: Queryable,
  tables: readonly string[],
  privileges: readonly string[] = NEEDED,
): Promise<MissingRights[]> {
  if (tables.length === 0) return [];
  const { rows } = await client.query<{ table: string; privilege: string }>(
    `SELECT u.name AS "table", p.name AS privilege
       FROM unnest($1::TEXT[]) AS u(name) CROSS JOIN unnest($2::TEXT[]) AS p(name)
      WHERE NOT has_table_privilege(u.name, p.name)`,
    [tables, privileges],
  );
  const byTable = Map.groupBy(rows, (row) => row.table);
  return tables.flatMap((table) => {
    const missing = byTable.get(table)?.map(({ privilege }) => privilege) ?? [];
    return missing.length === 0 ? [] : [{ table, missing: privileges.filter((each) => missing.includes(each)) }];
  });
}

/** Whether the user may use what is in the schema. */
export async function mayUseSchema(client: Queryable, dialect: Dialect, schema: SchemaName): Promise<boolean> {
  // On CockroachDB the function knows only the schemas of the connected database, and rights on tables are enough to go by.
  if (dialect.product === 'cockroachdb') return true;
  const { rows } = await client.query<{ may: string }>(`SELECT has_schema_privilege($1::TEXT, 'USAGE')::TEXT AS may`, [
    schema.schema,
  ]);
  return rows[0].may === 'true';
}

/** Tables (quoted names) that hold at least one row. The user must be allowed to read them. */
export async function readNotEmpty(client: Queryable, tables: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (let at = 0; at < tables.length; at += AT_A_TIME) {
    const some = tables.slice(at, at + AT_A_TIME);
    const { rows } = await client.query<{ at: string; some: string }>(
      some
        .map((table, i) => `SELECT '${at + i}' AS "at", EXISTS (SELECT 1 FROM ${table})::TEXT AS "some"`)
        .join(' UNION ALL '),
    );
    for (const row of rows) if (row.some === 'true') found.add(tables[Number(row.at)]);
  }
  return found;
}
