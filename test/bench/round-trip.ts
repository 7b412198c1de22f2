import { Arena } from './arena.ts';
import type { ContenderName } from './contenders.ts';
import { DelayProxy } from './delay-proxy.ts';
import { drainOnce, fillBacklog } from './drain.ts';
import type { Servers } from './servers.ts';
import type { Backlog } from './workload.ts';

export interface RoundTripResult {
  /** Rows a second from when the slot was read. */
  readonly direct: number;
  readonly delayed: number;
}

/**
 * Drains the same kind of backlog twice, the second time with `delay` milliseconds added to each round trip to the target.
 * The start is left out: it is a fixed number of round trips, and this is about throughput.
 */
export async function roundTrip(
  servers: Servers,
  backlog: Backlog,
  delay: number,
  contender: ContenderName,
): Promise<RoundTripResult> {
  const throughput = async (viaUrl?: (url: string) => string) => {
    const arena = await Arena.create(servers, 'rtt');
    const { marker, expected } = await fillBacklog(arena, backlog, [contender]);
    const { seconds, startupSeconds } = await drainOnce(arena, contender, marker, expected, viaUrl);
    await arena.dispose();
    return backlog.changes / (seconds - startupSeconds);
  };
  const direct = await throughput();
  const proxy = await DelayProxy.start(servers.target.port, delay);
  try {
    return { direct, delayed: await throughput((url) => proxy.through(url)) };
  } finally {
    await proxy.stop();
  }
}
