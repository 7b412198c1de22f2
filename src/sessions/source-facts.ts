import type { Queryable } from '../target/dialect.ts';
import type { Replication } from './replication.ts';

/** What a source publishes, to be compared with at the next start. */
export async function readSourceFacts(
  client: Queryable,
  publication: string,
): Promise<NonNullable<Replication['facts']>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_publication_tables WHERE pubname = $1 ORDER BY 1`,
    [publication],
  );
  return { tables: rows.map(({ name }) => name) };
}
