import { CONTENDERS, type ContenderName } from './contenders.ts';
import { type DrainResult, drain } from './drain.ts';
import { huge } from './huge.ts';
import { latency } from './latency.ts';
import * as report from './report.ts';
import { roundTrip } from './round-trip.ts';
import type { Section } from './section.ts';
import type { Servers } from './servers.ts';
import { type Backlog, rowTransactions, smallAndLarge } from './workload.ts';

const MEMORY_BOUND = 300e6;

export async function drains(servers: Servers, scale: number, contenders: readonly ContenderName[]): Promise<Section> {
  const backlog = smallAndLarge(Math.round(150_000 * scale), Math.round(250_000 * scale));
  const results = await drain(servers, 'small', backlog, contenders);
  const rows = Array.from(results, ([name, result]) => drainRow(backlog, name, result));
  const seconds = (name: ContenderName) => {
    const result = results.get(name);
    return result === undefined ? undefined : result.seconds - result.startupSeconds;
  };
  const promises: report.Promised[] = [
    againstNative("drain, start-up apart, time against the subscription's", seconds('instar'), seconds('native')),
    {
      what: 'peak memory while draining',
      measured: results.get('instar')?.peakMemory,
      bound: MEMORY_BOUND,
      format: report.megabytes,
    },
  ];
  const head = ['backlog', 'contender', 'time', 'of it start-up', 'throughput', 'peak memory'];
  return { tables: [{ title: 'Drain of a backlog', head, rows }], promises };
}

function drainRow(backlog: Backlog, name: ContenderName, result: DrainResult): string[] {
  return [
    backlog.name,
    CONTENDERS[name],
    report.seconds(result.seconds),
    report.seconds(result.startupSeconds),
    report.perSecond(backlog.changes / result.seconds),
    report.shown(result.peakMemory, report.megabytes),
  ];
}

function againstNative(what: string, instar: number | undefined, native: number | undefined): report.Promised {
  const measured = instar === undefined || native === undefined ? undefined : instar / native;
  return { what, measured, bound: 0.95, format: report.ratio };
}

export async function hugeTransaction(
  servers: Servers,
  scale: number,
  contenders: readonly ContenderName[],
): Promise<Section> {
  const count = Math.round(2_000_000 * scale);
  const results = await huge(servers, count, contenders);
  const rows = Array.from(results, ([name, result]) => [
    CONTENDERS[name],
    report.seconds(result.sourceSeconds),
    report.seconds(result.visibleSeconds),
    result.atomic === undefined ? '-' : result.atomic ? 'yes' : 'NO',
    report.shown(result.peakMemory, report.megabytes),
  ]);
  const [native, instar] = [results.get('native'), results.get('instar')];
  const promises: report.Promised[] = [
    {
      what: 'huge transaction, commit to visible',
      measured: instar?.visibleSeconds,
      bound: native?.visibleSeconds ?? 11.7 * scale,
      format: report.seconds,
    },
    {
      what: 'huge transaction, looks that saw a part of it',
      measured: instar?.atomic === undefined ? undefined : Number(!instar.atomic),
      bound: 0,
      format: String,
    },
    {
      what: 'huge transaction, peak memory',
      measured: instar?.peakMemory,
      bound: MEMORY_BOUND,
      format: report.megabytes,
    },
  ];
  const head = ['contender', 'transaction at the source', 'commit to visible', 'atomic', 'peak memory'];
  return {
    tables: [{ title: `One transaction of ${count.toLocaleString('en')} rows`, head, rows }],
    promises,
  };
}

export async function commitToVisible(
  servers: Servers,
  scale: number,
  contenders: readonly ContenderName[],
): Promise<Section> {
  const options = { transactionsPerSecond: 300, seconds: Math.max(5, 30 * scale), idleSeconds: 10 };
  const results = await latency(servers, options, contenders);
  const rows = Array.from(results, ([name, result]) => [
    CONTENDERS[name],
    report.milliseconds(result.p50),
    report.milliseconds(result.p99),
    report.milliseconds(result.max),
    report.milliseconds(result.resolution),
    report.perSecond(result.rate),
    report.shown(result.idleProcessor, report.percent),
  ]);
  const instar = results.get('instar');
  const promises: report.Promised[] = [
    { what: 'commit to visible, p50', measured: instar?.p50, bound: 1.5, format: report.milliseconds },
    { what: 'commit to visible, p99', measured: instar?.p99, bound: 6, format: report.milliseconds },
    { what: 'idle, share of a core', measured: instar?.idleProcessor, bound: 0.01, format: report.percent },
  ];
  const head = ['contender', 'p50', 'p99', 'max', 'one look', 'transactions', 'idle core'];
  return { tables: [{ title: 'Commit to visible', head, rows }], promises };
}

export async function longWay(servers: Servers, scale: number, contenders: readonly ContenderName[]): Promise<Section> {
  const backlog = rowTransactions(Math.round(250_000 * scale));
  const rows: string[][] = [];
  const promises: report.Promised[] = [];
  for (const contender of contenders) {
    // The subscription's round trips to its target are function calls: there is no way to make them longer.
    if (contender !== 'instar') continue;
    const { direct, delayed } = await roundTrip(servers, backlog, 10, contender);
    rows.push([
      CONTENDERS[contender],
      report.perSecond(direct),
      report.perSecond(delayed),
      report.percent(delayed / direct),
    ]);
    promises.push({
      what: 'throughput with 10 ms more to the target',
      measured: delayed / direct,
      bound: 0.6,
      atLeast: true,
      format: report.percent,
    });
  }
  const head = ['contender', 'direct', '10 ms further', 'share'];
  return {
    tables: rows.length === 0 ? [] : [{ title: `A longer way to the target: ${backlog.name}`, head, rows }],
    promises,
  };
}
