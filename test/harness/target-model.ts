import { TargetTables } from '../../src/engine/target-tables.ts';
import { Catalogue, type ForeignKey, type TargetColumn, type TargetTable } from '../../src/target/catalogue.ts';
import type { Dialect } from '../../src/target/dialect.ts';
import { qualify, targetSchemaName } from '../../src/target/identifiers.ts';

export const POSTGRESQL: Dialect = { product: 'postgresql', version: 18 };
export const COCKROACHDB: Dialect = { product: 'cockroachdb', version: 26.02 };

/** A schema `shop.public` of either product. */
export function schemaOf(dialect: Dialect) {
  return targetSchemaName('shop.public', { dialect, database: 'shop', schemas: ['public'] });
}

export function targetColumn(name: string, castType: string, more: Partial<TargetColumn> = {}): TargetColumn {
  return {
    name,
    castType,
    arrayBindable: true,
    unquoted: /int/i.test(castType),
    kind: 'other',
    array: false,
    typeName: castType,
    generated: false,
    identityAlways: false,
    hidden: false,
    hasDefault: false,
    nullable: true,
    ...more,
  };
}

/** A table of a made-up catalogue: `columns` by name and type, a `key`, and a foreign key for each entry of `references`. */
export function targetTable(
  dialect: Dialect,
  name: string,
  columns: readonly TargetColumn[],
  key: readonly string[],
  references: readonly (Partial<ForeignKey> & { referenced: string })[] = [],
): TargetTable {
  return {
    name,
    qualified: qualify(schemaOf(dialect), name),
    columns,
    primaryKey: key,
    uniqueKeys: [],
    foreignKeys: references.map((reference, i) => ({
      name: `${name}_fk${i}`,
      columns: [],
      referencedColumns: [],
      onDelete: 'no action',
      onUpdate: 'no action',
      deferrable: false,
      ...reference,
    })),
    triggers: false,
  };
}

/** The target tables as the engine finds them, by a catalogue that is never read from a server. */
export function targetTables(dialect: Dialect, tables: readonly TargetTable[]): Promise<TargetTables> {
  return TargetTables.open(schemaOf(dialect), dialect, async () => new Catalogue(tables));
}
