import { type ColumnDefinition, type ColumnRow, columnDefinition } from './column-definition.ts';
import type { Connection } from './connection.ts';
import { failureOf } from './connection-errors.ts';
import { askedDefault, catalogueDefault, isBytes } from './constant-default.ts';
import { type Flavour, parseServerVersion } from './flavour.ts';
import { type MysqlPosition, parseMysqlPosition } from './positions.ts';
import { select } from './server-facts.ts';
import { quoteIdentifier } from './sql-text.ts';
import type { TableDefinition } from './table-definition.ts';
import { type MysqlTableName, quotedTable, SYSTEM_DATABASES } from './tables.ts';

interface PlaceRow {
  readonly db: string;
  readonly table_name: string;
}

interface KeyRow extends PlaceRow {
  readonly key_name: string;
  readonly col: string | null;
  readonly part: string | number | null;
  readonly nullable: string | null;
}

/** A unique key, by its name and its columns. */
interface Key {
  readonly name: string;
  readonly columns: readonly string[];
}

/** The answers of a server that cannot tell a default: it may not, or the table was altered meanwhile. */
const CANNOT_TELL = new Set([1044, 1054, 1142, 1143, 1146, 1364]);

/** The first MySQL whose log tells when transactions were committed. */
const FIRST_COMMIT_TIMES = 80_001;

/**
 * Reads the definitions of a table, of all tables of a database, or of all databases but the system's. What the user may not
 * see is left out. `connection` must have the time zone UTC, as `connect` makes it.
 */
export async function readDefinitions(
  connection: Connection,
  database: string | undefined,
  table: string | undefined,
): Promise<TableDefinition[]> {
  const [{ version }] = await select<{ version: string }>(connection, 'SELECT @@version AS version');
  const { flavour, number } = parseServerVersion(version);
  const tellsCommits = flavour === 'mysql' && number >= FIRST_COMMIT_TIMES;
  const scope = scopeOf(database, table);
  const altered = await readAltered(connection, scope);
  const columns = await readColumns(connection, scope);
  const keys = await readKeys(connection, scope);
  // Read last: what was altered in between counts as known, so that its event is refused and nothing is mistaken.
  const asOf = await readExecuted(connection, flavour);
  const definitions: TableDefinition[] = [];
  for (const [place, rows] of columns) {
    // A view, or a table of another name that the server takes for the same.
    if (!altered.has(place)) continue;
    const name = { database: rows[0].db, name: rows[0].table_name };
    const primaryKey = await chooseKey(connection, name, keys.get(place) ?? []);
    const ofTable = rows.map((row) => columnDefinition(row, primaryKey.includes(row.name), flavour));
    const exact = await withDefaults(connection, name, rows, ofTable);
    const time = tellsCommits ? altered.get(place) : undefined;
    definitions.push({ ...name, columns: exact, primaryKey, asOf, altered: time });
  }
  return definitions;
}

/** Which rows of a view of the catalogue are wanted. */
interface Scope {
  readonly where: string;
  readonly params: readonly string[];
  readonly includes: (row: PlaceRow) => boolean;
}

/** Servers may take names for equal that differ in capitals or accents, so answers are looked through again. */
function scopeOf(database: string | undefined, table: string | undefined): Scope {
  if (database === undefined) {
    const marks = SYSTEM_DATABASES.map(() => '?').join(', ');
    return { where: `TABLE_SCHEMA NOT IN (${marks})`, params: SYSTEM_DATABASES, includes: () => true };
  }
  if (table === undefined) {
    return { where: 'TABLE_SCHEMA = ?', params: [database], includes: ({ db }) => db === database };
  }
  return {
    where: 'TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    params: [database, table],
    includes: ({ db, table_name }) => db === database && table_name === table,
  };
}

async function readAltered(connection: Connection, scope: Scope): Promise<Map<string, number | undefined>> {
  const rows = await select<PlaceRow & { readonly altered: string | number | null }>(
    connection,
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS table_name, UNIX_TIMESTAMP(CREATE_TIME) AS altered
       FROM information_schema.TABLES
      WHERE ${scope.where} AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')`,
    scope.params,
  );
  return new Map(rows.filter(scope.includes).map((row) => [placeOf(row), Number(row.altered ?? 0) || undefined]));
}

