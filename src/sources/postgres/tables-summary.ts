import type { Client } from 'pg';
import { type PublishedTable, readPublishableTables } from './published-tables.ts';
import { parseTableName, type TableName } from '../table-name.ts';
import { partitionStatements, replicaIdentityStatement } from './table-requirements.ts';
import { readTypeNames } from './type-names.ts';

/** A table of the source as somebody sees it who chooses what to replicate. */
export interface TableSummary {
  /** `schema.table` as PostgreSQL prints it, quoted where it has to be. */
  readonly name: string;
  /** An estimate of the server's; partitions are counted with their table. */
  readonly rows: number;
  /** With indexes and large values. */
  readonly bytes: number;
  /** How the source tells the old row of an update or delete. */
  readonly identity: 'key' | 'full' | 'index' | 'none';
  readonly warning?: string;
  /** SQL that mends what `warning` says. */
  readonly fix?: string;
}

interface SizeRow {
  schema: string;
  table: string;
  /** Printed. */
  name: string;
  identity: string;
  rows: number;
  bytes: number;
}

/** The tables of the database that can be replicated, sorted by schema and name: neither temporary nor unlogged, no partitions. */
export async function listTables(client: Client): Promise<TableSummary[]> {
  const described = await readPublishableTables(client, 'all', await readTypeNames(client));
  const sizes = await readSizes(
    client,
    described.map(({ table }) => table),
  );
  const sizeOf = new Map(sizes.map((size) => [keyOf(size.schema, size.table), size]));
  return described.flatMap((each) => {
    const size = sizeOf.get(keyOf(each.table.schema, each.table.name));
    return size === undefined ? [] : [summary(each, size)]; // dropped between the two questions
  });
}

/** Rows and bytes of the tables named; those that are gone are left out. */
export async function readSizes(client: Client, tables: readonly TableName[]): Promise<SizeRow[]> {
  const { rows } = await client.query<{ size: string }>(
    `
    SELECT jsonb_build_object('schema', n.nspname, 'table', c.relname, 'name', format('%I.%I', n.nspname, c.relname),
             'identity', c.relreplident, 'rows', coalesce(s.rows, 0), 'bytes', coalesce(s.bytes, 0))::text AS size
      FROM jsonb_to_recordset($1::jsonb) AS w(schema text, name text)
      JOIN pg_namespace n ON n.nspname = w.schema
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
      LEFT JOIN LATERAL (
        SELECT sum(coalesce(nullif(pg_stat_get_live_tuples(l.oid), 0), greatest(l.reltuples, 0))::bigint) AS rows,
               sum(pg_total_relation_size(l.oid)) AS bytes
          FROM (SELECT c.oid WHERE c.relkind <> 'p'
                UNION ALL
                SELECT t.relid FROM pg_partition_tree(c.oid) t WHERE c.relkind = 'p' AND t.isleaf) m
          JOIN pg_class l ON l.oid = m.oid
      ) s ON true
     ORDER BY n.nspname, c.relname`,
    [JSON.stringify(tables)],
  );
  return rows.map(({ size }) => JSON.parse(size));
}

/** Tables of the database whose changes are not in the log. */
export async function readUnlogged(client: Client): Promise<TableName[]> {
  const { rows } = await client.query<{ schema: string; name: string }>(`
    SELECT n.nspname AS schema, c.relname AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND c.relpersistence = 'u' ORDER BY 1, 2`);
  return rows.map(({ schema, name }) => ({ schema, name }));
}

/** The names of `tables` as they are stored. @throws UsageError for a name that is none. */
export function tableNames(tables: 'all' | readonly string[]): 'all' | TableName[] {
  return tables === 'all' ? 'all' : tables.map(parseTableName);
}

function summary(described: PublishedTable, size: SizeRow): TableSummary {
  const { table, mismatchedPartitions } = described;
  const { name, rows, bytes } = size;
  const statements = (list: readonly string[]) => list.map((statement) => `${statement};`).join('\n');
  if (table.identity === 'nothing') {
    return {
      name,
      rows,
      bytes,
      identity: 'none',
      warning: 'no key: once published, the source refuses UPDATE and DELETE on it',
      fix: statements([replicaIdentityStatement(table)]),
    };
  }
  const identity = table.identity === 'full' ? 'full' : size.identity === 'i' ? 'index' : 'key';
  if (mismatchedPartitions.length === 0) return { name, rows, bytes, identity };
  return {
    name,
    rows,
    bytes,
    identity,
    warning: `partitions with another replica identity: ${mismatchedPartitions.join(', ')}`,
    fix: statements(partitionStatements(described)),
  };
}

function keyOf(schema: string, table: string): string {
  return JSON.stringify([schema, table]);
}
