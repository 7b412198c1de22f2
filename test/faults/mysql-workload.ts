import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import pg from 'pg';
import type { MysqlReplica } from '../harness/mysql-replica.ts';
import { connect } from '../harness/replica.ts';
import type { MysqlServer } from '../servers/mysql.ts';
import { randomNumbers } from './chaos.ts';
import { journal, LARGE_TRANSACTION, loggingSettings, MYSQL_STEPS, truncate } from './mysql-workload-steps.ts';
import { type Dice, diceOf } from './workload-steps.ts';
import type { Pace } from './workload.ts';

/** How hard a workload works, and at what. */
export interface MysqlPace extends Pace {
  /** Whether tables are written that know no transactions: a crash may leave a row in one that is not in the log. */
  readonly journals: boolean;
}

/** As fast as it goes. */
const FULL: MysqlPace = { sessions: 4, pause: 8, look: 20, schemaChanges: true, journals: true };

/** Errors that belong to a random workload: duplicate keys, foreign keys, deadlocks, lock timeouts, changed tables. */
const REFUSALS = new Set([1020, 1022, 1062, 1205, 1213, 1216, 1217, 1412, 1451, 1452, 1761, 1762, 4025]);

/** A new column, at the source and at the target. */
const COLUMNS = [
  ['VARCHAR(20)', 'text'],
  ['INT DEFAULT 7', 'int default 7'],
  [`VARCHAR(20) NOT NULL DEFAULT 'd'`, `text not null default 'd'`],
  ['DECIMAL(9, 2)', 'numeric(9, 2)'],
] as const;

/**
 * A random mixture of everything that a MySQL or MariaDB source can do: sessions whose transactions overlap, savepoints,
 * rollbacks, XA, tables without keys and without transactions, row images and compression that change, rotation of the
 * log, TRUNCATE, and a schema that grows. The seed fixes what each session tries; how they interleave is up to the server.
 */
export class MysqlWorkload {
  committed = 0;
  rolledBack = 0;
  schemaChanges = 0;
  /** States of the target that no prefix of the source's history has. */
  readonly violations: string[] = [];
  readonly #replica: MysqlReplica;
  readonly #server: MysqlServer;
  readonly #seed: number;
  readonly #pace: MysqlPace;
  readonly #stop = new AbortController();
  #running: Promise<unknown> | undefined;

  constructor(replica: MysqlReplica, server: MysqlServer, seed: number, pace: Partial<MysqlPace> = {}) {
    this.#pace = { ...FULL, ...pace };
    this.#replica = replica;
    this.#server = server;
    this.#seed = seed;
  }

  /** Begins in the background; failures of servers are waited out. */
  start(): void {
    const { sessions: count, schemaChanges, large } = this.#pace;
    const sessions = Array.from({ length: count }, (_, session) => this.#session(session));
    if (schemaChanges) sessions.push(this.#changeSchema());
    if (large !== undefined) sessions.push(this.#changeMuch(large));
    this.#running = Promise.all([...sessions, this.#distributed(), this.#watchTarget()]);
    // `stop` tells; until then nobody waits for it.
    this.#running.catch(() => {});
  }

  /** Ends all sessions; rejects when one of them met an error that no server failure explains. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#endPrepared();
  }

  get summary(): string {
    return `${this.committed} transactions, ${this.rolledBack} rolled back, ${this.schemaChanges} schema changes`;
  }

  async #withConnection(work: (connection: Connection) => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    let connection: Connection | undefined;
    while (!signal.aborted) {
      try {
        if (connection === undefined) {
          connection = await this.#server.connect(this.#replica.database);
          connection.on('error', () => {});
          await connection.query('SET SESSION innodb_lock_wait_timeout = 3');
        }
        await work(connection);
      } catch (error) {
        if (connection !== undefined && isRefusal(error)) {
          this.rolledBack++;
          await connection.query('ROLLBACK').catch(() => {});
          continue;
        }
        if (!isLoss(error)) throw error;
        connection?.destroy();
        connection = undefined;
        await sleep(50);
      }
    }
    connection?.destroy();
  }

  async #session(session: number): Promise<void> {
    const dice = diceOf(randomNumbers(this.#seed + session));
    const mariadb = this.#server.flavour !== 'mysql';
    let sequence = 0;
    await this.#withConnection(async (connection) => {
      if (dice.roll(6) === 0) for (const sql of loggingSettings(dice, mariadb)) await connection.query(sql);
      if (dice.roll(25) === 0) for (const sql of truncate(dice)) await connection.query(sql);
      if (dice.roll(80) === 0) await connection.query('FLUSH BINARY LOGS');
      if (this.#pace.journals && dice.roll(8) === 0) for (const sql of journal(dice)) await connection.query(sql);
      await connection.query('START TRANSACTION');
      await connection.query('INSERT INTO event VALUES (?, ?, ?)', [session, sequence++, `event ${dice.roll(1000)}`]);
      for (let steps = 1 + dice.roll(4); steps > 0; steps--) await this.#step(connection, dice);
      if (dice.roll(12) === 0) {
        await connection.query('ROLLBACK');
        this.rolledBack++;
      } else {
        await connection.query('COMMIT');
        this.committed++;
      }
      await sleep(dice.roll(this.#pace.pause));
    });
  }

  /** Transactions that do not fit into what the replicator keeps in memory of one. */
  async #changeMuch(pause: number): Promise<void> {
    const dice = diceOf(randomNumbers(this.#seed + 900));
    const { signal } = this.#stop;
    await this.#withConnection(async (connection) => {
      await sleep(dice.roll(pause), undefined, { signal }).catch(() => {});
      await connection.query(dice.pick(LARGE_TRANSACTION));
      this.committed++;
    });
  }

  /** One step, often in a savepoint that may be rolled back. */
  async #step(connection: Connection, dice: Dice): Promise<void> {
    // MariaDB lets them stand in a transaction, and then they stay also when that is rolled back.
    const mixed = this.#pace.journals && this.#server.flavour !== 'mysql' && dice.roll(30) === 0;
    const statements = (mixed ? journal : dice.pick(MYSQL_STEPS))(dice);
    const guarded = dice.roll(3) === 0;
    if (guarded) await connection.query('SAVEPOINT step');
    for (const sql of statements) await connection.query(sql);
    if (!guarded) return;
    await connection.query(dice.roll(3) === 0 ? 'ROLLBACK TO step' : 'RELEASE SAVEPOINT step');
  }

  /** Transactions in two phases, some of which are left prepared for a while. */
  async #distributed(): Promise<void> {
    const dice = diceOf(randomNumbers(this.#seed + 500));
    for (let number = 1; !this.#stop.signal.aborted; number++) {
      await this.#endPrepared();
      const xid = `'${this.#replica.database}','b${number}'`;
      await this.#once(async (connection) => {
        await connection.query(`XA START ${xid}`);
        const id = 10_000 + dice.roll(20);
        await connection.query(`REPLACE INTO scratch VALUES (${id}, 'xa ${number}')`);
        await connection.query(`DELETE FROM scratch WHERE id = ${10_000 + dice.roll(20)}`);
        await connection.query(`XA END ${xid}`);
        if (dice.roll(3) === 0) return void (await connection.query(`XA COMMIT ${xid} ONE PHASE`));
        await connection.query(`XA PREPARE ${xid}`);
        await sleep(dice.roll(150));
        await connection.query(`XA ${dice.pick(['COMMIT', 'COMMIT', 'ROLLBACK'])} ${xid}`);
      });
      await sleep(dice.roll(15 * this.#pace.pause));
    }
  }

  /** What a crash has left prepared holds locks until somebody decides. */
  async #endPrepared(): Promise<void> {
    await this.#once(async (connection) => {
      const [rows] = await connection.query('XA RECOVER');
      for (const { gtrid_length: length, data } of rows as { gtrid_length: number; data: string }[]) {
        const [global, branch] = [data.slice(0, Number(length)), data.slice(Number(length))];
        if (global === this.#replica.database) await connection.query(`XA COMMIT '${global}','${branch}'`);
      }
    });
  }

