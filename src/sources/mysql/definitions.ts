import { type ColumnDefinition, type ColumnRow, columnDefinition } from './column-definition.ts';
import { type Connection, close } from './connection.ts';
import { type Flavour, parseServerVersion } from './flavour.ts';
import { type MysqlPosition, parseMysqlPosition } from './positions.ts';
import { select } from './server-facts.ts';
import { type MysqlTableName, SYSTEM_DATABASES } from './tables.ts';
import type { BinlogColumn } from './values/column.ts';

export type { ColumnDefinition } from './column-definition.ts';

/** A table as the catalogue describes it now, which need not be how it was when a change was logged. */
export interface TableDefinition extends MysqlTableName {
  readonly columns: readonly ColumnDefinition[];
  /** Names of the columns by which a row is told, in the key's order; empty when there is no such key. */
  readonly primaryKey: readonly string[];
  /** Everything that was executed when it was read: a later change of the definition is not in it. */
  readonly asOf: MysqlPosition;
  /** When it was made or last altered, in seconds since the Unix epoch by the source's clock; undefined where the source does not tell. */
  readonly alteredAt: number | undefined;
}

/** A column of a TABLE_MAP event, as far as every event tells it. */
export type LoggedColumn = Pick<BinlogColumn, 'type' | 'meta' | 'nullable'>;

interface KeyRow {
  readonly db: string;
  readonly name: string;
  readonly key_name: string;
  readonly col: string | null;
  readonly part: string | number | null;
  readonly nullable: string | null;
}

/** Definitions of the source's tables, read from its catalogue when they are asked for and kept until they are invalidated. */
export class Definitions {
  readonly #open: () => Promise<Connection>;
  readonly #known = new Map<string, TableDefinition>();

  /** @param open connects to the source; the connection is closed after each look */
  constructor(open: () => Promise<Connection>) {
    this.#open = open;
  }

  /** What was read of a table and not invalidated since. */
  get(database: string, table: string): TableDefinition | undefined {
    return this.#known.get(keyOf(database, table));
  }

  /** Reads a table anew; undefined when it is not there, or the user may not see it. */
  async read(database: string, table: string): Promise<TableDefinition | undefined> {
    const [definition] = await this.#look(database, table);
    return definition;
  }

  /** Reads all tables of a database, or of all databases but the system's. */
  readAll(database: string | undefined): Promise<TableDefinition[]> {
    return this.#look(database, undefined);
  }

  /** Forgets a table, all tables of a database, or everything. */
  invalidate(database?: string, table?: string): void {
    if (database !== undefined && table !== undefined) {
      this.#known.delete(keyOf(database, table));
      return;
    }
    for (const [key, definition] of this.#known) {
      if (database === undefined || definition.database === database) this.#known.delete(key);
    }
  }

  async #look(database: string | undefined, table: string | undefined): Promise<TableDefinition[]> {
    const connection = await this.#open();
    try {
      const definitions = await readDefinitions(connection, database, table);
      for (const definition of definitions) this.#known.set(keyOf(definition.database, definition.name), definition);
      return definitions;
    } finally {
      close(connection);
    }
  }
}

/**
 * Why the columns of a TABLE_MAP event cannot be those of a definition; undefined when they can. Columns of equal types that
 * have changed their names or places are not told apart by it.
 */
export function misfit(definition: TableDefinition, logged: readonly LoggedColumn[]): string | undefined {
  const { columns } = definition;
  if (columns.length !== logged.length) {
    return `it has ${columns.length} columns now, and had ${logged.length} when the change was logged`;
  }
  for (const [i, { column }] of columns.entries()) {
    if (column.type !== logged[i].type || column.meta !== logged[i].meta || column.nullable !== logged[i].nullable) {
      return `its column ${column.name} is ${column.declared} now, and was of another type when the change was logged`;
    }
  }
  return undefined;
}

