import type { Dialect, Queryable } from './dialect.ts';
import { quoteIdentifier, type SchemaName } from './identifiers.ts';

/** The DEFAULT expressions of a table's columns, by their names, as the server writes them. */
export async function readDefaults(
  client: Queryable,
  dialect: Dialect,
  schema: SchemaName,
  table: string,
): Promise<ReadonlyMap<string, string>> {
  const database = dialect.product === 'cockroachdb' ? `${quoteIdentifier(schema.database)}.` : '';
  const { rows } = await client.query<{ name: string; expression: string }>(
    `SELECT column_name::TEXT AS name, column_default::TEXT AS expression FROM ${database}information_schema.columns ` +
      'WHERE table_schema = $1::TEXT AND table_name = $2::TEXT AND column_default IS NOT NULL',
    [schema.schema, table],
  );
  return new Map(rows.map(({ name, expression }) => [name, expression]));
}
