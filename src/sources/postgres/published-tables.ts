import type { Client } from 'pg';
import type { ReplicaIdentity, SourceTable } from '../../changes/table.ts';
import { OperatorError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { PublicationFacts } from './publication.ts';
import { replicaIdentityOf } from './relations.ts';
import { readableIdentifier } from './sql-text.ts';
import type { TypeNames } from './type-names.ts';

/** A table of the publication, described as the Relation message of pgoutput will describe it. */
export interface PublishedTable {
  readonly relation: number;
  readonly table: SourceTable;
  /** Partitions whose replica identity cannot stand for that of the table as which they are published. */
  readonly mismatchedPartitions: readonly string[];
}

interface TableRow {
  oid: number;
  schema: string;
  name: string;
  identity: string;
  columns: { name: string; key: boolean; type: number; modifier: number }[];
  partitions: Partition[];
}

interface Partition {
  name: string;
  identity: string;
  /** The index that its replica identity names is there. */
  key: boolean;
}

/** First version whose pg_publication_tables knows column lists; before it, all stored columns are published. */
const COLUMN_LISTS = 150000;

/** The published tables with the columns that are sent, in the order in which they are sent. Row filters do not show here. */
export async function readPublishedTables(
  client: Client,
  publication: PublicationFacts,
  serverVersion: number,
  types: TypeNames,
): Promise<PublishedTable[]> {
  const sent = serverVersion >= COLUMN_LISTS ? 'a.attname = ANY (p.attnames)' : "a.attgenerated = ''";
  const { rows } = await client.query<{ table: string }>(
    `
    SELECT jsonb_build_object(
             'oid', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'identity', c.relreplident,
             'columns', (
               SELECT coalesce(jsonb_agg(jsonb_build_object(
                        'name', a.attname, 'type', a.atttypid::bigint, 'modifier', a.atttypmod, 'key',
                        c.relreplident = 'f' OR coalesce(a.attnum = ANY (i.key), false)) ORDER BY a.attnum), '[]')
                 FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND ${sent}),
             'partitions', (
               SELECT coalesce(jsonb_agg(jsonb_build_object('name', format('%I.%I', ln.nspname, l.relname),
                        'identity', l.relreplident, 'key', EXISTS (
                          SELECT FROM pg_index x
                           WHERE x.indrelid = l.oid AND x.indisvalid AND x.indimmediate
                             AND CASE l.relreplident WHEN 'd' THEN x.indisprimary ELSE x.indisreplident END))
                        ORDER BY ln.nspname, l.relname), '[]')
                 FROM pg_partition_tree(c.oid) t
                 JOIN pg_class l ON l.oid = t.relid
                 JOIN pg_namespace ln ON ln.oid = l.relnamespace
                WHERE c.relkind = 'p' AND t.isleaf AND l.relkind <> 'p')
           )::text AS table
      FROM pg_publication_tables p
      JOIN pg_namespace n ON n.nspname = p.schemaname
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
      LEFT JOIN LATERAL (
        SELECT (x.indkey::int2[])[0:x.indnkeyatts - 1] AS key
          FROM pg_index x
         WHERE x.indrelid = c.oid AND x.indisvalid AND x.indimmediate
           AND CASE c.relreplident WHEN 'd' THEN x.indisprimary WHEN 'i' THEN x.indisreplident ELSE false END
      ) i ON true
     WHERE p.pubname = $1
     ORDER BY n.nspname, c.relname`,
    [publication.name],
  );
  return rows.map((row) => {
    const found: TableRow = JSON.parse(row.table);
    const columns = found.columns.map((column) => ({
      name: column.name,
      identity: column.key,
      type: types.describe(column.type, column.modifier),
    }));
    const identity = replicaIdentityOf(found.identity, columns) ?? 'nothing';
    return {
      relation: found.oid,
      table: { schema: found.schema, name: found.name, identity, columns },
      mismatchedPartitions: found.partitions
        .filter((partition) => !matches(partition, found.identity, identity))
        .map((partition) => partition.name),
    };
  });
}

/** True when old rows of the partition fit the description of the partitioned table, or are never sent. */
function matches(partition: Partition, rootLetter: string, root: ReplicaIdentity): boolean {
  if (root === 'nothing') return partition.identity !== 'f' && !partition.key;
  return partition.identity === 'f' || partition.identity === rootLetter;
}

/**
 * Refuses publications whose tables cannot be told apart on the target, or whose rows cannot be identified. A table that
 * merely lacks a replica identity is only warned of: PostgreSQL itself refuses to update or delete its rows, so nothing can
 * be lost, and its inserts are replicated.
 */
export function checkPublishedTables(
  publication: PublicationFacts,
  published: readonly PublishedTable[],
  log: Logger,
): void {
  if (published.length === 0) {
    throw new OperatorError(
      'PG_PUBLICATION_EMPTY',
      `publication ${publication.name} has no tables, so nothing would be replicated`,
      {
        fix: publication.allTables
          ? 'Create the tables in the source database first; the publication takes in all of them.'
          : `ALTER PUBLICATION ${readableIdentifier(publication.name)} ADD TABLE <table>;`,
      },
    );
  }
  refuseNameClash(publication, published);
  if (!publication.publishes.update && !publication.publishes.delete) return;
  refuseMismatchedPartitions(published);
  const unidentified = published
    .filter(({ table }) => table.identity === 'nothing')
    .map(({ table }) => qualified(table));
  if (unidentified.length > 0) {
    log.warn(
      'published tables without a replica identity: inserts are replicated, the source refuses updates and deletes',
      {
        code: 'PG_REPLICA_IDENTITY',
        tables: unidentified.join(', '),
        fix: unidentified.map((name) => `ALTER TABLE ${name} REPLICA IDENTITY FULL;`).join(' '),
      },
    );
  }
}

/** Tables go to one target schema, where only their names tell them apart. */
function refuseNameClash(publication: PublicationFacts, published: readonly PublishedTable[]): void {
  const byName = new Map<string, SourceTable>();
  for (const { table } of published) {
    const other = byName.get(table.name);
    if (other !== undefined) {
      throw new OperatorError(
        'PG_TABLE_NAME_CLASH',
        `${qualified(other)} and ${qualified(table)} are both published and would be mixed in one target table`,
        {
          fix: `Publish them through two publications and replicate each to a target schema of its own:\nALTER PUBLICATION ${readableIdentifier(publication.name)} DROP TABLE ${qualified(table)};`,
        },
      );
    }
    byName.set(table.name, table);
  }
}

/** The server describes a partitioned table by its own replica identity but sends old rows by that of the partition. */
function refuseMismatchedPartitions(published: readonly PublishedTable[]): void {
  const wrong = published.filter((each) => each.mismatchedPartitions.length > 0);
  if (wrong.length === 0) return;
  throw new OperatorError(
    'PG_REPLICA_IDENTITY',
    `partitions have another replica identity than the partitioned table as which they are published, so their updates and deletes could not be applied: ${wrong
      .map((each) => `${qualified(each.table)} (${each.mismatchedPartitions.join(', ')})`)
      .join('; ')}`,
    {
      fix: wrong
        .flatMap((each) => [qualified(each.table), ...each.mismatchedPartitions])
        .map((name) => `ALTER TABLE ${name} REPLICA IDENTITY FULL;`)
        .join('\n'),
    },
  );
}

function qualified(table: SourceTable): string {
  return `${readableIdentifier(table.schema)}.${readableIdentifier(table.name)}`;
}
