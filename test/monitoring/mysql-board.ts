import { type Board, ENGINE } from './board.ts';
import { ALIVE, gained, LAG, LOGGED, logAge, ROWS_BY_TABLE, rate } from './shared-panels.ts';

/** MySQL and MariaDB: the binary log and its age. */
export const mysql: Board = {
  name: 'instar-mysql',
  title: 'Instar: MySQL source',
  description: 'What is peculiar to the binary log of MySQL and MariaDB; "Instar: replication" has the rest.',
  rows: [
    {
      question: 'Is it alive, and how late is it?',
      panels: [
        ...ALIVE,
        LAG,
        {
          title: 'Transactions still to read and apply',
          unit: 'short',
          queries: [[`instar_source_waiting_transactions{${ENGINE}}`, '{{instance}}']],
          limits: { red: 100_000 },
          description:
            'By GTIDs: committed at the source and not on the target. Red and growing: the target cannot keep up, or nothing gets through; falling: it catches up. MOLT Replicator does not publish this.',
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
          queries: [[`sum by (type) (${rate('mutation_total', `${ENGINE},source="mysql"`)})`, '{{type}}']],
          description: 'What the binary log holds of the tables that are replicated.',
        },
        {
          title: 'Binary log read',
          unit: 'Bps',
          queries: [[rate('instar_source_received_bytes_total'), '{{instance}}']],
          description:
            'What the server sends, tables that are not replicated included. Zero with transactions still to read: the server does not send; see SHOW PROCESSLIST there.',
        },
      ],
    },
    {
      question: 'Where is the time going?',
      panels: [
        {
          title: 'Binary log streams started',
          unit: 'suffix: /s',
          queries: [
            [rate('mylogical_dial_success_total'), '{{instance}} started'],
            [rate('mylogical_dial_failure_total'), '{{instance}} refused'],
          ],
          description:
            'A steady process starts one in its life. Started again and again: another replica has the same --replicationProcessID. Refused: the log says why.',
        },
        {
          title: 'Source or target',
          unit: 'percentunit',
          queries: [
            [rate('instar_target_busy_seconds_total'), '{{instance}} target busy'],
            [rate('instar_source_blocked_seconds_total'), '{{instance}} source held back'],
          ],
          limits: { orange: 0.9 },
          description: 'Near 100 %: the target is the slow side. Both low with a lag: the source is.',
        },
      ],
    },
    {
      question: 'What is at risk?',
      panels: [
        ...logAge(
          "let the engine catch up, or on the source: SET PERSIST binlog_expire_logs_seconds = …; on RDS: CALL mysql.rds_set_configuration('binlog retention hours', …), which is not seen here.",
        ),
        {
          title: 'Values in another form',
          unit: 'short',
          queries: [[gained('instar_values_changed_total', 'reason'), '{{reason}}']],
          none: 'none',
          description:
            'In the last hour: dates such as 0000-00-00 that became NULL (--zeroDates), numbers other than 0 and 1 that became true. MOLT Replicator does not publish this.',
        },
        LOGGED,
      ],
    },
  ],
};
