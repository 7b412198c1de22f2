import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { PostgresServer } from '../servers/postgres.ts';
import { type CompareOptions, assertEqualDatabases } from './compare.ts';
import { type Cleanup, Engine, type EngineOptions } from './engine.ts';

/** The table whose rows tell that everything before them has arrived; it is published and compared like any other. */
const MARKER_TABLE = 'harness_marker';

export interface ReplicaOptions {
  /** DDL and rows for both sides. */
  schema?: string;
  /** DDL for one side alone, after `schema`. */
  sourceSchema?: string;
  targetSchema?: string;
  /** What is published: `for all tables` unless given. */
  publication?: string;
  /** Schema of the target that rows go to. */
  targetSchemaName?: string;
  stagingSchema?: string;
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A connection whose loss is an error of the next query, not of the process. */
export async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** 64-bit number of an LSN printed as `16/B374D848`. */
export function lsnNumber(text: string): bigint {
  const [high, low] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/**
 * A fresh source database with publication and slot, a fresh target database, and the replicator between them.
 * Everything is dropped after the test.
 */
export class Replica {
  readonly sourceConn: string;
  readonly targetConn: string;
  readonly slot: string;
  readonly targetSchema: string;
  readonly stagingSchema: string;
  /** Connections for the test's own statements. They do not survive a restart of a server: see `reconnect`. */
  source!: pg.Client;
  target!: pg.Client;
  /** The engine started last. */
  engine: Engine | undefined;
  readonly #engines: Engine[] = [];
  readonly #cleanup: Cleanup;
  readonly #markerTable: string;
  #markers = 0;

  private constructor(
    cleanup: Cleanup,
    source: PostgresServer,
    target: PostgresServer,
    name: string,
    options: ReplicaOptions,
  ) {
    this.#cleanup = cleanup;
    this.sourceConn = source.url(name);
    this.targetConn = target.url(name);
    this.slot = `${name}_slot`;
    this.targetSchema = `${name}.${options.targetSchemaName ?? 'public'}`;
    this.stagingSchema = options.stagingSchema ?? '_replicator';
    this.#markerTable = `${options.targetSchemaName ?? 'public'}.${MARKER_TABLE}`;
  }

  static async create(
    cleanup: Cleanup,
    source: PostgresServer,
    target: PostgresServer,
    options: ReplicaOptions = {},
  ): Promise<Replica> {
    const name = `t_${randomBytes(5).toString('hex')}`;
    const replica = new Replica(cleanup, source, target, name, options);
    await Promise.all([source.createDatabase(name), target.createDatabase(name)]);
    cleanup.after(() => replica.#drop(source, target, name));
    await replica.reconnect();
    const marker = `create table public.${MARKER_TABLE} (id bigint primary key);`;
    await replica.source.query(`${options.schema ?? ''};${options.sourceSchema ?? ''};${marker}`);
    await replica.target.query(`${options.schema ?? ''};${options.targetSchema ?? ''};`);
    await replica.target.query(`create table ${replica.#markerTable} (id bigint primary key)`);
    await replica.source.query(`create publication ${name}_publication ${options.publication ?? 'for all tables'}`);
    await replica.source.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [replica.slot]);
    return replica;
  }

  /** Opens the test's own connections anew, as is needed after a server was restarted. */
  async reconnect(): Promise<void> {
    await Promise.allSettled([this.source?.end(), this.target?.end()]);
    [this.source, this.target] = await Promise.all([connect(this.sourceConn), connect(this.targetConn)]);
  }

  /** Flags of a first run. */
  get firstRunFlags(): string[] {
    return ['--targetSchema', this.targetSchema, '--stagingCreateSchema', ...this.resumeFlags];
  }

  /** Flags of every later run. */
  get resumeFlags(): string[] {
    return ['--slotName', this.slot, '--stagingSchema', this.stagingSchema];
  }

  /** Starts the replicator with the flags of a first run and `flags`. `over` replaces connection strings and more. */
  async start(flags: readonly string[] = [], over: Partial<EngineOptions> = {}): Promise<Engine> {
    this.engine = await Engine.start(this.#cleanup, {
      sourceConn: this.sourceConn,
      targetConn: this.targetConn,
      flags: [...this.firstRunFlags, ...flags],
      ...over,
    });
    this.#engines.push(this.engine);
    return this.engine;
  }

  /** The checkpoint, or undefined when there is none yet. */
  async checkpoint(target = this.target): Promise<string | undefined> {
    try {
      const { rows } = await target.query<{ value: string }>(
        `select convert_from(value, 'UTF8') as value from ${quote(this.stagingSchema)}.memo where key = $1`,
        [`pglogical-wal-offset-${this.targetSchema.replaceAll('"', '')}`],
      );
      // The row is there before the first position, so that each transaction can lock it.
      return rows[0]?.value || undefined;
    } catch (error) {
      if (error instanceof pg.DatabaseError && (error.code === '42P01' || error.code === '3F000')) return undefined;
      throw error;
    }
  }

  /**
   * Waits until everything that is committed at the source now is on the target: a marker row has arrived, and the
   * checkpoint is past the end of the log as it was before the marker. With parallel applies neither alone would do.
   * `source` and `target` stand in for the test's own connections where those may be lost.
   */
  async settle(timeout = 30_000, source = this.source, target = this.target): Promise<void> {
    const { rows } = await source.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn');
    const marker = Date.now() * 1000 + this.#markers++;
    await source.query(`insert into public.${MARKER_TABLE} values ($1)`, [marker]);
    const goal = lsnNumber(rows[0].lsn);
    const deadline = Date.now() + timeout;
    for (;;) {
      const arrived = await target.query(`select from ${this.#markerTable} where id = $1`, [marker]);
      const reached = await this.checkpoint(target);
      if (arrived.rowCount === 1 && reached !== undefined && lsnNumber(reached) >= goal) return;
      if (this.engine?.failed) throw new Error(`the engine has ended\n${this.engine.logTail()}`);
      if (Date.now() >= deadline) {
        throw new Error(
          `after ${timeout} ms the marker has ${arrived.rowCount === 1 ? '' : 'not '}arrived, the checkpoint is ${reached}, ` +
            `the source's end of log was ${rows[0].lsn}\n${this.engine?.logTail()}`,
        );
      }
      await sleep(5);
    }
  }

  /** Waits until the target has everything and compares all rows of all tables. */
  async assertSettledEqual(options: CompareOptions = {}): Promise<void> {
    await this.settle();
    await this.assertEqual(options);
  }

  /** Compares all rows of all tables as they are now. */
  async assertEqual(options: CompareOptions = {}): Promise<void> {
    try {
      await assertEqualDatabases(this.source, this.target, options);
    } catch (error) {
      if (error instanceof Error) error.message += `\n${this.engine?.logTail(25) ?? ''}`;
      throw error;
    }
  }

  async #drop(source: PostgresServer, target: PostgresServer, name: string): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.kill()));
    await Promise.allSettled([this.source.end(), this.target.end()]);
    if (source.pids.length > 0) {
      await source.query(
        `select pg_terminate_backend(active_pid, 10000) from pg_replication_slots where database = $1 and active`,
        [name],
      );
      await source.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = $1', [
        name,
      ]);
    }
    for (const server of [source, target]) {
      if (server.pids.length > 0) await server.query(`drop database ${name} with (force)`);
    }
  }
}
