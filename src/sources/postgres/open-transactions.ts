import type { Client } from 'pg';

/** A transaction that has changed something and is still open. Creating a slot waits until all of them have ended. */
export interface OpenTransaction {
  readonly pid: number;
  /** Seconds since it began; null, as the rest, when this user may not see whose it is. */
  readonly seconds: number | null;
  readonly user: string | null;
  readonly application: string | null;
  readonly database: string | null;
  /** `idle in transaction`, `active`. */
  readonly state: string | null;
}

/** A transaction that was left to be decided later, by COMMIT PREPARED or ROLLBACK PREPARED. */
export interface PreparedTransaction {
  readonly name: string;
  /** Seconds since it was prepared. */
  readonly seconds: number;
  readonly user: string;
  readonly database: string;
}

/** The transactions of the whole server that have changed something, the oldest first. */
export async function readOpenTransactions(client: Client): Promise<OpenTransaction[]> {
  // Whoever may not see the sessions of others may still see that they hold the lock of a transaction.
  const { rows } = await client.query<{ facts: string }>(`
    SELECT jsonb_build_object(
             'pid', a.pid, 'seconds', round(extract(epoch FROM clock_timestamp() - a.xact_start)::numeric, 1),
             'user', a.usename, 'application', nullif(a.application_name, ''), 'database', a.datname,
             'state', a.state)::text AS facts
      FROM pg_stat_activity a
     WHERE a.pid <> pg_backend_pid() AND EXISTS (
             SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted)
     ORDER BY a.xact_start NULLS LAST, a.pid`);
  return rows.map(({ facts }) => JSON.parse(facts));
}

/** The prepared transactions of the whole server, the oldest first. */
export async function readPreparedTransactions(client: Client): Promise<PreparedTransaction[]> {
  const { rows } = await client.query<{ facts: string }>(`
    SELECT jsonb_build_object('name', gid, 'seconds', round(extract(epoch FROM clock_timestamp() - prepared)::numeric, 1),
             'user', owner, 'database', database)::text AS facts
      FROM pg_prepared_xacts ORDER BY prepared`);
  return rows.map(({ facts }) => JSON.parse(facts));
}

/** "PID 4711, 312 s, app (billing) in shop, idle in transaction" */
export function describeTransaction({ pid, seconds, user, application, database, state }: OpenTransaction): string {
  const who = user === null ? undefined : `${user}${application === null ? '' : ` (${application})`} in ${database}`;
  return [`PID ${pid}`, seconds === null ? undefined : `${Math.round(seconds)} s`, who, state ?? undefined]
    .filter((part) => part !== undefined)
    .join(', ');
}
