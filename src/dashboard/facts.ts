import { type Diagnosis, readDiagnosis } from './diagnosis.ts';
import type { Answer } from './endpoint.ts';
import { type Buckets, bucketsOf } from './histogram.ts';
import { parseMysqlPosition, transactionsBetween } from '../sources/mysql/positions.ts';
import { distanceOf } from './position.ts';
import { greatest, parseSamples, type Samples, total } from './samples.ts';
import { MINING_METRICS, readMining } from './mining.ts';
import type { MiningReading } from './reading.ts';
import { readScript, SCRIPT_METRICS, type ScriptFacts } from './script.ts';

/** Counts of one table since its process started. */
export interface TableFacts {
  readonly upserts: number;
  readonly deletes: number;
  readonly errors: number;
  /** Sum of the ages of its changes when they were applied, seconds, and how many changes that were. */
  readonly ageSum: number;
  readonly ageCount: number;
}

/** What one look at the endpoints told, under one name whatever the release that told it; undefined where it did not. */
export interface Facts extends Omit<Diagnosis, 'standbyTimeout'> {
  /** Milliseconds since the epoch by this machine's clock; all other times are by this clock, too. */
  readonly at: number;
  readonly startedAt: number | undefined;
  /** Counters. Changes read from the source; rows written to the target; commits on the target. */
  readonly changesReceived: number | undefined;
  readonly rowsApplied: number | undefined;
  readonly commits: number | undefined;
  /** Seconds spent on commits. */
  readonly commitSeconds: number | undefined;
  /** Seconds of one core that the process has used. */
  readonly cpuSeconds: number | undefined;
  readonly dialSuccesses: number | undefined;
  readonly dialFailures: number | undefined;
  readonly deadLetters: number | undefined;
  /** The table that they are in. */
  readonly deadLetterTable: string | undefined;
  /** Transactions that wait to be applied or are being applied. */
  readonly waiting: number | undefined;
  /** How full the queue in front of the target is, 0 to 1. */
  readonly queueShare: number | undefined;
  /** Age of the newest applied change when it was applied, seconds, as a gauge; or the histogram that holds as much. */
  readonly newestLag: number | undefined;
  readonly ages: Buckets | undefined;
  /** Seconds between what was heard of the source and what was applied, where the endpoint tells it itself. */
  readonly toldLag: number | undefined;
  readonly tables: ReadonlyMap<string, TableFacts>;
  readonly script: ScriptFacts | undefined;
  readonly mining: MiningReading | undefined;
  /** Seconds without a word from the source after which its connection is not to be trusted. */
  readonly heartbeatLimit: number;
}

/** Silence of the source that is not remarkable yet, seconds; engines ask for a sign of life more often. */
const USUAL_HEARTBEAT_LIMIT = 30;

/** Histograms of the age of changes when applied, the finest first; later ones are those of earlier releases. */
const AGES = [
  'target_apply_transaction_lag_seconds',
  'source_commit_to_apply_lag_seconds',
  'target_lag_seconds_histogram',
  'target_apply_mutation_age_seconds',
  'apply_mutation_age_seconds',
];
const TABLE_AGES = ['target_apply_mutation_age_seconds', 'apply_mutation_age_seconds'];

/** Kinds of sources whose lag is not counted in bytes. */
const COUNTED_OTHERWISE = new Set(['mylogical', 'oraclelogminer']);

