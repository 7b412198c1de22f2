import type { Line } from './question-line.ts';

/** Seconds by which a server's clock is ahead of this machine's. `ask` brings its time, in seconds since the epoch. */
export async function offsetOf(ask: () => Promise<number>): Promise<number> {
  const asked = Date.now();
  const now = await ask();
  const half = (Date.now() - asked) / 2;
  return now - (asked + half) / 1000;
}

/** The same of a PostgreSQL or CockroachDB server. */
export function readOffset(line: Line): Promise<number> {
  const text = `SELECT date_part('epoch', clock_timestamp())::TEXT AS now`;
  return line.ask((client) => offsetOf(async () => Number((await client.query<{ now: string }>(text)).rows[0].now)));
}
