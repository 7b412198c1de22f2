import type { Connection } from 'mysql2/promise';
import type pg from 'pg';
import { type MysqlServer, startMysql } from '../../servers/mysql.ts';
import { startPostgres } from '../../../src/demo/embedded-postgres.ts';
import type { PostgresServer } from '../../servers/postgres.ts';
import { SETTINGS, withClient } from '../servers.ts';
import { type MysqlContenderName, type MysqlRun, startMysqlContender } from './contenders.ts';
import { SMALL_TRANSACTIONS, SOURCE_TABLES, sourceFingerprint, TARGET_TABLES, targetFingerprint } from './workload.ts';

/** What the source and its replica run with beyond MySQL's defaults and what replication needs; printed with the results. */
export const MYSQL_SETTINGS = {
  innodb_buffer_pool_size: '256M',
  // A checkpoint in the middle of one contender's run and not of another's would be noise.
  innodb_redo_log_capacity: '1G',
} as const;

/** A MySQL source, and the PostgreSQL target that Instar writes to. */
export interface MysqlServers {
  readonly source: MysqlServer;
  readonly target: PostgresServer;
  stop(): Promise<void>;
}

/** Starts servers that flush to disk as in production. */
export async function startMysqlServers(): Promise<MysqlServers> {
  const source = await startMysql({ fsync: true, settings: MYSQL_SETTINGS });
  try {
    const target = await startPostgres({ version: 18, fsync: true, settings: SETTINGS });
    const stop = async () => {
      await Promise.all([source.stop(), target.stop()]);
    };
    return { source, target, stop };
  } catch (error) {
    await source.stop();
    throw error;
  }
}

/** Gives a connection to `work` and closes it, whatever happens. */
export async function withMysql<Result>(
  server: MysqlServer,
  database: string,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await server.connect(database);
  try {
    return await work(connection);
  } finally {
    await connection.end();
  }
}

/** Where a contender's rows are to be seen; the reader has none. */
export interface Destination {
  newestItem(): Promise<number>;
  fingerprint(): Promise<string>;
  /** A PostgreSQL connection string, of Instar's. */
  readonly url: string | undefined;
}

export interface MysqlMatch {
  readonly run: MysqlRun;
  /** Milliseconds, by `performance.now`, when the contender was started. */
  readonly started: number;
  readonly destination: Destination | undefined;
}

/**
 * A source database whose log has what comes after `executed`, and for each contender an empty target. The contenders run
 * one after the other, each alone on the machine.
 */
export class MysqlArena {
  readonly database: string;
  /** The GTID set behind which every contender begins. */
  readonly executed: string;
  readonly source: MysqlServer;
  readonly #target: PostgresServer;

  private constructor({ source, target }: MysqlServers, database: string, executed: string) {
    this.source = source;
    this.#target = target;
    this.database = database;
    this.executed = executed;
  }

  static async create(servers: MysqlServers, scenario: string): Promise<MysqlArena> {
    const database = `bench_${scenario}`;
    await servers.source.createDatabase(database);
    const executed = await withMysql(servers.source, database, async (source) => {
      await source.query(SOURCE_TABLES);
      await source.query(SMALL_TRANSACTIONS);
      const [rows] = await source.query('SELECT @@gtid_executed AS executed');
      return (rows as { executed: string }[])[0].executed;
    });
    return new MysqlArena(servers, database, executed);
  }

  /** Starts a contender against an empty target, measures, stops it and removes its target. */
  async match<Result>(contender: MysqlContenderName, measure: (match: MysqlMatch) => Promise<Result>): Promise<Result> {
    switch (contender) {
      case 'reader':
        return await this.#compete(contender, undefined, { measure });
      case 'native':
        return await this.#withReplica((replica) =>
          withMysql(replica, this.database, (connection) => {
            const destination = {
              url: undefined,
              newestItem: async () => {
                const [rows] = await connection.query('SELECT MAX(id) AS id FROM item');
                return Number((rows as { id: string | null }[])[0].id ?? 0);
              },
              fingerprint: () => sourceFingerprint(connection),
            };
            return this.#compete(contender, destination, { measure, replica });
          }),
        );
      case 'instar':
        return await this.#withTarget((url) =>
          withClient(url, (client: pg.Client) => {
            const destination = {
              url,
              newestItem: async () => {
                const query = { name: 'newest', text: 'select max(id) as id from item' };
                return Number((await client.query<{ id: string | null }>(query)).rows[0].id ?? 0);
              },
              fingerprint: () => targetFingerprint(client),
            };
            return this.#compete(contender, destination, { measure });
          }),
        );
    }
  }

  async dispose(): Promise<void> {
    await this.source.query(`DROP DATABASE ${this.database}`);
  }

  async #compete<Result>(
    contender: MysqlContenderName,
    destination: Destination | undefined,
    { measure, replica }: { measure(match: MysqlMatch): Promise<Result>; replica?: MysqlServer },
  ): Promise<Result> {
    const started = performance.now();
    const link = { source: this.source, database: this.database, executed: this.executed };
    const run = await startMysqlContender(contender, { ...link, replica, targetUrl: destination?.url });
    try {
      return await measure({ run, started, destination });
    } finally {
      await run.stop();
    }
  }

  /** A second server that has the tables and counts everything up to `executed` as done. */
  async #withReplica<Result>(work: (replica: MysqlServer) => Promise<Result>): Promise<Result> {
    // Not waiting for the disk makes it more than twice as fast: Instar, whose target does wait, is held to that.
    const replica = await startMysql({ settings: { ...MYSQL_SETTINGS, server_id: '2' } });
    try {
      await replica.query(
        `SET SESSION sql_log_bin = 0; CREATE DATABASE ${this.database} CHARACTER SET utf8mb4; USE ${this.database}; ${SOURCE_TABLES}`,
      );
      await replica.query('RESET BINARY LOGS AND GTIDS');
      await replica.query('SET GLOBAL gtid_purged = ?', [this.executed]);
      return await work(replica);
    } finally {
      await replica.stop();
    }
  }

  async #withTarget<Result>(work: (url: string) => Promise<Result>): Promise<Result> {
    const url = await this.#target.createDatabase(this.database);
    await this.#target.query(TARGET_TABLES, [], this.database);
    await this.#target.query('checkpoint');
    const result = await work(url);
    await this.#target.query(`drop database "${this.database}" with (force)`);
    return result;
  }
}
