import type { SourceTable } from '../changes/table.ts';
import type { TargetColumn, TargetTable } from './catalogue.ts';
import { matchName } from './identifiers.ts';

/** A source column that is written, and where it goes. */
export interface MappedColumn {
  /** Position in the source's tuples. */
  readonly source: number;
  readonly target: TargetColumn;
}

/**
 * How the rows of one version of a source table go into one target table. Made once per pair; the planner and the writer
 * keep what they know of a table (prepared statements, work in progress) by this object.
 */
export interface TableMapping {
  readonly source: SourceTable;
  readonly target: TargetTable;
  /** Columns written, in source order. */
  readonly columns: readonly MappedColumn[];
  /**
   * Positions in the source's tuples of the columns that identify a row, ascending; empty for a table without key, whose
   * rows can only be told apart by all of their values.
   */
  readonly key: readonly number[];
  /** `key` as target columns, in the same order. */
  readonly keyColumns: readonly TargetColumn[];
}

/**
 * The columns that identify a row: what the source sends as replica identity, or the target's primary key when the source
 * sends whole old rows. Empty when there is none.
 */
function keyOf(source: SourceTable, target: TargetTable): number[] {
  if (source.identity === 'key') {
    return source.columns.flatMap((column, index) => (column.identity ? [index] : []));
  }
  if (target.primaryKey.length === 0) return [];
  const key = target.primaryKey.map((name) =>
    source.columns.findIndex((column) => findColumn(target, column.name)?.name === name),
  );
  return key.includes(-1) ? [] : key.sort((a, b) => a - b);
}

/** The target column for a source column's name: exact, or the only one that differs in case alone. */
export function findColumn(table: TargetTable, name: string): TargetColumn | undefined {
  const found = matchName(
    name,
    table.columns.map((column) => column.name),
  );
  return table.columns.find((column) => column.name === found);
}

/** Maps a source table that was checked against the catalogue; columns that the target computes itself are left out. */
export function mapTable(source: SourceTable, target: TargetTable): TableMapping {
  const columns: MappedColumn[] = [];
  source.columns.forEach((column, index) => {
    const found = findColumn(target, column.name);
    if (found !== undefined && !found.generated) columns.push({ source: index, target: found });
  });
  const key = keyOf(source, target);
  return {
    source,
    target,
    columns,
    key,
    keyColumns: key.map((index) => findColumn(target, source.columns[index].name)!),
  };
}
