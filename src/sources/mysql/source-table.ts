import type { SourceTable } from '../../changes/table.ts';
import type { TableDefinition } from './definitions.ts';
import { sourceTypeText } from './values/source-type.ts';

/** A table as the catalogue describes it now, for checks before the stream; what the log says of it counts afterwards. */
export function sourceTable({ database, name, columns, primaryKey }: TableDefinition): SourceTable {
  return {
    schema: database,
    name,
    identity: primaryKey.length > 0 ? 'key' : 'full',
    columns: columns.map(({ column, key }) => ({
      name: column.name,
      identity: primaryKey.length === 0 || key,
      type: sourceTypeText(column),
    })),
  };
}
