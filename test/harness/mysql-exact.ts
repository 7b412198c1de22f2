import assert from 'node:assert/strict';
import type { Connection } from 'mysql2/promise';
import type pg from 'pg';
import { type CheckedColumn, expectedText, sourceExpression, targetExpression } from './mysql-text.ts';

/** How many differing rows of a table a failure shows. */
const SHOWN_ROWS = 5;
/** Rows that the target is asked about at once. */
const CHUNK = 2000;

type Row = readonly (string | null)[];

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * Fails unless every table of the target's schema `public` holds, to the byte, what the source's own SELECT says of the
 * table of that name, converted for the types of the target's columns. Rows may come in any order and more than once.
 */
export async function assertExactlyEqual(
  source: Connection,
  target: pg.ClientBase,
  flavour: { readonly mariadb: boolean },
  tables?: readonly string[],
): Promise<void> {
  const differences: string[] = [];
  for (const [table, columns] of await checkedTables(source, target)) {
    if (tables !== undefined && !tables.includes(table)) continue;
    const difference = await compareTable(source, target, table, columns, flavour.mariadb);
    if (difference !== undefined) differences.push(difference);
  }
  assert(differences.length === 0, `the two sides differ\n${differences.join('\n')}`);
}

/** Columns that both sides have, by table. */
async function checkedTables(source: Connection, target: pg.ClientBase): Promise<Map<string, CheckedColumn[]>> {
  const [described] = await source.query(
    `SELECT TABLE_NAME AS \`table\`, COLUMN_NAME AS name, DATA_TYPE AS type, COLUMN_TYPE AS declared
       FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()`,
  );
  const types = await target.query<{ table: string; name: string; type: string }>(
    `select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type
       from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
      order by c.relname, a.attnum`,
  );
  const known = new Map(
    (described as (Omit<CheckedColumn, 'target'> & { table: string })[]).map((column) => [
      `${column.table} ${column.name}`,
      column,
    ]),
  );
  const tables = new Map<string, CheckedColumn[]>();
  for (const { table, name, type } of types.rows) {
    const column = known.get(`${table} ${name}`);
    assert(column !== undefined, `only the target has ${table}.${name}`);
    const columns = tables.get(table) ?? [];
    columns.push({ name, type: column.type, declared: column.declared, target: type });
    tables.set(table, columns);
  }
  return tables;
}

async function compareTable(
  source: Connection,
  target: pg.ClientBase,
  table: string,
  columns: readonly CheckedColumn[],
  mariadb: boolean,
): Promise<string | undefined> {
  const expressions = columns.map((column) => sourceExpression(column, mariadb));
  const [said] = await source.query({
    sql: `SELECT ${expressions.join(', ')} FROM \`${table.replaceAll('`', '``')}\``,
    rowsAsArray: true,
    typeCast: (field) => field.string('utf8'),
  });
  const wanted = (said as Row[]).map((row) => row.map((value, i) => expectedText(columns[i], value)));
  const expected = await printed(target, columns, wanted);
  const found = await target.query<(string | null)[]>({
    text: `select ${columns.map((column) => targetExpression(column, quote(column.name))).join(', ')} from ${quote(table)}`,
    rowMode: 'array',
  });
  const counts = new Map<string, number>();
  const count = (row: Row, by: number) => {
    const line = JSON.stringify(row);
    counts.set(line, (counts.get(line) ?? 0) + by);
  };
  for (const row of expected) count(row, 1);
  for (const row of found.rows) count(row, -1);
  const wrong = [...counts].filter(([, n]) => n !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  if (wrong.length === 0) return undefined;
  const shown = wrong
    .slice(0, SHOWN_ROWS * 2)
    .map(([row, n]) => `  ${n > 0 ? 'expected' : 'found   '} ${row.length > 300 ? `${row.slice(0, 300)}…` : row}`);
  const types = columns.map((column) => `${column.name} ${column.declared} -> ${column.target}`);
  return [`table ${table} (${types.join(', ')}): ${wrong.length} rows differ`, ...shown].join('\n');
}

/** The rows as the target prints them once they are in columns of its types. */
async function printed(target: pg.ClientBase, columns: readonly CheckedColumn[], rows: readonly Row[]): Promise<Row[]> {
  const out: Row[] = [];
  for (let at = 0; at < rows.length; at += CHUNK) {
    const chunk = rows.slice(at, at + CHUNK);
    const cells = columns.map((_, i) => `c${i}`);
    const result = await target.query<(string | null)[]>({
      text: `select ${columns.map((column, i) => targetExpression(column, `c${i}::${column.target}`)).join(', ')}
               from unnest(${columns.map((_, i) => `$${i + 1}::text[]`).join(', ')}) with ordinality as rows(${cells.join(', ')}, n)
              order by n`,
      values: columns.map((_, i) => chunk.map((row) => row[i])),
      rowMode: 'array',
    });
    out.push(...result.rows);
  }
  return out;
}
