import type { Explanations } from './explanation.ts';
import { NOT_APPLIED, NOTHING_STARTED, OTHER_PAST, OUT_OF_REACH, TARGET_HAS_MORE, TRIED_AGAIN } from './meanings.ts';

const CLEAR = ['-- at the target', "DELETE FROM <staging>.memo WHERE key = 'oracle-scn-<target schema>';"] as const;
const SCNS = [
  'SELECT TO_CHAR(CURRENT_SCN) FROM V$DATABASE; -- for --scn, as of which the rows are copied',
  'SELECT TO_CHAR(MIN(START_SCN)) FROM V$TRANSACTION; -- for --backfillFromSCN, in the pluggable database',
] as const;
const AFRESH = [
  'Load the tables again, clear the checkpoint, and start with `--scn` and `--backfillFromSCN` of the new copy.',
  [...SCNS, ...CLEAR],
] as const;
const WITHOUT_TABLE = [
  'To go on without the table, take the right to see it from the source user, and start again.',
  ['REVOKE SELECT ON <schema.table> FROM <user>;'],
] as const;

/** The redo of an Oracle source: SCNs, logs and what LogMiner tells. */
export const ORACLE_REDO = {
  ORACLE_SCN_EMPTY: {
    what: 'No SCN is given to start from, and no checkpoint is stored.',
    data: 'Nothing was started: what was changed since the rows were copied would be missing.',
    fix: [
      'Give the SCN of the copy by `--scn`, and that of the oldest transaction open then by `--backfillFromSCN`.',
      SCNS,
    ],
    look: ['--scn', '--backfillFromSCN'],
  },
  ORACLE_SCN_SYNTAX: {
    what: 'What is given as an SCN is no whole number.',
    data: NOTHING_STARTED,
    fix: ['Give a number; the newest one is told by the server.', ['SELECT TO_CHAR(CURRENT_SCN) FROM V$DATABASE;']],
    look: ['--scn', '--backfillFromSCN'],
  },
  ORACLE_BACKFILL_AFTER_SCN: {
    what: '`--backfillFromSCN` is behind `--scn`: it is where the oldest transaction began that was open at `--scn`.',
    data: NOTHING_STARTED,
    fix: ['Correct it, or leave it out when nothing was open.'],
    look: ['--scn', '--backfillFromSCN'],
  },
  ORACLE_SCN_AND_CHECKPOINT: {
    what: 'SCNs are given, and a checkpoint is stored: starting there would apply again what is applied, or leave out what is not.',
    data: NOTHING_STARTED,
    fix: [
      'Leave `--scn` and `--backfillFromSCN` out to go on where it stopped.',
      'To begin anew, load the tables again and clear the checkpoint.',
      CLEAR,
    ],
    look: ['--scn', '--backfillFromSCN'],
    related: ['STALE_CHECKPOINT'],
  },
  ORACLE_SCN_AHEAD: {
    what: 'The SCN to go on from is ahead of the source: it is of another database, mistyped, or the source was restored.',
    data: TARGET_HAS_MORE,
    fix: ['Connect to the database that it is of, or correct `--scn`; else load the tables again.', ...AFRESH],
    look: ['--scn'],
  },
  ORACLE_SCN_BEFORE_RESETLOGS: {
    what: 'The SCN is of the history before OPEN RESETLOGS, whose redo does not lead on to what is there now.',
    data: OUT_OF_REACH,
    fix: AFRESH,
  },
  ORACLE_OPEN_TRANSACTIONS: {
    kind: 'warns',
    what: 'A transaction is open that began before the redo that is read.',
    data: 'What it changed before that will be missing on the target once it commits.',
    fix: [
      'Begin anew with the `--backfillFromSCN` that the line names; `--oracle-application-users` names the users that count.',
      CLEAR,
    ],
    look: ['--backfillFromSCN', '--oracle-application-users'],
  },
  ORACLE_CHECKPOINT_SYNTAX: {
    what: 'What stands in the memo is no checkpoint of an Oracle source: somebody has edited it, or another program wrote it.',
    data: NOTHING_STARTED,
    fix: ['Set it right, as in 26685444:26685786; or clear it and load the tables again.', [...CLEAR]],
    related: ['STALE_CHECKPOINT'],
  },
  ORACLE_CHECKPOINT_TABLE: {
    what: 'The staging schema has a `_oracle_checkpoint` with other columns, which another program has made.',
    data: NOTHING_STARTED,
    fix: [
      'Take another `--stagingSchema`, or drop that table once the other program is not needed any more.',
      ['DROP TABLE <staging>._oracle_checkpoint;'],
    ],
    look: ['--stagingSchema'],
  },
  ORACLE_OTHER_DATABASE: {
    what: 'The connections lead to another database than the checkpoint was written for, or to two different ones.',
    data: OTHER_PAST,
    fix: [
      'Correct `--sourceConn` and `--sourcePDBConn`; else load the tables again.',
      ['SELECT DBID, NAME FROM V$DATABASE;'],
      ...AFRESH,
    ],
    look: ['--sourceConn', '--sourcePDBConn'],
  },
  ORACLE_OTHER_HISTORY: {
    what: 'A log belongs to another database, or to a history that ended with OPEN RESETLOGS.',
    data: OTHER_PAST,
    fix: AFRESH,
  },
  ORACLE_RESETLOGS: {
    what: 'The database was opened with RESETLOGS before what the target has: it was restored to an earlier state.',
    data: TARGET_HAS_MORE,
    fix: AFRESH,
  },
  ORACLE_LOG_MISSING: {
    what: 'Redo that is still needed is gone: the archived log with that SCN was removed.',
    data: OUT_OF_REACH,
    fix: [
      'Restore the archived logs that are named, then start again with the same command: nothing is lost then.',
      [
        'RMAN> RESTORE ARCHIVELOG FROM SCN <scn>;',
        "RMAN> CATALOG START WITH '<directory>';",
        "SELECT THREAD#, SEQUENCE#, TO_CHAR(FIRST_CHANGE#), NAME FROM V$ARCHIVED_LOG WHERE DELETED = 'NO' ORDER BY 3;",
      ],
      ...AFRESH,
    ],
  },
  ORACLE_LOG_NOT_YET: {
    kind: 'passes',
    what: 'The log with that SCN is being archived, and cannot be read for the moment.',
    data: TRIED_AGAIN,
    fix: [
      'Nothing, unless it stays so: then archiving is stuck, as by a full recovery area.',
      ["SELECT DEST_ID, STATUS, ERROR FROM V$ARCHIVE_DEST WHERE STATUS <> 'INACTIVE';"],
    ],
  },
  ORACLE_LOG_FILE: {
    kind: 'passes',
    what: 'A redo log cannot be read (any more) while it is mined (ORA-01291, ORA-01284 and their kin).',
    data: TRIED_AGAIN,
    fix: [
      'When it stays so, archived logs are deleted or moved before they are mined: restore them, and keep them for longer.',
      ['RMAN> CROSSCHECK ARCHIVELOG ALL;', 'RMAN> RESTORE ARCHIVELOG FROM SCN <scn>;'],
    ],
    related: ['ORACLE_LOG_MISSING'],
  },
  ORACLE_LOG_UNREADABLE: {
    what: 'The header of a redo log cannot be read, and passing over the log would lose changes.',
    data: NOT_APPLIED,
    fix: [
      'Restore the log from another destination or a backup, then start again.',
      ['RMAN> VALIDATE ARCHIVELOG ALL;'],
    ],
  },
  ORACLE_LOG_CORRUPT: {
    what: 'A redo log is damaged, and passing over the damage would lose changes.',
    data: NOT_APPLIED,
    fix: [
      'Restore the log from another destination or a backup, then start again.',
      ['RMAN> VALIDATE ARCHIVELOG ALL;'],
    ],
  },
  ORACLE_REDO_HOLE: {
    kind: 'passes',
    what: 'The server reports redo that it cannot see, or that ends in the middle of a statement.',
    data: 'Nothing behind it was applied; it is looked for again.',
    fix: [
      'Nothing, unless it stays so: look whether a log is missing.',
      ['SELECT THREAD#, SEQUENCE#, STATUS FROM V$LOG;'],
    ],
    related: ['ORACLE_LOG_MISSING'],
  },
  ORACLE_SCN_RANGE: {
    kind: 'passes',
    what: 'The database is not as far as the redo that was asked for (ORA-01281).',
    data: TRIED_AGAIN,
    fix: [
      'Nothing, unless it stays so: then the database was flashed back or restored.',
      ['SELECT TO_CHAR(CURRENT_SCN) FROM V$DATABASE;'],
    ],
  },
  ORACLE_TRUNCATE: {
    what: 'A table was truncated at the source, and `--truncate error` refuses that.',
    data: NOT_APPLIED,
    fix: ['Resume with `--truncate apply` to empty the target table too, or `--truncate ignore` to keep its rows.'],
    look: ['--truncate'],
  },
  ORACLE_TABLE_CHANGED: {
    what: 'A table was altered before its earlier redo was read, and the dictionary no longer tells what was changed in it.',
    data: NOT_APPLIED,
    fix: [...AFRESH, 'Next time let the replication catch up before a table is altered.'],
    related: ['TARGET_SCHEMA_DRIFT'],
  },
  ORACLE_REDO_NOT_VALID: {
    what: 'LogMiner marks redo of a table as not valid, as after the table was altered.',
    data: NOT_APPLIED,
    fix: AFRESH,
  },
  ORACLE_REDO_WITHOUT_KEY: {
    what: 'Redo does not tell which row it is about: the key was not logged.',
    data: NOT_APPLIED,
    fix: [
      'Switch supplemental logging on, which counts for what is changed from then on; then load the tables again.',
      ['ALTER DATABASE ADD SUPPLEMENTAL LOG DATA (PRIMARY KEY) COLUMNS;'],
      ...AFRESH,
    ],
    related: ['ORACLE_SUPPLEMENTAL_LOGGING'],
  },
  ORACLE_REDO_UNREADABLE: {
    what: 'A statement of SQL_REDO cannot be read.',
    data: NOT_APPLIED,
    fix: ['Report the form of the statement, which the message shows without values.', ...WITHOUT_TABLE],
  },
  ORACLE_OPERATION_UNSUPPORTED: {
    what: 'LogMiner cannot tell what was changed in a table (operation UNSUPPORTED).',
    data: NOT_APPLIED,
    fix: [
      'Change what LogMiner does not support about the table, or leave the table out.',
      ["SELECT * FROM DBA_LOGSTDBY_UNSUPPORTED WHERE OWNER || '.' || TABLE_NAME = '<schema.table>';"],
      ...WITHOUT_TABLE,
    ],
    related: ['UNSUPPORTED_TYPES'],
  },
  ORACLE_VALUE: {
    what: 'A value cannot be written to its target column; the message names column and type.',
    data: NOT_APPLIED,
    fix: [
      'Correct the value at the source, then load the table again; or leave the table out.',
      ...AFRESH,
      ...WITHOUT_TABLE,
    ],
  },
  ORACLE_TABLE_UNSUPPORTED: {
    kind: 'warns',
    what: 'A table cannot be replicated: it is temporary, or has a column of an object, collection or geometry type.',
    data: 'None of its changes come to the target; all other tables are replicated.',
    fix: [
      'Choose the other tables, or change this one.',
      ["SELECT * FROM DBA_LOGSTDBY_UNSUPPORTED WHERE OWNER = '<owner>';"],
    ],
    look: ['instar_oraclelogminer_redo_skipped_total'],
    related: ['UNSUPPORTED_TYPES', 'ORACLE_NAME_TOO_LONG'],
  },
  ORACLE_NAME_TOO_LONG: {
    kind: 'warns',
    what: 'The name of a table or column is longer than 30 bytes, and LogMiner passes over such tables.',
    data: 'None of the changes of the table come to the target; all other tables are replicated.',
    fix: [
      'Give it a shorter name at the source, or leave the table out.',
      ['ALTER TABLE <schema.table> RENAME TO …;', 'ALTER TABLE <schema.table> RENAME COLUMN … TO …;'],
    ],
    look: ['instar_oraclelogminer_redo_skipped_total'],
  },
  ORACLE_TABLE_UNSEEN: {
    kind: 'warns',
    what: 'Changes of a table are passed over, as the source user cannot see the table.',
    data: 'They are missing on the target, and what has been passed over does not come again.',
    fix: [
      'Grant it and start again, if the table is to be replicated; what was missed needs a new copy of it.',
      ['GRANT SELECT ON <schema.table> TO <user>;'],
    ],
    look: ['instar_oraclelogminer_redo_skipped_total'],
  },
  ORACLE_REDO_SKIPPED: {
    kind: 'warns',
    what: 'Redo of a table that was dropped, or is of another schema, is passed over.',
    data: 'Nothing is missing if the table was dropped on purpose.',
    fix: ['Nothing, if so; else load the table again.'],
    look: ['instar_oraclelogminer_redo_skipped_total'],
  },
  ORACLE_UNDO_UNMATCHED: {
    kind: 'warns',
    what: 'A change is taken back that its transaction did not make in the redo that was read.',
    data: 'A row may differ on the target from then on, unless the transaction began before the redo that is read.',
    fix: ['Compare the table; copy it again if it differs.'],
    related: ['ORACLE_OPEN_TRANSACTIONS'],
  },
  ORACLE_LOB_UPDATE: {
    kind: 'warns',
    what: 'Only a large object of a row was updated, in part, or it has a type that redo does not tell (LONG, XMLTYPE).',
    data: 'That value is not replicated: the row keeps its former one on the target. Told once for each table, and counted.',
    fix: [
      'Let the application set whole values rather than write into them; copy the table again before the cut-over.',
    ],
    look: ['instar_oraclelogminer_redo_skipped_total'],
  },
  ORACLE_QUOTES_GUESSED: {
    kind: 'warns',
    what: 'The server did not double the quotes in a value (a known fault with MAX_STRING_SIZE = EXTENDED).',
    data: 'Where the value ends was told by what follows; a value that holds SQL itself could be cut wrongly.',
    fix: ['Compare the values of that table at the end, and ask Oracle for the patch.'],
  },
} as const satisfies Explanations;
