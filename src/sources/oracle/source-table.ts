import type { SourceTable } from '../../changes/table.ts';
import type { OracleTable } from './tables.ts';
import { sourceTypeText } from './values/source-type.ts';
import { unsupportedType } from './values/column-writer.ts';

/** A table as the engine sees it: without the columns that no statement gives a value to, or whose values the redo does not tell. */
export function sourceTable({ owner, name, key, columns }: OracleTable): SourceTable {
  const kept = columns.filter((column) => !column.virtual && unsupportedType(column) === undefined);
  return {
    schema: owner,
    name,
    capitals: true,
    identity: key.length > 0 ? 'key' : 'full',
    columns: kept.map((column) => ({
      name: column.name,
      identity: key.length === 0 || key.includes(column.name),
      type: sourceTypeText(column),
    })),
  };
}
