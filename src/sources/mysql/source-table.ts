import type { SourceTable } from '../../changes/table.ts';
import type { TableDefinition } from './definitions.ts';
import { sourceTypeText } from './values/source-type.ts';

/** A table as the catalogue describes it now, for checks before the stream; what the log says of it counts afterwards. */
export function sourceTable({ database, name, columns, primaryKey }: TableDefinition): SourceTable {
  return {
    schema: database,
    name,
    identity: primaryKey.length > 0 ? 'key' : 'full',
    columns: columns.map((column) => ({
      name: column.name,
      identity: primaryKey.length === 0 || primaryKey.includes(column.name),
      type: sourceTypeText(column.column),
    })),
  };
}

/**
 * True when the table's first column is a key that the server made because there was none. Whether it is replicated depends
 * on the target's having it, too.
 */
export function hasGeneratedKey({ columns: [first] }: TableDefinition): boolean {
  return first?.name === 'my_row_id' && first.invisible;
}
