import { OperatorError } from '../../errors.ts';
import type { Finding } from '../finding.ts';
import type { Connection } from './connection.ts';
import { isOn, type ServerFacts, select, variable } from './server-facts.ts';
import { quoteIdentifier } from './sql-text.ts';

/** Databases of the server itself, whose changes are never replicated. */
export const SYSTEM_DATABASES = ['information_schema', 'mysql', 'ndbinfo', 'performance_schema', 'sys'];

/** A table of the source, by its names as they are stored. */
export interface MysqlTableName {
  readonly database: string;
  readonly name: string;
}

/** A table as far as it matters for replicating it. */
export interface TableFacts extends MysqlTableName {
  readonly engine: string;
  /** An estimate of the server's. */
  readonly rows: number;
  /** With indexes. */
  readonly bytes: number;
  /** By which the old row of an update or delete is told: the primary key, or the unique key that stands in for it. */
  readonly key: 'primary' | 'unique' | 'none';
  /** MariaDB: columns in a format of its version 5.3, whose precision the binary log does not tell. */
  readonly oldTemporals: readonly string[];
}

/** A foreign key that changes rows of its own table when the rows that they refer to change. */
export interface CascadingKey extends MysqlTableName {
  readonly constraint: string;
  readonly referenced: string;
  /** `ON DELETE CASCADE`, `ON UPDATE SET NULL`, or both. */
  readonly action: string;
}

/** The tables of a database that the user can see, or of all databases but the system's, by name. */
export async function readTables(connection: Connection, database: string | undefined): Promise<TableFacts[]> {
  await useFreshStatistics(connection);
  const { where, params } = scope('t.TABLE_SCHEMA', database);
  const rows = await select<{
    db: string;
    name: string;
    engine: string | null;
    n: string | number;
    bytes: string | number;
  }>(
    connection,
    `SELECT t.TABLE_SCHEMA AS db, t.TABLE_NAME AS name, t.ENGINE AS engine, COALESCE(t.TABLE_ROWS, 0) AS n,
            COALESCE(t.DATA_LENGTH, 0) + COALESCE(t.INDEX_LENGTH, 0) AS bytes
       FROM information_schema.TABLES t
      WHERE ${where} AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
      ORDER BY t.TABLE_SCHEMA, t.TABLE_NAME`,
    params,
  );
  const keys = await readKeys(connection, database);
  const temporals = await readOldTemporals(connection, database);
  return rows.map(({ db, name, engine, n, bytes }) => ({
    database: db,
    name,
    engine: engine ?? '',
    rows: Number(n),
    bytes: Number(bytes),
    key: keys.get(placeOf(db, name)) ?? 'none',
    oldTemporals: temporals.get(placeOf(db, name)) ?? [],
  }));
}

/** Foreign keys whose table changes along with another. */
export async function readCascades(connection: Connection, database: string | undefined): Promise<CascadingKey[]> {
  const { where, params } = scope('CONSTRAINT_SCHEMA', database);
  const rows = await select<{ db: string; name: string; key: string; referenced: string; del: string; upd: string }>(
    connection,
    `SELECT CONSTRAINT_SCHEMA AS db, TABLE_NAME AS name, CONSTRAINT_NAME AS \`key\`, REFERENCED_TABLE_NAME AS referenced,
            DELETE_RULE AS del, UPDATE_RULE AS upd
       FROM information_schema.REFERENTIAL_CONSTRAINTS
      WHERE ${where} AND (DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT') OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))
      ORDER BY 1, 2, 3`,
    params,
  );
  const acts = (rule: string) => rule !== 'RESTRICT' && rule !== 'NO ACTION';
  return rows.map(({ db, name, key, referenced, del, upd }) => ({
    database: db,
    name,
    constraint: key,
    referenced,
    action: [...(acts(del) ? [`ON DELETE ${del}`] : []), ...(acts(upd) ? [`ON UPDATE ${upd}`] : [])].join(' '),
  }));
}

