import type { Logger } from '../log/logger.ts';
import type { Metrics } from '../metrics/registry.ts';
import type { Retention, Source } from '../sources/source.ts';
import type { Activity } from './activity.ts';
import type { ApplierEvents } from './apply-events.ts';
import { Lag } from './lag.ts';
import type { Pipeline } from './pipeline.ts';

/** Gauges are taken this often, milliseconds, and histograms of what is there when nothing happens. */
const LOOK_EVERY = 1000;
const SAMPLE_EVERY = 5000;

/** Turns what the engine does into metrics. `kind` is the source's command, `schema` the target schema as given. */
export function applierMetrics(
  metrics: Metrics,
  kind: string,
  schema: string,
  dlqTable: string,
  log: Logger,
  activity: Activity,
): ApplierEvents & { reconnecting(error: { code: string }): void } {
  const { handle } = metrics;
  const target = { kind, target: schema };
  // There from the beginning, so that the first one is an increase.
  handle.instar_dead_letters_total.inc({ table: dlqTable }, 0);
  return {
    committed(transactions, commitTime, duration, written, exact) {
      const now = Date.now() / 1000;
      const lag = Math.max(0, now - commitTime / 1e6);
      const seconds = duration / 1000;
      activity.committed(transactions, lag);
      let rows = 0;
      for (const { table, upserts, deletes } of written) {
        const one = metrics.table(schema, table);
        one.upserts.inc(upserts);
        one.deletes.inc(deletes);
        one.duration.observe(seconds);
        one.age.observe(lag);
        rows += upserts + deletes;
        if (log.enabled('debug')) logRows(log, `${schema}.${table}`, upserts, deletes, duration);
      }
      handle.acceptor_mutations_total.inc({ type: 'success' }, rows);
      handle.target_mutations_sent_to_apply_queue.inc(rows);
      handle.source_commit_to_apply_lag_seconds.set(lag);
      handle.target_apply_transaction_lag_seconds.observe(target, lag);
      handle.core_sweep_duration_seconds.observe({ schema }, seconds);
      handle.core_sweep_mutations_applied_total.inc({ schema }, rows);
      handle.core_sweep_success_timestamp_seconds.set({ schema }, now);
      handle.core_flush_count.inc({ reason: transactions > 1 ? 'size' : 'idle' });
      handle.instar_batches_total.inc({ path: exact ? 'exact' : 'fast' });
      handle.instar_checkpoint_timestamp_seconds.set(commitTime / 1e6);
    },
    durable(position) {
      if (log.enabled('debug'))
        log.debug(`progressed to ${kind === 'pglogical' ? 'LSN' : 'consistent point'}: ${position}`);
      handle.core_progress_reports_ended_count.inc();
    },
    refused(table, state) {
      if (table !== '') metrics.table(schema, table).errors.inc();
      handle.retry_aborted_total.inc({ code: state });
    },
    retried(state) {
      handle.retry_retried_total.inc({ code: state });
    },
    deadLettered() {
      handle.instar_dead_letters_total.inc({ table: dlqTable });
    },
    reconnecting(error) {
      handle.instar_reconnects_total.inc({
        side: error.code.startsWith('TARGET') ? 'target' : 'source',
        code: error.code,
      });
    },
  };
}

/** The lines by which operators tell that a target is drained: none comes any more. */
function logRows(log: Logger, target: string, upserts: number, deletes: number, duration: number): void {
  if (upserts > 0) {
    const milliseconds = `${duration.toFixed(1)}ms`;
    log.debug('upserted rows', { conflicts: 0, duration: milliseconds, proposed: upserts, target, upserted: upserts });
  }
  if (deletes > 0) log.debug('deleted rows', { applied: deletes, proposed: deletes, target });
}

/** Keeps the gauges that are read off the pipeline and the source up to date; returns how to stop. */
export function watchPipeline(
  metrics: Metrics,
  pipeline: Pipeline,
  source: Source,
  limits: { queueSize: number; schema: string },
  activity: Activity,
): () => void {
  const { handle } = metrics;
  const counted = { received: 0, busy: 0, blocked: 0 };
  const lag = new Lag(Date.now(), LOOK_EVERY);
  let behind = 0;
  const sample = () => {
    const { status } = source;
    metrics.sourceState(status.state);
    behind = lag.look({
      now: Date.now(),
      head: status.state === 'streaming' ? status.head : undefined,
      applied: pipeline.state.checkpoint,
      lastCommit: activity.lastEvent,
      lastCommitAge: activity.newestLag,
    });
    handle.instar_lag_seconds.set(behind);
    const now = { received: status.received, busy: pipeline.targetBusy, blocked: pipeline.sourceBlocked };
    activity.sample(now.busy, now.blocked);
    handle.instar_source_received_bytes_total.inc(now.received - counted.received);
    handle.instar_target_busy_seconds_total.inc((now.busy - counted.busy) / 1000);
    handle.instar_source_blocked_seconds_total.inc((now.blocked - counted.blocked) / 1000);
    Object.assign(counted, now);
    if (status.lagBytes !== undefined) handle.instar_source_lag_bytes.set(status.lagBytes);
    if (status.waitingTransactions !== undefined) {
      handle.instar_source_waiting_transactions.set(status.waitingTransactions);
    }
    if (status.retainedBytes !== undefined) handle.instar_slot_retained_bytes.set(status.retainedBytes);
    publishRetention(metrics, status.retention, behind);
    handle.instar_buffered_bytes.set(pipeline.buffered);
    handle.target_apply_queue_size.set(pipeline.queued + pipeline.inFlight);
    handle.target_apply_queue_utilization_percent.set(Math.min(100, (100 * pipeline.queued) / limits.queueSize));
    handle.core_parallelism_utilization_percent.set(pipeline.inFlight > 0 ? 100 : 0);
    // When nothing waits the target is as new as the source, whatever the age of the last commit.
    const nothingWaits = pipeline.buffered === 0 && !status.lagBytes && !status.waitingTransactions;
    if (nothingWaits && behind === 0) handle.source_commit_to_apply_lag_seconds.set(0);
  };
  let observedAt = 0;
  const timer = setInterval(() => {
    sample();
    const now = Date.now();
    if (now - observedAt < SAMPLE_EVERY) return;
    observedAt = now;
    handle.core_source_lag_seconds.observe({ kind: source.kind, target: limits.schema }, behind);
  }, LOOK_EVERY);
  timer.unref();
  sample();
  return () => clearInterval(timer);
}

/** How long the source keeps its log, and how much of that is used up; a source that keeps it for ever publishes nothing. */
function publishRetention(metrics: Metrics, retention: Retention | undefined, behind: number): void {
  const { handle } = metrics;
  if (retention === undefined) return;
  const { limitBytes, walStatus, keptSeconds, neededSeconds } = retention;
  handle.instar_slot_limit_bytes.set(limitBytes ?? 0);
  if (walStatus !== undefined) metrics.slotStatus(walStatus);
  handle.instar_source_log_kept_seconds.set(keptSeconds ?? 0);
  handle.instar_source_log_needed_seconds.set(neededSeconds ?? behind);
}
