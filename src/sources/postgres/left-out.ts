import type { Client } from 'pg';
import { findPublication } from './publication.ts';

/** From this version on, publications may have row filters and column lists. */
const NARROWING = 150000;

const KINDS = ['insert', 'update', 'delete', 'truncate'] as const;

/**
 * What a publication leaves out of the tables that it names, a line each, sorted: kinds of changes, rows, columns. None when it
 * sends everything. `publication`: without a name the only one of the database.
 * @throws OperatorError PG_PUBLICATION_MISSING, PG_PUBLICATION_AMBIGUOUS
 */
export async function readLeftOut(client: Client, publication: string | undefined): Promise<string[]> {
  const { name, publishes } = await findPublication(client, publication);
  const kinds = KINDS.filter((kind) => !publishes[kind]).map((kind) => `no ${kind.toUpperCase()}`);
  const { rows: versions } = await client.query<{ version: string }>(
    `SELECT current_setting('server_version_num') AS version`,
  );
  if (Number(versions[0].version) < NARROWING) return kinds;
  const { rows } = await client.query<{ name: string; filter: string | null; columns: string | null }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, pg_get_expr(r.prqual, r.prrelid) AS filter,
       (SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)) AS columns
     FROM pg_publication_rel r
     JOIN pg_publication p ON p.oid = r.prpubid
     JOIN pg_class c ON c.oid = r.prrelid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE p.pubname = $1`,
    [name],
  );
  const lines = rows.flatMap(({ name: table, filter, columns }) => [
    ...(filter === null ? [] : [`${table}: only rows WHERE ${filter}`]),
    ...(columns === null ? [] : [`${table}: only the columns ${columns}`]),
  ]);
  return [...kinds, ...lines.sort()];
}
