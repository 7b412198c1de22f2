/** What MOLT Replicator's own endpoint may answer after `seconds` of work: its names and labels, none of Instar's. */
export interface MoltState {
  readonly received: number;
  readonly upserts: number;
  readonly deletes?: number;
  readonly queue: number;
  /** Observations of the lag histogram by bound. */
  readonly lags?: readonly [count: number, seconds: number][];
  readonly dialFailures?: number;
  readonly started?: number;
}

const BOUNDS = [1, 2, 5, 10, 20, 60, 3600];

export function moltScrape({
  received,
  upserts,
  deletes = 0,
  queue,
  lags = [],
  dialFailures = 0,
  started = 1e9,
}: MoltState): string {
  const table = 'schema="defaultdb.public",table="item"';
  const target = 'kind="pglogical",target="defaultdb.public"';
  const count = lags.reduce((sum, [many]) => sum + many, 0);
  const buckets = [...BOUNDS, Number.POSITIVE_INFINITY].map((bound) => {
    const within = lags.filter(([, seconds]) => seconds <= bound).reduce((sum, [many]) => sum + many, 0);
    return `target_apply_transaction_lag_seconds_bucket{${target},le="${bound === Number.POSITIVE_INFINITY ? '+Inf' : bound}"} ${within}`;
  });
  return `# HELP cdc_sink_start_seconds When the process started.
# TYPE cdc_sink_start_seconds gauge
cdc_sink_start_seconds ${started}
cdc_sink_info{build_time="2026",commit="abc",go_version="go1.24",module="github.com/cockroachdb/replicator"} 1
go_gc_duration_seconds{quantile="0.5"} NaN
acceptor_mutations_total{type="received"} ${received}
acceptor_mutations_total{type="success"} ${upserts + deletes}
mutation_total{source="postgres",type="insert"} ${received}
apply_upserts_total{${table}} ${upserts}
apply_deletes_total{${table}} ${deletes}
apply_errors_total{${table}} 0
target_apply_mutation_age_seconds_sum{${table}} ${lags.reduce((sum, [many, seconds]) => sum + many * seconds, 0)}
target_apply_mutation_age_seconds_count{${table}} ${count}
target_apply_queue_size ${queue}
target_apply_queue_utilization_percent ${queue / 10}
${buckets.join('\n')}
target_apply_transaction_lag_seconds_sum{${target}} ${lags.reduce((sum, [many, seconds]) => sum + many * seconds, 0)}
target_apply_transaction_lag_seconds_count{${target}} ${count}
pglogical_dial_success_total 1
pglogical_dial_failure_total ${dialFailures}
`;
}
