import { linkSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What is in a saved file, as JSON has it. */
export type SavedValues = Readonly<Record<string, unknown>>;

/** Makes format n + 1 of format n. */
export type SavedMigration = (saved: SavedValues) => SavedValues;

/** The format that this program writes: the first migration makes format 2 of format 1. */
export function currentFormat(migrations: readonly SavedMigration[]): number {
  return 1 + migrations.length;
}

/** What an older version has saved in `format`, as this one would have. The file is not touched: that is for the next change. */
export function broughtUpToDate(
  saved: SavedValues,
  format: number,
  migrations: readonly SavedMigration[],
): SavedValues {
  return migrations.slice(format - 1).reduce((values, migrate) => migrate(values), saved);
}

/**
 * Keeps what an older version has saved beside the file, before another is put in its place: `shop.json.format-1`. It is the very
 * file under a second name, so it is whole at any moment, and as closed as it was.
 */
export function keepCopy(path: string, format: number): void {
  try {
    linkSync(path, `${path}.format-${format}`);
  } catch (error) {
    // One that is there already is of a change that did not come to its end: it holds the same.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Removes the copies with the file that they are of. */
export function removeCopies(path: string): void {
  const file = basename(path);
  for (const name of readdirSync(dirname(path))) {
    const copy = name.startsWith(file) && /^\.format-\d+$/.test(name.slice(file.length));
    if (copy) rmSync(join(dirname(path), name), { force: true });
  }
}