/** True when the server logs the rows that foreign keys change: from MySQL 9.6 on, unless InnoDB does that by itself as before. */
export function logsCascades(server: ServerFacts): boolean {
  const { flavour, number } = server.version;
  return flavour === 'mysql' && number >= 90600 && !isOn(variable(server, 'innodb_native_foreign_keys'));
}

/** Whether any two tables have one name: all go to one target schema, where only their names tell them apart. */
export function nameClashFinding(tables: readonly MysqlTableName[]): Finding {
  const byName = new Map<string, MysqlTableName>();
  for (const table of tables) {
    const other = byName.get(table.name);
    if (other !== undefined) {
      const both = `${readableTable(other)} and ${readableTable(table)}`;
      return {
        found: both,
        refusal: {
          expected: 'no two tables of one name',
          error: new OperatorError(
            'MYSQL_TABLE_NAME_CLASH',
            `${both} would be mixed in one target table, as tables of all databases go to one target schema`,
            { fix: 'Leave --allDatabases out, and replicate each database to a target schema of its own.' },
          ),
        },
      };
    }
    byName.set(table.name, table);
  }
  return { found: 'no two tables of one name' };
}

/** Writes a table anew with columns in today's format. */
export function rewriteStatement(table: MysqlTableName): string {
  return `ALTER TABLE ${quotedTable(table)} FORCE`;
}

/** The name for statements. */
export function quotedTable({ database, name }: MysqlTableName): string {
  return `${quoteIdentifier(database)}.${quoteIdentifier(name)}`;
}

/** The name for messages. */
export function readableTable({ database, name }: MysqlTableName): string {
  return `${database}.${name}`;
}

/** MySQL 8 and newer answer with sizes of a day ago unless told otherwise; others do not know the setting. */
async function useFreshStatistics(connection: Connection): Promise<void> {
  await connection.query('SET SESSION information_schema_stats_expiry = 0').catch(() => {});
}

async function readKeys(
  connection: Connection,
  database: string | undefined,
): Promise<ReadonlyMap<string, 'primary' | 'unique'>> {
  const { where, params } = scope('TABLE_SCHEMA', database);
  // A key over parts of columns, over expressions or over columns that may be NULL tells no row for certain.
  const rows = await select<{ db: string; name: string; primary_key: string | number }>(
    connection,
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, MAX(INDEX_NAME = 'PRIMARY') AS primary_key
       FROM (SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME
               FROM information_schema.STATISTICS
              WHERE ${where} AND NON_UNIQUE = 0
              GROUP BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME
             HAVING INDEX_NAME = 'PRIMARY'
                 OR SUM(NULLABLE = 'YES' OR COLUMN_NAME IS NULL OR SUB_PART IS NOT NULL) = 0) k
      GROUP BY TABLE_SCHEMA, TABLE_NAME`,
    params,
  );
  return new Map(
    rows.map(({ db, name, primary_key }) => [placeOf(db, name), Number(primary_key) === 1 ? 'primary' : 'unique']),
  );
}

async function readOldTemporals(
  connection: Connection,
  database: string | undefined,
): Promise<ReadonlyMap<string, string[]>> {
  const { where, params } = scope('TABLE_SCHEMA', database);
  const rows = await select<{ db: string; name: string; col: string }>(
    connection,
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, COLUMN_NAME AS col FROM information_schema.COLUMNS
      WHERE ${where} AND COLUMN_TYPE LIKE '%mariadb-5.3%' ORDER BY ORDINAL_POSITION`,
    params,
  );
  const columns = new Map<string, string[]>();
  for (const { db, name, col } of rows) {
    const place = placeOf(db, name);
    columns.set(place, [...(columns.get(place) ?? []), col]);
  }
  return columns;
}

function scope(column: string, database: string | undefined): { where: string; params: readonly string[] } {
  if (database !== undefined) return { where: `${column} = ?`, params: [database] };
  return { where: `${column} NOT IN (${SYSTEM_DATABASES.map(() => '?').join(', ')})`, params: SYSTEM_DATABASES };
}

function placeOf(database: string, table: string): string {
  return JSON.stringify([database, table]);
}
