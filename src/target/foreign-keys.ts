import type { Catalogue, ForeignKey, TargetTable } from './catalogue.ts';

/**
 * How the tables of a schema hang together by foreign keys. Cycles and self references are ordinary: tables that reference
 * each other share a component, and only rows within such a component need the source's own order.
 */
export class ForeignKeyGraph {
  /** All tables, referenced ones before those that reference them; the same for the same schema, whatever the reading order. */
  readonly order: readonly string[];
  readonly #positions: ReadonlyMap<string, number>;
  readonly #components = new Map<string, number>();
  readonly #sizes: number[] = [];
  /** Table to the tables that reference it with an action that changes their rows. */
  readonly #actions = new Map<string, string[]>();
  readonly #cascades = new Map<string, ReadonlySet<string>>();

  constructor(catalogue: Catalogue) {
    const tables = [...catalogue.tables.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const components = stronglyConnected(tables);
    components.forEach((component, number) => {
      this.#sizes.push(component.length);
      for (const table of component) this.#components.set(table, number);
    });
    this.order = components.flat();
    this.#positions = new Map(this.order.map((table, index) => [table, index]));
    for (const table of tables) {
      for (const key of table.foreignKeys) {
        if (!changesRows(key)) continue;
        const referencing = this.#actions.get(key.referenced) ?? [];
        referencing.push(table.name);
        this.#actions.set(key.referenced, referencing);
      }
    }
  }

  /** Place of a table in `order`. */
  position(table: string): number {
    return known(this.#positions, table);
  }

  /** Number of the component; components are numbered in `order`, and tables share one only when each references the other. */
  component(table: string): number {
    return known(this.#components, table);
  }

  /** True when the table and at least one other reference each other, so that no order of tables fits all rows. */
  inCycle(table: string): boolean {
    return this.#sizes[this.component(table)] > 1;
  }

  /**
   * Tables whose rows the target itself may change when rows of `table` are deleted or their keys updated (CASCADE, SET
   * NULL, SET DEFAULT), directly or through others; `table` itself only when such a path leads back to it.
   */
  cascadesTo(table: string): ReadonlySet<string> {
    let reached = this.#cascades.get(table);
    if (reached === undefined) {
      reached = this.#reach(table);
      this.#cascades.set(table, reached);
    }
    return reached;
  }

  #reach(table: string): Set<string> {
    const reached = new Set<string>();
    const pending = [...(this.#actions.get(table) ?? [])];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (reached.has(next)) continue;
      reached.add(next);
      pending.push(...(this.#actions.get(next) ?? []));
    }
    return reached;
  }
}

function known(map: ReadonlyMap<string, number>, table: string): number {
  const value = map.get(table);
  if (value === undefined) throw new Error(`${table} is not in the catalogue`);
  return value;
}

function changesRows(key: ForeignKey): boolean {
  return [key.onDelete, key.onUpdate].some((action) => action !== 'no action' && action !== 'restrict');
}

/**
 * Tarjan's algorithm over the edges from a table to those that it references: components come out referenced ones first.
 * It keeps its own stack, because a chain of references can be longer than the call stack is deep.
 */
function stronglyConnected(tables: readonly TargetTable[]): string[][] {
  const references = new Map(
    tables.map((table) => [table.name, [...new Set(table.foreignKeys.map((key) => key.referenced))].sort()]),
  );
  const indexes = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const components: string[][] = [];

  for (const { name: root } of tables) {
    if (indexes.has(root)) continue;
    const visits = [{ table: root, next: 0 }];
    for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
      const { table } = visit;
      if (visit.next === 0) {
        lowest.set(table, indexes.size);
        indexes.set(table, indexes.size);
        open.push(table);
        isOpen.add(table);
      }
      const referenced = references.get(table)?.[visit.next++];
      if (referenced !== undefined) {
        if (!references.has(referenced)) continue;
        if (!indexes.has(referenced)) visits.push({ table: referenced, next: 0 });
        else if (isOpen.has(referenced)) lower(lowest, table, known(indexes, referenced));
        continue;
      }
      visits.pop();
      const parent = visits.at(-1);
      if (parent !== undefined) lower(lowest, parent.table, known(lowest, table));
      if (lowest.get(table) !== indexes.get(table)) continue;
      const component = open.splice(open.lastIndexOf(table));
      for (const member of component) isOpen.delete(member);
      components.push(component.sort());
    }
  }
  return components;
}

function lower(lowest: Map<string, number>, table: string, value: number): void {
  lowest.set(table, Math.min(known(lowest, table), value));
}
