import type { SourceColumn, SourceTable, TargetKind } from '../changes/table.ts';
import type { Catalogue, TargetTable } from '../target/catalogue.ts';
import type { Dialect } from '../target/dialect.ts';
import { fitTable } from '../target/drift.ts';
import type { SchemaName } from '../target/identifiers.ts';
import { findColumn } from '../target/mapping.ts';
import type { OutTable, TablePlan, TargetPlan } from './protocol.ts';
import { type Configuration, Shown } from './realm/io.ts';

/** Tables that handlers have made and that are remembered; beyond it they are made anew. */
const MOST_MADE = 4096;

function shownOf(kind: TargetKind, array: boolean): Shown {
  if (kind === 'json') return array ? Shown.jsonArray : Shown.json;
  if (kind === 'bool') return array ? Shown.boolArray : Shown.bool;
  return array ? Shown.array : Shown.text;
}

/** By the source's own word, for columns that the target does not have. */
function shownOfType(type = ''): Shown {
  const kind = /^jsonb?\b/i.test(type) ? 'json' : /^bool(?:ean)?\b/i.test(type) ? 'bool' : 'other';
  return shownOf(kind, type.endsWith('[]'));
}

/** Names of the target schema by which a script may mean it. */
export function schemaNames(schema: SchemaName): readonly string[] {
  return [...new Set([schema.raw, schema.text, `${schema.database}.${schema.schema}`, schema.schema])];
}

/** Which handlers which table's rows go through, and how the worker knows the tables. */
export class TablePlans {
  readonly catalogue: Catalogue;
  /** The pair of schema-level handlers that applies, or -1. */
  readonly handlers: number;
  /** Handlers of target tables, by their names on the target. */
  readonly bindings: ReadonlyMap<string, number>;
  /** Plans that the worker was not told of. */
  readonly #fresh: TablePlan[] = [];
  readonly #configuration: Configuration;
  readonly #schema: SchemaName;
  readonly #dialect: Dialect;
  readonly #plans = new Map<SourceTable, TablePlan>();
  readonly #sources = new Map<number, SourceTable>();
  readonly #made = new Map<string, SourceTable>();
  readonly #nextId: () => number;

  constructor(
    configuration: Configuration,
    schema: SchemaName,
    dialect: Dialect,
    catalogue: Catalogue,
    nextId: () => number,
  ) {
    this.#configuration = configuration;
    this.#schema = schema;
    this.#dialect = dialect;
    this.#nextId = nextId;
    this.catalogue = catalogue;
    const names = schemaNames(schema);
    this.handlers = configuration.schemas.findIndex(({ name }) => names.includes(name));
    const bindings = new Map<string, number>();
    configuration.tables.forEach((entry, index) => {
      for (const name of entry.names) {
        const target = this.#targetCalled(name);
        if (target !== undefined) bindings.set(target.name, index);
      }
    });
    this.bindings = bindings;
  }

  /** Names given to configureTargetTables that are no table of the target schema. */
  get unknownTables(): string[] {
    return this.#configuration.tables.flatMap(({ names }) =>
      names.filter((name) => this.#targetCalled(name) === undefined),
    );
  }

  /** Whether rows of a source table go through row handlers. */
  handles(source: SourceTable): boolean {
    if (this.handlers >= 0) return true;
    const index = this.bindings.get(this.targetOf(source));
    return index !== undefined && this.#configuration.tables[index].rows;
  }

  /** Number of the handlers whose onWrite gets the rows of a table; undefined when the engine writes them. */
  writerOf(source: SourceTable): number | undefined {
    const index = this.bindings.get(this.targetOf(source));
    return index !== undefined && this.#configuration.tables[index].write ? index : undefined;
  }

  /** Name of the target table for a table's rows as they are. */
  targetOf(source: SourceTable): string {
    return this.catalogue.find(source.name)?.name ?? source.name;
  }

  planOf(source: SourceTable): TablePlan {
    let plan = this.#plans.get(source);
    if (plan === undefined) {
      plan = this.#plan(source);
      this.#plans.set(source, plan);
      this.#sources.set(plan.id, source);
      this.#fresh.push(plan);
    }
    return plan;
  }

  /** The plans that were made since the last call. */
  takeFresh(): TablePlan[] {
    return this.#fresh.splice(0);
  }

  /** The tables of a transformed log. `own`: those of the log that was given. */
  tablesOf(tables: readonly OutTable[], own: readonly SourceTable[]): SourceTable[] {
    return tables.map((table) => ('index' in table ? own[table.index] : this.#madeTable(table)));
  }

  targets(): TargetPlan[] {
    return Array.from(this.catalogue.tables.values(), (table) => targetPlan(table));
  }

  #targetCalled(name: string): TargetTable | undefined {
    const { tables } = this.catalogue;
    const prefix = schemaNames(this.#schema).find((schema) => name.startsWith(`${schema}.`));
    return tables.get(name) ?? (prefix === undefined ? undefined : tables.get(name.slice(prefix.length + 1)));
  }

  #plan(source: SourceTable): TablePlan {
    const target = this.catalogue.find(source.name);
    const shown = source.columns.map((column) => {
      const found = target && findColumn(target, column.name);
      return found === undefined ? shownOfType(column.type) : shownOf(found.kind, found.array);
    });
    const sentKey = source.columns.flatMap(({ identity }, i) => (identity ? [i] : []));
    return {
      id: this.#nextId(),
      table: source.name,
      target: target?.name ?? source.name,
      schema: this.#schema.raw,
      columns: source.columns.map(({ name }) => name),
      shown,
      handlers: this.handlers,
      identity: source.identity,
      fits: fitTable(source, this.catalogue, this.#schema, this.#dialect).findings.length === 0,
      key: source.identity === 'key' ? sentKey : targetKey(source, target),
      sentKey,
    };
  }

  #madeTable({ plan, target, columns, key }: Exclude<OutTable, { index: number }>): SourceTable {
    const name = JSON.stringify([plan ?? null, target, columns, key]);
    let table = this.#made.get(name);
    if (table === undefined) {
      const source = plan === undefined ? undefined : this.#sources.get(plan);
      const types = new Map(source?.columns.map((column) => [column.name, column.type]));
      table = {
        schema: source?.schema ?? this.#schema.schema,
        name: target,
        identity: key.length > 0 ? 'key' : 'full',
        columns: columns.map((column): SourceColumn => {
          const type = types.get(column);
          return { name: column, identity: key.includes(column), ...(type !== undefined && { type }) };
        }),
      };
      if (this.#made.size >= MOST_MADE) this.#made.clear();
      this.#made.set(name, table);
    }
    return table;
  }
}

function targetKey(source: SourceTable, target: TargetTable | undefined): number[] {
  if (target === undefined || target.primaryKey.length === 0) return [];
  const key = target.primaryKey.map((name) =>
    source.columns.findIndex((column) => findColumn(target, column.name)?.name === name),
  );
  return key.includes(-1) ? [] : key.sort((a, b) => a - b);
}

function targetPlan(table: TargetTable): TargetPlan {
  const columns = table.columns.filter((column) => !column.generated);
  const keyColumns = columns.filter((column) => table.primaryKey.includes(column.name));
  return {
    name: table.name,
    columns: columns.map(({ name }) => name),
    shown: columns.map(({ kind, array }) => shownOf(kind, array)),
    kinds: columns.map(({ kind }) => kind),
    key: table.primaryKey,
    makesKey: keyColumns.some((column) => column.hasDefault || column.identityAlways),
    uniqueKeys: table.uniqueKeys,
  };
}
