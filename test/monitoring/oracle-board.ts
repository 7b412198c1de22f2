import { type Board, ENGINE } from './board.ts';
import { ALIVE, gained, LAG, LOGGED, logAge, quantile, ROWS_BY_TABLE, rate } from './shared-panels.ts';

/** Oracle: LogMiner, open transactions and the archived logs. */
export const oracle: Board = {
  name: 'instar-oracle',
  title: 'Instar: Oracle source',
  description: 'What is peculiar to LogMiner; "Instar: replication" has the rest.',
  rows: [
    {
      question: 'Is it alive, and how late is it?',
      panels: [
        ...ALIVE,
        LAG,
        {
          title: 'SCNs still to read',
          unit: 'short',
          queries: [[`oraclelogminer_scn_interval_size{${ENGINE}}`, '{{instance}}']],
          limits: { red: 1_000_000 },
          description:
            'Between what was read and the newest SCN of the source. Red and growing: LogMiner is slower than the source writes; falling: it catches up.',
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
          queries: [[`sum by (type) (${rate('mutation_total', `${ENGINE},source="oracle"`)})`, '{{type}}']],
          description: 'What LogMiner tells of the tables that are replicated.',
        },
        {
          title: 'Windows',
          unit: 'suffix: /s',
          queries: [[rate('oraclelogminer_time_per_window_seconds_count'), '{{instance}}']],
          description:
            'Windows of SCNs that were read. Zero with SCNs still to read: LogMiner hangs, or a log is waited for; the log says which.',
        },
      ],
    },
    {
      question: 'Where is the time going?',
      panels: [
        {
          title: 'Time of a window',
          unit: 's',
          queries: [
            [quantile(0.5, 'oraclelogminer_time_per_window_seconds', 'instance'), '{{instance}} half'],
            [quantile(0.99, 'oraclelogminer_time_per_window_seconds', 'instance'), '{{instance}} 99 %'],
            [
              quantile(0.99, 'oraclelogminer_query_redo_logs_duration_seconds', 'instance'),
              '{{instance}} 99 %, its query',
            ],
          ],
          limits: { red: 30 },
          description:
            'From start to end, and the query of V$LOGMNR_CONTENTS alone. Red: the server is busy or the window too large: --scnWindowSize.',
        },
        {
          title: 'Size of a window',
          unit: 'short',
          queries: [[`instar_oraclelogminer_window_size{${ENGINE}}`, '{{instance}}']],
          description:
            'SCNs that are read at a time; it fits itself to the source, up to --scnWindowSize. MOLT Replicator does not publish this.',
        },
        {
          title: 'Checkpoints that wait',
          unit: 'short',
          queries: [[`oraclelogminer_num_async_checkpoints_in_queue{${ENGINE}}`, '{{instance}}']],
          description:
            'Of MOLT Replicator; growing: its staging database is slow. With Instar there are none, the checkpoint is committed with the rows.',
        },
        {
          title: 'Source or target',
          unit: 'percentunit',
          queries: [
            [rate('instar_target_busy_seconds_total'), '{{instance}} target busy'],
            [rate('instar_source_blocked_seconds_total'), '{{instance}} source held back'],
          ],
          limits: { orange: 0.9 },
          description: 'Near 100 %: the target is the slow side. Both low with a lag: LogMiner is.',
        },
      ],
    },
    {
      question: 'What is at risk?',
      panels: [
        ...logAge(
          'let the engine catch up, end the transaction that has been open for longest, or let RMAN keep archived logs for longer (CONFIGURE ARCHIVELOG DELETION POLICY, CONFIGURE RETENTION POLICY).',
        ),
        {
          title: 'Transactions open at the source',
          unit: 'short',
          queries: [[`oraclelogminer_num_inflight_transactions_in_memory{${ENGINE}}`, '{{instance}}']],
          limits: { orange: 1000 },
          description:
            'With changes that are held until they commit. One that stays open for long makes a restart read from where it began: SELECT START_TIME, START_SCN FROM V$TRANSACTION ORDER BY START_SCN.',
        },
        {
          title: 'Redo that was passed over',
          unit: 'short',
          queries: [[gained('instar_oraclelogminer_redo_skipped_total', 'reason'), '{{reason}}']],
          limits: { red: 1 },
          none: 'none',
          description:
            'In the last hour. Red: LogMiner told of changes without their content, so the target may lack them: `instar explain ORACLE_REDO_SKIPPED`. MOLT Replicator does not publish this.',
        },
        LOGGED,
      ],
    },
  ],
};
