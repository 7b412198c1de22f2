import { formatCount, formatRate, formatSeconds } from '../terminal/format.ts';
import type { TableReading } from './reading.ts';

export type SortKey = 'name' | 'upserts' | 'deletes' | 'errors' | 'rows/s' | 'lag';

export interface TableOrder {
  readonly key: SortKey;
  readonly reversed: boolean;
}

/** In the order of their columns; `o` goes from one to the next. */
export const SORT_KEYS: readonly SortKey[] = ['name', 'upserts', 'deletes', 'errors', 'rows/s', 'lag'];

const VALUES: Readonly<Record<Exclude<SortKey, 'name'>, (table: TableReading) => number>> = {
  upserts: ({ upserts }) => upserts,
  deletes: ({ deletes }) => deletes,
  errors: ({ errors }) => errors,
  'rows/s': ({ rowsPerSecond }) => rowsPerSecond,
  lag: ({ lagSeconds }) => lagSeconds ?? -1,
};

/**
 * The tables whose names have all words of `filter` in them, or with `!` in front of a word have it not; case does not matter.
 * Names from A on, numbers from the greatest on; equal ones by name, so that rows do not change places.
 */
export function arrangeTables(
  tables: readonly TableReading[],
  filter: string,
  { key, reversed }: TableOrder,
): TableReading[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '' && word !== '!');
  const shown = tables.filter(({ name }) => {
    const lower = name.toLowerCase();
    return words.every((word) => (word.startsWith('!') ? !lower.includes(word.slice(1)) : lower.includes(word)));
  });
  const byName = (a: TableReading, b: TableReading) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const sign = reversed ? -1 : 1;
  if (key === 'name') return shown.sort((a, b) => sign * byName(a, b));
  const value = VALUES[key];
  return shown.sort((a, b) => sign * (value(b) - value(a)) || byName(a, b));
}

/** The cells of a row, in the order of the columns. */
export function tableCells(table: TableReading, prefix: string): string[] {
  return [
    table.name.startsWith(prefix) ? table.name.slice(prefix.length) : table.name,
    formatCount(table.upserts),
    formatCount(table.deletes),
    formatCount(table.errors),
    formatRate(table.rowsPerSecond),
    formatSeconds(table.lagSeconds),
  ];
}

/** What all names begin with, up to a dot: `defaultdb.public.`; said once in the heading in place of in each row. */
export function commonPrefix(tables: readonly TableReading[]): string {
  const [first, ...others] = tables;
  if (first === undefined) return '';
  const parts = first.name.split('.').slice(0, -1);
  for (; parts.length > 0; parts.pop()) {
    const prefix = `${parts.join('.')}.`;
    if (others.every(({ name }) => name.startsWith(prefix))) return prefix;
  }
  return '';
}