/** Names that are read; of the histograms per table only sum and count, which spares most of the lines. */
const WANTED = new Set([
  ...['mutation_total', 'acceptor_mutations_total', 'mutations_received_count', 'stage_mutations_total'],
  ...['apply_upserts_total', 'apply_deletes_total', 'apply_errors_total'],
  ...['core_sweep_mutations_applied_total', 'core_sweep_apply_count', 'core_sweep_success_timestamp_seconds'],
  ...['core_sweep_duration_seconds_count', 'core_sweep_duration_seconds_sum'],
  ...['target_apply_queue_size', 'target_apply_queue_depth', 'target_apply_queue_utilization_percent'],
  ...['source_commit_to_apply_lag_seconds', 'target_lag_seconds'],
  ...['target_applied_timestamp_seconds', 'target_pending_timestamp_seconds'],
  ...['pglogical_dial_success_total', 'pglogical_dial_failure_total'],
  ...['mylogical_dial_success_total', 'mylogical_dial_failure_total'],
  ...['cdc_sink_start_seconds', 'process_start_time_seconds', 'process_cpu_seconds_total'],
  ...[
    'instar_source_state',
    'instar_source_lag_bytes',
    'instar_source_waiting_transactions',
    'instar_slot_retained_bytes',
    'instar_buffered_bytes',
  ],
  ...['instar_dead_letters_total', 'instar_checkpoint_timestamp_seconds'],
  ...SCRIPT_METRICS,
  ...MINING_METRICS,
  ...AGES.flatMap((name) => [`${name}_sum`, `${name}_count`]),
  ...AGES.filter((name) => !TABLE_AGES.includes(name)).map((name) => `${name}_bucket`),
]);

/** What `answer`, which came at `at`, tells. */
export function readFacts(answer: Answer, at: number): Facts {
  let samples = parseSamples(answer.varz, (name) => WANTED.has(name));
  if (!AGES.some((name) => samples.has(`${name}_bucket`))) {
    samples = new Map([...samples, ...parseSamples(answer.varz, (name) => TABLE_AGES.includes(withoutBucket(name)))]);
  }
  const diagnosis = readDiagnosis(answer.diag);
  const here = (time: number | undefined) => (time === undefined ? undefined : time - answer.clockAhead);
  const sum = (...names: string[]) => first(names, (name) => total(samples, name));
  const tables = readTables(samples);
  const start = greatest(samples, 'cdc_sink_start_seconds') ?? greatest(samples, 'process_start_time_seconds');
  const swept = positive(greatest(samples, 'core_sweep_success_timestamp_seconds'));
  const state = samples.get('instar_source_state')?.find(({ value }) => value === 1)?.labels.state;
  const { queued, inFlight } = diagnosis;
  const waits = waitingTransactions(diagnosis, samples);
  const utilization = greatest(samples, 'target_apply_queue_utilization_percent');
  return {
    ...diagnosis,
    at,
    startedAt: start === undefined ? undefined : here(start * 1000),
    lastReceived: here(diagnosis.lastReceived),
    lastEvent: here(diagnosis.lastEvent ?? (swept === undefined ? undefined : swept * 1000)),
    troubles: diagnosis.troubles.map((trouble) => ({ ...trouble, at: trouble.at - answer.clockAhead })),
    sourceState: diagnosis.sourceState ?? state,
    // Both gauges are there for every source, and 0 for those that are not counted so.
    lagBytes:
      diagnosis.lagBytes ??
      (COUNTED_OTHERWISE.has(diagnosis.kind ?? '') ? undefined : total(samples, 'instar_source_lag_bytes')),
    waitingTransactions: waits,
    retainedBytes: diagnosis.retainedBytes ?? positive(total(samples, 'instar_slot_retained_bytes')),
    bufferedBytes: diagnosis.bufferedBytes ?? total(samples, 'instar_buffered_bytes'),
    changesReceived:
      sum('mutation_total') ??
      total(samples, 'acceptor_mutations_total', ({ type }) => type === 'received') ??
      sum('mutations_received_count', 'stage_mutations_total'),
    rowsApplied: rowsOf(tables) ?? sum('core_sweep_mutations_applied_total', 'core_sweep_apply_count'),
    commits: sum('core_sweep_duration_seconds_count', 'target_apply_transaction_lag_seconds_count'),
    commitSeconds: sum('core_sweep_duration_seconds_sum'),
    cpuSeconds: sum('process_cpu_seconds_total'),
    dialSuccesses: sum('pglogical_dial_success_total', 'mylogical_dial_success_total'),
    dialFailures: sum('pglogical_dial_failure_total', 'mylogical_dial_failure_total'),
    deadLetters: sum('instar_dead_letters_total'),
    deadLetterTable: samples.get('instar_dead_letters_total')?.[0]?.labels.table,
    waiting:
      queued === undefined && inFlight === undefined
        ? sum('target_apply_queue_size', 'target_apply_queue_depth')
        : (queued ?? 0) + (inFlight ?? 0),
    queueShare:
      utilization !== undefined
        ? utilization / 100
        : queued !== undefined && diagnosis.queueLimit !== undefined
          ? queued / diagnosis.queueLimit
          : undefined,
    newestLag: greatest(samples, 'source_commit_to_apply_lag_seconds'),
    ages: first(AGES, (name) => bucketsOf(samples, name)),
    toldLag: toldLag(samples),
    tables,
    script: readScript(samples),
    mining: readMining(samples, diagnosis.kind),
    heartbeatLimit: Math.max(USUAL_HEARTBEAT_LIMIT, (3 * (diagnosis.standbyTimeout ?? 0)) / 1000),
  };
}

