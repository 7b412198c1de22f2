import type { CountedValue } from '../values/column.ts';
import type { TableVersion } from './table-version.ts';

/**
 * The tables as they were described last, with what is needed to decode their rows. Outlives streams, so that a table that
 * comes again as it was is the same object.
 */
export class TableVersions {
  readonly #versions = new Map<string, TableVersion>();
  /** Values that were changed on their way, since somebody last set them to zero. */
  readonly counted: Record<CountedValue, number> = { zeroDate: 0, boolOutOfRange: 0 };
  /** Columns and tables of which an operator was told that something of them is not as at the source. */
  readonly told = new Set<string>();

  /** @param key of the names as they stand in a TABLE_MAP event */
  get(key: string): TableVersion | undefined {
    return this.#versions.get(key);
  }

  set(key: string, version: TableVersion): void {
    this.#versions.set(key, version);
  }
}

/** The key of a table: its names as they stand in a TABLE_MAP event, each with its length in front and a zero behind. */
export function tableKey(database: string, name: string): string {
  return [database, name]
    .map((part) => Buffer.from(part))
    .map((bytes) => `${String.fromCharCode(bytes.length & 0xff)}${bytes.toString('latin1', 0, bytes.length)}\0`)
    .join('');
}
