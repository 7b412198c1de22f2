import type { Metrics } from '../metrics/registry.ts';
import type { HandlerCounts, UserscriptOptions } from '../userscript/userscript.ts';

/**
 * Turns what a userscript does into metrics. `schema` is the target schema as given; `table` is empty for handlers of a
 * schema. Times are observed once for all calls of a handler in a batch, so that the sum of the histogram is the whole time.
 */
export function scriptMetrics(metrics: Metrics, schema: () => string): Pick<UserscriptOptions, 'onCounts' | 'onError'> {
  const { handle } = metrics;
  return {
    onCounts(counts: readonly HandlerCounts[]) {
      for (const { tables, handler, calls, filtered, processed, milliseconds, waited } of counts) {
        const labels = { schema: schema(), table: tables.join(','), function: handler };
        handle.script_invocations_total.inc(labels, calls);
        handle.script_rows_filtered_total.inc(labels, filtered);
        handle.script_rows_processed_total.inc(labels, processed);
        handle.script_exec_time_seconds.observe(labels, milliseconds / 1000);
        handle.script_entry_wait_seconds.observe(labels, waited / 1000);
      }
    },
    onError(handler: string, table: string) {
      handle.script_errors_total.inc({ schema: schema(), table, function: handler });
    },
  };
}