async function readColumns(connection: Connection, scope: Scope): Promise<Map<string, (PlaceRow & ColumnRow)[]>> {
  const rows = await select<PlaceRow & ColumnRow>(
    connection,
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS table_name, COLUMN_NAME AS name, COLUMN_TYPE AS type,
            IS_NULLABLE AS nullable, CHARACTER_SET_NAME AS charset, CHARACTER_OCTET_LENGTH AS octets,
            EXTRA AS extra, COLUMN_DEFAULT AS preset
       FROM information_schema.COLUMNS
      WHERE ${scope.where} ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION`,
    scope.params,
  );
  return Map.groupBy(rows.filter(scope.includes), placeOf);
}

/** By table: the keys that tell rows for certain: the primary key, or unique ones over whole columns that cannot be NULL. */
async function readKeys(connection: Connection, scope: Scope): Promise<Map<string, Key[]>> {
  const rows = await select<KeyRow>(
    connection,
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS table_name, INDEX_NAME AS key_name, COLUMN_NAME AS col,
            SUB_PART AS part, NULLABLE AS nullable
       FROM information_schema.STATISTICS
      WHERE ${scope.where} AND NON_UNIQUE = 0 ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`,
    scope.params,
  );
  const keys = new Map<string, Key[]>();
  for (const [place, ofTable] of Map.groupBy(rows.filter(scope.includes), placeOf)) {
    const all = Array.from(Map.groupBy(ofTable, ({ key_name }) => key_name));
    const certain = all.filter(([name, parts]) => name === 'PRIMARY' || parts.every(isCertain));
    keys.set(
      place,
      certain.map(([name, parts]) => ({ name, columns: parts.map(({ col }) => col ?? '') })),
    );
  }
  return keys;
}

function isCertain({ col, part, nullable }: KeyRow): boolean {
  return col !== null && part === null && nullable !== 'YES';
}

/**
 * The key that the server itself takes, and whose columns it always logs: of several unique keys the first in its own order,
 * which only SHOW KEYS tells.
 */
async function chooseKey(
  connection: Connection,
  table: MysqlTableName,
  keys: readonly Key[],
): Promise<readonly string[]> {
  const only = keys.length > 1 ? keys.find(({ name }) => name === 'PRIMARY') : keys[0];
  if (only !== undefined || keys.length === 0) return only?.columns ?? [];
  const rows = await select<{ Key_name: string }>(connection, `SHOW KEYS FROM ${quotedTable(table)}`);
  const order = rows.map(({ Key_name }) => Key_name);
  const [first] = keys.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  return first.columns;
}

/** With the defaults that the catalogue does not print exactly, where the user may ask for them. */
async function withDefaults(
  connection: Connection,
  table: MysqlTableName,
  rows: readonly ColumnRow[],
  columns: readonly ColumnDefinition[],
): Promise<readonly ColumnDefinition[]> {
  const asked = columns.filter(({ column, generated }, i) => !generated && catalogueDefault(rows[i], column).doubtful);
  if (asked.length === 0) return columns;
  const wanted = asked.map(({ column }, i) => {
    const preset = `DEFAULT(t.${quoteIdentifier(column.name)})`;
    return `${isBytes(column) ? `HEX(${preset})` : preset} AS c${i}`;
  });
  // Defaults are only told along with a row, which an outer join makes up without reading the table.
  const sql = `SELECT ${wanted.join(', ')} FROM (SELECT 1 AS one) o LEFT JOIN ${quotedTable(table)} t ON FALSE`;
  let answer: Record<string, string | null>;
  try {
    [answer] = await select<Record<string, string | null>>(connection, sql);
  } catch (error) {
    if (CANNOT_TELL.has(failureOf(error).number)) return columns;
    throw error;
  }
  const defaults = new Map(asked.map((each, i) => [each, askedDefault(answer[`c${i}`], each.column)]));
  return columns.map((each) => {
    const constantDefault = defaults.get(each);
    return constantDefault === undefined ? each : { ...each, constantDefault };
  });
}

async function readExecuted(connection: Connection, flavour: Flavour): Promise<MysqlPosition> {
  const variable = flavour === 'mysql' ? '@@GLOBAL.gtid_executed' : '@@GLOBAL.gtid_binlog_pos';
  const [{ executed }] = await select<{ executed: string }>(connection, `SELECT ${variable} AS executed`);
  return parseMysqlPosition(executed, flavour);
}

function placeOf({ db, table_name }: PlaceRow): string {
  return JSON.stringify([db, table_name]);
}
