import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import pg from 'pg';
import type { MysqlServer } from '../servers/mysql.ts';
import type { PostgresServer } from '../servers/postgres.ts';
import { type Cleanup, Engine, type EngineOptions } from './engine.ts';
import { assertEqualToMysql } from './mysql-compare.ts';
import { connect } from './replica.ts';

/** The table whose rows tell that everything before them has arrived. */
const MARKER_TABLE = 'harness_marker';

export interface MysqlReplicaOptions {
  /** DDL and rows, separated by semicolons, for one side each. */
  readonly sourceSchema?: string;
  readonly targetSchema?: string;
  /** Rows that both sides get. */
  readonly rows?: string;
  /** By which the replicator is known to the source; replicas of one server must differ. */
  readonly serverId?: number;
}

/**
 * A fresh database at a MySQL or MariaDB server, a fresh PostgreSQL database as its target, and the replicator between them.
 * Both are dropped after the test.
 */
export class MysqlReplica {
  readonly sourceConn: string;
  readonly targetConn: string;
  readonly database: string;
  readonly targetSchema: string;
  readonly serverId: number;
  /** The GTID set that was executed when both sides were made. */
  begin!: string;
  /** Connections for the test's own statements. They do not survive a restart of a server: see `reconnect`. */
  source!: Connection;
  target!: pg.Client;
  /** The engine started last. */
  engine: Engine | undefined;
  readonly #cleanup: Cleanup;
  readonly #server: MysqlServer;
  readonly #engines: Engine[] = [];
  #markers = 0;

  private constructor(
    cleanup: Cleanup,
    source: MysqlServer,
    target: PostgresServer,
    name: string,
    options: MysqlReplicaOptions,
  ) {
    this.#cleanup = cleanup;
    this.#server = source;
    this.database = name;
    this.sourceConn = source.uri(name);
    this.targetConn = target.url(name);
    this.targetSchema = `${name}.public`;
    this.serverId = options.serverId ?? 1000 + randomBytes(2).readUInt16BE();
  }

  static async create(
    cleanup: Cleanup,
    source: MysqlServer,
    target: PostgresServer,
    options: MysqlReplicaOptions = {},
  ): Promise<MysqlReplica> {
    const name = `t_${randomBytes(5).toString('hex')}`;
    const replica = new MysqlReplica(cleanup, source, target, name, options);
    await Promise.all([source.createDatabase(name), target.createDatabase(name)]);
    cleanup.after(() => replica.#drop(source, target));
    await replica.reconnect();
    const marker = `CREATE TABLE ${MARKER_TABLE} (id BIGINT PRIMARY KEY)`;
    const rows = options.rows ?? '';
    const script = (schema = '') => [marker, schema, rows].filter((sql) => sql.trim() !== '').join(';\n');
    await replica.source.query(script(options.sourceSchema));
    await replica.target.query(script(options.targetSchema));
    replica.begin = await replica.executed();
    return replica;
  }

  /** What the source has executed so far. */
  async executed(): Promise<string> {
    const variable = this.#server.flavour === 'mysql' ? 'gtid_executed' : 'gtid_binlog_pos';
    const [rows] = await this.source.query(`SELECT @@GLOBAL.${variable} AS executed`);
    return (rows as { executed: string }[])[0].executed.replaceAll('\n', '');
  }

  /** Opens the test's own connections anew, as is needed after a server was restarted. */
  async reconnect(): Promise<void> {
    this.source?.destroy();
    await this.target?.end().catch(() => {});
    this.source = await this.#server.connect(this.database);
    this.source.on('error', () => {});
    this.target = await connect(this.targetConn);
  }

  /** Flags of a first run. */
  get firstRunFlags(): string[] {
    return [
      ...['--targetSchema', this.targetSchema, '--stagingCreateSchema', '--defaultGTIDSet', this.begin],
      ...this.resumeFlags,
    ];
  }

  /** Flags of every later run. */
  get resumeFlags(): string[] {
    return ['--stagingSchema', '_replicator', '--replicationProcessID', String(this.serverId)];
  }

  /** Starts the replicator with the flags of a first run and `flags`. `over` replaces connection strings and more. */
  async start(flags: readonly string[] = [], over: Partial<EngineOptions> = {}): Promise<Engine> {
    this.engine = await Engine.start(this.#cleanup, {
      command: 'mylogical',
      sourceConn: this.sourceConn,
      targetConn: this.targetConn,
      flags: [...this.firstRunFlags, ...flags],
      ...over,
    });
    this.#engines.push(this.engine);
    return this.engine;
  }

  /** The checkpoint, or undefined when there is none yet. */
  async checkpoint(): Promise<string | undefined> {
    try {
      const { rows } = await this.target.query<{ value: string }>(
        `select convert_from(value, 'UTF8') as value from _replicator.memo where key = $1`,
        [`mysql-wal-offset-${this.targetSchema}`],
      );
      return rows[0]?.value || undefined;
    } catch (error) {
      if (error instanceof pg.DatabaseError && (error.code === '42P01' || error.code === '3F000')) return undefined;
      throw error;
    }
  }

  /** Waits until everything that is committed at the source now is on the target. */
  async settle(timeout = 30_000): Promise<void> {
    const marker = Date.now() * 1000 + this.#markers++;
    await this.source.query(`INSERT INTO ${MARKER_TABLE} VALUES (?)`, [String(marker)]);
    const deadline = Date.now() + timeout;
    for (;;) {
      const { rowCount } = await this.target.query(`select from ${MARKER_TABLE} where id = $1`, [marker]);
      if (rowCount === 1) return;
      if (this.engine?.failed) throw new Error(`the engine has ended\n${this.engine.logTail()}`);
      if (Date.now() >= deadline) {
        const checkpoint = await this.checkpoint();
        throw new Error(
          `after ${timeout} ms the marker has not arrived, the checkpoint is ${checkpoint}, the source has executed ${await this.executed()}\n${this.engine?.logTail()}`,
        );
      }
      await sleep(5);
    }
  }

  /** Waits until the target has everything and compares all rows of all tables. */
  async assertSettledEqual(timeout?: number): Promise<void> {
    await this.settle(timeout);
    try {
      await assertEqualToMysql(this.source, this.target);
    } catch (error) {
      if (error instanceof Error) error.message += `\n${this.engine?.logTail(25) ?? ''}`;
      throw error;
    }
  }

  async #drop(source: MysqlServer, target: PostgresServer): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.kill()));
    this.source.destroy();
    await this.target.end().catch(() => {});
    await source.query(`DROP DATABASE IF EXISTS ${this.database}`).catch(() => {});
    if (target.pids.length > 0) await target.query(`drop database ${this.database} with (force)`);
  }
}
