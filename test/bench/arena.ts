import { setTimeout as sleep } from 'node:timers/promises';
import { type ContenderName, type Run, startContender } from './contenders.ts';
import { type Servers, withClient } from './servers.ts';
import { SOURCE_SCHEMA, TABLES } from './workload.ts';

/** What a measurement is given: a contender at work and the two sides. */
export interface Match {
  readonly run: Run;
  /** Milliseconds, by `performance.now`, when the contender was started. */
  readonly started: number;
  readonly targetUrl: string;
}

/**
 * A source database and, for each contender, a slot of its own on it and an empty target database. The contenders run one
 * after the other, each alone on the machine.
 */
export class Arena {
  readonly sourceUrl: string;
  readonly #servers: Servers;
  readonly #name: string;
  readonly #flags: readonly string[];

  private constructor(servers: Servers, name: string, flags: readonly string[]) {
    this.#flags = flags;
    this.#servers = servers;
    this.#name = name;
    this.sourceUrl = servers.source.url(name);
  }

  /** `flags`: further ones for Instar. */
  static async create(servers: Servers, scenario: string, flags: readonly string[] = []): Promise<Arena> {
    const arena = new Arena(servers, `bench_${scenario}`, flags);
    await servers.source.createDatabase(arena.#name);
    await servers.source.query(SOURCE_SCHEMA, [], arena.#name);
    return arena;
  }

  /** Makes the slot of a contender: it will see what is committed from now on. */
  async createSlot(contender: ContenderName): Promise<void> {
    await this.#servers.source.query(
      `select pg_create_logical_replication_slot($1, 'pgoutput')`,
      [this.slot(contender)],
      this.#name,
    );
  }

  slot(contender: ContenderName): string {
    return `${this.#name}_${contender}`;
  }

  /** Starts a contender against an empty target, measures, stops it, and removes its slot and target. */
  async match<Result>(
    contender: ContenderName,
    measure: (match: Match) => Promise<Result>,
    viaUrl: (targetUrl: string) => string = (url) => url,
  ): Promise<Result> {
    const { source, target } = this.#servers;
    const database = `${this.#name}_${contender}`;
    const targetUrl = await target.createDatabase(database);
    await target.query(TABLES, [], database);
    await Promise.all([source.query('checkpoint'), target.query('checkpoint')]);
    const slot = this.slot(contender);
    const link = { sourceUrl: this.sourceUrl, targetUrl: viaUrl(targetUrl), slot, flags: this.#flags };
    const started = performance.now();
    const run = await startContender(contender, link);
    let result: Result;
    try {
      result = await measure({ run, started, targetUrl });
    } finally {
      await run.stop();
    }
    await this.#dropSlot(link.slot);
    await target.query(`drop database "${database}" with (force)`);
    return result;
  }

  /** Milliseconds, by `performance.now`, when the contender had begun to read its slot; when `signal` aborts at the latest. */
  async streamingSince(contender: ContenderName, signal: AbortSignal): Promise<number> {
    return await withClient(this.sourceUrl, async (client) => {
      const query = {
        text: 'select from pg_replication_slots where slot_name = $1 and active',
        values: [this.slot(contender)],
      };
      while (!signal.aborted && (await client.query(query)).rowCount === 0) await sleep(5);
      return performance.now();
    });
  }

  async dispose(): Promise<void> {
    await this.#servers.source.query(`drop database "${this.#name}" with (force)`);
  }

  async #dropSlot(slot: string): Promise<void> {
    // The walsender notices the end of its reader a moment later.
    const active = `select from pg_replication_slots where slot_name = $1 and active`;
    await withClient(this.sourceUrl, async (client) => {
      while ((await client.query(active, [slot])).rowCount !== 0) await sleep(20);
      await client.query('select pg_drop_replication_slot($1)', [slot]);
    });
  }
}
