import { ChangeKind, type ChangeLog, ENTRY_HEADER, OldTuple, tupleEnd, ValueKind } from '../changes/change-log.ts';
import type { SourceTable } from '../changes/table.ts';
import { findColumn, type TableMapping } from '../target/mapping.ts';
import type { TableWork } from './table-work.ts';

/** The rows that a batch depends on: those it changes, and those that its rows refer to. */
export interface Footprint {
  /** Hashes of the keys of these rows. Equal hashes of different rows only cost a wait. */
  readonly rows: ReadonlySet<number>;
  /** True when what it depends on cannot be told from its changes, so that nothing may run beside it. */
  readonly alone: boolean;
}

/** Columns whose values name a row: of the table itself, or of one that it refers to. */
interface Reference {
  readonly seed: number;
  /** Positions in the source's tuples, in the order of the referenced columns' names. */
  readonly columns: readonly number[];
}

const references = new WeakMap<TableMapping, readonly Reference[]>();

/** Reads the footprint off the changes; `resolve` throws what it throws. */
export function footprintOf(log: ChangeLog, resolve: (table: SourceTable) => TableWork): Footprint {
  const rows = new Set<number>();
  const { buffer } = log;
  const works = log.tables.map(resolve);
  for (let at = 0; at < log.length; at += buffer.readUInt32BE(at)) {
    const work = works[buffer.readUInt16BE(at + 6)];
    const kind = buffer[at + 4];
    const old = buffer[at + 5];
    const keyless = work.writer.mapping.key.length === 0;
    const cascades = work.cascades.size > 0 && (kind === ChangeKind.delete || old !== OldTuple.none);
    if (kind === ChangeKind.truncate || cascades || work.cycle >= 0 || (keyless && kind !== ChangeKind.insert)) {
      return { rows, alone: true };
    }
    let tuple = at + ENTRY_HEADER;
    if (old !== OldTuple.none) {
      addRows(rows, work.writer.mapping, buffer, tuple);
      tuple = tupleEnd(buffer, tuple);
    }
    if (kind !== ChangeKind.delete) addRows(rows, work.writer.mapping, buffer, tuple);
  }
  return { rows, alone: false };
}

/** True when two batches touch a common row. */
export function overlap(a: Footprint, b: Footprint): boolean {
  if (a.alone || b.alone) return true;
  const [few, many] = a.rows.size < b.rows.size ? [a.rows, b.rows] : [b.rows, a.rows];
  for (const row of few) if (many.has(row)) return true;
  return false;
}

const starts: number[] = [];

function addRows(rows: Set<number>, mapping: TableMapping, buffer: Buffer, at: number): void {
  const count = buffer.readUInt16BE(at);
  at += 2;
  for (let i = 0; i < count; i++) {
    starts[i] = at;
    at += buffer[at] === ValueKind.text ? 5 + buffer.readInt32BE(at + 1) : 1;
  }
  for (const { seed, columns } of referencesOf(mapping)) {
    let hash = seed;
    let complete = true;
    for (const column of columns) {
      const start = starts[column];
      if (buffer[start] !== ValueKind.text) {
        complete = false;
        break;
      }
      const end = start + 5 + buffer.readInt32BE(start + 1);
      for (let i = start + 1; i < end; i++) hash = Math.imul(hash ^ buffer[i], 0x01000193);
    }
    if (complete) rows.add(hash);
  }
}

function referencesOf(mapping: TableMapping): readonly Reference[] {
  let found = references.get(mapping);
  if (found === undefined) {
    const { target, source } = mapping;
    const position = (name: string) =>
      source.columns.findIndex((column) => findColumn(target, column.name)?.name === name);
    const own = [target.primaryKey, ...target.uniqueKeys, mapping.keyColumns.map((column) => column.name)];
    const pairs = [
      ...own.map((columns) => ({ table: target.name, columns, names: columns })),
      ...target.foreignKeys.map((key) => ({
        table: key.referenced,
        columns: key.columns,
        names: key.referencedColumns,
      })),
    ];
    found = pairs
      .filter(({ columns }) => columns.length > 0)
      .map(({ table, columns, names }) => {
        const order = names.map((_, i) => i).sort((a, b) => (names[a] < names[b] ? -1 : 1));
        const seed = hashText(JSON.stringify([table, ...order.map((i) => names[i])]));
        return { seed, columns: order.map((i) => position(columns[i])) };
      })
      .filter(({ columns }) => !columns.includes(-1));
    references.set(mapping, found);
  }
  return found;
}

function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
