import { formatCount } from '../terminal/format.ts';
import type { MiningReading } from './reading.ts';
import { greatest, type Samples } from './samples.ts';

/** Names of metrics that are read. */
export const MINING_METRICS = [
  'oraclelogminer_scn_interval_size',
  'oraclelogminer_num_inflight_transactions_in_memory',
  'instar_oraclelogminer_window_size',
] as const;

/** Where LogMiner is; undefined where nothing is mined. Every endpoint of ours has these gauges, at 0 where they say nothing. */
export function readMining(samples: Samples, kind: string | undefined): MiningReading | undefined {
  const distance = greatest(samples, 'oraclelogminer_scn_interval_size');
  if (distance === undefined || (kind !== undefined && kind !== 'oraclelogminer')) return undefined;
  return {
    distance,
    // Not told by other programs.
    window: greatest(samples, 'instar_oraclelogminer_window_size'),
    open: greatest(samples, 'oraclelogminer_num_inflight_transactions_in_memory') ?? 0,
  };
}

/** In one line: "12,000 SCNs to read, 3,250 at a time; 3 open transactions". A window that holds all of them is not told of. */
export function miningText({ distance, window, open }: MiningReading): string {
  const size = window === undefined || window === 0 || window >= distance ? '' : `, ${formatCount(window)} at a time`;
  return `${formatCount(distance)} SCNs to read${size}; ${formatCount(open)} open ${open === 1 ? 'transaction' : 'transactions'}`;
}
