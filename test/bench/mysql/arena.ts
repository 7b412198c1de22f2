import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import type pg from 'pg';
import { type MysqlServer, startMysql } from '../../servers/mysql.ts';
import { startPostgres } from '../../../src/demo/embedded-postgres.ts';
import type { PostgresServer } from '../../servers/postgres.ts';
import type { ContenderName } from '../contenders.ts';
import { itemsSeen } from '../huge.ts';
import { newestItem } from '../latency.ts';
import { SETTINGS, withClient } from '../servers.ts';
import { type MysqlRun, startMysqlContender } from './contenders.ts';
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
  /** How many of these rows of `item` are visible. */
  itemsSeen(ids: readonly number[]): Promise<number>;
  fingerprint(): Promise<string>;
  /** A PostgreSQL connection string, of Instar's. */
  readonly url: string | undefined;
}

export interface MysqlMatch {
  readonly run: MysqlRun;
  /** Milliseconds, by `performance.now`, when the contender was started. */
  readonly started: number;
  /** The same, when it had begun to read the log; known soon after. */
  readonly streaming: Promise<number>;
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
  async match<Result>(contender: ContenderName, measure: (match: MysqlMatch) => Promise<Result>): Promise<Result> {
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
              itemsSeen: async (ids: readonly number[]) => {
                const [rows] = await connection.query('SELECT COUNT(*) AS seen FROM item WHERE id IN (?)', [ids]);
                return Number((rows as { seen: number }[])[0].seen);
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
              newestItem: () => newestItem(client),
              itemsSeen: itemsSeen(client),
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
    contender: ContenderName,
    destination: Destination | undefined,
    { measure, replica }: { measure(match: MysqlMatch): Promise<Result>; replica?: MysqlServer },
  ): Promise<Result> {
    const link = { source: this.source, database: this.database, executed: this.executed };
    const earlier = new Set(await withMysql(this.source, this.database, dumpThreads));
    const ended = new AbortController();
    const started = performance.now();
    const streaming = this.#newDump(earlier, ended.signal);
    try {
      const run = await startMysqlContender(contender, { ...link, replica, targetUrl: destination?.url });
      try {
        return await measure({ run, started, streaming, destination });
      } finally {
        await run.stop();
      }
    } finally {
      ended.abort();
      await streaming;
    }
  }

  /** Milliseconds, by `performance.now`, when somebody else than the `earlier` ones reads the log; when `signal` aborts at the latest. */
  #newDump(earlier: ReadonlySet<number>, signal: AbortSignal): Promise<number> {
    return withMysql(this.source, this.database, async (connection) => {
      while (!signal.aborted && (await dumpThreads(connection)).every((id) => earlier.has(id))) await sleep(5);
      return performance.now();
    });
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

/** The connections of the source that somebody reads its log by; one that has gone away may still be among them. */
async function dumpThreads(source: Connection): Promise<number[]> {
  const [rows] = await source.query('SHOW PROCESSLIST');
  const threads = rows as { Id: number; Command: string }[];
  return threads.filter(({ Command }) => Command.startsWith('Binlog Dump')).map(({ Id }) => Number(Id));
}
