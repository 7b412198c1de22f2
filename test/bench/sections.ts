import type { ContenderName } from './contenders.ts';
import type { DrainResult } from './drain.ts';
import type { HugeResult } from './huge.ts';
import type { LatencyResult } from './latency.ts';
import * as report from './report.ts';
import type { Section } from './section.ts';

/** Bytes that Instar may have resident, whatever it is given to do. */
const MEMORY_BOUND = 300e6;
/** Share of a core that it may use while nothing happens. */
const IDLE_BOUND = 0.01;

/** A kind of source, in the words of the report. */
export interface Field {
  /** What its titles and promises begin with. */
  readonly prefix: string;
  readonly contenders: Readonly<Record<ContenderName, string>>;
}

type Results<Result> = ReadonlyMap<ContenderName, Result>;

/** @param share what Instar may take of the native contender's time, start-up apart */
export function drainSection(
  { prefix, contenders }: Field,
  { name, changes }: { readonly name: string; readonly changes: number },
  results: Results<DrainResult>,
  share: number,
): Section {
  const rows = Array.from(results, ([contender, result]) => [
    contenders[contender],
    report.seconds(result.seconds),
    report.seconds(result.startupSeconds),
    report.perSecond(changes / result.seconds),
    report.shown(result.peakMemory, report.megabytes),
  ]);
  const net = (contender: ContenderName) => {
    const result = results.get(contender);
    return result && result.seconds - result.startupSeconds;
  };
  const [instar, native] = [net('instar'), net('native')];
  const promises: report.Promised[] = [
    {
      what: `${prefix}drain, start-up apart, time against the ${contenders.native}'s`,
      measured: instar === undefined || native === undefined ? undefined : instar / native,
      bound: share,
      format: report.ratio,
    },
    memoryPromise(`${prefix}peak memory while draining`, results.get('instar')),
  ];
  const head = ['contender', 'time', 'of it start-up', 'throughput', 'peak memory'];
  return section({ title: `${prefix}drain of ${name}`, head, rows }, promises);
}

/** @param otherwise seconds that Instar may take where the native contender was not measured; undefined: no promise */
export function hugeSection(
  { prefix, contenders }: Field,
  count: number,
  results: Results<HugeResult>,
  otherwise?: number,
): Section {
  const rows = Array.from(results, ([contender, result]) => [
    contenders[contender],
    report.seconds(result.sourceSeconds),
    report.seconds(result.visibleSeconds),
    result.atomic === undefined ? '-' : result.atomic ? 'yes' : 'NO',
    report.shown(result.peakMemory, report.megabytes),
  ]);
  const instar = results.get('instar');
  const bound = results.get('native')?.visibleSeconds ?? otherwise;
  const promises: report.Promised[] = [
    ...(bound === undefined
      ? []
      : [
          {
            what: `${prefix}huge transaction, commit to visible`,
            measured: instar?.visibleSeconds,
            bound,
            format: report.seconds,
          },
        ]),
    {
      what: `${prefix}huge transaction, looks that saw a part of it`,
      measured: instar?.atomic === undefined ? undefined : Number(!instar.atomic),
      bound: 0,
      format: String,
    },
    memoryPromise(`${prefix}huge transaction, peak memory`, instar),
  ];
  const head = ['contender', 'transaction at the source', 'commit to visible', 'atomic', 'peak memory'];
  return section({ title: `${prefix}one transaction of ${count.toLocaleString('en')} rows`, head, rows }, promises);
}

/** @param bounds milliseconds from commit to visible */
export function latencySection(
  { prefix, contenders }: Field,
  results: Results<LatencyResult>,
  bounds: Readonly<Record<'p50' | 'p99', number>>,
): Section {
  const rows = Array.from(results, ([contender, result]) => [
    contenders[contender],
    report.milliseconds(result.p50),
    report.milliseconds(result.p99),
    report.milliseconds(result.max),
    report.milliseconds(result.resolution),
    report.perSecond(result.rate),
    report.shown(result.idleProcessor, report.percent),
  ]);
  const instar = results.get('instar');
  const late = (quantile: 'p50' | 'p99'): report.Promised => ({
    what: `${prefix}commit to visible, ${quantile}`,
    measured: instar?.[quantile],
    bound: bounds[quantile],
    format: report.milliseconds,
  });
  const idle = {
    what: `${prefix}idle, share of a core`,
    measured: instar?.idleProcessor,
    bound: IDLE_BOUND,
    format: report.percent,
  };
  const head = ['contender', 'p50', 'p99', 'max', 'one look', 'transactions', 'idle core'];
  return section({ title: `${prefix}commit to visible`, head, rows }, [late('p50'), late('p99'), idle]);
}

function memoryPromise(what: string, result: { readonly peakMemory: number | undefined } | undefined): report.Promised {
  return { what, measured: result?.peakMemory, bound: MEMORY_BOUND, format: report.megabytes };
}

/** A table that nobody was in is not shown. */
function section(table: report.Table, promises: readonly report.Promised[]): Section {
  return { tables: table.rows.length === 0 ? [] : [table], promises };
}