/**
 * Transactions between what is applied and the head, where that is how the source counts. The positions of one answer fit
 * together; what the engine counts itself may be a moment older.
 */
function waitingTransactions(
  { head, applied, waitingTransactions: told }: Diagnosis,
  samples: Samples,
): number | undefined {
  if (told !== undefined && distanceOf(head)?.unit === 'transactions' && applied !== undefined) {
    try {
      return transactionsBetween(parseMysqlPosition(applied), parseMysqlPosition(head ?? '')) ?? told;
    } catch {
      return told;
    }
  }
  return told ?? positive(total(samples, 'instar_source_waiting_transactions'));
}

function readTables(samples: Samples): Map<string, TableFacts> {
  const tables = new Map<string, { -readonly [Key in keyof TableFacts]: number }>();
  const add = (metric: string, key: keyof TableFacts) => {
    for (const { labels, value } of samples.get(metric) ?? []) {
      if (labels.table === undefined || !Number.isFinite(value)) continue;
      const name = tableName(labels.schema, labels.table);
      let table = tables.get(name);
      if (table === undefined) {
        table = { upserts: 0, deletes: 0, errors: 0, ageSum: 0, ageCount: 0 };
        tables.set(name, table);
      }
      table[key] += value;
    }
  };
  add('apply_upserts_total', 'upserts');
  add('apply_deletes_total', 'deletes');
  add('apply_errors_total', 'errors');
  const age = TABLE_AGES.find((name) => samples.has(`${name}_count`));
  if (age !== undefined) {
    add(`${age}_sum`, 'ageSum');
    add(`${age}_count`, 'ageCount');
  }
  return tables;
}

/** The label `table` holds the bare name, or with some releases the whole one. */
function tableName(schema: string | undefined, table: string): string {
  return schema === undefined || table.startsWith(`${schema}.`) ? table : `${schema}.${table}`;
}

function rowsOf(tables: ReadonlyMap<string, TableFacts>): number | undefined {
  if (tables.size === 0) return undefined;
  let rows = 0;
  for (const { upserts, deletes } of tables.values()) rows += upserts + deletes;
  return rows;
}

/** The greatest distance between what was heard and what was applied, over all targets; for changefeeds. */
function toldLag(samples: Samples): number | undefined {
  const applied = samples.get('target_applied_timestamp_seconds') ?? [];
  const lags = (samples.get('target_pending_timestamp_seconds') ?? []).flatMap(({ labels, value }) => {
    const other = applied.find((one) => one.labels.kind === labels.kind && one.labels.target === labels.target);
    return other === undefined || other.value <= 0 ? [] : [Math.max(0, value - other.value)];
  });
  const lag = lags.length === 0 ? greatest(samples, 'target_lag_seconds') : Math.max(...lags);
  return lag;
}

function withoutBucket(name: string): string {
  return name.endsWith('_bucket') ? name.slice(0, -'_bucket'.length) : '';
}

function first<T>(names: readonly string[], find: (name: string) => T | undefined): T | undefined {
  for (const name of names) {
    const found = find(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}
