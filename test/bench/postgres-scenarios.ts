import { CONTENDERS, type ContenderName } from './contenders.ts';
import { drain } from './drain.ts';
import { huge } from './huge.ts';
import { latency } from './latency.ts';
import * as report from './report.ts';
import { roundTrip } from './round-trip.ts';
import type { Section } from './section.ts';
import { drainSection, type Field, hugeSection, latencySection } from './sections.ts';
import type { Servers } from './servers.ts';
import { scriptDrains } from './script-drain.ts';
import { rowTransactions, smallAndLarge } from './workload.ts';

const FIELD: Field = { prefix: '', contenders: CONTENDERS };
/** Of the subscription's time. */
const DRAIN_SHARE = 0.95;
/** Seconds for 2,000,000 rows, where the subscription was not measured. */
const HUGE_SECONDS = 11.7;

export async function drains(servers: Servers, scale: number, contenders: readonly ContenderName[]): Promise<Section> {
  const backlog = smallAndLarge(Math.round(150_000 * scale), Math.round(250_000 * scale));
  return drainSection(FIELD, backlog, await drain(servers, 'small', backlog, contenders), DRAIN_SHARE);
}

export async function hugeTransaction(
  servers: Servers,
  scale: number,
  contenders: readonly ContenderName[],
): Promise<Section> {
  const count = Math.round(2_000_000 * scale);
  return hugeSection(FIELD, count, await huge(servers, count, contenders), HUGE_SECONDS * scale);
}

export async function commitToVisible(
  servers: Servers,
  scale: number,
  contenders: readonly ContenderName[],
): Promise<Section> {
  const options = { transactionsPerSecond: 300, seconds: Math.max(5, 30 * scale), idleSeconds: 10 };
  return latencySection(FIELD, await latency(servers, options, contenders), { p50: 1.5, p99: 6 });
}

/** What userscripts cost: one that names other tables, and one that sees every row and changes none. */
export async function userscripts(
  servers: Servers,
  scale: number,
  contenders: readonly ContenderName[],
): Promise<Section> {
  if (!contenders.includes('instar')) return { tables: [], promises: [] };
  const backlog = smallAndLarge(Math.round(75_000 * scale), Math.round(125_000 * scale));
  const { none, other, passing } = await scriptDrains(servers, backlog);
  const promises: report.Promised[] = [
    { what: 'throughput beside a userscript that names other tables', share: none / other, bound: 0.97 },
    { what: 'throughput through a handler that returns every row', share: none / passing, bound: 0.7 },
  ].map(({ what, share, bound }) => ({ what, measured: share, bound, atLeast: true, format: report.percent }));
  const rows = Object.entries({ 'no script': none, 'other tables': other, 'every row': passing }).map(
    ([name, seconds]) => [
      name,
      report.seconds(seconds),
      report.perSecond(backlog.changes / seconds),
      report.percent(none / seconds),
    ],
  );
  const head = ['userscript', 'time', 'throughput', 'share'];
  return { tables: [{ title: `Userscripts: ${backlog.name}`, head, rows }], promises };
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
