import { type Client, escapeIdentifier } from 'pg';
import { OperatorError } from '../../errors.ts';
import { readableIdentifier } from '../readable-identifier.ts';

/** What pg_publication says about a publication. */
export interface PublicationFacts {
  readonly name: string;
  readonly allTables: boolean;
  readonly publishes: { insert: boolean; update: boolean; delete: boolean; truncate: boolean };
  /** Changes of partitions are published as changes of the partitioned table; PostgreSQL 13 and newer. */
  readonly viaRoot: boolean;
}

interface PublicationRow {
  pubname: string;
  puballtables: boolean;
  pubinsert: boolean;
  pubupdate: boolean;
  pubdelete: boolean;
  pubtruncate: boolean;
  pubviaroot?: boolean;
}

/** What is suggested where the operator has not named a publication: the name that MOLT Fetch gives it. */
export const CUSTOMARY_NAME = 'molt_fetch';

/**
 * The publication of that name, or without a name the only one of the database. Throws OperatorError
 * PG_PUBLICATION_MISSING or PG_PUBLICATION_AMBIGUOUS.
 */
export async function findPublication(client: Client, name: string | undefined): Promise<PublicationFacts> {
  const found = await readPublications(client, name);
  if (found.length === 0) throw publicationMissing(name);
  if (found.length > 1) {
    const names = found.map((publication) => publication.name);
    throw new OperatorError(
      'PG_PUBLICATION_AMBIGUOUS',
      `the source database has ${names.length} publications and none was chosen: ${names.join(', ')}`,
      { fix: names.map((each) => `--publicationName ${each}`).join('\n') },
    );
  }
  return found[0];
}

/** The publications of the database, or the one of that name, sorted by name. */
export async function readPublications(client: Client, name?: string): Promise<PublicationFacts[]> {
  const { rows } = await client.query<{ publication: string }>(
    'SELECT to_jsonb(p)::text AS publication FROM pg_publication p WHERE $1::text IS NULL OR pubname = $1 ORDER BY pubname',
    [name ?? null],
  );
  return rows.map(({ publication }) => {
    const row: PublicationRow = JSON.parse(publication);
    return {
      name: row.pubname,
      allTables: row.puballtables,
      publishes: { insert: row.pubinsert, update: row.pubupdate, delete: row.pubdelete, truncate: row.pubtruncate },
      viaRoot: row.pubviaroot ?? false,
    };
  });
}

/** There is no such publication (or, without a name, none at all). */
export function publicationMissing(name: string | undefined): OperatorError {
  const subject = name === undefined ? 'the source database has no publication' : `publication ${name} does not exist`;
  return new OperatorError('PG_PUBLICATION_MISSING', `${subject}: run ${create(name)} in source database`, {
    fix: create(name),
  });
}

/** The publication was dropped while its changes were still to be read. */
export function publicationDropped(name: string): OperatorError {
  return new OperatorError(
    'PG_PUBLICATION_MISSING',
    `publication ${name} was dropped at the source; no slot that exists already can deliver the changes made while it was missing, even if it is created again`,
    {
      fix: `${create(name)}\n-- then create a new replication slot, copy the data again and start over with a fresh checkpoint`,
    },
  );
}

function create(name: string | undefined): string {
  return `CREATE PUBLICATION ${readableIdentifier(name ?? CUSTOMARY_NAME)} FOR ALL TABLES;`;
}

export function dropPublicationStatement(name: string): string {
  return `DROP PUBLICATION ${escapeIdentifier(name)}`;
}
