import assert from 'node:assert/strict';
import type { Connection } from 'mysql2/promise';
import type pg from 'pg';

/** How many differing rows of a table a failure shows. */
const SHOWN_ROWS = 6;

const quote = (name: string): string => `\`${name.replaceAll('`', '``')}\``;
const quoteTarget = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The same value as the same text on both sides, by the type at the source. */
function expressions(column: string, type: string): [source: string, target: string] {
  const [s, t] = [quote(column), quoteTarget(column)];
  switch (type) {
    case 'datetime':
    case 'timestamp':
      return [`DATE_FORMAT(${s}, '%Y-%m-%d %H:%i:%s.%f')`, `to_char(${t}::timestamp, 'YYYY-MM-DD HH24:MI:SS.US')`];
    case 'binary':
    case 'varbinary':
    case 'blob':
    case 'longblob':
      return [`LOWER(HEX(${s}))`, `encode(${t}, 'hex')`];
    default:
      return [`CAST(${s} AS CHAR)`, `${t}::text`];
  }
}

/** JSON without regard to the order of keys and to blanks, in which the two sides differ. */
function canonical(text: string | null): string | null {
  if (text === null) return null;
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, inner]) => [key, sorted(inner)]),
    );
  };
  return JSON.stringify(sorted(JSON.parse(text)));
}

interface Column {
  readonly name: string;
  readonly type: string;
}

/**
 * Fails unless every table of a MySQL database has the same rows in the target's schema `public`: every column of every row, rows
 * of keyless tables counted. The message shows the first rows that only one side has.
 */
export async function assertEqualToMysql(source: Connection, target: pg.ClientBase): Promise<void> {
  const [listed] = await source.query(
    `SELECT TABLE_NAME AS \`table\`, COLUMN_NAME AS name, DATA_TYPE AS type FROM information_schema.COLUMNS
      WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION`,
  );
  const tables = Map.groupBy(listed as (Column & { table: string })[], ({ table }) => table);
  const differences: string[] = [];
  for (const [table, columns] of tables) {
    const difference = await compareTable(source, target, table, columns);
    if (difference !== undefined) differences.push(difference);
  }
  assert(differences.length === 0, `the two sides differ\n${differences.join('\n')}`);
}

async function compareTable(
  source: Connection,
  target: pg.ClientBase,
  table: string,
  columns: readonly Column[],
): Promise<string | undefined> {
  const pairs = columns.map(({ name, type }) => expressions(name, type));
  const json = columns.map(({ name, type }) => type === 'json' || name.startsWith('json_'));
  const line = (values: readonly (string | null)[]) =>
    JSON.stringify(values.map((value, i) => (json[i] ? canonical(value) : value)));
  const [left] = await source.query({
    sql: `SELECT ${pairs.map(([expression]) => expression).join(', ')} FROM ${quote(table)}`,
    rowsAsArray: true,
  });
  const right = await target.query<(string | null)[]>({
    text: `select ${pairs.map(([, expression]) => expression).join(', ')} from public.${quoteTarget(table)}`,
    rowMode: 'array',
  });
  const counts = new Map<string, number>();
  for (const row of left as (string | null)[][]) counts.set(line(row), (counts.get(line(row)) ?? 0) + 1);
  for (const row of right.rows) counts.set(line(row), (counts.get(line(row)) ?? 0) - 1);
  const wrong = [...counts].filter(([, count]) => count !== 0);
  if (wrong.length === 0) return undefined;
  const shown = wrong
    .slice(0, SHOWN_ROWS)
    .map(
      ([row, count]) =>
        `  ${count > 0 ? 'only the source' : 'only the target'} (${Math.abs(count)}): ${row.slice(0, 300)}`,
    );
  return [
    `table ${table} (${columns.map(({ name }) => name).join(', ')}): ${(left as unknown[]).length} rows at the source, ${right.rows.length} at the target, ${wrong.length} differ`,
    ...shown,
  ].join('\n');
}
