import { type Board, ENGINE, TABLES } from './board.ts';
import { ALIVE, gained, LAG, LOGGED, quantile, ROWS_BY_TABLE, rate } from './shared-panels.ts';

/** For any source: the questions of an operator in the order in which they are asked. */
export const general: Board = {
  name: 'instar-general',
  title: 'Instar: replication',
  description:
    'Is it alive and how late, is it keeping up, where is the time going, what is at risk. For Instar, and for MOLT Replicator as far as it publishes the same metrics.',
  rows: [
    {
      question: 'Is it alive, and how late is it?',
      panels: [
        ...ALIVE,
        LAG,
        {
          title: 'Age of transactions when applied',
          unit: 's',
          queries: [
            [quantile(0.5, 'target_apply_transaction_lag_seconds', 'instance'), '{{instance}} half'],
            [quantile(0.99, 'target_apply_transaction_lag_seconds', 'instance'), '{{instance}} 99 %'],
          ],
          limits: { red: 60 },
          description:
            'Time from the commit at the source to the commit at the target. Red: see where the time goes, below. Much more for the 99th than for half: single large or retried transactions.',
        },
        {
          title: 'Age of rows when applied, by table',
          unit: 's',
          queries: [
            [quantile(0.99, 'target_apply_mutation_age_seconds', 'schema, table', TABLES), '{{schema}}.{{table}}'],
          ],
          limits: { red: 60 },
          description:
            'The 99th of a hundred rows. Red for one table alone: see its errors, its locks on the target, its userscript.',
        },
      ],
    },
    {
      question: 'Is it keeping up?',
      panels: [
        ROWS_BY_TABLE,
        {
          title: 'Changes read and applied',
          unit: 'suffix: changes/s',
          queries: [[`sum by (type) (${rate('acceptor_mutations_total')})`, '{{type}}']],
          description:
            'received: read from the source; success: applied. Less applied than received for long: the target is the slow side. Rows that change several times in a batch are applied once, so somewhat less is normal.',
        },
        {
          title: 'Changes read, by kind',
          unit: 'suffix: changes/s',
          queries: [[`sum by (source, type) (${rate('mutation_total')})`, '{{source}} {{type}}']],
          description: 'What the source does: inserts, updates, deletes, truncates.',
        },
        {
          title: 'Bytes read',
          unit: 'Bps',
          queries: [[rate('instar_source_received_bytes_total'), '{{instance}}']],
          description:
            'Log that comes from the source. Zero with a lag: nothing comes, or nothing more can be held (Source held back).',
        },
        {
          title: 'Batches',
          unit: 'suffix: batches/s',
          queries: [
            [`sum by (path) (${rate('instar_batches_total')})`, '{{path}}'],
            [`sum by (reason) (${rate('core_flush_count')})`, 'closed by {{reason}}'],
          ],
          description:
            'fast: together, collapsed; exact: in the order of the source because the target refused a batch. Many exact ones cost speed: a unique or foreign key that holds only step by step.',
        },
        {
          title: 'Rows taken over and left out by the userscript',
          unit: 'suffix: rows/s',
          queries: [
            [
              `sum by (schema, table, function) (${rate('script_rows_processed_total', TABLES)})`,
              '{{table}} {{function}}',
            ],
            [
              `sum by (schema, table, function) (${rate('script_rows_filtered_total', TABLES)})`,
              '{{table}} {{function}} left out',
            ],
          ],
          none: 'no userscript',
          description: 'What the handlers of the userscript do with rows.',
        },
      ],
    },
    {
      question: 'Where is the time going?',
      panels: [
        {
          title: 'Source or target',
          unit: 'percentunit',
          queries: [
            [rate('instar_target_busy_seconds_total'), '{{instance}} target busy'],
            [rate('instar_source_blocked_seconds_total'), '{{instance}} source held back'],
          ],
          limits: { orange: 0.9 },
          description:
            'Shares of time. Target busy near 100 % or source held back: the target is the slow side: look at its load, its locks, its round trip (`instar preflight`), raise --flushSize. Both low with a lag: the source is.',
        },
        {
          title: 'Queue and parallelism',
          unit: 'percent',
          queries: [
            [`target_apply_queue_utilization_percent{${ENGINE}}`, '{{instance}} queue'],
            [`core_parallelism_utilization_percent{${ENGINE}}`, '{{instance}} parallelism'],
          ],
          limits: { orange: 70, red: 90 },
          description:
            'How full the queue in front of the target is, and how much of --parallelism is in use. Red: heavy back-pressure: the target cannot take what comes.',
        },
        {
          title: 'Transactions that wait for the target',
          unit: 'short',
          queries: [[`target_apply_queue_size{${ENGINE}}`, '{{instance}}']],
          description:
            'Batches that wait or are on their way. Flat and above zero with nothing applied: the target hangs; look for locks there.',
        },
        {
          title: 'Time of a batch',
          unit: 's',
          queries: [
            [quantile(0.5, 'core_sweep_duration_seconds', 'schema'), '{{schema}} half'],
            [quantile(0.99, 'core_sweep_duration_seconds', 'schema'), '{{schema}} 99 %'],
          ],
          limits: { red: 10 },
          description:
            'From sending a batch to its commit. Red: the target is overloaded or waits for locks; --applyTimeout gives up at 30 s.',
        },
        {
          title: 'Time to apply, by table',
          unit: 's',
          queries: [[quantile(0.99, 'apply_duration_seconds', 'schema, table', TABLES), '{{schema}}.{{table}}']],
          limits: { red: 10 },
          description:
            'The 99th of a hundred batches with rows of the table. Red for one table alone: indexes, triggers or locks of it.',
        },
        {
          title: 'Retries',
          unit: 'suffix: /s',
          queries: [
            [`sum by (code) (${rate('retry_retried_total')})`, '{{code}} again'],
            [`sum by (code) (${rate('retry_aborted_total')})`, '{{code}} given up'],
          ],
          none: 'none',
          description:
            'What the target refused, by SQLSTATE. 40001 and 40P01 now and then are its normal life under load; for long: somebody else writes the same rows. Given up: see Failures to apply.',
        },
        {
          title: 'Connections lost',
          unit: 'short',
          queries: [[gained('instar_reconnects_total', 'side, code'), '{{side}} {{code}}']],
          limits: { orange: 1, red: 60 },
          none: 'none',
          description:
            'In the last hour, by side and code. Each starts again at the checkpoint, nothing is lost. Red: it does so all the time: `instar explain CODE`. MOLT Replicator does not publish this.',
        },
        {
          title: 'Connections to the target opened',
          unit: 'suffix: /s',
          queries: [
            [`sum by (pool) (${rate('pool_dial_success_count')})`, '{{pool}}'],
            [`sum by (pool) (${rate('pool_dial_error_count')})`, '{{pool}} failed'],
          ],
          description: 'A steady process opens none. Many: a load balancer or a firewall cuts them.',
        },
        {
          title: 'Time in the userscript',
          unit: 'percentunit',
          queries: [
            [
              `sum by (schema, table, function) (${rate('script_exec_time_seconds_sum', TABLES)})`,
              '{{table}} {{function}} runs',
            ],
            [
              `sum by (schema, table, function) (${rate('script_entry_wait_seconds_sum', TABLES)})`,
              '{{table}} {{function}} waits',
            ],
          ],
          limits: { orange: 0.8 },
          none: 'no userscript',
          description: 'Seconds per second in each handler. Near 100 %: the script is what is slow: do less per row.',
        },
      ],
    },
    {
      question: 'What is at risk?',
      panels: [
        {
          title: 'Dead letters in the last hour',
          unit: 'short',
          single: true,
          queries: [[gained('instar_dead_letters_total', 'instance, table'), '{{table}}']],
          limits: { red: 1 },
          none: 'none',
          description:
            'Transactions that the target refused for good and that were put aside (--onApplyError dlq). Red: the target lacks them. The table of that name in the target schema holds each with its error. MOLT Replicator does not publish this.',
        },
        {
          title: 'Failures to apply in the last hour',
          unit: 'short',
          single: true,
          queries: [[`sum by (instance) (increase(apply_errors_total{${TABLES}}[1h]))`, '{{instance}}']],
          limits: { orange: 1, red: 10 },
          none: 'none',
          description:
            'What the target refused. Red: a constraint, a type or a trigger of the target does not take what the source has; without --onApplyError dlq the engine stops: `instar explain APPLY_FAILED`.',
        },
        {
          title: 'Userscript errors in the last hour',
          unit: 'short',
          single: true,
          queries: [[gained('script_errors_total', 'instance, table, function', TABLES), '{{table}} {{function}}']],
          limits: { red: 1 },
          none: 'none',
          description:
            'Red: handlers threw, or returned what cannot be written; nothing of those transactions was applied. `instar explain SCRIPT_FAILED`; try the script with `instar userscript check FILE --rows FILE`.',
        },
        {
          title: 'Memory',
          unit: 'bytes',
          queries: [
            [`process_resident_memory_bytes{${ENGINE}}`, '{{instance}} process'],
            [`instar_buffered_bytes{${ENGINE}}`, '{{instance}} changes held'],
          ],
          limits: { red: 2_147_483_648 },
          description:
            'Of the process, and of the changes that it holds (at most --memoryLimit, 64 MiB unless given). It does not grow with the lag or with the size of transactions, which go to --dataDir. Red: lower --memoryLimit, and report it.',
        },
        {
          title: 'CPU',
          unit: 'percentunit',
          queries: [[rate('process_cpu_seconds_total'), '{{instance}}']],
          limits: { orange: 0.9 },
          description: 'Cores in use. Near 100 % with a lag, target busy low: this machine is the slow side.',
        },
        {
          title: 'Failures to apply, by table',
          unit: 'short',
          queries: [
            [
              `sum by (schema, table) (increase(apply_errors_total{${TABLES}}[$__rate_interval]))`,
              '{{schema}}.{{table}}',
            ],
          ],
          description: 'Which table the target refuses rows of. `e` on the dashboard shows the errors.',
        },
        LOGGED,
      ],
    },
  ],
};
