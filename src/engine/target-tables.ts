import type { SourceTable, TargetColumnFacts } from '../changes/table.ts';
import type { Catalogue, TargetTable } from '../target/catalogue.ts';
import type { Dialect } from '../target/dialect.ts';
import { checkTable, checkTables } from '../target/drift.ts';
import { ForeignKeyGraph } from '../target/foreign-keys.ts';
import type { SchemaName } from '../target/identifiers.ts';
import { findColumn, mapTable } from '../target/mapping.ts';
import { TableWriter } from '../target/table-writer.ts';
import { TableWork } from './table-work.ts';

/** Finds for each source table the target table that its rows go to, by the newest catalogue. */
export class TargetTables {
  readonly #schema: SchemaName;
  readonly #dialect: Dialect;
  readonly #read: () => Promise<Catalogue>;
  /** Weakly, as userscripts may make source tables without end. */
  #works = new WeakMap<SourceTable, TableWork>();
  /** Kept because sources ask at each of their transactions. */
  #columns = new WeakMap<SourceTable, readonly (TargetColumnFacts | undefined)[]>();
  #catalogue: Catalogue;
  #graph: ForeignKeyGraph;

  private constructor(schema: SchemaName, dialect: Dialect, read: () => Promise<Catalogue>, catalogue: Catalogue) {
    this.#schema = schema;
    this.#dialect = dialect;
    this.#read = read;
    this.#catalogue = catalogue;
    this.#graph = new ForeignKeyGraph(catalogue);
  }

  /** `read` reads the catalogue on a connection of its own. */
  static async open(schema: SchemaName, dialect: Dialect, read: () => Promise<Catalogue>): Promise<TargetTables> {
    return new TargetTables(schema, dialect, read, await read());
  }

  /** What the target has, as it was read last. */
  get catalogue(): Catalogue {
    return this.#catalogue;
  }

  /** Whether any of the tables' target tables refers to another of them. */
  related(sources: readonly SourceTable[]): boolean {
    const names = new Set(sources.map((source) => this.#catalogue.find(source.name)?.name));
    return [...names].some((name) =>
      this.#catalogue.tables
        .get(name ?? '')
        ?.foreignKeys.some((key) => key.referenced !== name && names.has(key.referenced)),
    );
  }

  /** Reads the catalogue again; tables that have changed are mapped anew. */
  async refresh(): Promise<void> {
    const catalogue = await this.#read();
    const same = (a: TargetTable | undefined, b: TargetTable | undefined) => JSON.stringify(a) === JSON.stringify(b);
    const names = new Set([...this.#catalogue.tables.keys(), ...catalogue.tables.keys()]);
    if ([...names].every((name) => same(this.#catalogue.tables.get(name), catalogue.tables.get(name)))) return;
    this.#catalogue = catalogue;
    this.#graph = new ForeignKeyGraph(catalogue);
    this.#works = new WeakMap();
    this.#columns = new WeakMap();
  }

  /**
   * Checks all tables before the first row, by a catalogue that is read again before anything is refused: a table may have been
   * altered on both sides since it was read. @throws OperatorError TARGET_SCHEMA_DRIFT that names all that has to be mended.
   */
  async check(sources: () => readonly SourceTable[]): Promise<void> {
    const look = () => checkTables(sources(), this.#catalogue, this.#schema, this.#dialect);
    try {
      look();
    } catch {
      await this.refresh();
      look();
    }
  }

  /**
   * The target columns of a source table, by position in its columns; undefined where there is none, or one that the target
   * computes. The same array as the last time unless the catalogue has changed.
   */
  columnsOf(source: SourceTable): readonly (TargetColumnFacts | undefined)[] {
    let columns = this.#columns.get(source);
    if (columns === undefined) {
      const target = this.#catalogue.find(source.name);
      columns = source.columns.map(({ name }) => {
        const column = target && findColumn(target, name);
        return column?.generated ? undefined : column;
      });
      this.#columns.set(source, columns);
    }
    return columns;
  }

  /** @throws OperatorError TARGET_SCHEMA_DRIFT when the target cannot take the source table's rows as they are. */
  resolve(source: SourceTable): TableWork {
    let work = this.#works.get(source);
    if (work === undefined) {
      work = this.#map(source);
      this.#works.set(source, work);
    }
    return work;
  }

  #map(source: SourceTable): TableWork {
    const target = checkTable(source, this.#catalogue, this.#schema, this.#dialect);
    const graph = this.#graph;
    return new TableWork(new TableWriter(mapTable(source, target), this.#dialect), {
      rank: graph.position(target.name),
      cycle: graph.inCycle(target.name) ? graph.component(target.name) : -1,
      selfReferencing: target.foreignKeys.some((key) => key.referenced === target.name),
      cascades: graph.cascadesTo(target.name),
    });
  }
}
