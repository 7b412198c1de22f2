import { type Client, DatabaseError } from 'pg';
import type { TableName } from '../table-name.ts';

/** What the connected user may do with a table. */
export interface TableRights extends TableName {
  /** May change it and publish it. */
  readonly owns: boolean;
  readonly mayRead: boolean;
}

/** The user's rights on the tables named, those that are there. */
export async function readTableRights(client: Client, tables: readonly TableName[]): Promise<TableRights[]> {
  const { rows } = await client.query<{ facts: string }>(
    `
    SELECT jsonb_build_object('schema', n.nspname, 'name', c.relname, 'owns', pg_has_role(c.relowner, 'USAGE'),
             'mayRead', has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))::text AS facts
      FROM jsonb_to_recordset($1::jsonb) AS w(schema text, name text)
      JOIN pg_namespace n ON n.nspname = w.schema
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
     ORDER BY n.nspname, c.relname`,
    [JSON.stringify(tables)],
  );
  return rows.map(({ facts }) => JSON.parse(facts));
}

/** Whether the user may make objects in the database, as publications are. */
export async function mayCreate(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ may: string }>(
    `SELECT has_database_privilege(current_database(), 'CREATE')::text AS may`,
  );
  return rows[0].may === 'true';
}

/** SQLSTATE by which a statement that was tried out is undone. */
const TRIED = 'ZZ999';

/**
 * Whether the server lets the user run `statement`, found out by running it and undoing it at once: managed services give
 * some of a superuser's rights to roles of their own.
 */
export async function mayRun(client: Client, statement: string): Promise<boolean> {
  await client.query(`SELECT set_config('instar.tried', $1, false)`, [statement]);
  try {
    await client.query(`DO $$ BEGIN
      PERFORM set_config('lock_timeout', '2s', true);
      EXECUTE current_setting('instar.tried');
      RAISE EXCEPTION 'undone' USING ERRCODE = '${TRIED}';
    END $$`);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    if (error.code === TRIED) return true;
    if (error.code === '42501') return false;
    throw error;
  }
  return false;
}
