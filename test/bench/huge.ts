import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { Arena, type Match } from './arena.ts';
import type { ContenderName } from './contenders.ts';
import { assertSame } from './drain.ts';
import { peakMemory } from './process-usage.ts';
import { type Servers, withClient } from './servers.ts';
import { commitMarker, fingerprint, insertPosition, insertRows } from './workload.ts';

const SAMPLES = 200;
const POLL_MS = 20;

export interface HugeResult {
  /** From the source's answer to COMMIT until the rows were visible (for the reader: until the commit was received). */
  readonly visibleSeconds: number;
  /** How long the source took for the transaction itself. */
  readonly sourceSeconds: number;
  /** False when some of the rows were seen without the others; undefined for the reader, which has no target. */
  readonly atomic: boolean | undefined;
  readonly peakMemory: number | undefined;
}

/** One transaction of `rows` rows while the contender is streaming. */
export async function huge(
  servers: Servers,
  rows: number,
  contenders: readonly ContenderName[],
): Promise<Map<ContenderName, HugeResult>> {
  const results = new Map<ContenderName, HugeResult>();
  for (const contender of contenders) {
    const arena = await Arena.create(servers, 'huge');
    await arena.createSlot(contender);
    results.set(contender, await arena.match(contender, (match) => measure(arena, contender, match, rows)));
    await arena.dispose();
  }
  return results;
}

async function measure(arena: Arena, contender: ContenderName, match: Match, rows: number): Promise<HugeResult> {
  const { run, targetUrl } = match;
  return await withClient(arena.sourceUrl, async (source) => {
    await run.arrival(await commitMarker(source, 1));
    const ended = new AbortController();
    const watched =
      contender === 'reader'
        ? undefined
        : withClient(targetUrl, (client) => watchRows(itemsSeen(client), rows, ended.signal));
    const begun = performance.now();
    await source.query('begin');
    await source.query(insertRows(rows));
    await source.query('insert into marker values (2)');
    const lsn = await insertPosition(source);
    await source.query('commit');
    const committed = performance.now();
    await run.arrival({ id: 2, lsn }).finally(() => ended.abort());
    const arrived = performance.now();
    const seen = await watched;
    const memory = peakMemory(run.pid);
    if (contender !== 'reader') await assertSame(targetUrl, await fingerprint(source), contender);
    return {
      visibleSeconds: ((seen?.complete ?? arrived) - committed) / 1000,
      sourceSeconds: (committed - begun) / 1000,
      atomic: seen?.atomic,
      peakMemory: memory,
    };
  });
}

/** Counts those of some rows of `item` that are visible; a connection of its own waits for nobody. */
export function itemsSeen(target: pg.Client): (ids: readonly number[]) => Promise<number> {
  const text = 'select count(*)::integer as seen from item where id = any($1::bigint[])';
  return async (ids) => (await target.query<{ seen: number }>({ name: 'sample', text, values: [ids] })).rows[0].seen;
}

/**
 * Looks at rows spread evenly over the transaction, the first and the last among them, until all are visible or the marker,
 * which is in the same transaction, was seen elsewhere. To count all rows each time would slow down what is measured.
 */
export async function watchRows(
  count: (ids: readonly number[]) => Promise<number>,
  rows: number,
  ended: AbortSignal,
): Promise<{ complete: number; atomic: boolean }> {
  const ids = Array.from({ length: SAMPLES }, (_, i) => 1 + Math.round((i * (rows - 1)) / (SAMPLES - 1)));
  let atomic = true;
  for (;;) {
    const last = ended.aborted;
    const seen = await count(ids);
    if (seen !== 0 && seen !== SAMPLES) atomic = false;
    if (seen === SAMPLES) return { complete: performance.now(), atomic };
    if (last) return { complete: performance.now(), atomic: false };
    await sleep(POLL_MS);
  }
}
