import { after, before } from 'node:test';
import { escapeIdentifier } from 'pg';
import { type PostgresOptions, type PostgresServer, startPostgres } from '../../src/demo/embedded-postgres.ts';

export { type PostgresOptions, type PostgresServer, startPostgres };

/** An empty database of one test, on a server that its whole file shares. */
export interface TestDatabase {
  readonly server: PostgresServer;
  readonly name: string;
  readonly url: string;
  query<Row extends object = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
}

/** The part of a test's context that fresh databases need. */
interface TestScope {
  after(done: () => Promise<void>): void;
}

/** A server shared by the tests of one file: started before the first, removed after the last. */
export interface SharedServer {
  readonly server: PostgresServer;
  /** Makes a database that is dropped, with its replication slots, when the test ends. */
  freshDatabase(test: TestScope): Promise<TestDatabase>;
}

let databases = 0;

/** Registers a server for all tests of the calling file; PostgreSQL 18 unless told otherwise. */
export function sharedServer(options: Partial<PostgresOptions> = {}): SharedServer {
  let server: PostgresServer | undefined;
  before(async () => {
    server = await startPostgres({ version: 18, ...options });
  });
  after(async () => {
    await server?.stop();
  });
  const running = (): PostgresServer => {
    if (server === undefined) throw new Error('the shared server is there only while tests run');
    return server;
  };
  return {
    get server() {
      return running();
    },
    freshDatabase: (test) => freshDatabase(running(), test),
  };
}

/** Makes a database on `server` that is dropped, with its replication slots, when the test ends. */
export async function freshDatabase(server: PostgresServer, test: TestScope): Promise<TestDatabase> {
  databases += 1;
  const name = `test_${databases}`;
  const url = await server.createDatabase(name);
  test.after(async () => {
    if (server.pids.length > 0) await dropDatabase(server, name);
  });
  return { server, name, url, query: (sql, params) => server.query(sql, params, name) };
}

async function dropDatabase(server: PostgresServer, name: string): Promise<void> {
  await server.query(
    `SELECT pg_terminate_backend(active_pid, 10000) FROM pg_replication_slots WHERE database = $1 AND active`,
    [name],
  );
  await server.query(`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1`, [
    name,
  ]);
  await server.query(`DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
}
