import type { SourceTable } from '../../changes/table.ts';
import type { ColumnDefinition, TableDefinition } from './definitions.ts';

/** Types whose name says all. */
const PLAIN: Readonly<Record<string, string>> = {
  tinyint: 'smallint',
  smallint: 'smallint',
  mediumint: 'integer',
  int: 'integer',
  bigint: 'bigint',
  year: 'smallint',
  float: 'real',
  double: 'double precision',
  date: 'date',
  time: 'interval',
  json: 'jsonb',
  tinyblob: 'bytea',
  blob: 'bytea',
  mediumblob: 'bytea',
  longblob: 'bytea',
  binary: 'bytea',
  varbinary: 'bytea',
  uuid: 'uuid',
  inet4: 'inet',
  inet6: 'inet',
  geometry: 'geometry',
  point: 'geometry',
  linestring: 'geometry',
  polygon: 'geometry',
  multipoint: 'geometry',
  multilinestring: 'geometry',
  multipolygon: 'geometry',
  geomcollection: 'geometry',
  geometrycollection: 'geometry',
};

/** The narrowest integer types that hold the unsigned ones; the others have room in the signed type. */
const UNSIGNED: Readonly<Record<string, string>> = {
  smallint: 'integer',
  int: 'bigint',
  bigint: 'numeric(20,0)',
};

/** A table as the catalogue describes it now, for checks before the stream; what the log says of it counts afterwards. */
export function sourceTable({ database, name, columns, primaryKey }: TableDefinition): SourceTable {
  return {
    schema: database,
    name,
    identity: primaryKey.length > 0 ? 'key' : 'full',
    columns: columns.map((column) => ({
      name: column.name,
      identity: primaryKey.length === 0 || primaryKey.includes(column.name),
      type: catalogueType(column),
    })),
  };
}

/**
 * The type of a column in PostgreSQL's words, from its COLUMN_TYPE: the narrowest type that takes every value, as
 * `sourceTypeText` makes it of what the log says.
 */
function catalogueType({ type: declared }: Pick<ColumnDefinition, 'type'>): string {
  const [, name = '', modifier = ''] = /^(\w+)(\([^)]*\))?/.exec(declared.toLowerCase()) ?? [];
  if (/\bunsigned\b/i.test(declared) && Object.hasOwn(UNSIGNED, name)) return UNSIGNED[name];
  switch (name) {
    case 'decimal':
      return `numeric${modifier}`;
    case 'bit':
      return `bit${modifier}`;
    case 'vector':
      return `vector${modifier}`;
    case 'datetime':
      return `timestamp${modifier || '(0)'} without time zone`;
    case 'timestamp':
      return `timestamp${modifier || '(0)'} with time zone`;
    case 'char':
    case 'varchar':
      return `character varying${modifier}`;
    default:
      return PLAIN[name] ?? 'text';
  }
}
