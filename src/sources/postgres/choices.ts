import type { Client } from 'pg';
import { type PublicationFacts, readPublications } from './publication.ts';
import { readSlots, type SlotFacts, slotProblem } from './slot.ts';

/** A publication that could be used instead of a new one. */
export interface PublicationSummary extends PublicationFacts {
  /** `schema.table` as PostgreSQL prints it, of all tables that it has now. */
  readonly tables: readonly string[];
}

/** A slot that could be used instead of a new one. */
export interface SlotSummary extends SlotFacts {
  /** Why this database cannot be replicated from it; undefined when it can. */
  readonly problem: string | undefined;
  /** Bytes of log that the source keeps for it. */
  readonly retainedBytes: number | undefined;
}

/** The publications of the database, sorted by name. */
export async function listPublications(client: Client): Promise<PublicationSummary[]> {
  const publications = await readPublications(client);
  const { rows } = await client.query<{ publication: string; table: string }>(`
    SELECT pubname AS publication, format('%I.%I', schemaname, tablename) AS "table"
      FROM pg_publication_tables ORDER BY schemaname, tablename`);
  const tables = Map.groupBy(rows, (row) => row.publication);
  return publications.map((publication) => ({
    ...publication,
    tables: (tables.get(publication.name) ?? []).map(({ table }) => table),
  }));
}

/** All slots of the server, sorted by name: a name that is taken in another database cannot be used in this one. */
export async function listSlots(client: Client): Promise<SlotSummary[]> {
  const { rows } = await client.query<{ database: string }>('SELECT current_database() AS database');
  const slots = await readSlots(client);
  return slots.map((slot) => ({
    ...slot,
    problem: slotProblem(slot, rows[0].database)?.message,
    retainedBytes: slot.restart === undefined ? undefined : Number(slot.current.value - slot.restart.value),
  }));
}
