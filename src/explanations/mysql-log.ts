import type { Explanations } from './explanation.ts';
import { NOT_APPLIED, NOTHING_STARTED, OTHER_PAST, OUT_OF_REACH, TARGET_HAS_MORE, TRIED_AGAIN } from './meanings.ts';

const START_OVER = [
  'Start over: note the GTID set, copy the rows, forget the checkpoint, and give the set by `--defaultGTIDSet`.',
  [
    'SELECT @@GLOBAL.gtid_executed; -- MariaDB: SELECT @@GLOBAL.gtid_binlog_pos;',
    '-- at the target',
    "DELETE FROM <staging>.memo WHERE key = 'mysql-wal-offset-<target schema>';",
  ],
] as const;
const GTIDS = [
  "SELECT GTID_SUBSET('<gtid set>', @@GLOBAL.gtid_executed); -- 1: all of it is of this server",
  "SELECT GTID_SUBSET(@@GLOBAL.gtid_purged, '<gtid set>'); -- 1: nothing that is still needed was removed",
  '-- MariaDB: SELECT @@GLOBAL.gtid_binlog_pos, @@GLOBAL.gtid_binlog_state;',
] as const;
const METADATA = ['SET PERSIST binlog_row_metadata = FULL; -- MariaDB: SET GLOBAL, and in my.cnf'] as const;
const WHOLE_ROWS = ['SET PERSIST binlog_row_image = FULL; -- MariaDB and 5.7: SET GLOBAL, and in my.cnf'] as const;

