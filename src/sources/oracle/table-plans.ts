import type { SourceTable } from '../../changes/table.ts';
import { TupleWriter } from '../../changes/tuple-writer.ts';
import type { ChangeSink } from '../source.ts';
import { RowWriter } from './redo/row-writer.ts';
import type { Scn } from './scn.ts';
import { sourceTable } from './source-table.ts';
import type { OracleTable } from './tables.ts';
import { columnWriter } from './values/column-writer.ts';

/** How the redo of one table is turned into changes. */
export interface TablePlan {
  readonly name: string;
  /** Unlike that of any other table of this stream, and the same in all plans of the table: transactions are open while one replaces another. */
  readonly number: number;
  readonly source: SourceTable;
  /** Undefined when the table cannot be replicated. */
  readonly writer: RowWriter | undefined;
  /** Why it cannot. */
  readonly problem: string | undefined;
  /** Names of its columns that hold large objects. */
  readonly lobs: ReadonlySet<string>;
}

/** The plans of the tables of a schema, by the definitions that were read last. */
export class TablePlans {
  readonly #sink: ChangeSink;
  readonly #read: () => Promise<{ readonly tables: readonly OracleTable[]; readonly asOf: Scn }>;
  readonly #out = new TupleWriter();
  readonly #known = new Map<string, OracleTable>();
  readonly #plans = new Map<string, TablePlan>();
  readonly #objects = new Map<string, string>();
  readonly #numbers = new Map<string, number>();
  /** Tables that the last reading did not find. */
  #absent = new Set<string>();
  #asOf: Scn = 0n;

  /** @param read reads the definitions, and tells an SCN as of which they hold at least */
  constructor(sink: ChangeSink, read: () => Promise<{ readonly tables: readonly OracleTable[]; readonly asOf: Scn }>) {
    this.#sink = sink;
    this.#read = read;
  }

  /** Reads the definitions (anew). Tables that are as they were keep their plans. */
  async load(wanted?: string): Promise<void> {
    const { tables, asOf } = await this.#read();
    for (const table of tables) {
      const known = this.#known.get(table.name);
      if (known === undefined || definition(known) !== definition(table)) this.#plans.delete(table.name);
      this.#known.set(table.name, table);
      for (const id of table.objectIds) this.#objects.set(id, table.name);
    }
    this.#asOf = asOf;
    this.#absent = new Set(wanted === undefined || this.#known.has(wanted) ? [] : [...this.#absent, wanted]);
  }

  /** The plan of a table; undefined for one that is not known. */
  get(name: string): TablePlan | undefined {
    const plan = this.#plans.get(name);
    if (plan !== undefined) return plan;
    const table = this.#known.get(name);
    if (table === undefined) return undefined;
    const made = this.#plan(table);
    this.#plans.set(name, made);
    return made;
  }

  /** The plan of a table by its object number, which is all that redo of another version of it tells. */
  byObject(id: string): TablePlan | undefined {
    const name = this.#objects.get(id);
    return name === undefined ? undefined : this.get(name);
  }

  /** True for a table that may have been made since the definitions were read. */
  isNew(name: string): boolean {
    return !this.#absent.has(name);
  }

  /** True when the definitions were read before `scn`. */
  outdated(scn: Scn): boolean {
    return this.#asOf < scn;
  }

  #plan(table: OracleTable): TablePlan {
    const { name } = table;
    const number = this.#numbers.get(name) ?? this.#numbers.size + 1;
    this.#numbers.set(name, number);
    const lobs = new Set(table.columns.filter(({ type }) => isLob(type)).map((column) => column.name));
    const source = sourceTable(table);
    if (table.problem !== undefined) return { name, number, source, writer: undefined, problem: table.problem, lobs };
    const targets = this.#sink.targetColumns(source);
    const columns = source.columns.map((column) => table.columns.find((each) => each.name === column.name));
    const writers = columns.map((column, i) => {
      if (column === undefined) throw new TypeError(`no column ${source.columns[i].name}`);
      return columnWriter(column, targets[i]);
    });
    const large = columns.map((column) => column !== undefined && isLarge(column.type));
    return { name, number, source, writer: new RowWriter(source, writers, this.#out, large), problem: undefined, lobs };
  }
}

/** All of a table that its plan depends on: partitions and rows come and go. */
function definition(table: OracleTable): string {
  return JSON.stringify({ ...table, objectIds: [], rows: 0 });
}

/** True for a type whose values are never in the condition of an update or a delete. */
function isLarge(type: string): boolean {
  return isLob(type) || type === 'LONG' || type === 'LONG RAW';
}

function isLob(type: string): boolean {
  return type === 'CLOB' || type === 'NCLOB' || type === 'BLOB';
}
