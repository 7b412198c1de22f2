import type { SourceTable } from '../../src/changes/table.ts';
import type { Change } from './collecting-sink.ts';

type Row = (string | null)[];

/** Tables as their changes make them, one after the other: what a target should hold that applied them. */
export class ReplayedTables {
  /** By name: rows by key, or by a number where there is none. */
  readonly #tables = new Map<string, Map<string, Row>>();
  #keyless = 0;

  apply({ kind, table, old, oldKind, new: values }: Change): void {
    const rows = this.#rows(table);
    if (kind === 'truncate') {
      rows.clear();
      return;
    }
    if (kind === 'insert') {
      const key = this.#keyOf(table, values);
      if (rows.has(key)) throw new Error(`${table.name} ${key} is inserted twice`);
      rows.set(key, complete(values));
      return;
    }
    const place = oldKind === 'full' ? find(rows, old) : this.#keyOf(table, old ?? values);
    const before = rows.get(place);
    if (before === undefined) throw new Error(`${kind} of a row of ${table.name} that is not there: ${place}`);
    rows.delete(place);
    if (values === undefined) return;
    const after = complete(values.map((value, i) => (value === undefined ? before[i] : value)));
    rows.set(this.#keyOf(table, after), after);
  }

  /** A table's rows, in the order of their text. */
  rowsOf(name: string): string[] {
    return Array.from(this.#tables.get(name)?.values() ?? [], (row) => JSON.stringify(row)).sort();
  }

  #rows({ name }: SourceTable): Map<string, Row> {
    const rows = this.#tables.get(name) ?? new Map<string, Row>();
    this.#tables.set(name, rows);
    return rows;
  }

  #keyOf({ identity, columns }: SourceTable, values: Change['new'] = []): string {
    if (identity !== 'key') return `row ${++this.#keyless}`;
    return JSON.stringify(values.filter((_, i) => columns[i].identity));
  }
}

function find(rows: ReadonlyMap<string, Row>, old: Change['old']): string {
  const text = JSON.stringify(old);
  for (const [key, row] of rows) if (JSON.stringify(row) === text) return key;
  throw new Error(`no row ${text}`);
}

function complete(values: Change['new'] = []): Row {
  return values.map((value) => {
    if (value === undefined) throw new Error('a value that is not known');
    return value;
  });
}
