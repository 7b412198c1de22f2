import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { definitions } from './names.ts';

type Definitions = typeof definitions;

type Handle<D> = D extends { type: infer Type; labels: readonly (infer Label extends string)[] }
  ? Type extends 'counter'
    ? Counter<Label>
    : Type extends 'gauge'
      ? Gauge<Label>
      : Histogram<Label>
  : never;

/** A handle for every row of `definitions`, under the metric's published name. */
export type Handles = { readonly [Name in keyof Definitions]: Handle<Definitions[Name]> };

/** The metrics of one target table, with the labels bound: to be taken once per table and used once per batch. */
export interface TableMetrics {
  readonly upserts: Counter.Internal;
  readonly deletes: Counter.Internal;
  readonly errors: Counter.Internal;
  readonly conflicts: Counter.Internal;
  readonly resolves: Counter.Internal;
  /** Seconds to apply a batch to the table. */
  readonly duration: Histogram.Internal<string>;
  /** Seconds from the source's commit to the target's. */
  readonly age: Histogram.Internal<string>;
}

/**
 * The event loop's lag quantiles are measured by a timer that costs a core 0.8% at the library's rate, and what they
 * report has the timer's own interval in it. So the timer is slowed down and they are not published; the plain
 * `nodejs_eventloop_lag_seconds`, which is measured when scraped, is.
 */
const EVENT_LOOP_TIMER_MS = 1000;
const EVENT_LOOP_QUANTILES = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'];

/** The metrics of this process, `process_*` and `nodejs_*` among them. */
export function createMetrics(): Metrics {
  const metrics = new Metrics();
  metrics.addProcessMetrics();
  return metrics;
}

/** All metrics of one engine. Each instance has a registry of its own, so that several can live in one process. */
export class Metrics {
  readonly handle: Handles;
  readonly #registry = new Registry();
  readonly #tables = new Map<string, TableMetrics>();
  #state: string | undefined;
  #slotStatus: string | undefined;

  constructor() {
    this.handle = makeHandles(this.#registry);
    this.handle.cdc_sink_info.set({ go_version: process.version, module: 'instar', commit: '', build_time: '' }, 1);
    this.handle.cdc_sink_start_seconds.set(Date.now() / 1000 - process.uptime());
  }

  /** Adds what the running process uses of the machine. To be called once in a process: the observers are never removed. */
  addProcessMetrics(): void {
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: EVENT_LOOP_TIMER_MS });
    for (const name of EVENT_LOOP_QUANTILES) this.#registry.removeSingleMetric(`nodejs_eventloop_lag_${name}_seconds`);
  }

  /**
   * The metrics of a target table, present from now on with zeros. `schema` is the dotted name as the operator gave it
   * (`defaultdb.public`), `table` the bare name. The same object for the same table.
   */
  table(schema: string, table: string): TableMetrics {
    const key = JSON.stringify([schema, table]);
    let metrics = this.#tables.get(key);
    if (metrics === undefined) {
      const { handle } = this;
      const bound = (counter: Counter<'schema' | 'table'>) => {
        counter.inc({ schema, table }, 0);
        return counter.labels({ schema, table });
      };
      const boundHistogram = (histogram: Histogram<'schema' | 'table'>) => {
        histogram.zero({ schema, table });
        return histogram.labels({ schema, table });
      };
      metrics = {
        upserts: bound(handle.apply_upserts_total),
        deletes: bound(handle.apply_deletes_total),
        errors: bound(handle.apply_errors_total),
        conflicts: bound(handle.apply_conflicts_total),
        resolves: bound(handle.apply_resolves_total),
        duration: boundHistogram(handle.apply_duration_seconds),
        age: boundHistogram(handle.target_apply_mutation_age_seconds),
      };
      this.#tables.set(key, metrics);
    }
    return metrics;
  }

  /** Publishes the state of the source connection: 1 for `state`, 0 for those it was in before. */
  sourceState(state: string): void {
    if (state === this.#state) return;
    if (this.#state !== undefined) this.handle.instar_source_state.set({ state: this.#state }, 0);
    this.handle.instar_source_state.set({ state }, 1);
    this.#state = state;
  }

  /** Publishes the state of the replication slot: 1 for `status`, 0 for those it was in before. */
  slotStatus(status: string): void {
    if (status === this.#slotStatus) return;
    if (this.#slotStatus !== undefined) this.handle.instar_slot_wal_status.set({ status: this.#slotStatus }, 0);
    this.handle.instar_slot_wal_status.set({ status }, 1);
    this.#slotStatus = status;
  }

  /** All metrics in the text format of Prometheus, version 0.0.4. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

function makeHandles(registry: Registry): Handles {
  const handles: Record<string, Counter | Gauge | Histogram> = {};
  for (const [name, definition] of Object.entries(definitions)) {
    const common = { name, help: definition.help, labelNames: definition.labels, registers: [registry] };
    if (definition.type === 'counter') handles[name] = new Counter(common);
    else if (definition.type === 'gauge') handles[name] = new Gauge(common);
    else handles[name] = new Histogram({ ...common, buckets: [...definition.buckets] });
  }
  return handles as Handles;
}
