import type { ColumnDefinition } from './column-definition.ts';
import type { MysqlPosition } from './positions.ts';
import type { MysqlTableName } from './tables.ts';
import type { BinlogColumn } from './values/column.ts';

/** A table as the catalogue describes it now, which need not be how it was when a change was logged. */
export interface TableDefinition extends MysqlTableName {
  readonly columns: readonly ColumnDefinition[];
  /**
   * Names of the columns by which the server tells rows, in the key's order: of the primary key, or of the unique key that
   * stands in for it. Empty when there is no such key.
   */
  readonly primaryKey: readonly string[];
  /** Everything that was executed when it was read: a later change of the definition is not in it. */
  readonly asOf: MysqlPosition;
  /**
   * When it was made or last altered, in seconds since the Unix epoch by the source's clock. Undefined where its log does not
   * tell when transactions were committed, by the same clock, so that nothing can be compared with it: before MySQL 8.0.1,
   * and of MariaDB, whose events have the time at which a statement began, and perhaps waited for the end of an ALTER TABLE.
   */
  readonly altered: number | undefined;
}

/** A column of a TABLE_MAP event, as far as every event tells it. */
export type LoggedColumn = Pick<BinlogColumn, 'type' | 'meta' | 'nullable'>;

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

/**
 * True when the table was altered, in whatever way, after a change of it was committed. Not seen by it are alterations within
 * the second of the commit, those that began before it and ended after it, and a table that took the name of another, as it
 * keeps its time: their events tell it, once they come.
 * @param committed microseconds since the Unix epoch by the source's own clock, as its log has it of the commit
 */
export function isNewerThan({ altered }: TableDefinition, committed: number): boolean {
  return altered !== undefined && altered > Math.floor(committed / 1e6);
}
