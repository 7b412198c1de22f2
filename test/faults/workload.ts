import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { connect, type Replica } from '../harness/replica.ts';
import { randomNumbers } from './chaos.ts';
import { type Dice, diceOf, LARGE_TRANSACTION, STEPS } from './workload-steps.ts';

/** How hard a workload works, and at what. */
export interface Pace {
  /** Sessions that change the source at the same time. */
  readonly sessions: number;
  /** Longest pause between two transactions of a session, in milliseconds. */
  readonly pause: number;
  /** Pause between two looks at the target, in milliseconds. */
  readonly look: number;
  /** Whether columns come and go. */
  readonly schemaChanges: boolean;
  /** Longest pause between transactions of many thousand rows, in milliseconds; none of these when not given. */
  readonly large?: number;
}

/** As fast as it goes. */
const FULL: Pace = { sessions: 4, pause: 8, look: 20, schemaChanges: true };

/** The seed of this run: from INSTAR_SEED when a failure is to be repeated. */
export function chooseSeed(): number {
  const given = process.env.INSTAR_SEED;
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

/**
 * A random mixture of everything that a source can do: several sessions whose transactions overlap, savepoints, rollbacks,
 * errors, cascades, moved keys, TOAST, bulk, TRUNCATE, and a schema that changes. The seed fixes what each session
 * tries; how the sessions interleave is up to the servers.
 */
export class Workload {
  committed = 0;
  rolledBack = 0;
  schemaChanges = 0;
  /** States of the target that no prefix of the source's history has. */
  readonly violations: string[] = [];
  readonly #replica: Replica;
  readonly #seed: number;
  readonly #pace: Pace;
  readonly #stop = new AbortController();
  #running: Promise<unknown> | undefined;

  constructor(replica: Replica, seed: number, pace: Partial<Pace> = {}) {
    this.#replica = replica;
    this.#seed = seed;
    this.#pace = { ...FULL, ...pace };
  }

  /** Begins in the background; failures of servers are waited out. */
  start(): void {
    const { sessions: count, schemaChanges, large } = this.#pace;
    const sessions = Array.from({ length: count }, (_, session) => this.#session(session));
    if (schemaChanges) sessions.push(this.#changeSchema());
    if (large !== undefined) sessions.push(this.#changeMuch(large));
    this.#running = Promise.all([...sessions, this.#watchTarget()]);
    // `stop` tells; until then nobody waits for it.
    this.#running.catch(() => {});
  }

  /** Ends all sessions; rejects when one of them met an error that no server failure explains. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Drops columns at the target that the source has lost: to be called when both have settled. */
  async alignSchema(): Promise<void> {
    const [kept, had] = await Promise.all([columns(this.#replica.source), columns(this.#replica.target)]);
    for (const column of had.filter((name) => !kept.includes(name))) {
      await this.#replica.target.query(`alter table drifting drop column ${column}`);
    }
  }

  get summary(): string {
    return `${this.committed} transactions, ${this.rolledBack} rolled back, ${this.schemaChanges} schema changes`;
  }

  /** Runs `work` with a connection again and again until the workload stops; lost connections are replaced. */
  async #withConnection(connectionString: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    let client: pg.Client | undefined;
    while (!signal.aborted) {
      try {
        client ??= await connect(connectionString);
        await work(client);
      } catch (error) {
        if (client !== undefined && isRefusal(error)) {
          this.rolledBack++;
          await client.query('rollback').catch(() => {});
          continue;
        }
        if (!isLoss(error)) throw error;
        await client?.end().catch(() => {});
        client = undefined;
        await sleep(50);
      }
    }
    await client?.end().catch(() => {});
  }

  async #session(session: number): Promise<void> {
    const random = randomNumbers(this.#seed + session);
    const dice = diceOf(random);
    let sequence = 0;
    await this.#withConnection(this.#replica.sourceConn, async (client) => {
      await client.query('begin');
      await client.query('insert into event values ($1, $2, $3)', [session, sequence++, `event ${dice.roll(1000)}`]);
      for (let steps = 1 + dice.roll(4); steps > 0; steps--) await this.#step(client, dice);
      if (dice.roll(12) === 0) {
        await client.query('rollback');
        this.rolledBack++;
      } else {
        await client.query('commit');
        this.committed++;
      }
      await sleep(dice.roll(this.#pace.pause));
    });
  }

  /** Transactions that do not fit into what the replicator keeps in memory of one. */
  async #changeMuch(pause: number): Promise<void> {
    const dice = diceOf(randomNumbers(this.#seed + 900));
    const { signal } = this.#stop;
    await this.#withConnection(this.#replica.sourceConn, async (client) => {
      await sleep(dice.roll(pause), undefined, { signal }).catch(() => {});
      await client.query(dice.pick(LARGE_TRANSACTION));
      this.committed++;
    });
  }

  /** One step, often in a savepoint that may be rolled back; a refused statement in a savepoint costs only the savepoint. */
  async #step(client: pg.Client, dice: Dice): Promise<void> {
    const statements = dice.pick(STEPS)(dice);
    if (dice.roll(3) > 0) {
      for (const sql of statements) await client.query(sql);
      return;
    }
    await client.query('savepoint step');
    const undo = dice.roll(3) === 0;
    try {
      for (const sql of statements) await client.query(sql);
    } catch (error) {
      // A deadlock or a key that is taken.
      if (!isRefusal(error)) throw error;
      await client.query('rollback to savepoint step');
      return;
    }
    await client.query(undo ? 'rollback to savepoint step' : 'release savepoint step');
  }

  /** Adds columns, at the target first; drops them, at the source first. */
  async #changeSchema(): Promise<void> {
    const dice = diceOf(randomNumbers(this.#seed + 1000));
    const { signal } = this.#stop;
    for (let next = 1; !signal.aborted; ) {
      await sleep(400 + dice.roll(1200), undefined, { signal }).catch(() => {});
      let source: pg.Client | undefined;
      let target: pg.Client | undefined;
      try {
        [source, target] = await Promise.all([connect(this.#replica.sourceConn), connect(this.#replica.targetConn)]);
        const added = (await columns(source)).filter((name) => name.startsWith('c'));
        if (added.length < 3) {
          const column = `c${next++} ${dice.pick([`text`, `integer default 7`, `text not null default 'd'`, 'jsonb'])}`;
          await target.query(`set lock_timeout = '2s'; alter table drifting add column if not exists ${column}`);
          await source.query(`set lock_timeout = '2s'; alter table drifting add column if not exists ${column}`);
        } else {
          const column = dice.pick(added);
          await source.query(`set lock_timeout = '2s'; alter table drifting drop column ${column}`);
          await this.#replica.settle(20_000, source, target);
          await target.query(`set lock_timeout = '2s'; alter table drifting drop column if exists ${column}`);
        }
        this.schemaChanges++;
      } catch (error) {
        if (!isLoss(error) && !isRefusal(error) && !isUnsettled(error)) throw error;
      } finally {
        await Promise.allSettled([source?.end(), target?.end()]);
      }
    }
  }

  /** Looks at the target all the time: money must never be made or lost, whatever is being applied. */
  async #watchTarget(): Promise<void> {
    await this.#withConnection(this.#replica.targetConn, async (client) => {
      const { rows } = await client.query<{ sum: string; n: string }>(
        'select sum(balance) as sum, count(*) as n from account',
      );
      if (rows[0].sum !== '0') this.violations.push(`the balances of ${rows[0].n} accounts add up to ${rows[0].sum}`);
      await sleep(this.#pace.look);
    });
  }
}

async function columns(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = 'drifting'::regclass and attnum > 0 and not attisdropped`,
  );
  return rows.map(({ name }) => name);
}

/** The server refused a statement for reasons that belong to a random workload: conflicts, deadlocks, lock timeouts. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return false;
  // 0A000: a cached plan whose result type a schema change has altered.
  return /^(23|40)|^55P03$|^0A000$|^25P02$/.test(error.code);
}

/** The replicator has not caught up in time, or has ended: the test itself looks after that. */
function isUnsettled(error: unknown): boolean {
  return error instanceof Error && /^(after \d+ ms|the engine has ended)/.test(error.message);
}

/** The connection or the server is gone for a while. */
function isLoss(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|57P)/.test(error.code ?? '') || error.code === '53300';
  return (
    error instanceof Error &&
    /connect|Connection|ECONN|EPIPE|timeout|not queryable|socket/i.test(
      `${error.message} ${(error as NodeJS.ErrnoException).code ?? ''}`,
    )
  );
}
