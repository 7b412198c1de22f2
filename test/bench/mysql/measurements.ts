import { commitToVisible, idleProcessor } from '../commit-to-visible.ts';
import type { ContenderName } from '../contenders.ts';
import type { DrainResult } from '../drain.ts';
import { type HugeResult, watchRows } from '../huge.ts';
import type { LatencyOptions, LatencyResult } from '../latency.ts';
import { peakMemory } from '../process-usage.ts';
import { type Destination, MysqlArena, type MysqlServers, withMysql } from './arena.ts';
import { commitMarker, insertItem, insertRows, newestGno, sourceFingerprint } from './workload.ts';

export interface MysqlBacklog {
  /** Bytes of the log that the contenders read. */
  readonly bytes: number;
  readonly results: ReadonlyMap<ContenderName, DrainResult>;
}

/** Small transactions and one large one behind them, drained by each contender; every row is compared. */
export async function drain(
  servers: MysqlServers,
  small: number,
  large: number,
  contenders: readonly ContenderName[],
): Promise<MysqlBacklog> {
  const arena = await MysqlArena.create(servers, 'drain');
  const { bytes, marker, expected } = await withMysql(servers.source, arena.database, async (source) => {
    const before = await logBytes(servers);
    // Only the filling is spared the wait for the disk: the log holds the same either way.
    await source.query('SET GLOBAL sync_binlog = 0, GLOBAL innodb_flush_log_at_trx_commit = 2');
    await source.query('CALL small_transactions(?)', [small]);
    await insertRows(source, small + 1, small + large);
    await source.query('SET GLOBAL sync_binlog = 1, GLOBAL innodb_flush_log_at_trx_commit = 1');
    const marker = await commitMarker(source, 1);
    return { bytes: (await logBytes(servers)) - before, marker, expected: await sourceFingerprint(source) };
  });
  const results = new Map<ContenderName, DrainResult>();
  for (const contender of contenders) {
    const result = await arena.match(contender, async ({ run, started, streaming, destination }) => {
      await run.arrival(marker);
      const ended = performance.now();
      const memory = peakMemory(run.pid);
      await assertSame(contender, destination, expected);
      return {
        seconds: (ended - started) / 1000,
        startupSeconds: (Math.min(await streaming, ended) - started) / 1000,
        peakMemory: memory,
      };
    });
    results.set(contender, result);
  }
  await arena.dispose();
  return { bytes, results };
}

/** Bytes of all binary logs that the source has. */
async function logBytes({ source }: MysqlServers): Promise<number> {
  const rows = await source.query<{ File_size: number | string }>('SHOW BINARY LOGS');
  return rows.reduce((sum, { File_size }) => sum + Number(File_size), 0);
}

/** Single-row transactions at a steady rate, then `idleSeconds` of nothing at all. */
export async function latency(
  servers: MysqlServers,
  { transactionsPerSecond, seconds, idleSeconds }: LatencyOptions,
  contenders: readonly ContenderName[],
): Promise<Map<ContenderName, LatencyResult>> {
  const results = new Map<ContenderName, LatencyResult>();
  for (const contender of contenders) {
    if (contender === 'reader') continue;
    const arena = await MysqlArena.create(servers, 'latency');
    const result = await arena.match(contender, ({ run, destination }) =>
      withMysql(servers.source, arena.database, async (source) => {
        if (destination === undefined) throw new Error(`${contender} has no target to look at`);
        await run.arrival(await commitMarker(source, 1));
        const sides = { insert: (id: number) => insertItem(source, id), newest: () => destination.newestItem() };
        const measured = await commitToVisible(sides, transactionsPerSecond, seconds);
        await run.arrival(await commitMarker(source, 2));
        await assertSame(contender, destination, await sourceFingerprint(source));
        return { ...measured, idleProcessor: await idleProcessor(run.pid, idleSeconds) };
      }),
    );
    results.set(contender, result);
    await arena.dispose();
  }
  return results;
}

/** One transaction of `rows` rows while the contender is streaming. */
export async function huge(
  servers: MysqlServers,
  rows: number,
  contenders: readonly ContenderName[],
): Promise<Map<ContenderName, HugeResult>> {
  const results = new Map<ContenderName, HugeResult>();
  for (const contender of contenders) {
    const arena = await MysqlArena.create(servers, 'huge');
    const result = await arena.match(contender, ({ run, destination }) =>
      withMysql(servers.source, arena.database, async (source): Promise<HugeResult> => {
        await run.arrival(await commitMarker(source, 1));
        const ended = new AbortController();
        const watched = destination && watchRows(destination.itemsSeen, rows, ended.signal);
        const begun = performance.now();
        await source.query('BEGIN');
        await insertRows(source, 1, rows);
        await source.query('INSERT INTO marker VALUES (2)');
        await source.query('COMMIT');
        const committed = performance.now();
        await run.arrival({ id: 2, gno: await newestGno(source) }).finally(() => ended.abort());
        const arrived = performance.now();
        const seen = await watched;
        const memory = peakMemory(run.pid);
        await assertSame(contender, destination, await sourceFingerprint(source));
        return {
          visibleSeconds: ((seen?.complete ?? arrived) - committed) / 1000,
          sourceSeconds: (committed - begun) / 1000,
          atomic: seen?.atomic,
          peakMemory: memory,
        };
      }),
    );
    results.set(contender, result);
    await arena.dispose();
  }
  return results;
}

async function assertSame(
  contender: ContenderName,
  destination: Destination | undefined,
  expected: string,
): Promise<void> {
  const found = await destination?.fingerprint();
  if (found !== undefined && found !== expected) {
    throw new Error(`${contender}: the target has ${found}, the source ${expected}`);
  }
}
