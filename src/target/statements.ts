import type { Dialect } from './dialect.ts';
import { quoteIdentifier } from './identifiers.ts';
import type { MappedColumn, TableMapping } from './mapping.ts';
import type { TargetColumn } from './catalogue.ts';

/*
 * The SQL for one table. Set statements take one array parameter per column; row statements one parameter per value.
 * Every placeholder is cast, every identifier quoted, and casts carry no length: an explicit cast to varchar(5) would cut
 * the text silently, while the assignment to the column refuses it.
 */

/** Type of the array parameter for a column, and how an element of it becomes the column's type. */
function arrayType(column: TargetColumn): string {
  return column.arrayBindable ? `${column.castType}[]` : 'text[]';
}

function elementExpression(column: TargetColumn, name: string): string {
  return column.arrayBindable ? `u.${name}` : `(u.${name})::${column.castType}`;
}

/** `unnest($1::…[], $2::…[]) AS u(c0, c1)`. */
function unnest(columns: readonly TargetColumn[]): string {
  const parameters = columns.map((column, i) => `$${i + 1}::${arrayType(column)}`);
  return `unnest(${parameters.join(', ')}) AS u(${columns.map((_, i) => `c${i}`).join(', ')})`;
}

function names(columns: readonly TargetColumn[]): string {
  return columns.map((column) => quoteIdentifier(column.name)).join(', ');
}

function overriding(columns: readonly TargetColumn[], dialect: Dialect): string {
  return dialect.product === 'postgresql' && columns.some((column) => column.identityAlways)
    ? ' OVERRIDING SYSTEM VALUE'
    : '';
}

/** `ON CONFLICT …` of an upsert; empty for a table without key. */
function onConflict(mapping: TableMapping): string {
  if (mapping.key.length === 0) return '';
  const keys = new Set(mapping.keyColumns);
  const rest = mapping.columns.filter((column) => !keys.has(column.target)).map((column) => column.target);
  const arbiter = ` ON CONFLICT (${names(mapping.keyColumns)})`;
  if (rest.length === 0) return `${arbiter} DO NOTHING`;
  const assignments = rest.map(
    (column) => `${quoteIdentifier(column.name)} = excluded.${quoteIdentifier(column.name)}`,
  );
  return `${arbiter} DO UPDATE SET ${assignments.join(', ')}`;
}

/** Writes whole rows: inserts them, or replaces the row that has the key. */
export function upsertStatement(mapping: TableMapping, dialect: Dialect): string {
  const targets = mapping.columns.map((column) => column.target);
  const values = targets.map((column, i) => elementExpression(column, `c${i}`));
  // With a name of its own even a table that is called "excluded" can be told from the row that was to be inserted.
  return (
    `INSERT INTO ${mapping.target.qualified} AS t (${names(targets)})${overriding(targets, dialect)} ` +
    `SELECT ${values.join(', ')} FROM ${unnest(targets)}${onConflict(mapping)}`
  );
}

/** Sets `columns` of the rows with the keys; the key arrays come first, then an array for each column. */
export function updateStatement(mapping: TableMapping, columns: readonly MappedColumn[]): string {
  const targets = columns.map((column) => column.target);
  const keys = mapping.keyColumns;
  const assignments = targets.map(
    (column, i) => `${quoteIdentifier(column.name)} = ${elementExpression(column, `c${keys.length + i}`)}`,
  );
  const matches = keys.map((column, i) => `t.${quoteIdentifier(column.name)} = ${elementExpression(column, `c${i}`)}`);
  return (
    `UPDATE ${mapping.target.qualified} AS t SET ${assignments.join(', ')} ` +
    `FROM ${unnest([...keys, ...targets])} WHERE ${matches.join(' AND ')}`
  );
}

/** Deletes the rows with the keys. */
export function deleteStatement(mapping: TableMapping): string {
  const matches = mapping.keyColumns.map(
    (column, i) => `t.${quoteIdentifier(column.name)} = ${elementExpression(column, `c${i}`)}`,
  );
  return `DELETE FROM ${mapping.target.qualified} AS t USING ${unnest(mapping.keyColumns)} WHERE ${matches.join(' AND ')}`;
}

/** Inserts rows that nothing can conflict with. */
export function copyStatement(mapping: TableMapping, dialect: Dialect): string {
  const targets = mapping.columns.map((column) => column.target);
  const format = dialect.product === 'cockroachdb' ? ' WITH CSV' : '';
  return `COPY ${mapping.target.qualified} (${names(targets)}) FROM STDIN${format}`;
}

/** Changes one row and its key: `columns` are set first, then the old key is matched. One parameter per value. */
export function moveStatement(mapping: TableMapping, columns: readonly MappedColumn[]): string {
  const assignments = columns.map(
    (column, i) => `${quoteIdentifier(column.target.name)} = $${i + 1}::${column.target.castType}`,
  );
  const matches = mapping.keyColumns.map(
    (column, i) => `${quoteIdentifier(column.name)} = $${columns.length + i + 1}::${column.castType}`,
  );
  return `UPDATE ${mapping.target.qualified} SET ${assignments.join(', ')} WHERE ${matches.join(' AND ')}`;
}

/**
 * Finds one of the rows that equal an old row of a table without key, in the columns `told`. Values are compared as text, by way of the column's
 * own type, because some types have no equality (json, xml) or a surprising one (box compares areas).
 */
function wholeRow(mapping: TableMapping, told: readonly MappedColumn[], dialect: Dialect, first: number): string {
  const matches = told
    .map(
      (column, i) =>
        `${quoteIdentifier(column.target.name)}::text IS NOT DISTINCT FROM ($${first + i}::${column.target.castType})::text`,
    )
    .join(' AND ');
  // CockroachDB has no ctid, and its rowid only where nothing else is the primary key; but it limits changes.
  if (dialect.product === 'cockroachdb') return `${matches} LIMIT 1`;
  // A ctid is unique within one partition only.
  return `(tableoid, ctid) = (SELECT tableoid, ctid FROM ${mapping.target.qualified} WHERE ${matches} LIMIT 1)`;
}

/** Deletes one row that equals the old row. One parameter for each column of it that is told. */
export function deleteRowStatement(mapping: TableMapping, told: readonly MappedColumn[], dialect: Dialect): string {
  return `DELETE FROM ${mapping.target.qualified} WHERE ${wholeRow(mapping, told, dialect, 1)}`;
}

/** Updates one row that equals the old row: `columns` first, then the columns of the old row that are told. */
export function updateRowStatement(
  mapping: TableMapping,
  columns: readonly MappedColumn[],
  told: readonly MappedColumn[],
  dialect: Dialect,
): string {
  const assignments = columns.map(
    (column, i) => `${quoteIdentifier(column.target.name)} = $${i + 1}::${column.target.castType}`,
  );
  return `UPDATE ${mapping.target.qualified} SET ${assignments.join(', ')} WHERE ${wholeRow(mapping, told, dialect, columns.length + 1)}`;
}

/**
 * Empties tables, children last in `mappings`. Rows are deleted where TRUNCATE is a schema change that commits
 * (CockroachDB), or with `byRow`, when TRUNCATE was refused because of a table that refers to them.
 */
export function truncateStatements(mappings: readonly TableMapping[], dialect: Dialect, byRow: boolean): string[] {
  const tables = [...new Set(mappings.map((mapping) => mapping.target.qualified))];
  return byRow || dialect.product === 'cockroachdb'
    ? tables.reverse().map((table) => `DELETE FROM ${table} WHERE true`)
    : [`TRUNCATE ${tables.join(', ')}`];
}
