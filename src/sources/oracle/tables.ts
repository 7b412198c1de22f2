import type { ErrorCode } from '../../explanations/table.ts';
import type { OracleColumnType } from './column-type.ts';
import { type OracleConnection, rows } from './connection.ts';
import { unsupportedType } from './values/column-writer.ts';

export interface OracleColumn extends OracleColumnType {
  /** Computed by an expression: nobody writes it, and redo does not tell it. */
  readonly virtual: boolean;
}

export interface OracleTable {
  readonly owner: string;
  readonly name: string;
  /** OBJECT_ID, of its partitions too: what redo calls a table by whose version the dictionary no longer knows. */
  readonly objectIds: readonly string[];
  readonly columns: readonly OracleColumn[];
  /** Columns of the primary key, else of the unique index over the fewest columns that cannot be NULL; none when there is neither. */
  readonly key: readonly string[];
  /** Without a primary key: how many unique indexes the server may log by, and it does not tell which one. */
  readonly uniqueKeys: number;
  /** Estimate of the optimizer; undefined when it has none. */
  readonly rows: number | undefined;
  /** Why it cannot be replicated at all. */
  readonly problem: string | undefined;
}

/** LogMiner passes over what has a longer name, bytes. */
const LONGEST_NAME = 30;

/** Without the segments that belong to index-organized tables, which are listed as tables of their own. */
export const TABLES = `SELECT t.TABLE_NAME, TO_CHAR(o.OBJECT_ID), TO_CHAR(t.NUM_ROWS), t.TEMPORARY
  FROM ALL_TABLES t JOIN ALL_OBJECTS o ON o.OWNER = t.OWNER AND o.OBJECT_NAME = t.TABLE_NAME AND o.OBJECT_TYPE = 'TABLE'
 WHERE t.OWNER = :1 AND t.NESTED = 'NO' AND t.SECONDARY = 'N' AND t.DROPPED = 'NO'
   AND (t.IOT_TYPE IS NULL OR t.IOT_TYPE = 'IOT') ORDER BY t.TABLE_NAME`;

export const PARTITIONS = `SELECT OBJECT_NAME, TO_CHAR(OBJECT_ID) FROM ALL_OBJECTS
 WHERE OWNER = :1 AND OBJECT_TYPE IN ('TABLE PARTITION', 'TABLE SUBPARTITION') ORDER BY OBJECT_NAME, OBJECT_ID`;

export const COLUMNS = `SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, TO_CHAR(DATA_LENGTH), TO_CHAR(DATA_PRECISION), TO_CHAR(DATA_SCALE), NULLABLE, VIRTUAL_COLUMN
  FROM ALL_TAB_COLS WHERE OWNER = :1 AND HIDDEN_COLUMN = 'NO' ORDER BY TABLE_NAME, COLUMN_ID`;

export const PRIMARY_KEYS = `SELECT c.TABLE_NAME, k.COLUMN_NAME
  FROM ALL_CONSTRAINTS c JOIN ALL_CONS_COLUMNS k ON k.OWNER = c.OWNER AND k.CONSTRAINT_NAME = c.CONSTRAINT_NAME
 WHERE c.OWNER = :1 AND c.CONSTRAINT_TYPE = 'P' AND c.STATUS = 'ENABLED' ORDER BY c.TABLE_NAME, k.POSITION`;

export const UNIQUE_INDEXES = `SELECT i.TABLE_NAME, i.INDEX_NAME, k.COLUMN_NAME
  FROM ALL_INDEXES i JOIN ALL_IND_COLUMNS k ON k.INDEX_OWNER = i.OWNER AND k.INDEX_NAME = i.INDEX_NAME
 WHERE i.TABLE_OWNER = :1 AND i.UNIQUENESS = 'UNIQUE' AND i.INDEX_TYPE IN ('NORMAL', 'NORMAL/REV') ORDER BY i.TABLE_NAME, i.INDEX_NAME, k.COLUMN_POSITION`;

/** Tables of which all columns are logged, whatever the database is set to. */
export const ALL_LOGGED = `SELECT DISTINCT TABLE_NAME FROM ALL_LOG_GROUPS
 WHERE OWNER = :1 AND LOG_GROUP_TYPE = 'ALL COLUMN LOGGING' ORDER BY TABLE_NAME`;

type Row = readonly (string | null)[];

