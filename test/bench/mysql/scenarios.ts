import type { ContenderName } from '../contenders.ts';
import * as report from '../report.ts';
import type { Section } from '../section.ts';
import { drainSection, type Field, hugeSection, latencySection } from '../sections.ts';
import type { MysqlServers } from './arena.ts';
import { MYSQL_CONTENDERS } from './contenders.ts';
import { drain, huge, latency } from './measurements.ts';

const FIELD: Field = { prefix: 'MySQL: ', contenders: MYSQL_CONTENDERS };
/** Of the time that the server's own replica takes. */
const DRAIN_SHARE = 0.5;

export async function mysqlDrains(
  servers: MysqlServers,
  scale: number,
  contenders: readonly ContenderName[],
): Promise<Section> {
  const [small, large] = [Math.round(150_000 * scale), Math.round(250_000 * scale)];
  const { bytes, results } = await drain(servers, small, large, contenders);
  const counts = `${small.toLocaleString('en')} small transactions, one of ${large.toLocaleString('en')} rows`;
  const backlog = { name: `${counts} (${report.megabytes(bytes)} of log)`, changes: small + large };
  return drainSection(FIELD, backlog, results, DRAIN_SHARE);
}

export async function mysqlHuge(
  servers: MysqlServers,
  scale: number,
  contenders: readonly ContenderName[],
): Promise<Section> {
  const count = Math.round(2_000_000 * scale);
  return hugeSection(FIELD, count, await huge(servers, count, contenders));
}

export async function mysqlLatency(
  servers: MysqlServers,
  scale: number,
  contenders: readonly ContenderName[],
): Promise<Section> {
  const options = { transactionsPerSecond: 300, seconds: Math.max(5, 30 * scale), idleSeconds: 10 };
  return latencySection(FIELD, await latency(servers, options, contenders), { p50: 3, p99: 15 });
}
