import type { Samples } from '../../src/dashboard/samples.ts';
import { groupingsOf, selectorsOf } from './promql.ts';
import type { PlacedQuery } from './queries.ts';

/** Labels that Prometheus itself gives to what it scrapes. */
const PROMETHEUS = ['job', 'instance'];

/** Everything that queries ask of a scrape and that is not there, in words. */
export function unserved(queries: readonly PlacedQuery[], samples: Samples): string[] {
  const labelsOf = (metric: string) =>
    new Set((samples.get(metric) ?? []).flatMap(({ labels }) => Object.keys(labels)));
  const found = queries.flatMap(({ query, where }) => {
    const missing: string[] = [];
    for (const { metric, matchers } of selectorsOf(query)) {
      if (metric === 'up') continue;
      if (!samples.has(metric)) {
        missing.push(metric);
        continue;
      }
      for (const [label, operator, value] of matchers) {
        if (PROMETHEUS.includes(label)) continue;
        if (!labelsOf(metric).has(label)) missing.push(`${metric}{${label}}`);
        else if (operator === '=' && !samples.get(metric)!.some(({ labels }) => labels[label] === value)) {
          missing.push(`${metric}{${label}="${value}"}`);
        }
      }
    }
    for (const { labels, metrics } of groupingsOf(query)) {
      for (const label of labels) {
        if (PROMETHEUS.includes(label)) continue;
        for (const metric of metrics) {
          if (metric !== 'up' && samples.has(metric) && !labelsOf(metric).has(label))
            missing.push(`${metric} by ${label}`);
        }
      }
    }
    return missing.map((what) => `${where}: ${what}`);
  });
  return [...new Set(found)];
}
