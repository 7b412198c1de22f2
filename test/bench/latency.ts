import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { Arena } from './arena.ts';
import type { ContenderName, Run } from './contenders.ts';
import { assertSame } from './drain.ts';
import { processorSeconds } from './process-usage.ts';
import { type Servers, withClient } from './servers.ts';
import { commitMarker, fingerprint } from './workload.ts';

const WARM_UP_SECONDS = 2;
const SETTLE_MS = 2000;
/** A row that takes longer than this is not late but lost. */
const STALL_LIMIT_MS = 60_000;

export interface LatencyResult {
  /** Milliseconds from the source's answer to COMMIT until the target showed the row. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Milliseconds that one look at the target takes: nothing shorter can be told apart. */
  readonly resolution: number;
  /** Transactions a second that were reached. */
  readonly rate: number;
  /** Share of a core that the process uses while nothing happens, 0 to 1. */
  readonly idleProcessor: number | undefined;
}

export interface LatencyOptions {
  readonly transactionsPerSecond: number;
  readonly seconds: number;
  readonly idleSeconds: number;
}

/** Single-row transactions at a steady rate; then nothing at all, to see what idling costs. */
export async function latency(
  servers: Servers,
  options: LatencyOptions,
  contenders: readonly ContenderName[],
): Promise<Map<ContenderName, LatencyResult>> {
  const results = new Map<ContenderName, LatencyResult>();
  for (const contender of contenders) {
    if (contender === 'reader') continue;
    const arena = await Arena.create(servers, 'latency');
    await arena.createSlot(contender);
    const result = await arena.match(contender, ({ run, targetUrl }) =>
      withClient(arena.sourceUrl, (source) =>
        withClient(targetUrl, async (target) => {
          await run.arrival(await commitMarker(source, 1));
          const measured = await commitToVisible(source, target, options);
          await run.arrival(await commitMarker(source, 2));
          await assertSame(targetUrl, await fingerprint(source), contender);
          return { ...measured, idleProcessor: await idleProcessor(run, options.idleSeconds) };
        }),
      ),
    );
    results.set(contender, result);
    await arena.dispose();
  }
  return results;
}

async function commitToVisible(source: pg.Client, target: pg.Client, options: LatencyOptions) {
  const { transactionsPerSecond: rate, seconds } = options;
  const total = Math.round(rate * (WARM_UP_SECONDS + seconds));
  const measuredFrom = Math.round(rate * WARM_UP_SECONDS);
  const watcher = new Watcher(target);
  const watching = watcher.watch(total);
  const committed: number[] = [];
  const begun = performance.now();
  for (let id = 1; id <= total; id++) {
    const wait = begun + (id * 1000) / rate - performance.now();
    if (wait > 0.5) await sleep(wait);
    await source.query({
      name: 'insert',
      text: `insert into item values ($1, 1, 'a text of about thirty bytes', 12.5, '{"tags": ["a"]}', gen_random_uuid(), now(), true)`,
      values: [id],
    });
    committed[id] = performance.now();
    watcher.committed(id);
  }
  const elapsed = performance.now() - begun;
  const seen = await Promise.race([watching, sleep(STALL_LIMIT_MS, undefined, { ref: false })]);
  if (seen === undefined) throw new Error(`rows are still missing ${STALL_LIMIT_MS / 1000} s after the last commit`);
  const { visible, looks } = seen;
  const latencies: number[] = [];
  // The target may show a row before the source's answer has reached us.
  for (let id = measuredFrom + 1; id <= total; id++) latencies.push(Math.max(0, visible[id] - committed[id]));
  return {
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    max: quantile(latencies, 1),
    resolution: quantile(looks, 0.5),
    rate: (total * 1000) / elapsed,
  };
}

/**
 * Looks at the target, without a pause, while a committed row has not been seen, and not at all otherwise: so the looking
 * costs the machine as little as can be, and every contender the same.
 */
class Watcher {
  readonly #target: pg.Client;
  #newest = 0;
  #wake: (() => void) | undefined;

  constructor(target: pg.Client) {
    this.#target = target;
  }

  committed(id: number): void {
    this.#newest = id;
    this.#wake?.();
  }

  /** When each row was first seen, by `performance.now`, and how many milliseconds each look took. */
  async watch(total: number): Promise<{ visible: number[]; looks: number[] }> {
    const visible: number[] = [];
    const looks: number[] = [];
    let seen = 0;
    while (seen < total) {
      if (seen >= this.#newest) await new Promise<void>((resolve) => (this.#wake = resolve));
      const begun = performance.now();
      const { rows } = await this.#target.query<{ id: string | null }>({
        name: 'newest',
        text: 'select max(id) as id from item',
      });
      const now = performance.now();
      looks.push(now - begun);
      const newest = Number(rows[0].id ?? 0);
      while (seen < newest) visible[++seen] = now;
    }
    return { visible, looks };
  }
}

async function idleProcessor(run: Run, seconds: number): Promise<number | undefined> {
  await sleep(SETTLE_MS);
  const before = processorSeconds(run.pid);
  await sleep(seconds * 1000);
  const after = processorSeconds(run.pid);
  return before === undefined || after === undefined ? undefined : (after - before) / seconds;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
