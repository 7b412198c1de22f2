import * as report from '../report.ts';
import type { Section } from '../section.ts';
import type { MysqlServers } from './arena.ts';
import { MYSQL_CONTENDERS, type MysqlContenderName } from './contenders.ts';
import { drain, huge, latency } from './measurements.ts';

const MEMORY_BOUND = 300e6;
/** Of the time that the server's own replica takes. */
const REPLICA_SHARE = 0.5;

export async function mysqlDrains(
  servers: MysqlServers,
  scale: number,
  contenders: readonly MysqlContenderName[],
): Promise<Section> {
  const [small, large] = [Math.round(150_000 * scale), Math.round(250_000 * scale)];
  const { bytes, results } = await drain(servers, small, large, contenders);
  const rows = Array.from(results, ([name, result]) => [
    MYSQL_CONTENDERS[name],
    report.seconds(result.seconds),
    report.perSecond((small + large) / result.seconds),
    report.shown(result.peakMemory, report.megabytes),
  ]);
  const [instar, native] = [results.get('instar'), results.get('native')];
  const promises: report.Promised[] = [
    {
      what: "MySQL: drain, time against the replica's",
      measured: instar === undefined || native === undefined ? undefined : instar.seconds / native.seconds,
      bound: REPLICA_SHARE,
      format: report.ratio,
    },
    {
      what: 'MySQL: peak memory while draining',
      measured: instar?.peakMemory,
      bound: MEMORY_BOUND,
      format: report.megabytes,
    },
  ];
  const backlog = `${small.toLocaleString('en')} small transactions, one of ${large.toLocaleString('en')} rows`;
  const title = `MySQL: drain of ${backlog} (${report.megabytes(bytes)} of log)`;
  return { tables: [{ title, head: ['contender', 'time', 'throughput', 'peak memory'], rows }], promises };
}

export async function mysqlHuge(
  servers: MysqlServers,
  scale: number,
  contenders: readonly MysqlContenderName[],
): Promise<Section> {
  const count = Math.round(2_000_000 * scale);
  const results = await huge(servers, count, contenders);
  const rows = Array.from(results, ([name, result]) => [
    MYSQL_CONTENDERS[name],
    report.seconds(result.sourceSeconds),
    report.seconds(result.visibleSeconds),
    result.atomic === undefined ? '-' : result.atomic ? 'yes' : 'NO',
    report.shown(result.peakMemory, report.megabytes),
  ]);
  const instar = results.get('instar');
  const promises: report.Promised[] = [
    {
      what: 'MySQL: huge transaction, looks that saw a part of it',
      measured: instar?.atomic === undefined ? undefined : Number(!instar.atomic),
      bound: 0,
      format: String,
    },
    {
      what: 'MySQL: huge transaction, peak memory',
      measured: instar?.peakMemory,
      bound: MEMORY_BOUND,
      format: report.megabytes,
    },
  ];
  const head = ['contender', 'transaction at the source', 'commit to visible', 'atomic', 'peak memory'];
  const title = `MySQL: one transaction of ${count.toLocaleString('en')} rows`;
  return { tables: rows.length === 0 ? [] : [{ title, head, rows }], promises };
}

export async function mysqlLatency(
  servers: MysqlServers,
  scale: number,
  contenders: readonly MysqlContenderName[],
): Promise<Section> {
  const options = { transactionsPerSecond: 300, seconds: Math.max(5, 30 * scale), idleSeconds: 10 };
  const results = await latency(servers, options, contenders);
  const rows = Array.from(results, ([name, result]) => [
    MYSQL_CONTENDERS[name],
    report.milliseconds(result.p50),
    report.milliseconds(result.p99),
    report.milliseconds(result.max),
    report.milliseconds(result.resolution),
    report.perSecond(result.rate),
    report.shown(result.idleProcessor, report.percent),
  ]);
  const instar = results.get('instar');
  const promises: report.Promised[] = [
    { what: 'MySQL: commit to visible, p50', measured: instar?.p50, bound: 3, format: report.milliseconds },
    { what: 'MySQL: commit to visible, p99', measured: instar?.p99, bound: 15, format: report.milliseconds },
    { what: 'MySQL: idle, share of a core', measured: instar?.idleProcessor, bound: 0.01, format: report.percent },
  ];
  const head = ['contender', 'p50', 'p99', 'max', 'one look', 'transactions', 'idle core'];
  return { tables: rows.length === 0 ? [] : [{ title: 'MySQL: commit to visible', head, rows }], promises };
}