  async #once(work: (connection: Connection) => Promise<void>): Promise<void> {
    let connection: Connection | undefined;
    try {
      connection = await this.#server.connect(this.#replica.database);
      connection.on('error', () => {});
      await connection.query('SET SESSION innodb_lock_wait_timeout = 3');
      await work(connection);
    } catch (error) {
      if (!isRefusal(error) && !isLoss(error)) throw error;
    } finally {
      connection?.destroy();
    }
  }

  /** Adds columns, at the target first. */
  async #changeSchema(): Promise<void> {
    const dice = diceOf(randomNumbers(this.#seed + 1000));
    const { signal } = this.#stop;
    for (let next = 1; !signal.aborted && next <= 5; ) {
      await sleep(400 + dice.roll(1500), undefined, { signal }).catch(() => {});
      // The same at a second attempt, after a crash between the two sides.
      const [source, target] = COLUMNS[next % COLUMNS.length];
      let client: pg.Client | undefined;
      try {
        client = await connect(this.#replica.targetConn);
        await client.query(`alter table drifting add column if not exists c${next} ${target}`);
        await this.#once(async (connection) => {
          await connection.query('SET SESSION lock_wait_timeout = 3');
          await connection.query(`ALTER TABLE drifting ADD COLUMN c${next} ${source}`);
          next++;
          this.schemaChanges++;
        });
      } catch (error) {
        // A crash may have come between the change and the answer to it.
        if (isDuplicateColumn(error)) next++;
        else if (!isLoss(error) && !(error instanceof pg.DatabaseError)) throw error;
      } finally {
        await client?.end().catch(() => {});
      }
    }
  }

  /** The target must show prefixes of the history only. */
  async #watchTarget(): Promise<void> {
    const { signal } = this.#stop;
    let client: pg.Client | undefined;
    while (!signal.aborted) {
      try {
        client ??= await connect(this.#replica.targetConn);
        const { rows } = await client.query<{ n: string; sum: string }>(
          'select count(*) as n, sum(balance) as sum from account',
        );
        if (rows[0].sum !== '0') this.violations.push(`the balances of ${rows[0].n} accounts add up to ${rows[0].sum}`);
        await sleep(this.#pace.look);
      } catch {
        await client?.end().catch(() => {});
        client = undefined;
        await sleep(50);
      }
    }
    await client?.end().catch(() => {});
  }
}

function numberOf(error: unknown): number | undefined {
  return (error as { errno?: number }).errno;
}

function isRefusal(error: unknown): boolean {
  return REFUSALS.has(numberOf(error) ?? 0);
}

function isDuplicateColumn(error: unknown): boolean {
  return numberOf(error) === 1060;
}

/** The connection or the server is gone for a while. */
function isLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const text = `${error.message} ${(error as NodeJS.ErrnoException).code ?? ''}`;
  return /ECONN|EPIPE|PROTOCOL_CONNECTION_LOST|Connection lost|closed state|shutdown|ER_SERVER_SHUTDOWN|ETIMEDOUT|Connection terminated|timeout/i.test(
    text,
  );
}
