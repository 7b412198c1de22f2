import type { Explanations } from './explanation.ts';
import { NOTHING_STARTED, TRIED_AGAIN, WOULD_LACK } from './meanings.ts';

const AS_SYSDBA = '-- as SYSDBA';

/** An Oracle source: its connections, rights and settings, and the server's own trouble. */
export const ORACLE = {
  ORACLE_SERVICE: {
    kind: 'passes',
    what: 'The listener does not know the service, or does not know it yet, as after a start.',
    data: TRIED_AGAIN,
    fix: ['Compare host, port and service of the connection string with what the listener has.', ['lsnrctl services']],
  },
  ORACLE_UNAVAILABLE: {
    kind: 'passes',
    what: 'The database is not open for this user.',
    data: TRIED_AGAIN,
    fix: [
      'Open it.',
      ['SELECT STATUS, LOGINS FROM V$INSTANCE; -- OPEN and ALLOWED', AS_SYSDBA, 'ALTER DATABASE OPEN;'],
    ],
  },
  ORACLE_VERSION: {
    what: 'The server is older than 12.2.',
    data: NOTHING_STARTED,
    fix: ['Upgrade the source.', ['SELECT BANNER FROM V$VERSION;']],
  },
  ORACLE_CHARACTER_SET: {
    what: 'The driver cannot read the character set of the database.',
    data: NOTHING_STARTED,
    fix: ['Unpack Oracle Instant Client, which knows all of them, and name its directory by `--oracleClientLib`.'],
    look: ['--oracleClientLib'],
  },
  ORACLE_NATIVE_ENCRYPTION: {
    what: 'The server insists on native network encryption, which only Oracle Instant Client has.',
    data: 'Nothing was sent to the server.',
    fix: ['Use TLS (`?ssl=true`), or unpack Oracle Instant Client and name its directory by `--oracleClientLib`.'],
    look: ['--oracleClientLib'],
  },
  ORACLE_CLIENT: {
    what: 'The libraries of Oracle Instant Client cannot be loaded.',
    data: NOTHING_STARTED,
    fix: [
      'Unpack Instant Client (Basic or Basic Light) for this machine there, with its libaio; or leave `--oracleClientLib` out.',
    ],
    look: ['--oracleClientLib'],
  },
  ORACLE_COMMON_USER: {
    what: 'The user of `--sourceConn` has to be a common one, whose name begins with C##.',
    data: NOTHING_STARTED,
    fix: [
      'Create one in the root, with the rights of the setup.',
      ['CREATE USER C##REPLICATOR IDENTIFIED BY "…" CONTAINER = ALL;'],
    ],
  },
  ORACLE_IN_PDB: {
    what: '`--sourceConn` leads into a pluggable database, and LogMiner runs in the root only.',
    data: NOTHING_STARTED,
    fix: [
      'Let `--sourceConn` name the service of CDB$ROOT, and `--sourcePDBConn`, or `?pdb=` in `--sourceConn`, that of the pluggable database.',
      ['SELECT NAME, PDB FROM V$SERVICES;'],
    ],
    look: ['--sourceConn', '--sourcePDBConn'],
  },
  ORACLE_PDB_MISSING: {
    what: 'The source has pluggable databases, and the connection for the tables leads to none.',
    data: NOTHING_STARTED,
    fix: [
      'Let `--sourcePDBConn`, or `?pdb=` in `--sourceConn`, name the service of the pluggable database that has the tables.',
      ['SELECT NAME, PDB FROM V$SERVICES;'],
    ],
    look: ['--sourcePDBConn'],
  },
  ORACLE_NOT_PRIMARY: {
    what: 'The source is a standby: the sentinel cannot be written there, without which redo is not read to its end.',
    data: NOTHING_STARTED,
    fix: ['Connect to the primary database.', ['SELECT DATABASE_ROLE, OPEN_MODE FROM V$DATABASE;']],
  },
  ORACLE_READ_ONLY: {
    what: 'The database is open read only: the sentinel cannot be written.',
    data: NOTHING_STARTED,
    fix: ['Connect to the primary, or open the database for writing.', [AS_SYSDBA, 'SHUTDOWN IMMEDIATE;', 'STARTUP;']],
  },
  ORACLE_PERMISSION: {
    what: 'The source user lacks a right, or sees no tables of the schema.',
    data: NOTHING_STARTED,
    fix: [
      '`instar preflight` tells every right that is missing, with its GRANT.',
      [
        'GRANT LOGMINING TO <user>;',
        'GRANT EXECUTE ON SYS.DBMS_LOGMNR TO <user>;',
        'GRANT SELECT ON SYS.V_$LOGMNR_CONTENTS TO <user>;',
        'GRANT SELECT ON <schema.table> TO <user>; -- each table',
      ],
    ],
  },
  ORACLE_ARCHIVELOG: {
    what: 'The database keeps no archived logs: it overwrites its redo, read or not.',
    data: WOULD_LACK,
    fix: [
      'Switch archiving on; the database is closed meanwhile.',
      [AS_SYSDBA, 'SHUTDOWN IMMEDIATE;', 'STARTUP MOUNT;', 'ALTER DATABASE ARCHIVELOG;', 'ALTER DATABASE OPEN;'],
      'On Amazon RDS switch automated backups on, and keep archived logs for 48 hours.',
      ["BEGIN rdsadmin.rdsadmin_util.set_configuration(name => 'archivelog retention hours', value => '48'); END;"],
    ],
  },
  ORACLE_SUPPLEMENTAL_LOGGING: {
    what: 'The redo does not tell which row was changed: supplemental logging of primary keys is off.',
    data: WOULD_LACK,
    fix: [
      'Switch it on, then begin with an SCN behind that.',
      [
        'ALTER DATABASE ADD SUPPLEMENTAL LOG DATA (PRIMARY KEY) COLUMNS;',
        "-- Amazon RDS: BEGIN rdsadmin.rdsadmin_util.alter_supplemental_logging(p_action => 'ADD', p_type => 'PRIMARY KEY'); END;",
      ],
    ],
    related: ['ORACLE_REDO_WITHOUT_KEY'],
  },
  ORACLE_SUPPLEMENTAL_ALL: {
    kind: 'warns',
    what: 'An update logs the key and the columns that it changes, and no others.',
    data: 'Nothing is missing; but a row that the target lacks cannot be made whole by an update, and scripts see less.',
    fix: ['Log all columns, if the longer redo may be.', ['ALTER DATABASE ADD SUPPLEMENTAL LOG DATA (ALL) COLUMNS;']],
  },
  ORACLE_FORCE_LOGGING: {
    kind: 'warns',
    what: 'The source lets statements write past the redo (NOLOGGING).',
    data: 'Rows that are loaded so are never replicated, and nothing says so.',
    fix: [
      'Switch it off.',
      [
        'ALTER DATABASE FORCE LOGGING;',
        '-- Amazon RDS: BEGIN rdsadmin.rdsadmin_util.force_logging(p_enable => true); END;',
      ],
    ],
  },
  ORACLE_LOG_SWITCHES: {
    kind: 'warns',
    what: 'The source fills many redo logs an hour, and LogMiner starts anew with each.',
    data: 'Nothing is missing; the lag is longer than it need be.',
    fix: [
      'Use larger logs.',
      [
        'ALTER DATABASE ADD LOGFILE SIZE <size>M; -- once for each group',
        'ALTER DATABASE DROP LOGFILE GROUP …; -- the old ones, once V$LOG says INACTIVE',
      ],
    ],
  },
  ORACLE_SENTINEL: {
    what: 'The sentinel table is missing, cannot be seen, or is another table.',
    data: 'Nothing was started: without a commit there, rows at the end of a window could be missed.',
    fix: [
      'Create it where the tables are, and grant it.',
      [
        'CREATE TABLE <owner>."REPLICATOR_SENTINEL" (keycol NUMBER PRIMARY KEY, lastSCN NUMBER);',
        'GRANT SELECT, INSERT, UPDATE ON <owner>."REPLICATOR_SENTINEL" TO <user>;',
      ],
    ],
  },
  ORACLE_BUSY: {
    kind: 'passes',
    what: 'The server failed at something inside (ORA-00604); the error under it names the cause.',
    data: TRIED_AGAIN,
    fix: ['Nothing, unless it stays so: the alert log of the instance says more.'],
  },
  ORACLE_INTERNAL: {
    kind: 'passes',
    what: 'The server has met a defect of its own (ORA-00600, ORA-07445).',
    data: TRIED_AGAIN,
    fix: ['When it stays so, give the arguments of the error and its trace file to Oracle Support.'],
  },
  ORACLE_SNAPSHOT: {
    kind: 'passes',
    what: 'The server no longer has what was at that SCN (snapshot too old).',
    data: TRIED_AGAIN,
    fix: [
      'When it stays so, raise `UNDO_RETENTION`, and give the undo tablespace room.',
      ['ALTER SYSTEM SET UNDO_RETENTION = 3600;'],
    ],
  },
  ORACLE_TIMEOUT: {
    kind: 'passes',
    what: 'A call took too long; a smaller window is tried.',
    data: TRIED_AGAIN,
    fix: ['When it stays so, lower `--scnWindowSize`, and look what the server is busy with.'],
    look: ['--scnWindowSize', 'instar_oraclelogminer_window_size'],
  },
  ORACLE_MEMORY: {
    kind: 'passes',
    what: 'The server has not enough memory for a window of LogMiner; a smaller one is tried.',
    data: TRIED_AGAIN,
    fix: [
      'When it stays so, raise `PGA_AGGREGATE_LIMIT`, or lower `--scnWindowSize`.',
      ['ALTER SYSTEM SET PGA_AGGREGATE_LIMIT = 4G;'],
    ],
    look: ['--scnWindowSize', 'instar_oraclelogminer_window_size'],
  },
  ORACLE_DICTIONARY: {
    kind: 'passes',
    what: 'LogMiner cannot read the names of tables and columns just now, as while tables are altered.',
    data: TRIED_AGAIN,
    fix: ['Nothing, unless it stays so: let the DDL that runs come to its end, or end it.'],
  },
  ORACLE_LOGMINER_STATE: {
    kind: 'passes',
    what: 'The LogMiner session is gone.',
    data: TRIED_AGAIN,
    fix: ['Nothing: LogMiner is started again on a new connection.'],
  },
  ORACLE_LOGMINER_REFUSED: {
    what: 'LogMiner cannot be used in this way on this database.',
    data: NOTHING_STARTED,
    fix: [
      'Look at the state of the database, then run `instar preflight`.',
      ['SELECT OPEN_MODE, LOG_MODE FROM V$DATABASE; -- READ WRITE and ARCHIVELOG'],
    ],
  },
  ORACLE_ERROR: {
    what: 'The server reported an error that has no name here; it is quoted.',
    data: 'What is on the target stays, and nothing is left out: the checkpoint stands before it.',
    fix: ['Act on what the message quotes, then resume.'],
  },
} as const satisfies Explanations;
