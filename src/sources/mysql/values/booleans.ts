/** How PostgreSQL and CockroachDB write booleans. */
export const TRUE = 't';
export const FALSE = 'f';
