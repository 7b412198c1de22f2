import type { PublicationSummary, SlotSummary } from '../sources/postgres/setup.ts';

/** A table of the source as somebody sees it who chooses what to replicate. */
export interface ListedTable {
  /** The schema or database in front, as PostgreSQL prints names. */
  readonly name: string;
  /** Estimates of the server's; undefined where it has none. */
  readonly rows?: number;
  readonly bytes?: number;
  readonly warning?: string;
  /** SQL that mends what `warning` says. */
  readonly fix?: string;
}

/** What a source has to choose from. */
export interface SourceChoices {
  readonly tables: readonly ListedTable[];
  /** PostgreSQL; empty for others. */
  readonly publications: readonly PublicationSummary[];
  readonly slots: readonly SlotSummary[];
}
