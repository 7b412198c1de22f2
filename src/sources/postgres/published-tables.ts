import type { Client } from 'pg';
import type { ReplicaIdentity, SourceTable } from '../../changes/table.ts';
import type { PublicationFacts } from './publication.ts';
import { replicaIdentityOf } from './relations.ts';
import type { TableName } from '../table-name.ts';
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

const NOT_GENERATED = "a.attgenerated = ''";

/** Objects below it were made by initdb, and cannot be published. */
const FIRST_USER_OID = 16384;

/** The published tables with the columns that are sent, in the order in which they are sent. Row filters do not show here. */
export async function readPublishedTables(
  client: Client,
  publication: PublicationFacts,
  serverVersion: number,
  types: TypeNames,
): Promise<PublishedTable[]> {
  return describeTables(
    client,
    `SELECT c.oid${serverVersion >= COLUMN_LISTS ? ', p.attnames' : ''} FROM pg_publication_tables p
       JOIN pg_namespace n ON n.nspname = p.schemaname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
      WHERE p.pubname = $1`,
    serverVersion >= COLUMN_LISTS ? 'a.attname = ANY (p.attnames)' : NOT_GENERATED,
    publication.name,
    types,
  );
}

/**
 * The tables that a publication could have, as one made by `publicationStatement` would send them: partitioned tables as one
 * table, without columns that are generated. `tables` are looked up by name; those that are not there, or cannot be
 * published, are left out.
 */
export async function readPublishableTables(
  client: Client,
  tables: 'all' | readonly TableName[],
  types: TypeNames,
): Promise<PublishedTable[]> {
  return describeTables(
    client,
    `SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p' AND c.oid >= ${FIRST_USER_OID}
        AND n.nspname <> 'information_schema'
        AND ($1::text IS NULL OR EXISTS (SELECT FROM jsonb_to_recordset($1::jsonb) AS w(schema text, name text)
                                          WHERE w.schema = n.nspname AND w.name = c.relname))`,
    NOT_GENERATED,
    tables === 'all' ? null : JSON.stringify(tables),
    types,
  );
}

/** Describes the relations that `chosen` (a SELECT of oids, with one parameter) names; `sent` tells which columns are sent. */
async function describeTables(
  client: Client,
  chosen: string,
  sent: string,
  parameter: string | null,
  types: TypeNames,
): Promise<PublishedTable[]> {
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
      FROM (${chosen}) p
      JOIN pg_class c ON c.oid = p.oid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN LATERAL (
        SELECT (x.indkey::int2[])[0:x.indnkeyatts - 1] AS key
          FROM pg_index x
         WHERE x.indrelid = c.oid AND x.indisvalid AND x.indimmediate
           AND CASE c.relreplident WHEN 'd' THEN x.indisprimary WHEN 'i' THEN x.indisreplident ELSE false END
      ) i ON true
     ORDER BY n.nspname, c.relname`,
    [parameter],
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
