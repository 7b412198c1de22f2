import type { Explanations } from './explanation.ts';
import { NOT_APPLIED, NOTHING_STARTED, WOULD_LACK } from './meanings.ts';

const FULL = ['SET PERSIST binlog_row_metadata = FULL; -- MariaDB: SET GLOBAL, and in my.cnf'] as const;

/** A MySQL or MariaDB source: its settings, rights and tables. */
export const MYSQL = {
  MYSQL_VERSION: {
    what: 'The source is older than MySQL 5.7 or MariaDB 10.6.',
    data: NOTHING_STARTED,
    fix: ['Upgrade it, or replicate from a newer replica of it.', ['SELECT VERSION();']],
  },
  MYSQL_LOG_BIN: {
    what: 'The source writes no binary log: there is nothing to read changes from.',
    data: WOULD_LACK,
    fix: ['Switch it on in `my.cnf`, then restart the server.', ['log_bin = binlog', 'SELECT @@log_bin; -- 1']],
  },
  MYSQL_SERVER_ID: {
    what: 'The source has no server id (`server_id` is 0), and sends its log to nobody.',
    data: NOTHING_STARTED,
    fix: [
      'Give it one that no other server has.',
      ['SET PERSIST server_id = 1; -- MariaDB and 5.7: SET GLOBAL, and in my.cnf'],
    ],
  },
  MYSQL_GTID_MODE: {
    what: 'The `gtid_mode` of the source is not ON: not every transaction has a GTID.',
    data: WOULD_LACK,
    fix: [
      'Switch it on in steps, each on every server before the next.',
      [
        'SET PERSIST enforce_gtid_consistency = ON;',
        'SET PERSIST gtid_mode = OFF_PERMISSIVE;',
        'SET PERSIST gtid_mode = ON_PERMISSIVE;',
        "SHOW STATUS LIKE 'ongoing_anonymous_transaction_count'; -- wait for 0",
        'SET PERSIST gtid_mode = ON; -- 5.7: SET GLOBAL, and in my.cnf',
      ],
    ],
    related: ['MYSQL_ANONYMOUS_TRANSACTION'],
  },
  MYSQL_GTID_CONSISTENCY: {
    what: '`enforce_gtid_consistency` is not ON: statements are let through that cannot be logged with one GTID.',
    data: WOULD_LACK,
    fix: ['Switch it on.', ['SET PERSIST enforce_gtid_consistency = ON; -- 5.7: SET GLOBAL, and in my.cnf']],
  },
  MYSQL_BINLOG_FORMAT: {
    what: 'The `binlog_format` of the source is not ROW: it logs statements in place of the rows that they change.',
    data: WOULD_LACK,
    fix: [
      'Set it, and end the sessions that began before.',
      ['SET PERSIST binlog_format = ROW; -- MariaDB and 5.7: SET GLOBAL, and in my.cnf'],
    ],
    related: ['MYSQL_STATEMENT_FORMAT'],
  },
  MYSQL_ROW_METADATA: {
    what: '`binlog_row_metadata` is not FULL: the log does not say what the columns are called, nor all of their types.',
    data: NOTHING_STARTED,
    fix: [
      'Set it; or start with `--fetchMetadata`, which reads the definitions from the catalogue and needs SELECT on the tables.',
      [...FULL, "GRANT SELECT ON `<database>`.* TO '<user>'@'%'; -- for --fetchMetadata"],
    ],
    look: ['--fetchMetadata'],
    related: ['MYSQL_NO_SELECT_PRIVILEGE', 'MYSQL_METADATA_MISSING'],
  },
  MYSQL_BINLOG_FILTER: {
    what: 'The source leaves databases out of its binary log.',
    data: WOULD_LACK,
    fix: [
      'Take `binlog_do_db` and `binlog_ignore_db` out of its configuration, then restart it.',
      ['SHOW BINARY LOG STATUS; -- before 8.2: SHOW MASTER STATUS'],
    ],
  },
  MYSQL_REPLICA_NOT_LOGGING: {
    what: 'The source is a replica that does not log what it gets from its primary.',
    data: WOULD_LACK,
    fix: ['Connect to the primary, or switch `log_replica_updates` (`log_slave_updates`) on and restart it.'],
  },
  MYSQL_REPLICA: {
    kind: 'warns',
    what: 'The source is a replica: changes come when it has applied them itself, and stand still when it does.',
    data: 'Nothing is missing; the lag of the replica comes on top.',
    fix: ['Connect to the primary, unless this is meant.', ['SHOW REPLICA STATUS; -- MariaDB: SHOW ALL SLAVES STATUS']],
  },
  MYSQL_RETENTION: {
    kind: 'warns',
    what: 'The source removes its binary logs early.',
    data: 'A replication that stands still for longer has lost changes and has to begin anew with a copy.',
    fix: [
      'Let it keep them for longer than replication may ever stand still.',
      [
        'SET PERSIST binlog_expire_logs_seconds = 604800; -- MariaDB and 5.7: SET GLOBAL, and in my.cnf',
        "CALL mysql.rds_set_configuration('binlog retention hours', 168); -- on Amazon RDS",
      ],
    ],
    related: ['MYSQL_GTID_PURGED'],
  },
  MYSQL_ROW_IMAGE: {
    kind: 'warns',
    what: '`binlog_row_image` is not FULL: an update tells only the key and what changed.',
    data: 'Columns that were not logged keep their values on the target; a row that the target lacks cannot be made whole by an update.',
    fix: [
      'Let it log whole rows.',
      ['SET PERSIST binlog_row_image = FULL; -- MariaDB and 5.7: SET GLOBAL, and in my.cnf'],
    ],
  },
  MYSQL_PARTIAL_JSON: {
    what: 'The log tells only what changed within a JSON value, and not what it was before.',
    data: NOT_APPLIED,
    fix: [
      'Switch `PARTIAL_JSON` off, or log whole rows; then start behind the change with a new copy of the table.',
      ["SET PERSIST binlog_row_value_options = '';", 'SET PERSIST binlog_row_image = FULL;'],
    ],
    related: ['JSON_NULL'],
  },
  MYSQL_NO_REPLICATION_PRIVILEGE: {
    what: 'The source user has no right to read the binary log.',
    data: NOTHING_STARTED,
    fix: [
      'Grant it.',
      [
        "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO '<user>'@'%'; -- MariaDB: REPLICATION SLAVE, BINLOG MONITOR",
      ],
    ],
  },
  MYSQL_NO_MONITOR_PRIVILEGE: {
    what: 'The source user may not see the state of the binary log.',
    data: 'Nothing is missing: its filters and its end could not be looked at.',
    fix: ['Grant it.', ["GRANT REPLICATION CLIENT ON *.* TO '<user>'@'%'; -- MariaDB: BINLOG MONITOR"]],
  },
  MYSQL_NO_SELECT_PRIVILEGE: {
    what: 'The source user may not read the tables, so that their definitions cannot be read either (`--fetchMetadata`).',
    data: NOTHING_STARTED,
    fix: [
      'Grant it; or set `binlog_row_metadata = FULL`, with which no definitions have to be read.',
      ["GRANT SELECT ON `<database>`.* TO '<user>'@'%';"],
    ],
    look: ['--fetchMetadata'],
    related: ['MYSQL_ROW_METADATA'],
  },
  MYSQL_PERMISSION: {
    what: 'The source does not let its user do what was asked; the message quotes it.',
    data: NOTHING_STARTED,
    fix: [
      'Grant what the message names.',
      ["SHOW GRANTS FOR '<user>'@'%';", "GRANT SELECT ON `<database>`.* TO '<user>'@'%';"],
    ],
  },
  MYSQL_SERVER_ID_IN_USE: {
    what: 'Another reader has the same server id (`--replicationProcessID`), and the source ends one for the other: restarts again and again.',
    data: 'Nothing is lost or doubled: only the holder of the lease writes. But it gets nowhere while both read.',
    fix: [
      'Give this one an id of its own by `--replicationProcessID`, or end the other.',
      ['SHOW REPLICAS; -- MariaDB and before 8.0.22: SHOW SLAVE HOSTS'],
    ],
    look: ['--replicationProcessID', 'instar_reconnects_total'],
    related: ['BINLOG_RESTARTS'],
  },
  MYSQL_TABLE_MISSING: {
    what: 'A table is not there, or the source user cannot see it.',
    data: NOTHING_STARTED,
    fix: ['Correct the name, or grant SELECT on it.', ["GRANT SELECT ON `<database>`.* TO '<user>'@'%';"]],
  },
  MYSQL_TABLE_NAME_CLASH: {
    what: 'Tables of one name in several databases would be mixed in one target table.',
    data: NOTHING_STARTED,
    fix: ['Leave `--allDatabases` out, and replicate each database to a target schema of its own.'],
    look: ['--allDatabases', '--targetSchema'],
  },
} as const satisfies Explanations;
