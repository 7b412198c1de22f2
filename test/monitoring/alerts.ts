import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { evaluate, type Sample, type Series, seconds } from './evaluate.ts';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook', string>>;
}

/** The rules of assets/prometheus. */
export const ALERTS: readonly Alert[] = parse(
  readFileSync(new URL('../../assets/prometheus/instar-alerts.yaml', import.meta.url), 'utf8'),
).groups.flatMap(({ rules }: { rules: Alert[] }) => rules);

/** Seconds between two evaluations. */
const INTERVAL = 15;

/** The alerts that fire at `end`, by name, with what each fires for: what has been true at every look for as long as the rule says. */
export function firing(series: readonly Series[], end: number): Map<string, Sample[]> {
  const found = new Map<string, Sample[]>();
  for (const { alert, expr, for: patience = '0s' } of ALERTS) {
    let lasting = evaluate(expr, series, end);
    for (let time = end - seconds(patience); time < end && lasting.length > 0; time += INTERVAL) {
      const then = new Set(evaluate(expr, series, time).map(({ labels }) => JSON.stringify(labels)));
      lasting = lasting.filter(({ labels }) => then.has(JSON.stringify(labels)));
    }
    if (lasting.length > 0) found.set(alert, lasting);
  }
  return found;
}