/** The tables of a user, with all that is asked of them; of a pluggable database over a connection to that. Five questions, however many they are. */
export async function readTables(connection: OracleConnection, owner: string): Promise<OracleTable[]> {
  const [tables, partitions, columns, primary, unique] = [
    await rows<Row>(connection, TABLES, [owner]),
    grouped(await rows<Row>(connection, PARTITIONS, [owner])),
    grouped(await rows<Row>(connection, COLUMNS, [owner])),
    grouped(await rows<Row>(connection, PRIMARY_KEYS, [owner])),
    grouped(await rows<Row>(connection, UNIQUE_INDEXES, [owner])),
  ];
  return tables.map(([name, objectId, estimate, temporary]) => {
    const table = name ?? '';
    const ofTable = (columns.get(table) ?? []).map(columnOf);
    const key = (primary.get(table) ?? []).map(([, column]) => column ?? '');
    const others = key.length > 0 ? [] : uniqueKeys(unique.get(table) ?? [], ofTable);
    return {
      owner,
      name: table,
      objectIds: [objectId, ...(partitions.get(table) ?? []).map(([, id]) => id)].map((id) => id ?? ''),
      columns: ofTable,
      key: key.length > 0 ? key : smallest(others),
      uniqueKeys: others.length,
      rows: estimate === null ? undefined : Number(estimate),
      problem: problemOf(table, ofTable, temporary === 'Y'),
    };
  });
}

function grouped(found: readonly Row[]): Map<string, Row[]> {
  return Map.groupBy(found, ([table]) => table ?? '');
}

function columnOf([, name, type, length, precision, scale, nullable, virtual]: Row): OracleColumn {
  return {
    name: name ?? '',
    type: type ?? '',
    length: Number(length),
    precision: precision === null ? undefined : Number(precision),
    scale: scale === null ? undefined : Number(scale),
    nullable: nullable === 'Y',
    virtual: virtual === 'YES',
  };
}

/** The unique indexes over columns that cannot be NULL: the columns of one of them are logged where there is no primary key. */
function uniqueKeys(found: readonly Row[], columns: readonly OracleColumn[]): string[][] {
  const certain = new Set(columns.filter(({ nullable, virtual }) => !nullable && !virtual).map(({ name }) => name));
  return [...Map.groupBy(found, ([, index]) => index).values()]
    .map((parts) => parts.map(([, , column]) => column ?? ''))
    .filter((names) => names.every((name) => certain.has(name)));
}

/** The manuals say that one is chosen, and not which; where that is another one, its redo is refused (ORACLE_REDO_WITHOUT_KEY). */
function smallest(keys: readonly string[][]): string[] {
  return keys.reduce((best, each) => (best.length === 0 || each.length < best.length ? each : best), [] as string[]);
}

/** Names of the tables of which all columns are logged. */
export async function readAllLogged(connection: OracleConnection, owner: string): Promise<ReadonlySet<string>> {
  return new Set((await rows<Row>(connection, ALL_LOGGED, [owner])).map(([name]) => name ?? ''));
}

/** The code under which it is told that a table cannot be replicated. */
export function problemCode(name: string, columns: readonly { readonly name: string }[]): ErrorCode {
  return tooLong(name, columns) === undefined ? 'ORACLE_TABLE_UNSUPPORTED' : 'ORACLE_NAME_TOO_LONG';
}

function tooLong(name: string, columns: readonly { readonly name: string }[]): string | undefined {
  return [name, ...columns.map((column) => column.name)].find((each) => Buffer.byteLength(each) > LONGEST_NAME);
}

function problemOf(name: string, columns: readonly OracleColumn[], temporary: boolean): string | undefined {
  if (temporary) return 'it is a temporary table, of which there is no redo';
  const long = tooLong(name, columns);
  if (long !== undefined)
    return `the name ${long} is longer than ${LONGEST_NAME} bytes, and LogMiner passes over such tables`;
  // Of a table with such a column LogMiner tells no row at all.
  const untold = columns.find((column) => !column.virtual && isObject(column));
  if (untold !== undefined) return `column ${untold.name}: ${unsupportedType(untold)}`;
  return undefined;
}

/** True for a type that a user or an option of the database has defined: an object, a collection, a geometry. */
function isObject(column: OracleColumn): boolean {
  return unsupportedType(column) !== undefined && !['BFILE', 'XMLTYPE', 'JSON', 'VECTOR'].includes(column.type);
}
