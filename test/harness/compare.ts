import assert from 'node:assert/strict';
import type pg from 'pg';

/** How many differing rows of a table a failure shows. */
const SHOWN_ROWS = 8;

export interface CompareOptions {
  /** Tables to compare, by their source names; otherwise all of the source's schema, which must be all of the target's. */
  tables?: readonly string[];
  sourceSchema?: string;
  targetSchema?: string;
  /** Columns that only the target has are expected and left out. */
  allowExtraTargetColumns?: boolean;
  /** Columns that only the source has are expected and left out (they were dropped at the target). */
  allowExtraSourceColumns?: boolean;
}

interface Table {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
}

/** Settings that the text form of a value depends on, the same for both sides. */
const TEXT_SETTINGS = `
  set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set timezone = 'UTC';
  set extra_float_digits = 1; set bytea_output = 'hex'; set xmloption = 'content'; set lc_monetary = 'C';
`;

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const folded = (name: string): string => name.toLowerCase();

/**
 * Fails unless both databases hold the same tables with the same rows: every column of every row, as the text that the
 * server prints for it, rows of keyless tables counted. Columns are matched by name without regard to case, as the
 * replicator does. The message shows the first rows that only one side has.
 */
export async function assertEqualDatabases(
  source: pg.ClientBase,
  target: pg.ClientBase,
  options: CompareOptions = {},
): Promise<void> {
  await Promise.all([source.query(TEXT_SETTINGS), target.query(TEXT_SETTINGS)]);
  const [sourceTables, targetTables] = await Promise.all([
    readTables(source, options.sourceSchema ?? 'public'),
    readTables(target, options.targetSchema ?? options.sourceSchema ?? 'public'),
  ]);
  const wanted = options.tables ?? [...sourceTables.values()].filter((table) => !table.part).map((table) => table.name);
  if (options.tables === undefined) {
    const names = (tables: Iterable<{ name: string; part: boolean }>) =>
      [...tables]
        .filter((table) => !table.part)
        .map((table) => folded(table.name))
        .sort();
    assert.deepEqual(names(targetTables.values()), names(sourceTables.values()), 'the two sides have different tables');
  }
  const differences: string[] = [];
  for (const name of wanted) {
    const sourceTable = sourceTables.get(name);
    const targetTable =
      targetTables.get(name) ?? [...targetTables.values()].find((t) => folded(t.name) === folded(name));
    assert(sourceTable !== undefined, `the source has no table ${name}`);
    assert(targetTable !== undefined, `the target has no table ${name}`);
    const pairs = pairColumns(sourceTable, targetTable, options);
    const difference = await compareTable(
      source,
      { ...sourceTable, columns: pairs.map(([column]) => column) },
      target,
      { ...targetTable, columns: pairs.map(([, column]) => column) },
    );
    if (difference !== undefined) differences.push(difference);
  }
  assert(differences.length === 0, `the two sides differ\n${differences.join('\n')}`);
}

/** All tables of a schema with their live columns in order; `part` tells a partition of another table. */
async function readTables(client: pg.ClientBase, schema: string): Promise<Map<string, Table & { part: boolean }>> {
  const { rows } = await client.query<{ name: string; part: boolean; columns: string[] }>(
    `select c.relname::text as name, c.relispartition as part,
            array(select a.attname::text from pg_attribute a
                   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum) as columns
       from pg_class c
      where c.relnamespace = (select oid from pg_namespace where nspname = $1) and c.relkind in ('r', 'p')
      order by c.relname`,
    [schema],
  );
  return new Map(rows.map((row) => [row.name, { schema, name: row.name, columns: row.columns, part: row.part }]));
}

function pairColumns(source: Table, target: Table, options: CompareOptions): [string, string][] {
  const rest = new Map(target.columns.map((column) => [folded(column), column]));
  for (const column of target.columns) rest.set(column, column);
  const pairs: [string, string][] = [];
  for (const column of source.columns) {
    const other = rest.get(column) ?? rest.get(folded(column));
    if (other === undefined) {
      assert(options.allowExtraSourceColumns, `the target's table ${target.name} has no column ${column}`);
      continue;
    }
    pairs.push([column, other]);
  }
  const used = new Set(pairs.map(([, column]) => column));
  const extra = target.columns.filter((column) => !used.has(column));
  assert(
    extra.length === 0 || options.allowExtraTargetColumns,
    `only the target's ${target.name} has columns ${extra}`,
  );
  return pairs;
}

/**
 * One row as text. `format` is used and not a cast to text, because a cast of char(n) strips its padding; `%L` tells NULL
 * from every string. A call takes at most 100 arguments, hence one call per column.
 */
function rowText(table: Table): string {
  if (table.columns.length === 0) return "''";
  return table.columns.map((column) => `format('%L', ${quote(column)})`).join(` || ',' || `);
}

async function compareTable(
  source: pg.ClientBase,
  sourceTable: Table,
  target: pg.ClientBase,
  targetTable: Table,
): Promise<string | undefined> {
  const digest = async (client: pg.ClientBase, table: Table) => {
    const { rows } = await client.query<{ rows: string; digest: string | null }>(
      `select count(*) as rows, md5(string_agg(hash, '' order by hash collate "C")) as digest
         from (select md5(${rowText(table)}) as hash from ${quote(table.schema)}.${quote(table.name)}) as hashed`,
    );
    return rows[0];
  };
  const [left, right] = await Promise.all([digest(source, sourceTable), digest(target, targetTable)]);
  if (left.rows === right.rows && left.digest === right.digest) return undefined;
  const [onlySource, onlyTarget] = await differingRows(source, sourceTable, target, targetTable);
  return [
    `table ${sourceTable.name} (${sourceTable.columns.join(', ')}): ${left.rows} rows at the source, ${right.rows} at the target`,
    ...shown('only at the source', onlySource),
    ...shown('only at the target', onlyTarget),
  ].join('\n');
}

function shown(title: string, rows: readonly string[]): string[] {
  if (rows.length === 0) return [];
  const lines = rows
    .slice(0, SHOWN_ROWS)
    .map((row) => `    ${row.length > 600 ? `${row.slice(0, 600)}… (${row.length})` : row}`);
  return [`  ${title}: ${rows.length} rows`, ...lines];
}

/** The rows that one side has more often than the other, each as often as it is too many. */
async function differingRows(
  source: pg.ClientBase,
  sourceTable: Table,
  target: pg.ClientBase,
  targetTable: Table,
): Promise<[string[], string[]]> {
  const read = async (client: pg.ClientBase, table: Table) => {
    const { rows } = await client.query<{ row: string }>(
      `select ${rowText(table)} as row from ${quote(table.schema)}.${quote(table.name)} order by 1`,
    );
    return rows.map(({ row }) => row);
  };
  const [left, right] = await Promise.all([read(source, sourceTable), read(target, targetTable)]);
  const surplus = (rows: readonly string[], others: readonly string[]) => {
    const counts = new Map<string, number>();
    for (const row of others) counts.set(row, (counts.get(row) ?? 0) + 1);
    return rows.filter((row) => {
      const left = counts.get(row) ?? 0;
      if (left > 0) counts.set(row, left - 1);
      return left === 0;
    });
  };
  return [surplus(left, right), surplus(right, left)];
}
