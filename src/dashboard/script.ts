import { formatCount, formatRate } from '../terminal/format.ts';
import type { ScriptReading } from './reading.ts';
import { total, type Samples } from './samples.ts';
import { CounterSeries } from './series.ts';

/** What a userscript has done since its process started. */
export interface ScriptFacts {
  /** Rows that it passed on, and that it left out. */
  readonly passed: number;
  readonly dropped: number;
  readonly failures: number;
  /** Seconds in its handlers. */
  readonly seconds: number;
}

/** Names of metrics that are read. */
export const SCRIPT_METRICS = [
  'script_invocations_total',
  'script_rows_processed_total',
  'script_rows_filtered_total',
  'script_errors_total',
  'script_exec_time_seconds_sum',
] as const;

/** Undefined where no handler has run yet, or there is no script. */
export function readScript(samples: Samples): ScriptFacts | undefined {
  const failures = total(samples, 'script_errors_total') ?? 0;
  if ((total(samples, 'script_invocations_total') ?? 0) + failures === 0) return undefined;
  return {
    passed: total(samples, 'script_rows_processed_total') ?? 0,
    dropped: total(samples, 'script_rows_filtered_total') ?? 0,
    failures,
    seconds: total(samples, 'script_exec_time_seconds_sum') ?? 0,
  };
}

/** Rates out of what a script has done, look by look. */
export class ScriptModel {
  readonly #window: number;
  readonly #passed: CounterSeries;
  readonly #dropped: CounterSeries;
  readonly #seconds: CounterSeries;

  /** Rates are those of the last `window` milliseconds, of `span` that are remembered. */
  constructor(window: number, span: number) {
    this.#window = window;
    this.#passed = new CounterSeries(span);
    this.#dropped = new CounterSeries(span);
    this.#seconds = new CounterSeries(span);
  }

  look(at: number, facts: ScriptFacts | undefined): ScriptReading | undefined {
    if (facts === undefined) return undefined;
    this.#passed.add(at, facts.passed);
    this.#dropped.add(at, facts.dropped);
    this.#seconds.add(at, facts.seconds);
    return {
      passedPerSecond: this.#passed.perSecond(this.#window),
      droppedPerSecond: this.#dropped.perSecond(this.#window),
      dropped: facts.dropped,
      busy: this.#seconds.perSecond(this.#window),
      failures: facts.failures,
    };
  }

  /** The process started anew. */
  restart(): void {
    for (const counter of [this.#passed, this.#dropped, this.#seconds]) counter.restart();
  }
}

/** In one line: "passes 8,000/s, leaves out 120/s; 12% of a core; 1 failure". */
export function scriptText(script: ScriptReading): string {
  const { passedPerSecond, droppedPerSecond, dropped, busy, failures } = script;
  const left = dropped === 0 ? 'leaves out none' : `leaves out ${formatRate(droppedPerSecond)}`;
  return [
    `passes ${formatRate(passedPerSecond)}, ${left}`,
    ...(busy === undefined ? [] : [`${Math.round(100 * busy)}% of a core`]),
    ...(failures === 0 ? [] : [`${formatCount(failures)} ${failures === 1 ? 'failure' : 'failures'}`]),
  ].join('; ');
}
