import pg from 'pg';
import { type PostgresServer, startPostgres } from '../../src/demo/embedded-postgres.ts';

/** What both servers run with beyond PostgreSQL's defaults; everything here is printed with the results. */
export const SETTINGS = {
  wal_level: 'logical',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '256MB',
  // A checkpoint in the middle of one contender's run and not of another's would be noise.
  max_wal_size: '16GB',
  checkpoint_timeout: '1h',
  max_replication_slots: '40',
} as const;

export interface Servers {
  readonly source: PostgresServer;
  readonly target: PostgresServer;
  stop(): Promise<void>;
}

/** Starts a source and a target of PostgreSQL 18 that flush to disk as in production. */
export async function startServers(): Promise<Servers> {
  const options = { version: 18, fsync: true, settings: SETTINGS } as const;
  const source = await startPostgres(options);
  try {
    const target = await startPostgres(options);
    const stop = async () => {
      await Promise.all([source.stop(), target.stop()]);
    };
    return { source, target, stop };
  } catch (error) {
    await source.stop();
    throw error;
  }
}

/** Opens a connection, gives it to `work` and closes it, whatever happens. */
export async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
