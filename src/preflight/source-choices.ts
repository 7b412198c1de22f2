import type { PublicationSummary, SlotSummary } from '../sources/postgres/setup.ts';

/** A table of the source as somebody sees it who chooses what to replicate. */
export interface ListedTable {
  /** The schema or database in front, as PostgreSQL prints names. */
  readonly name: string;
  /** An estimate of the server's. */
  readonly rows: number;
  /** Undefined where the server does not tell. */
  readonly bytes: number | undefined;
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
