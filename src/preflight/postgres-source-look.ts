import type { Look } from './look.ts';
import type { PostgresSourceFacts } from './postgres-source-facts.ts';

/** A look at a PostgreSQL source. */
export type SourceLook = Look<PostgresSourceFacts>;
