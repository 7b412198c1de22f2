/** What a metric is, as data: the registry makes its handles from this table and nothing else. */
interface Definition<Type extends string, Label extends string> {
  readonly type: Type;
  readonly help: string;
  readonly labels: readonly Label[];
}

interface HistogramDefinition<Label extends string> extends Definition<'histogram', Label> {
  /** Upper bounds in the metric's unit. */
  readonly buckets: readonly number[];
}

function counter<Label extends string = never>(help: string, ...labels: Label[]): Definition<'counter', Label> {
  return { type: 'counter', help, labels };
}

function gauge<Label extends string = never>(help: string, ...labels: Label[]): Definition<'gauge', Label> {
  return { type: 'gauge', help, labels };
}

function histogram<Label extends string = never>(
  help: string,
  buckets: readonly number[],
  ...labels: Label[]
): HistogramDefinition<Label> {
  return { type: 'histogram', help, labels, buckets };
}

/** `from`, twice to nine times `from`, the same at ten times, and so on up to and including `to`. */
export function decadeBuckets(from: number, to: number): number[] {
  const buckets: number[] = [];
  for (let decade = from; decade <= to; decade *= 10) {
    for (let digit = 1; digit <= 9; digit++) {
      const bound = Number((digit * decade).toPrecision(1));
      if (bound < to) buckets.push(bound);
    }
  }
  return [...buckets, to];
}

const day = 24 * 60 * 60;
/** 1 ms to a minute. */
const latency = decadeBuckets(0.001, 60);
/** A second to a day: the bounds that existing boards know for the age of a mutation. */
const mutationAge = decadeBuckets(1, day);
/** A millisecond to a day: a lag is small while streaming and large while catching up. */
const lag = decadeBuckets(0.001, day);
/** What Prometheus client libraries use when nothing is said. */
const libraryDefault = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Every metric, under the name it is published by. All but the `instar_` ones have the names, types and labels of MOLT
 * Replicator's, so that its Grafana boards and alerts work unchanged. Label values: `schema` is the dotted name as the
 * operator gave it (`defaultdb.public`), `table` the bare name, `kind` the command (`pglogical`), `target` the target
 * schema.
 */
