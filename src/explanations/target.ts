import type { Explanations } from './explanation.ts';
import { NOT_APPLIED, NOTHING_STARTED, TRIED_AGAIN } from './meanings.ts';

/** The target: its schema and tables, and what it refuses. */
export const TARGET = {
  TARGET_PRODUCT_UNKNOWN: {
    what: 'The target is neither CockroachDB nor PostgreSQL.',
    data: NOTHING_STARTED,
    fix: ['Let `--targetConn` lead to one of them.', ['SELECT version();']],
    look: ['--targetConn'],
  },
  TARGET_OTHER_DATABASE: {
    what: 'The target schema is in another database than `--targetConn` leads to, and PostgreSQL cannot write to two.',
    data: NOTHING_STARTED,
    fix: ['Name the same database in `--targetConn` and `--targetSchema`, or only the schema.'],
    look: ['--targetConn', '--targetSchema'],
  },
  TARGET_SCHEMA_MISSING: {
    what: 'The target schema does not exist.',
    data: NOTHING_STARTED,
    fix: [
      'Correct `--targetSchema`, or create it with its tables.',
      ['CREATE SCHEMA <target schema>; -- CockroachDB, for public: CREATE DATABASE'],
    ],
    look: ['--targetSchema'],
  },
  TARGET_DENIED: {
    what: 'The target user lacks a right at a table.',
    data: NOT_APPLIED,
    fix: [
      'Grant it, then resume.',
      ['GRANT SELECT, INSERT, UPDATE, DELETE ON <schema.table> TO <user>; -- PostgreSQL: TRUNCATE too'],
    ],
  },
  TARGET_SCHEMA_DRIFT: {
    what: 'Tables or columns of the target do not fit those of the source: the schema has drifted, or was never made.',
    data: 'No change is lost: once the target is mended, replication goes on from the checkpoint.',
    fix: [
      'Run the DDL that the error holds at the target, then resume.',
      ['instar preflight <name> # tells every table that does not fit'],
      'New column or table: target first, then source. Dropped column: source first, then target.',
    ],
    look: ['--schemaRefresh'],
  },
  TARGET_LOST: {
    kind: 'passes',
    what: 'The connection to the target was lost.',
    data: 'Nothing is lost or doubled: whether the last commit took place is read from the checkpoint.',
    fix: ['Nothing, unless it comes again and again: then the log of the target tells why.'],
    look: ['instar_reconnects_total'],
  },
  APPLY_FAILED: {
    what: 'The target refuses a source transaction for good, as by a constraint that the source does not have.',
    data: NOT_APPLIED,
    fix: [
      'Mend the table that is named, then resume; or let the transaction become a dead letter by `--onApplyError dlq`.',
      ['instar preflight <name> # compares the tables'],
      'A dead letter keeps the rows and the error in `--dlqTableName`, and the target lacks them until somebody applies them.',
    ],
    look: ['--onApplyError', '--dlqTableName', 'instar_dead_letters_total'],
    related: ['TARGET_SCHEMA_DRIFT'],
  },
  APPLY_RETRIES: {
    what: 'Applying a transaction failed after `--maxRetries` retries, in a way that can pass, as by deadlocks.',
    data: NOT_APPLIED,
    fix: [
      'Resume when the target takes writes again; look what else writes to the tables.',
      [
        'SELECT * FROM crdb_internal.transaction_contention_events; -- CockroachDB',
        "SELECT pid, wait_event_type, query FROM pg_stat_activity WHERE wait_event_type = 'Lock'; -- PostgreSQL",
      ],
    ],
    look: ['--maxRetries', '--retryMaxBackoff', 'retry_retried_total'],
  },
  DEAD_LETTER: {
    kind: 'warns',
    what: 'A transaction that the target refused was put into the dead-letter table (`--onApplyError dlq`).',
    data: 'The target lacks that transaction until somebody applies it; all others are there.',
    fix: [
      'Mend the rows by hand from the table of `--dlqTableName`, then delete the letters.',
      ['SELECT * FROM <target schema>.replicator_dlq ORDER BY 1;'],
    ],
    look: ['--onApplyError', '--dlqTableName', 'instar_dead_letters_total'],
    related: ['APPLY_FAILED'],
  },
  LARGE_TRANSACTION_AGAIN: {
    kind: 'warns',
    what: 'A large transaction was refused in the fastest way of applying it, and is asked of the source again.',
    data: TRIED_AGAIN,
    fix: ['Nothing; when it comes often, mend what the target refuses, which costs a second reading each time.'],
  },
  TRUNCATE_IGNORED: {
    kind: 'warns',
    what: 'A TRUNCATE of the source was not applied (`--truncate ignore`), or its table is gone at the source.',
    data: 'The target keeps rows that the source no longer has.',
    fix: [
      'Nothing if that is meant; else empty the table at the target while nothing is written to it.',
      ['DELETE FROM <schema.table> WHERE …;'],
    ],
    look: ['--truncate'],
  },
  DLQ_MISSING: {
    what: 'The dead-letter table cannot be created.',
    data: NOTHING_STARTED,
    fix: [
      'Create it by the DDL that the error holds, or grant the right to.',
      ['GRANT CREATE ON SCHEMA <target schema> TO <user>;'],
    ],
    look: ['--dlqTableName'],
  },
  DLQ_COLUMNS: {
    what: 'The dead-letter table lacks columns.',
    data: NOTHING_STARTED,
    fix: ['Rename or drop it, give another `--dlqTableName`, or add the columns as in the DDL that the error holds.'],
    look: ['--dlqTableName'],
  },
  SPILL_FAILED: {
    what: 'There is no room for a large open transaction, which is gathered in a file.',
    data: 'Nothing of it was applied, and the source sends it again.',
    fix: ['Make room, or point `--dataDir` to a larger disk, then start again.', ['df -h <directory>']],
    look: ['--dataDir', '--memoryLimit'],
  },
} as const satisfies Explanations;
