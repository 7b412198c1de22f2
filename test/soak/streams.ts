import { MysqlWorkload } from '../faults/mysql-workload.ts';
import { FIRST_ROWS, MYSQL_TABLES, TARGET_TABLES } from '../faults/mysql-workload-tables.ts';
import type { Pace } from '../faults/workload.ts';
import { Workload } from '../faults/workload.ts';
import { WORKLOAD_TABLES } from '../faults/workload-tables.ts';
import type { Cleanup, Engine, EngineOptions } from '../harness/engine.ts';
import { MysqlReplica } from '../harness/mysql-replica.ts';
import { Replica } from '../harness/replica.ts';
import { startMysql } from '../servers/mysql.ts';
import { type PostgresServer, startPostgres } from '../servers/postgres.ts';

export const SOURCES = ['postgres', 'mysql'] as const;
export type SourceName = (typeof SOURCES)[number];

/** A server that can be brought down and up again. */
export interface Restartable {
  /** Ends it as its operator would, and starts it. */
  restart(): Promise<unknown>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

/** One replication under load: its source, its workload, and what a judge of it needs. */
export interface Stream {
  readonly name: SourceName;
  readonly server: Restartable;
  readonly workload: {
    start(): void;
    stop(): Promise<void>;
    readonly committed: number;
    readonly summary: string;
    readonly violations: readonly string[];
  };
  startEngine(flags: readonly string[], over: Partial<EngineOptions>): Promise<Engine>;
  /** Waits until what is committed now is on the target; opens its own connections for that, which restarts have cut. */
  arrived(milliseconds: number): Promise<void>;
  /** Waits likewise and compares every row. */
  assertEqual(milliseconds: number): Promise<void>;
}

type Opening = (cleanup: Cleanup, target: PostgresServer, seed: number, pace: Pace) => Promise<Stream>;

/** How a stream from each kind of source is made. */
export const OPENINGS: Readonly<Record<SourceName, Opening>> = {
  async postgres(cleanup, target, seed, pace) {
    const server = await startPostgres({ version: 18, settings: { logical_decoding_work_mem: '64kB' } });
    cleanup.after(() => server.stop());
    const replica = await Replica.create(cleanup, server, target, { schema: WORKLOAD_TABLES });
    const arrived = async (milliseconds: number) => {
      await replica.reconnect();
      await replica.settle(milliseconds);
    };
    return {
      name: 'postgres',
      server,
      workload: new Workload(replica, seed, pace),
      startEngine: (flags, over) => replica.start(flags, over),
      arrived,
      async assertEqual(milliseconds) {
        await arrived(milliseconds);
        await replica.assertEqual();
      },
    };
  },
  async mysql(cleanup, target, seed, pace) {
    const server = await startMysql();
    cleanup.after(() => server.stop());
    const replica = await MysqlReplica.create(cleanup, server, target, {
      sourceSchema: MYSQL_TABLES,
      targetSchema: TARGET_TABLES,
      rows: FIRST_ROWS,
    });
    return {
      name: 'mysql',
      server,
      workload: new MysqlWorkload(replica, server, seed, { ...pace, journals: false }),
      startEngine: (flags, over) => replica.start(flags, over),
      async arrived(milliseconds) {
        await replica.reconnect();
        await replica.settle(milliseconds);
      },
      async assertEqual(milliseconds) {
        await replica.reconnect();
        await replica.assertSettledEqual(milliseconds);
      },
    };
  },
};
