import type { Promised, Table } from './report.ts';

/** What one scenario adds to the report. */
export interface Section {
  readonly tables: readonly Table[];
  readonly promises: readonly Promised[];
}
