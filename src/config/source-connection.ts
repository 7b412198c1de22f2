import type { ConnectionDescription } from './connection.ts';

/** A connection to a source of any kind. */
export type SourceConnection = ConnectionDescription;
