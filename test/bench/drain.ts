import { Arena } from './arena.ts';
import type { ContenderName } from './contenders.ts';
import { peakMemory } from './process-usage.ts';
import { type Servers, withClient } from './servers.ts';
import { type Backlog, commitMarker, fingerprint, type Marker } from './workload.ts';

export interface DrainResult {
  /** From the start of the process, or of CREATE SUBSCRIPTION, until the last transaction was visible. */
  readonly seconds: number;
  /** The part of it until the slot was read. */
  readonly startupSeconds: number;
  /** Bytes, of contenders that are a process of their own. */
  readonly peakMemory: number | undefined;
}

/** Lets each contender drain the same backlog and checks that every row is there. */
export async function drain(
  servers: Servers,
  scenario: string,
  backlog: Backlog,
  contenders: readonly ContenderName[],
): Promise<Map<ContenderName, DrainResult>> {
  const arena = await Arena.create(servers, scenario);
  const { marker, expected } = await fillBacklog(arena, backlog, contenders);
  const results = new Map<ContenderName, DrainResult>();
  for (const contender of contenders) {
    results.set(contender, await drainOnce(arena, contender, marker, expected));
  }
  await arena.dispose();
  return results;
}

/** Makes the slots, then the backlog; the last transaction is the marker's. */
export async function fillBacklog(
  arena: Arena,
  backlog: Backlog,
  contenders: readonly ContenderName[],
): Promise<{ marker: Marker; expected: string }> {
  for (const contender of contenders) await arena.createSlot(contender);
  return await withClient(arena.sourceUrl, async (source) => {
    // Only the filling is spared the wait for the disk: the log holds the same either way.
    await source.query('set synchronous_commit = off');
    for (const statement of backlog.fill) await source.query(statement);
    await source.query('set synchronous_commit = on');
    return { marker: await commitMarker(source, 1), expected: await fingerprint(source) };
  });
}

/** One contender, one backlog. `viaUrl` leads the contender to the target another way. */
export async function drainOnce(
  arena: Arena,
  contender: ContenderName,
  marker: Marker,
  expected: string,
  viaUrl?: (targetUrl: string) => string,
): Promise<DrainResult> {
  return await arena.match(
    contender,
    async ({ run, started, targetUrl }) => {
      const arrived = new AbortController();
      const streaming = arena.streamingSince(contender, arrived.signal);
      await run.arrival(marker).finally(() => arrived.abort());
      const ended = performance.now();
      const memory = peakMemory(run.pid);
      if (contender !== 'reader') await assertSame(targetUrl, expected, contender);
      return {
        seconds: (ended - started) / 1000,
        startupSeconds: (Math.min(await streaming, ended) - started) / 1000,
        peakMemory: memory,
      };
    },
    viaUrl,
  );
}

/** Fails unless the target has the rows that the source has. */
export async function assertSame(targetUrl: string, expected: string, contender: ContenderName): Promise<void> {
  const found = await withClient(targetUrl, fingerprint);
  if (found !== expected) throw new Error(`${contender}: the target has ${found}, the source ${expected}`);
}
