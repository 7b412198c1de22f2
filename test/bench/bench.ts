import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { CONTENDERS, type ContenderName } from './contenders.ts';
import { type DrainResult, drain } from './drain.ts';
import { huge } from './huge.ts';
import { latency } from './latency.ts';
import * as report from './report.ts';
import { roundTrip } from './round-trip.ts';
import { SETTINGS, type Servers, startServers } from './servers.ts';
import { type Backlog, rowTransactions, smallAndLarge } from './workload.ts';

const USAGE = `npm run bench -- [--scenario small,huge,latency,rtt] [--scale 1] [--contender reader,native,instar] [--markdown]`;
const MEMORY_BOUND = 300e6;

interface Section {
  readonly tables: readonly report.Table[];
  readonly promises: readonly report.Promised[];
}

type Scenario = (servers: Servers, scale: number, contenders: readonly ContenderName[]) => Promise<Section>;

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  small: drains,
  huge: hugeTransaction,
  latency: commitToVisible,
  rtt: longWay,
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', default: Object.keys(SCENARIOS).join() },
      contender: { type: 'string', default: Object.keys(CONTENDERS).join() },
      scale: { type: 'string', default: '1' },
      markdown: { type: 'boolean', default: false },
    },
  });
  const scale = Number(values.scale);
  const scenarios = values.scenario.split(',');
  const contenders = values.contender.split(',');
  if (!scenarios.every((name) => name in SCENARIOS) || !contenders.every(isContender) || !(scale > 0)) {
    process.stderr.write(`${USAGE}\n`);
    process.exitCode = 2;
    return;
  }
  const servers = await startServers();
  try {
    process.stdout.write(`${await circumstances(servers, scale)}\n`);
    const promises: report.Promised[] = [];
    for (const name of scenarios) {
      try {
        const section = await SCENARIOS[name](servers, scale, contenders);
        for (const table of section.tables) process.stdout.write(`${report.render(table, values.markdown)}\n`);
        promises.push(...section.promises);
      } catch (error) {
        // The other scenarios can still be measured.
        process.stdout.write(`${name} FAILED: ${error instanceof Error ? error.message : String(error)}\n\n`);
        process.exitCode = 1;
      }
    }
    process.stdout.write(report.render(report.promiseTable(promises), values.markdown));
    if (promises.some((promise) => report.kept(promise) === false)) process.exitCode = 1;
  } finally {
    await servers.stop();
  }
}

/** What the numbers depend on. */
async function circumstances(servers: Servers, scale: number): Promise<string> {
  const [{ version }] = await servers.source.query<{ version: string }>(
    `select current_setting('server_version') as version`,
  );
  const processors = cpus();
  const settings = Object.entries({ fsync: 'on', ...SETTINGS }).map(([name, value]) => `${name}=${value}`);
  return [
    `PostgreSQL ${version}, Node ${process.version}, ${processors.length} × ${processors[0].model.trim()}; source, target, replicator and this program share them`,
    settings.join(' '),
    ...(scale === 1 ? [] : [`scale ${scale}: the bounds are meant for scale 1, a short run is mostly start-up`]),
    '',
  ].join('\n');
}

async function drains(servers: Servers, scale: number, contenders: readonly ContenderName[]): Promise<Section> {
  const backlog = smallAndLarge(Math.round(150_000 * scale), Math.round(250_000 * scale));
  progress(`draining ${backlog.name}`);
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

async function hugeTransaction(
  servers: Servers,
  scale: number,
  contenders: readonly ContenderName[],
): Promise<Section> {
  const count = Math.round(2_000_000 * scale);
  progress(`one transaction of ${count.toLocaleString('en')} rows`);
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

async function commitToVisible(
  servers: Servers,
  scale: number,
  contenders: readonly ContenderName[],
): Promise<Section> {
  const options = { transactionsPerSecond: 300, seconds: Math.max(5, 30 * scale), idleSeconds: 10 };
  progress(`commit to visible at ${options.transactionsPerSecond} transactions a second`);
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

async function longWay(servers: Servers, scale: number, contenders: readonly ContenderName[]): Promise<Section> {
  const backlog = rowTransactions(Math.round(250_000 * scale));
  const rows: string[][] = [];
  const promises: report.Promised[] = [];
  for (const contender of contenders) {
    // The subscription's round trips to its target are function calls: there is no way to make them longer.
    if (contender !== 'instar') continue;
    progress(`${backlog.name}, 10 ms further from the target`);
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

function isContender(name: string): name is ContenderName {
  return name in CONTENDERS;
}

function progress(text: string): void {
  process.stderr.write(`… ${text}\n`);
}

await main();