/** The binary log of MySQL and MariaDB: positions, events and values. */
export const MYSQL_LOG = {
  MYSQL_GTID_EMPTY: {
    what: 'There is no GTID set to start from: no checkpoint is stored, and none was given.',
    data: 'What was changed since the rows were copied would be missing; so nothing was started, unless the source has all of its history.',
    fix: [
      'Give the set as of which the rows were copied by `--defaultGTIDSet`.',
      ['SELECT @@GLOBAL.gtid_executed; -- MariaDB: SELECT @@GLOBAL.gtid_binlog_pos;'],
    ],
    look: ['--defaultGTIDSet'],
  },
  MYSQL_GTID_SYNTAX: {
    what: 'The GTID set cannot be read.',
    data: NOTHING_STARTED,
    fix: [
      'Write it as the server prints it.',
      [
        'SELECT @@GLOBAL.gtid_executed; -- 77263736-7899-11f0-81a5-0242ac120002:1-38',
        'SELECT @@GLOBAL.gtid_binlog_pos; -- MariaDB: 0-1-100,7-2-5',
      ],
    ],
    look: ['--defaultGTIDSet'],
  },
  MYSQL_GTID_UNKNOWN: {
    what: 'The GTID set is not of this server: it comes from another one, or the log was reset.',
    data: OTHER_PAST,
    fix: ['Connect to the server that it comes from, or start over.', GTIDS, ...START_OVER],
    look: ['--defaultGTIDSet'],
  },
  MYSQL_GTID_AHEAD: {
    what: 'The source has not executed all of the GTID set: it was restored, lost commits in a failover, or is a replica that lags.',
    data: TARGET_HAS_MORE,
    fix: [
      'Wait for a replica that lags, or connect to the server that has it; else compare, and start over.',
      [
        "SELECT WAIT_FOR_EXECUTED_GTID_SET('<gtid set>', 600); -- MariaDB: SELECT MASTER_GTID_WAIT('<gtid set>', 600);",
        ...GTIDS,
      ],
      ...START_OVER,
    ],
  },
  MYSQL_GTID_PURGED: {
    what: 'The source has removed binary logs that are still needed: the GTID set is purged.',
    data: OUT_OF_REACH,
    fix: [
      'Connect to a replica that still has them; else start over, and let the source keep its logs for longer.',
      ['SELECT @@GLOBAL.gtid_purged;', ...GTIDS],
      ...START_OVER,
      ['SET PERSIST binlog_expire_logs_seconds = 604800; -- MariaDB and 5.7: SET GLOBAL, and in my.cnf'],
    ],
    related: ['MYSQL_RETENTION'],
  },
  MYSQL_GTID_DOMAIN_NEW: {
    kind: 'warns',
    what: 'The position of MariaDB has nothing of a domain that the source logs.',
    data: 'That domain is sent from its beginning: what the copy holds of it already is applied once more.',
    fix: [
      'Nothing if that is right; else start over with a position that names all domains.',
      ['SELECT @@GLOBAL.gtid_binlog_pos;'],
    ],
  },
  MYSQL_SOURCE_FAILED_OVER: {
    kind: 'warns',
    what: 'The source is another server than the one that the checkpoint was written for, and has everything up to it.',
    data: 'Nothing is lost or doubled: it goes on from there.',
    fix: [
      'Nothing, when the failover was meant.',
      ['SELECT @@GLOBAL.server_uuid; -- MariaDB: SELECT @@GLOBAL.server_id;'],
    ],
  },
  MYSQL_SOURCE_CHANGED: {
    what: 'The checkpoint was written for another product, or for other databases, than are replicated now.',
    data: OTHER_PAST,
    fix: ['Let the connection name the former database; or start over.', ...START_OVER],
  },
  MYSQL_STATEMENT_FORMAT: {
    what: 'A session logged a statement in place of the rows that it changed.',
    data: 'Which rows it changed cannot be told: nothing of its transaction is on the target, and the checkpoint stands before it.',
    fix: [
      'Copy the tables that it changed again, start behind it, and keep sessions from setting `binlog_format`.',
      [
        'SET GLOBAL binlog_format = ROW; -- and end the sessions that have it otherwise',
        "SELECT user, host FROM mysql.user WHERE Super_priv = 'Y';",
      ],
      ...START_OVER,
    ],
    related: ['MYSQL_BINLOG_FORMAT', 'MYSQL_STATEMENT_ELSEWHERE'],
  },
  MYSQL_STATEMENT_ELSEWHERE: {
    kind: 'warns',
    what: 'Changes of a database that is not replicated are logged as statements.',
    data: 'Nothing is missing, unless such a statement changes tables of the replicated database too.',
    fix: ['Log rows everywhere.', ['SET GLOBAL binlog_format = ROW;']],
    related: ['MYSQL_STATEMENT_FORMAT'],
  },
  MYSQL_INCIDENT: {
    what: 'The source says that changes are missing in its binary log.',
    data: 'What they were cannot be known: the target would lack them.',
    fix: ['Read the error log of the source, then start over with a new copy.', ...START_OVER],
  },
  MYSQL_EVENT_UNKNOWN: {
    what: 'The log holds an event that is not known here and must not be passed over.',
    data: NOT_APPLIED,
    fix: ['Use a newer version of this program, or switch off the feature of the source that makes such events.'],
  },
  MYSQL_CHECKSUM: {
    what: 'The checksum of an event does not match: it was damaged in the log file or on the way.',
    data: NOT_APPLIED,
    fix: [
      'Start again; when it comes back, the file is damaged: connect to a replica, or start over.',
      ['mysqlbinlog --verify-binlog-checksum <file> >/dev/null'],
      ...START_OVER,
    ],
  },
  MYSQL_PROTOCOL: {
    what: 'An event of the log cannot be read.',
    data: NOT_APPLIED,
    fix: [
      'Connect to the server itself and not through a proxy that changes the stream, and read the same file by mysqlbinlog.',
      ['mysqlbinlog --verify-binlog-checksum <file> >/dev/null'],
    ],
  },
  MYSQL_BINLOG: {
    what: 'The source cannot go on reading its own binary log; the message quotes it.',
    data: 'Nothing was skipped: the checkpoint stands before what it cannot read.',
    fix: ['Read its error log; if a log file is damaged, start over.', ['SHOW BINARY LOGS;'], ...START_OVER],
  },
  MYSQL_EVENT_TOO_LARGE: {
    what: 'An event of the log is larger than the source may send (`max_allowed_packet`).',
    data: NOT_APPLIED,
    fix: [
      'Raise the limit, then resume.',
      ['SET GLOBAL max_allowed_packet = 1073741824; -- MariaDB: slave_max_allowed_packet too'],
    ],
  },
  MYSQL_ANONYMOUS_TRANSACTION: {
    what: 'The log holds a transaction without a GTID: `gtid_mode` was not ON all the time.',
    data: 'What was committed meanwhile cannot be told apart; nothing of it was applied.',
    fix: ['Keep `gtid_mode` ON, and start over behind that time.', ['SELECT @@GLOBAL.gtid_mode; -- ON'], ...START_OVER],
    related: ['MYSQL_GTID_MODE'],
  },
  MYSQL_XA_UNKNOWN: {
    what: 'An XA transaction is committed whose rows are in logs from before the start.',
    data: 'Its rows are not on the target, and cannot be had from where the stream began.',
    fix: [
      'Start from a GTID set of before its XA PREPARE if the source still has that log; else start over while nothing is prepared.',
      ['XA RECOVER; -- has to be empty while the set is noted'],
      ...START_OVER,
    ],
  },
  MYSQL_TRUNCATE: {
    what: 'A table was truncated at the source, and `--truncate error` refuses that.',
    data: NOT_APPLIED,
    fix: ['Resume with `--truncate apply` to empty the target table too, or `--truncate ignore` to keep its rows.'],
    look: ['--truncate'],
  },
  MYSQL_ROWS_REMOVED: {
    kind: 'warns',
    what: 'A schema change at the source may have removed rows without naming them, as by dropping a partition.',
    data: 'The target keeps those rows, which the source no longer has.',
    fix: [
      'Delete them at the target as well, with the condition of the partition.',
      ['DELETE FROM <schema.table> WHERE …;'],
    ],
  },
  MYSQL_METADATA_MISSING: {
    what: 'The log does not tell something about a column without which its values cannot be read.',
    data: NOT_APPLIED,
    fix: ['Resume with `--fetchMetadata` for what is logged already, and let the source log it from now on.', METADATA],
    look: ['--fetchMetadata'],
    related: ['MYSQL_ROW_METADATA', 'MYSQL_NO_SELECT_PRIVILEGE'],
  },
  MYSQL_DEFINITION_MISMATCH: {
    what: 'The table was altered after the event was written, and its rows cannot be read by the definition of now.',
    data: NOT_APPLIED,
    fix: ['Copy the table again, and start behind the ALTER TABLE.', METADATA, ...START_OVER],
    look: ['--fetchMetadata'],
  },
  MYSQL_DEFINITION_NEWER: {
    what: 'The table was altered after the transaction, and the log does not name columns: rows could land in wrong ones.',
    data: NOT_APPLIED,
    fix: ['Copy the table again, and start behind the ALTER TABLE.', METADATA, ...START_OVER],
    look: ['--fetchMetadata'],
  },
  MYSQL_DEFAULT_UNKNOWN: {
    what: 'A column was left out of a logged row, and its default cannot be found out.',
    data: NOT_APPLIED,
    fix: ['Log whole rows, and start over.', WHOLE_ROWS, ...START_OVER],
  },
  MYSQL_GENERATED_MISSING: {
    what: 'A column that the source computes is not in the log, and is an ordinary one on the target.',
    data: NOT_APPLIED,
    fix: [
      'Let the target compute it, too (`GENERATED ALWAYS AS (…) STORED`); or log whole rows, and start over.',
      WHOLE_ROWS,
      ...START_OVER,
    ],
  },
  MYSQL_OLD_ROW_INCOMPLETE: {
    what: 'The log does not say which row of a table without a key was changed.',
    data: NOT_APPLIED,
    fix: ['Give the table a primary key, or log whole rows; then start over.', WHOLE_ROWS, ...START_OVER],
  },
  MYSQL_ROW_PARTLY_LOGGED: {
    kind: 'warns',
    what: 'Rows are logged in part: what a REPLACE sets to defaults without naming it is not in the log of MariaDB.',
    data: 'The target keeps the former values in those columns.',
    fix: ['Log whole rows, then compare the table.', WHOLE_ROWS],
  },
  MYSQL_TYPE_UNSUPPORTED: {
    what: 'The target column cannot take values of the type that the source column has.',
    data: 'Nothing of the table is applied; the checkpoint stands before its first change.',
    fix: [
      'Give the target column a type that takes them, as the error says, or leave the table out by a userscript.',
      ['ALTER TABLE <schema.table> ALTER COLUMN … TYPE …;'],
    ],
    related: ['UNSUPPORTED_TYPES'],
  },
  MYSQL_TEXT_INVALID: {
    what: 'A text holds bytes that its character set does not have.',
    data: NOT_APPLIED,
    fix: ['Mend the value at the source, or make the target column BYTES (bytea), which takes every byte.'],
  },
  MYSQL_ZERO_DATE: {
    what: 'A date such as 0000-00-00 cannot be written: the column takes no NULL, or `--zeroDates error` refuses it.',
    data: NOT_APPLIED,
    fix: [
      'Resume with `--zeroDates null`, let the column take NULL, or make it text with `--zeroDates keep`.',
      ['ALTER TABLE <schema.table> ALTER COLUMN … DROP NOT NULL; -- at the target'],
    ],
    look: ['--zeroDates'],
  },
  MYSQL_ZERO_DATE_NULL: {
    kind: 'warns',
    what: 'Dates that do not exist, such as 0000-00-00, become NULL at the target.',
    data: 'Such values differ from the source; all others of the row are exact.',
    fix: [
      'Nothing if NULL is right; else `--zeroDates error` to stop at them, or `--zeroDates keep` for text columns.',
    ],
    look: ['--zeroDates', 'instar_values_changed_total'],
  },
  MYSQL_BOOLEAN_RANGE: {
    kind: 'warns',
    what: 'Numbers other than 0 and 1 become true at the target.',
    data: 'Such values differ from the source; all others of the row are exact.',
    fix: [
      'Make the target column an integer if the numbers mean something, then copy the table again.',
      ['ALTER TABLE <schema.table> ALTER COLUMN … TYPE …;'],
    ],
    look: ['instar_values_changed_total'],
  },
  MYSQL_TIME_RANGE: {
    what: 'A TIME is negative or beyond 24 hours, which the TIME of the target cannot keep.',
    data: NOT_APPLIED,
    fix: [
      'Make the target column an INTERVAL, then resume.',
      ['ALTER TABLE <schema.table> ALTER COLUMN … TYPE INTERVAL;'],
    ],
  },
  MYSQL_SOURCE_DISCONNECTED: {
    kind: 'passes',
    what: 'The connection to the source was lost while it was read.',
    data: TRIED_AGAIN,
    fix: ['Nothing, unless it comes again and again: then see BINLOG_RESTARTS.'],
    look: ['instar_reconnects_total'],
    related: ['BINLOG_RESTARTS'],
  },
  MYSQL_SOURCE_SILENT: {
    kind: 'passes',
    what: 'The source has said nothing for too long, not even that it is there.',
    data: TRIED_AGAIN,
    fix: ['Nothing, unless it comes again and again: look at the load of the source and at the network.'],
    look: ['instar_reconnects_total'],
  },
  MYSQL_REREAD: {
    kind: 'passes',
    what: 'A transaction takes back some of its changes, and is read once more before any of it is applied.',
    data: TRIED_AGAIN,
    fix: ['Nothing.'],
  },
  MYSQL_SOURCE_ERROR: {
    what: 'The source reported an error that has no name here; it is quoted.',
    data: NOT_APPLIED,
    fix: ['Act on what the message quotes; it is tried again by itself where that can help.'],
  },
} as const satisfies Explanations;