export const definitions = {
  // From the source.
  core_source_lag_seconds: histogram('Age of the newest position heard from the source.', lag, 'kind', 'target'),
  mutation_total: counter('Changes read from the source.', 'source', 'type'),
  acceptor_mutations_total: counter('Changes by outcome: received, success or error.', 'type'),
  mylogical_dial_success_total: counter('Binary log streams that were started.'),
  mylogical_dial_failure_total: counter('Binary log streams that could not be started.'),
  oraclelogminer_scn_interval_size: gauge('SCNs between what was read and the newest one of the source.'),
  oraclelogminer_time_per_window_seconds: histogram(
    'Time to read a window of SCNs, its preparation included.',
    latency,
  ),
  oraclelogminer_query_redo_logs_duration_seconds: histogram('Time of the query of V$LOGMNR_CONTENTS.', latency),
  oraclelogminer_num_inflight_transactions_in_memory: gauge('Transactions open at the source, with changes.'),
  oraclelogminer_num_async_checkpoints_in_queue: gauge(
    'Checkpoints that wait to be written: none, they are committed with the rows.',
  ),
  oraclelogminer_upsert_checkpoints_duration: histogram(
    'Not observed: checkpoints are committed with the rows.',
    latency,
  ),
  oraclelogminer_delete_checkpoints_duration: histogram(
    'Not observed: a checkpoint is one row, which is moved.',
    latency,
  ),
  instar_oraclelogminer_window_size: gauge('SCNs that are read at a time.'),
  instar_oraclelogminer_redo_skipped_total: counter('Redo that could not be turned into a change, by why.', 'reason'),
  pglogical_dial_success_total: counter('Replication streams that were started.'),
  pglogical_dial_failure_total: counter('Replication streams that could not be started.'),
  pglogical_empty_transactions: counter('Source transactions without a published change.'),
  pglogical_unchanged_toasted_columns: counter(
    'Large values that the source did not send because they were unchanged.',
  ),

  // In front of the target.
  target_apply_queue_size: gauge('Transactions that wait to be applied.'),
  target_apply_queue_utilization_percent: gauge('How full the queue in front of the target is.'),
  target_mutations_sent_to_apply_queue: counter('Changes handed to the queue in front of the target.'),
  core_flush_count: counter('Batches by what closed them.', 'reason'),
  core_parallelism_utilization_percent: gauge('Share of the configured parallelism in use.'),
  core_progress_reports_started_count: counter('Reports of progress begun.'),
  core_progress_reports_ended_count: counter('Reports of progress finished.'),
  core_error_reports_started_count: counter('Reports of errors begun.'),
  core_error_reports_ended_count: counter('Reports of errors finished.'),

  // Applying.
  source_commit_to_apply_lag_seconds: gauge('Time from the commit at the source to the commit at the target, newest.'),
  target_apply_transaction_lag_seconds: histogram('Age of a transaction once applied.', lag, 'kind', 'target'),
  target_apply_mutation_age_seconds: histogram('Age of a change once applied.', mutationAge, 'schema', 'table'),
  apply_duration_seconds: histogram('Time to apply a batch to a table.', latency, 'schema', 'table'),
  apply_upserts_total: counter('Rows upserted.', 'schema', 'table'),
  apply_deletes_total: counter('Rows deleted.', 'schema', 'table'),
  apply_errors_total: counter('Failures to apply.', 'schema', 'table'),
  apply_conflicts_total: counter('Rows that lost a compare-and-set.', 'schema', 'table'),
  apply_resolves_total: counter('Conflicting rows that were resolved.', 'schema', 'table'),
  core_sweep_duration_seconds: histogram('Time of one batch, all tables together.', latency, 'schema'),
  core_sweep_mutations_applied_total: counter('Rows applied by batches.', 'schema'),
  core_sweep_success_timestamp_seconds: gauge('Unix time of the last applied batch.', 'schema'),
  load_dirty_count: counter('Rows completed with values from the target.', 'schema', 'table'),
  load_not_found_count: counter('Rows to complete that the target does not have.', 'schema', 'table'),
  load_unmodified_count: counter('Rows that were complete already.', 'schema', 'table'),
  load_overall_duration_seconds: histogram('Time to complete rows.', libraryDefault, 'schema', 'table'),
  load_query_duration_seconds: histogram('Database time to complete rows.', libraryDefault, 'schema', 'table'),

  // Userscripts.
  script_invocations_total: counter('Calls of a handler.', 'schema', 'table', 'function'),
  script_rows_filtered_total: counter('Rows that a handler dropped.', 'schema', 'table', 'function'),
  script_rows_processed_total: counter('Rows that a handler passed on.', 'schema', 'table', 'function'),
  script_errors_total: counter('Failures of a handler.', 'schema', 'table', 'function'),
  script_exec_time_seconds: histogram('Run time of a handler.', latency, 'schema', 'table', 'function'),
  script_entry_wait_seconds: histogram('Wait before a handler ran.', latency, 'schema', 'table', 'function'),

  // Connections and retries.
  pool_acquire_wait_count: counter('Waits for a connection.', 'pool'),
  pool_acquire_wait_seconds: counter('Time spent waiting for a connection.', 'pool'),
  pool_acquired_connection_count: gauge('Connections in use.', 'pool'),
  pool_constructing_connection_count: gauge('Connections being opened.', 'pool'),
  pool_idle_connection_count: gauge('Idle connections.', 'pool'),
  pool_max_connection_count: gauge('Most connections allowed.', 'pool'),
  pool_dial_error_count: counter('Connections that could not be opened.', 'pool'),
  pool_dial_success_count: counter('Connections opened.', 'pool'),
  pool_dial_latency_seconds: histogram('Time to open a connection.', latency, 'pool'),
  pool_sql_ready_latency_seconds: histogram('Time until a new connection takes SQL.', latency, 'pool'),
  stmtcache_hits_total: counter('Prepared statements found in the cache.'),
  stmtcache_misses_total: counter('Prepared statements not found in the cache.'),
  stmtcache_releases_total: counter('Prepared statements released.'),
  stmtcache_drops_total: counter('Prepared statements that could not be closed.'),
  retry_actions_total: counter('Actions begun that are retried when they fail.'),
  retry_retried_total: counter('Retries by the error code of the database.', 'code'),
  retry_aborted_total: counter('Actions given up, by the error code of the database.', 'code'),

  // The process.
  log_message_count: counter('Log lines.', 'level'),
  cdc_sink_info: gauge(
    'Always 1; go_version holds the version of Node.',
    'go_version',
    'module',
    'commit',
    'build_time',
  ),
  cdc_sink_start_seconds: gauge('Unix time when the process started.'),
  promhttp_metric_handler_requests_total: counter('Scrapes by HTTP status.', 'code'),
  promhttp_metric_handler_requests_in_flight: gauge('Scrapes being answered.'),

  // Not known to MOLT Replicator.
  instar_paused: gauge('1 while applying is paused by request.'),
  instar_source_received_bytes_total: counter('Bytes received from the source.'),
  instar_source_blocked_seconds_total: counter(
    'Time in which the source was not read because nothing more could be held.',
  ),
  instar_target_busy_seconds_total: counter('Time in which the target had something to do.'),
  instar_source_state: gauge('1 for the state that the source connection is in.', 'state'),
  instar_lag_seconds: gauge(
    'Time for which the target has lacked something of the source; grows while nothing is applied or heard.',
  ),
  instar_source_lag_bytes: gauge('Bytes of source log between what was applied and the newest.'),
  instar_source_waiting_transactions: gauge('Transactions that the source has committed and the target has not.'),
  instar_values_changed_total: counter(
    'Values that the target got in another form: zero_date as NULL, bool_out_of_range as true.',
    'reason',
  ),
  instar_slot_retained_bytes: gauge('Bytes of log that the source keeps for the replication slot.'),
  instar_slot_limit_bytes: gauge('Bytes of log that the source keeps for a slot at most; 0 without a limit.'),
  instar_slot_wal_status: gauge('1 for the state of the slot: reserved, extended, unreserved or lost.', 'status'),
  instar_source_log_kept_seconds: gauge(
    'Age at which the source removes its log; 0 where it does not, or is not known.',
  ),
  instar_source_log_needed_seconds: gauge('Age of the oldest log of the source that is still needed.'),
  instar_reconnects_total: counter(
    'Reconnects by side (source or target) and the error that made them needed.',
    'side',
    'code',
  ),
  instar_buffered_bytes: gauge('Bytes read from the source and not yet applied.'),
  instar_batches_total: counter('Batches applied, by path: fast, or exact in source order.', 'path'),
  instar_dead_letters_total: counter('Source transactions put into the dead-letter table.', 'table'),
  instar_checkpoint_timestamp_seconds: gauge('Unix time of the newest source commit that the checkpoint covers.'),
};