async function readDefinitions(
  connection: Connection,
  database: string | undefined,
  table: string | undefined,
): Promise<TableDefinition[]> {
  const [{ version }] = await select<{ version: string }>(connection, 'SELECT @@version AS version');
  const { flavour } = parseServerVersion(version);
  const { where, params } = scope(database, table);
  const rows = await select<
    ColumnRow & { readonly db: string; readonly table_name: string; readonly altered: string | number | null }
  >(
    connection,
    `SELECT c.TABLE_SCHEMA AS db, c.TABLE_NAME AS table_name, c.COLUMN_NAME AS name, c.COLUMN_TYPE AS type,
            c.IS_NULLABLE AS nullable, c.CHARACTER_SET_NAME AS charset, c.CHARACTER_OCTET_LENGTH AS octets,
            c.EXTRA AS extra, c.COLUMN_DEFAULT AS preset, UNIX_TIMESTAMP(t.CREATE_TIME) AS altered
       FROM information_schema.COLUMNS c JOIN information_schema.TABLES t
         ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
      WHERE ${where('c')} AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
      ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION`,
    params,
  );
  const keys = keysOf(
    await select<KeyRow>(
      connection,
      `SELECT s.TABLE_SCHEMA AS db, s.TABLE_NAME AS name, s.INDEX_NAME AS key_name, s.COLUMN_NAME AS col,
              s.SUB_PART AS part, s.NULLABLE AS nullable
         FROM information_schema.STATISTICS s WHERE ${where('s')} AND s.NON_UNIQUE = 0
        ORDER BY s.TABLE_SCHEMA, s.TABLE_NAME, s.INDEX_NAME = 'PRIMARY' DESC, s.INDEX_NAME, s.SEQ_IN_INDEX`,
      params,
    ),
  );
  const asOf = await readExecuted(connection, flavour);
  const tables = Map.groupBy(rows, ({ db, table_name }) => keyOf(db, table_name));
  return Array.from(tables, ([place, columns]) => {
    const primaryKey = keys.get(place) ?? [];
    return {
      database: columns[0].db,
      name: columns[0].table_name,
      columns: columns.map((row) => columnDefinition(row, primaryKey.includes(row.name), flavour)),
      primaryKey,
      asOf,
      alteredAt: columns[0].altered === null ? undefined : Number(columns[0].altered),
    };
  });
}

async function readExecuted(connection: Connection, flavour: Flavour): Promise<MysqlPosition> {
  const variable = flavour === 'mysql' ? '@@GLOBAL.gtid_executed' : '@@GLOBAL.gtid_binlog_pos';
  const [{ executed }] = await select<{ executed: string }>(connection, `SELECT ${variable} AS executed`);
  return parseMysqlPosition(executed);
}

/**
 * By table: the columns of the primary key. Without one: those of a unique key over whole columns that cannot be NULL, which
 * tells rows as well; where there are several, one that the order of their names decides, so that it is always the same.
 */
function keysOf(rows: readonly KeyRow[]): Map<string, string[]> {
  const keys = new Map<string, string[]>();
  for (const [place, ofTable] of Map.groupBy(rows, ({ db, name }) => keyOf(db, name))) {
    for (const [name, parts] of Map.groupBy(ofTable, ({ key_name }) => key_name)) {
      const whole = parts.every(({ col, part, nullable }) => col !== null && part === null && nullable !== 'YES');
      if (!whole && name !== 'PRIMARY') continue;
      keys.set(
        place,
        parts.map(({ col }) => col ?? ''),
      );
      break;
    }
  }
  return keys;
}

function scope(
  database: string | undefined,
  table: string | undefined,
): { where: (alias: string) => string; params: readonly string[] } {
  if (database === undefined) {
    const marks = SYSTEM_DATABASES.map(() => '?').join(', ');
    return { where: (alias) => `${alias}.TABLE_SCHEMA NOT IN (${marks})`, params: SYSTEM_DATABASES };
  }
  if (table === undefined) return { where: (alias) => `${alias}.TABLE_SCHEMA = ?`, params: [database] };
  return {
    where: (alias) => `${alias}.TABLE_SCHEMA = ? AND ${alias}.TABLE_NAME = ?`,
    params: [database, table],
  };
}

function keyOf(database: string, table: string): string {
  return JSON.stringify([database, table]);
}
