import { ENGINE, type Panel, TABLES } from './board.ts';

/** The rate of a counter over what Grafana finds right for the scrape interval. */
export function rate(metric: string, labels = ENGINE): string {
  return `rate(${metric}{${labels}}[$__rate_interval])`;
}

/** A quantile of a histogram, over all processes that are shown, by `labels`. */
export function quantile(q: number, metric: string, by: string, labels = ENGINE): string {
  return `histogram_quantile(${q}, sum by (${['le', by].filter(Boolean).join(', ')}) (${rate(`${metric}_bucket`, labels)}))`;
}

/** What a labelled counter has gained in an hour, also where it was born meanwhile, which increase() does not count. */
export function gained(metric: string, by: string, labels = ENGINE): string {
  const sum = (offset: string) => `sum by (${by}) (${metric}{${labels}}${offset})`;
  return `${sum('')} - (${sum(' offset 1h')} or ${sum('')} * 0)`;
}

/** The panels with which every board begins. */
export const ALIVE: readonly Panel[] = [
  {
    title: 'Process',
    unit: 'none',
    single: true,
    queries: [[`up{${ENGINE}}`, '{{instance}}']],
    words: { 0: ['down', 'red'], 1: ['up', 'green'] },
    limits: { red: 1, below: true },
    description:
      'Whether Prometheus gets an answer from /_/varz. Red: the process has ended or cannot be reached. `instar status NAME` tells which; the end of its log says why; `instar resume NAME` goes on where it stopped, nothing is lost or doubled.',
  },
  {
    title: 'Source',
    unit: 'none',
    single: true,
    queries: [[`max by (instance) (instar_source_state{${ENGINE},state="streaming"})`, '{{instance}}']],
    words: { 0: ['not streaming', 'red'], 1: ['streaming', 'green'] },
    limits: { red: 1, below: true },
    none: 'never connected',
    description:
      'Whether changes are streamed from the source. Red: it cannot be reached or refuses. It is tried again by itself; /_/healthz and the log say why, `instar explain CODE` what to do about the code that stands there. MOLT Replicator does not publish this.',
  },
  {
    title: 'Lag',
    unit: 's',
    single: true,
    queries: [[`instar_lag_seconds{${ENGINE}} or source_commit_to_apply_lag_seconds{${ENGINE}}`, '{{instance}}']],
    limits: { orange: 10, red: 60 },
    description:
      'For how long the target has lacked something of the source; 0 on an idle source, and growing while nothing gets through. Red: look at the next rows: if nothing is applied it is stalled, if much is, it catches up. MOLT Replicator: the age of what was applied last, which stands still when it stalls.',
  },
  {
    title: 'Last applied',
    unit: 's',
    single: true,
    queries: [[`time() - max by (instance) (core_sweep_success_timestamp_seconds{${ENGINE}})`, '{{instance}} ago']],
    none: 'nothing yet',
    description:
      'Time since anything was applied. On a quiet source this grows and means nothing; it is bad only together with a lag.',
  },
  {
    title: 'Running for',
    unit: 's',
    single: true,
    queries: [[`time() - cdc_sink_start_seconds{${ENGINE}}`, '{{instance}}']],
    description:
      'Time since the process started. When it keeps being short the process dies again and again: read the end of its log.',
  },
  {
    title: 'Paused',
    unit: 'none',
    single: true,
    queries: [[`instar_paused{${ENGINE}}`, '{{instance}}']],
    words: { 0: ['no', 'green'], 1: ['paused', 'red'] },
    limits: { red: 1 },
    description:
      'Whether somebody has paused applying. Red: the source keeps its log meanwhile; `p` on the dashboard (`instar watch`) goes on. MOLT Replicator does not publish this.',
  },
];

export const LAG: Panel = {
  title: 'Lag',
  unit: 's',
  queries: [
    [`instar_lag_seconds{${ENGINE}}`, '{{instance}} lacking'],
    [`source_commit_to_apply_lag_seconds{${ENGINE}}`, '{{instance}} applied last'],
  ],
  limits: { red: 60 },
  description:
    'For how long the target has lacked something, and how old was what it got last. Red, both high and falling: it catches up. Red, and the first alone grows: nothing gets through; see Source, and what waits for the target.',
};

export const ROWS_BY_TABLE: Panel = {
  title: 'Rows applied by table',
  unit: 'suffix: rows/s',
  queries: [
    [
      `sum by (schema, table) (${rate('apply_upserts_total', TABLES)} + ${rate('apply_deletes_total', TABLES)})`,
      '{{schema}}.{{table}}',
    ],
  ],
  description:
    'Rows upserted and deleted. Before a cutover, with the application stopped, all of them fall to zero and stay there: the target is drained. Zero with a lag: nothing gets through.',
};

export const LOGGED: Panel = {
  title: 'Warnings and errors logged',
  unit: 'short',
  queries: [
    [
      `sum by (level) (increase(log_message_count{${ENGINE},level=~"warn|warning|error|fatal"}[$__rate_interval]))`,
      '{{level}}',
    ],
  ],
  description:
    'Lines of the log at these levels. Each names a code: `instar explain CODE` says what it means for the data and what to do.',
};

/** The log of a source that removes it by age. */
export function logAge(advice: string): readonly Panel[] {
  return [
    {
      title: 'Log: used up',
      unit: 'percentunit',
      single: true,
      queries: [
        [
          `instar_source_log_needed_seconds{${ENGINE}} / (instar_source_log_kept_seconds{${ENGINE}} > 0)`,
          '{{instance}}',
        ],
      ],
      limits: { orange: 0.5, red: 0.8 },
      none: 'kept for ever',
      description: `Age of the oldest log that is still needed, as a share of the age at which the source removes log. At 100 % the replication is lost and the data has to be copied again. Red: ${advice}`,
    },
    {
      title: 'Log: needed and kept',
      unit: 's',
      queries: [
        [`instar_source_log_needed_seconds{${ENGINE}}`, '{{instance}} needed'],
        [`instar_source_log_kept_seconds{${ENGINE}} > 0`, '{{instance}} kept'],
      ],
      description: `How old the oldest log is that a restart would read, and at what age the source removes log. When the lines come near each other: ${advice}`,
    },
  ];
}
