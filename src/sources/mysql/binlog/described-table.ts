import type { Charsets } from '../charsets.ts';
import { type ColumnDefinition, misfit, type TableDefinition } from '../definitions.ts';
import type { Flavour } from '../flavour.ts';
import { type BinlogColumn, ColumnType } from '../values/column.ts';
import { columnName, definitionMismatch, malformedValue, metadataMissing } from '../values/value-errors.ts';
import type { LoggedColumn, TableMap } from './table-map.ts';

/** A table as it was when its rows were logged: what its TABLE_MAP event says, and the catalogue where it says too little. */
export interface DescribedTable {
  readonly database: string;
  readonly name: string;
  readonly columns: readonly BinlogColumn[];
  /** Positions of the columns by which rows are told; empty when there are none. */
  readonly key: readonly number[];
  readonly generatedKey: boolean;
}

/** MariaDB's types that look like others in the log, and the times whose precision it does not tell. */
const AMBIGUOUS = new Set<number>([
  ColumnType.string,
  ColumnType.varchar,
  ColumnType.time,
  ColumnType.timestamp,
  ColumnType.datetime,
]);

/** The names of a sequence's only columns: MariaDB logs its state as rows of a table. */
const SEQUENCE = [
  'next_not_cached_value',
  'minimum_value',
  'maximum_value',
  'start_value',
  'increment',
  'cache_size',
  'cycle_option',
  'cycle_count',
].join();

/**
 * What the catalogue is needed for: `all` names and whatever else the event lacks; `types`, to tell MariaDB's UUID from
 * BINARY; or nothing.
 */
export function wantedOfCatalogue(map: TableMap, flavour: Flavour): 'all' | 'types' | 'nothing' {
  if (!map.full) return map.columns.length > 0 ? 'all' : 'nothing';
  return flavour === 'mariadb' && map.columns.some(({ type }) => AMBIGUOUS.has(type)) ? 'types' : 'nothing';
}

/** The charsets of a table's columns, which must be prepared before it is described. */
export function charsetsOf(map: TableMap, definition: TableDefinition | undefined, charsets: Charsets): Set<string> {
  const names = new Set<string>();
  for (const [i, { collation }] of map.columns.entries()) {
    const name = collation === undefined ? definition?.columns[i]?.charset : charsets.charsetOf(collation);
    if (name !== undefined) names.add(name);
  }
  return names;
}

/** True for the table in which MariaDB keeps the state of a sequence. */
export function isSequence({ columns }: DescribedTable): boolean {
  return columns[0]?.flavour === 'mariadb' && columns.map(({ name }) => name).join() === SEQUENCE;
}

/**
 * Puts event and catalogue together. `definition` undefined: the catalogue has no such table, or was not asked.
 * @throws OperatorError MYSQL_METADATA_MISSING, MYSQL_DEFINITION_MISMATCH
 */
export function describeTable(
  map: TableMap,
  flavour: Flavour,
  definition: TableDefinition | undefined,
  charsets: Charsets,
): DescribedTable {
  const { database, name, full } = map;
  const table = `${database}.${name}`;
  const problem = definition === undefined ? undefined : misfit(definition, map.columns);
  if (!full) {
    if (definition === undefined) throw metadataMissing(`table ${table}`, 'the names of its columns');
    if (problem !== undefined) throw definitionMismatch(`table ${table}`, problem);
  }
  const columns = map.columns.map((column, i) => {
    const defined = problem === undefined ? definition?.columns[i] : undefined;
    return describeColumn(table, column, defined, flavour, charsets);
  });
  const key = full ? map.key : keyOf(definition, columns);
  return { database, name, columns, key, generatedKey: map.generatedKey };
}

function keyOf(definition: TableDefinition | undefined, columns: readonly BinlogColumn[]): number[] {
  const key = definition?.primaryKey ?? [];
  return key.map((name) => columns.findIndex((column) => column.name === name)).filter((index) => index >= 0);
}

function describeColumn(
  table: string,
  logged: LoggedColumn,
  definition: ColumnDefinition | undefined,
  flavour: Flavour,
  charsets: Charsets,
): BinlogColumn {
  const defined = logged.name === undefined || logged.name === definition?.name ? definition?.column : undefined;
  const name = logged.name ?? defined?.name ?? '';
  const where = columnName(table, name);
  const charset = logged.collation === undefined ? defined?.charset : charsets.charsetOf(logged.collation);
  if (charset === undefined && logged.collation !== undefined) {
    throw metadataMissing(where, `which character set the collation ${logged.collation} has`);
  }
  const dimensions = logged.dimensions === undefined ? undefined : `vector(${logged.dimensions})`;
  return {
    name,
    type: logged.type,
    meta: logged.meta,
    unsigned: logged.unsigned ?? defined?.unsigned ?? false,
    charset,
    members: memberNames(where, logged, charset, charsets) ?? defined?.members,
    nullable: logged.nullable,
    declared: defined?.declared ?? dimensions,
    flavour,
  };
}

function memberNames(
  where: string,
  { members }: LoggedColumn,
  charset: string | undefined,
  charsets: Charsets,
): string[] | undefined {
  return members?.map((bytes) => {
    const text =
      charset === undefined || charset === 'binary' ? undefined : charsets.text(charset, bytes, 0, bytes.length);
    if (text === undefined && charset !== 'binary')
      throw malformedValue(where, `a member that is no ${charset}: ${bytes.toString('hex')}`);
    return text ?? bytes.toString('latin1');
  });
}
