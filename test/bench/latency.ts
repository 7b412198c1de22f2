import type pg from 'pg';
import { Arena } from './arena.ts';
import { type CommitToVisible, commitToVisible, idleProcessor } from './commit-to-visible.ts';
import type { ContenderName } from './contenders.ts';
import { assertSame } from './drain.ts';
import { type Servers, withClient } from './servers.ts';
import { commitMarker, fingerprint } from './workload.ts';

export interface LatencyResult extends CommitToVisible {
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
          const sides = {
            insert: (id: number) => source.query({ name: 'insert', text: INSERT, values: [id] }),
            newest: () => newestItem(target),
          };
          const measured = await commitToVisible(sides, options.transactionsPerSecond, options.seconds);
          await run.arrival(await commitMarker(source, 2));
          await assertSame(targetUrl, await fingerprint(source), contender);
          return { ...measured, idleProcessor: await idleProcessor(run.pid, options.idleSeconds) };
        }),
      ),
    );
    results.set(contender, result);
    await arena.dispose();
  }
  return results;
}

const INSERT = `insert into item values ($1, 1, 'a text of about thirty bytes', 12.5, '{"tags": ["a"]}', gen_random_uuid(), now(), true)`;

/** The highest key of `item` at the target; 0 when it is empty. */
export async function newestItem(target: pg.Client): Promise<number> {
  const { rows } = await target.query<{ id: string | null }>({
    name: 'newest',
    text: 'select max(id) as id from item',
  });
  return Number(rows[0].id ?? 0);
}
