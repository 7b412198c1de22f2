import { type Board, ENGINE } from './board.ts';
import { ALIVE, LAG, LOGGED, ROWS_BY_TABLE, rate } from './shared-panels.ts';

const ROOM = `(instar_slot_limit_bytes{${ENGINE}} > 0) - instar_slot_retained_bytes{${ENGINE}}`;

/** PostgreSQL: the log, the slot and what it makes the source keep. */
export const postgresql: Board = {
  name: 'instar-postgresql',
  title: 'Instar: PostgreSQL source',
  description: 'What is peculiar to logical replication from PostgreSQL; "Instar: replication" has the rest.',
  rows: [
    {
      question: 'Is it alive, and how late is it?',
      panels: [
        ...ALIVE,
        LAG,
        {
          title: 'Log still to read and apply',
          unit: 'bytes',
          queries: [[`instar_source_lag_bytes{${ENGINE}}`, '{{instance}}']],
          limits: { red: 1_073_741_824 },
          description:
            'Bytes of WAL between what is applied and the end of the log. Red and growing: the target cannot keep up, or nothing gets through; falling: it catches up. MOLT Replicator does not publish this.',
        },
      ],
    },
    {
      question: 'Is it keeping up?',
      panels: [
        ROWS_BY_TABLE,
        {
          title: 'Changes read, by kind',
          unit: 'suffix: changes/s',
          queries: [[`sum by (type) (${rate('mutation_total', `${ENGINE},source="postgres"`)})`, '{{type}}']],
          description: 'What the publication delivers.',
        },
        {
          title: 'WAL read',
          unit: 'Bps',
          queries: [[rate('instar_source_received_bytes_total'), '{{instance}}']],
          description:
            'What the walsender sends. Zero with log still to read, source not held back: it works on a large transaction or is stuck; see pg_stat_replication.',
        },
      ],
    },
    {
      question: 'Where is the time going?',
      panels: [
        {
          title: 'Replication streams started',
          unit: 'suffix: /s',
          queries: [
            [rate('pglogical_dial_success_total'), '{{instance}} started'],
            [rate('pglogical_dial_failure_total'), '{{instance}} refused'],
          ],
          description:
            'A steady process starts one in its life. Refused again and again: another reader has the slot (`instar explain PG_SLOT_ACTIVE`), or the source lets nobody in.',
        },
        {
          title: 'Empty transactions',
          unit: 'suffix: /s',
          queries: [[rate('pglogical_empty_transactions'), '{{instance}}']],
          description:
            'Transactions of the source without a change of a published table. They cost the walsender time all the same.',
        },
        {
          title: 'Unchanged large values',
          unit: 'suffix: values/s',
          queries: [[rate('pglogical_unchanged_toasted_columns'), '{{instance}}']],
          description:
            'Large values that an update did not touch and the source did not send; the target keeps its own.',
        },
      ],
    },
    {
      question: 'What is at risk?',
      panels: [
        {
          title: 'Slot: limit used up',
          unit: 'percentunit',
          single: true,
          queries: [
            [`instar_slot_retained_bytes{${ENGINE}} / (instar_slot_limit_bytes{${ENGINE}} > 0)`, '{{instance}}'],
          ],
          limits: { orange: 0.5, red: 0.8 },
          none: 'no limit',
          description:
            "Log that the slot holds back, as a share of max_slot_wal_keep_size. At 100 % the source removes it, the slot is lost and the data has to be copied again. Red: let the engine catch up, or on the source: ALTER SYSTEM SET max_slot_wal_keep_size = '…'; SELECT pg_reload_conf(). Without a limit the log may fill the disk of the source.",
        },
        {
          title: 'Slot: lost in',
          unit: 's',
          single: true,
          queries: [[`(${ROOM}) / (deriv(instar_slot_retained_bytes{${ENGINE}}[1h]) > 1000)`, '{{instance}}']],
          limits: { orange: 86_400, red: 21_600, below: true },
          none: 'not in sight',
          description:
            'Time until the limit is reached at the rate of the last hour. Red: do something now: resume what is stopped or paused, mend the target, raise max_slot_wal_keep_size.',
        },
        {
          title: 'Slot: state',
          unit: 'none',
          single: true,
          queries: [
            [`max by (instance) (instar_slot_wal_status{${ENGINE},status=~"unreserved|lost"})`, '{{instance}}'],
          ],
          words: { 0: ['reserved', 'green'], 1: ['about to be lost', 'red'] },
          limits: { red: 1 },
          none: 'reserved',
          description:
            'wal_status of the slot. Red: the source is about to remove, or has removed, log that is needed: `instar explain PG_SLOT_LOST`. As long as the stream is not cut it may still come through: do not restart it.',
        },
        {
          title: 'Slot: log held back',
          unit: 'bytes',
          queries: [
            [`instar_slot_retained_bytes{${ENGINE}}`, '{{instance}} held back'],
            [`instar_slot_limit_bytes{${ENGINE}} > 0`, '{{instance}} limit'],
          ],
          description:
            'What the source keeps for the slot. Growing with no lag: a transaction that has been open for long: SELECT pid, xact_start, query FROM pg_stat_activity ORDER BY xact_start.',
        },
        LOGGED,
      ],
    },
  ],
};
