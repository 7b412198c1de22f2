import type { Answers } from '../sessions/replication.ts';
import type { ListedTable } from '../preflight/source-choices.ts';
import type { PublicationSummary } from '../sources/postgres/setup.ts';
import { formatBytes, formatCount } from '../terminal/format.ts';
import type { MultiSelectItem } from '../terminal/multi-select.tsx';

/** Which tables are replicated, and by what they are published. */
export type TableChoice =
  | { readonly by: 'all' }
  | { readonly by: 'choice'; readonly tables: readonly string[] }
  | { readonly by: 'publication'; readonly publication: PublicationSummary };

/** What a publication is called unless the operator says otherwise: as MOLT's own instructions call it. */
export const CUSTOMARY_PUBLICATION = 'molt_fetch';

/** The choice that was saved, as far as it still exists; `gone`: chosen tables that the source does not have any more. */
export function savedChoice(
  answers: Pick<Answers, 'tables' | 'publication'>,
  found: { readonly tables: readonly ListedTable[]; readonly publications: readonly PublicationSummary[] },
): { readonly choice: TableChoice; readonly gone: readonly string[] } {
  const { tables, publication } = answers;
  const existing =
    publication?.create === false ? found.publications.find(({ name }) => name === publication.name) : undefined;
  if (existing !== undefined) return { choice: { by: 'publication', publication: existing }, gone: [] };
  if (tables === undefined || tables === 'all') return { choice: { by: 'all' }, gone: [] };
  const there = new Set(found.tables.map(({ name }) => name));
  return {
    choice: { by: 'choice', tables: tables.filter((name) => there.has(name)) },
    gone: tables.filter((name) => !there.has(name)),
  };
}

/** The names of the chosen ones among `tables`. */
export function chosenTables(choice: TableChoice, tables: readonly ListedTable[]): ReadonlySet<string> {
  switch (choice.by) {
    case 'all':
      return new Set(tables.map(({ name }) => name));
    case 'choice':
      return new Set(choice.tables);
    case 'publication':
      return new Set(choice.publication.tables);
  }
}

/** The ways to choose, in the order in which the arrow keys go through them. `own`: what was ticked by hand last. */
export function waysToChoose(
  own: readonly string[],
  publications: readonly PublicationSummary[],
): readonly TableChoice[] {
  return [
    { by: 'all' },
    { by: 'choice', tables: own },
    ...publications.map((publication): TableChoice => ({ by: 'publication', publication })),
  ];
}

export function isSameWay(a: TableChoice, b: TableChoice): boolean {
  if (a.by === 'publication' && b.by === 'publication') return a.publication.name === b.publication.name;
  return a.by === b.by;
}

/** A way to choose in a few words. */
export function wayText(choice: TableChoice): string {
  switch (choice.by) {
    case 'all':
      return 'all tables, also those that are made later';
    case 'choice':
      return 'those that I tick';
    case 'publication':
      return `those of the existing publication ${choice.publication.name}`;
  }
}

/** What a publication leaves out, in a sentence; undefined when it sends everything. */
export function publicationGap({ name, publishes, viaRoot }: PublicationSummary): string | undefined {
  const missing = (['insert', 'update', 'delete', 'truncate'] as const).filter((kind) => !publishes[kind]);
  if (missing.length > 0)
    return `Publication ${name} does not publish ${missing.join(' or ')}: those changes never reach the target.`;
  if (viaRoot) return undefined;
  return `Publication ${name} publishes partitions under their own names: the target needs a table for each.`;
}

/** The tables as lines of a list. */
export function tableItems(tables: readonly ListedTable[]): MultiSelectItem[] {
  return tables.map(({ name, rows, bytes, warning }) => ({
    value: name,
    label: name,
    columns: [
      rows === undefined ? '' : `${formatCount(rows)} ${rows === 1 ? 'row' : 'rows'}`,
      bytes === undefined ? '' : formatBytes(bytes),
    ],
    // The whole sentence stands below the list.
    warning: warning?.split(':', 1)[0],
  }));
}

/** "42 tables, about 1.2 M rows, 41.2 GB"; what is not known of all of them is left out. */
export function sumText(tables: readonly ListedTable[]): string {
  const rows = sumOf(tables.map((table) => table.rows));
  const bytes = sumOf(tables.map((table) => table.bytes));
  return [
    `${formatCount(tables.length)} ${tables.length === 1 ? 'table' : 'tables'}`,
    ...(rows === undefined ? [] : [`about ${formatCount(rows)} rows`]),
    ...(bytes === undefined ? [] : [formatBytes(bytes)]),
  ].join(', ');
}

function sumOf(numbers: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const number of numbers) {
    if (number === undefined) return undefined;
    sum += number;
  }
  return sum;
}
