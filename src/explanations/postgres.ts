import type { Explanations } from './explanation.ts';
import { NOT_APPLIED, NOTHING_STARTED, OTHER_PAST, OUT_OF_REACH, TARGET_HAS_MORE, TRIED_AGAIN } from './meanings.ts';

const NEW_SLOT = [
  'Start over: a new slot first, then a new copy of the rows, then a first start without the old checkpoint.',
  [
    "SELECT pg_drop_replication_slot('<slot>'); -- in the source database",
    "SELECT pg_create_logical_replication_slot('<slot>', 'pgoutput');",
    '-- at the target',
    "DELETE FROM <staging>.memo WHERE key IN ('pglogical-wal-offset-<target schema>', 'instar-identity-pglogical-<target schema>');",
  ],
] as const;
const CREATE_SLOT = "SELECT pg_create_logical_replication_slot('<slot>', 'pgoutput');";
const SLOTS =
  'SELECT slot_name, plugin, database, active, wal_status, restart_lsn, confirmed_flush_lsn FROM pg_replication_slots;';
const UNCHANGED = 'None: what has the name was left as it is, and nothing was started.';

/** A PostgreSQL source: its settings, publication, slot, tables and log. */
export const POSTGRES = {
  PG_VERSION: {
    what: 'The source is older than PostgreSQL 12, or is no PostgreSQL.',
    data: NOTHING_STARTED,
    fix: ['Upgrade the source, or replicate from a newer copy of it.', ['SELECT version();']],
  },
  PG_IN_RECOVERY: {
    what: 'The source is a standby: slots and publications are made and read on the primary.',
    data: NOTHING_STARTED,
    fix: [
      'Connect to the primary, or wait until this server is promoted.',
      ['SELECT pg_is_in_recovery(); -- false on the primary'],
    ],
    related: ['PG_FAILOVER_LOST_COMMITS'],
  },
  PG_WAL_LEVEL: {
    what: 'The `wal_level` of the source does not hold enough to replicate from: no publication or slot can be used.',
    data: NOTHING_STARTED,
    fix: [
      'Set `wal_level` to `logical`, then restart the source.',
      ["ALTER SYSTEM SET wal_level = 'logical';", 'SHOW wal_level; -- after the restart: logical'],
      'On Amazon RDS set `rds.logical_replication = 1` in the parameter group instead, and reboot.',
    ],
  },
  PG_NO_REPLICATION_PRIVILEGE: {
    what: 'The source user has no right to replicate.',
    data: NOTHING_STARTED,
    fix: [
      'Give it the attribute.',
      ['ALTER ROLE <user> REPLICATION; -- on Amazon RDS: GRANT rds_replication TO <user>;'],
    ],
  },
  PG_NO_SLOTS: {
    what: 'All replication slots of the source (`max_replication_slots`) are used up.',
    data: NOTHING_STARTED,
    fix: [
      'Drop a slot that nobody reads, or raise the limit and restart.',
      [SLOTS, "SELECT pg_drop_replication_slot('…');", 'ALTER SYSTEM SET max_replication_slots = 20;'],
    ],
  },
  PG_NO_WAL_SENDERS: {
    kind: 'passes',
    what: 'All replication connections of the source (`max_wal_senders`) are in use.',
    data: TRIED_AGAIN,
    fix: [
      'End one that is not needed, or raise the limit and restart.',
      ['SELECT pid, application_name, client_addr FROM pg_stat_replication;', 'ALTER SYSTEM SET max_wal_senders = 20;'],
    ],
  },
  PG_PUBLICATION_MISSING: {
    what: 'The publication is not in the source database, was dropped while in use, or has another name.',
    data: 'Changes made while there is none cannot be delivered by a slot that exists already, even when it is created again.',
    fix: [
      'Create it, or name the right one by `--publicationName`; if it was dropped while in use, start over with a new slot.',
      ['SELECT pubname, puballtables FROM pg_publication;', 'CREATE PUBLICATION <publication> FOR ALL TABLES;'],
      ...NEW_SLOT,
    ],
    look: ['--publicationName'],
  },
  PG_PUBLICATION_EMPTY: {
    what: 'The publication has no tables, so that nothing would be replicated.',
    data: NOTHING_STARTED,
    fix: ['Add tables to it.', ['ALTER PUBLICATION <publication> ADD TABLE <schema.table>;']],
  },
  PG_PUBLICATION_AMBIGUOUS: {
    what: 'The source database has several publications, and none was chosen.',
    data: NOTHING_STARTED,
    fix: ['Choose one by `--publicationName`.', ['SELECT pubname FROM pg_publication;']],
    look: ['--publicationName'],
  },
  PG_PUBLICATION_EXISTS: {
    what: 'A publication of that name is there already.',
    data: UNCHANGED,
    fix: [
      'Use the one that is there, or choose another name.',
      ["SELECT * FROM pg_publication_tables WHERE pubname = '<publication>';"],
    ],
  },
  PG_PUBLICATION_NOT_PERMITTED: {
    what: 'The source user may not create or change the publication.',
    data: 'None: nothing was changed at the source.',
    fix: [
      'Have a superuser create it, or publish only tables that this user owns.',
      [
        'CREATE PUBLICATION <publication> FOR ALL TABLES; -- as a superuser',
        "GRANT CREATE ON DATABASE <database> TO <user>; -- for FOR TABLE, with the tables' ownership",
      ],
    ],
  },
  PG_TABLE_MISSING: {
    what: 'A table that was to be published is not there.',
    data: 'None: nothing was changed at the source.',
    fix: ['Choose the tables again.', ['SELECT schemaname, tablename FROM pg_tables ORDER BY 1, 2;']],
  },
  PG_SETUP: {
    what: 'The source refused a step of the setup; the message quotes it.',
    data: 'None: the refused step changed nothing at the source.',
    fix: ['Act on what the message quotes, then try again.'],
  },
  PG_SLOT_MISSING: {
    what: 'The slot does not exist: its name is wrong, it was never created, or somebody dropped it.',
    data: 'Nothing was applied. A slot that is created now delivers only what is committed from now on.',
    fix: [
      'Correct `--slotName`; or create the slot in the source database, and copy the rows after that.',
      [SLOTS, CREATE_SLOT],
      'If there was one, what was changed since is in no slot: copy the rows again and forget the checkpoint.',
      NEW_SLOT[1].slice(1),
    ],
    look: ['--slotName'],
    related: ['PG_SLOT_AHEAD'],
  },
  PG_SLOT_EXISTS: {
    what: 'A slot of that name is there already.',
    data: UNCHANGED,
    fix: [
      'Use the one that is there if it is yours, or choose another name.',
      [SLOTS, "SELECT pg_drop_replication_slot('<slot>'); -- if nobody needs it: what it kept is gone then"],
    ],
  },
  PG_SLOT_PLUGIN: {
    what: 'The slot is a physical one, or has another plugin than `pgoutput`.',
    data: NOTHING_STARTED,
    fix: ['Name another slot, or make one with `pgoutput` and copy the rows after that.', [SLOTS, CREATE_SLOT]],
    look: ['--slotName'],
  },
  PG_SLOT_DATABASE: {
    what: 'The slot belongs to another database of the same server.',
    data: NOTHING_STARTED,
    fix: [
      'Let the connection lead to the database of the slot, or name a slot made in this one.',
      [SLOTS, CREATE_SLOT],
    ],
    look: ['--slotName'],
  },
  PG_SLOT_TEMPORARY: {
    what: 'The slot is temporary: it vanishes with the session that made it.',
    data: NOTHING_STARTED,
    fix: ['Create a permanent one, and copy the rows after that.', [CREATE_SLOT]],
  },
  PG_SLOT_WAITS: {
    kind: 'passes',
    what: 'A new slot has to wait for transactions that are open, and was not ready in time.',
    data: 'None: no slot was left behind, and nothing was started.',
    fix: [
      'Try again when they have ended, or end them.',
      [
        "SELECT pid, usename, xact_start, left(query, 60) FROM pg_stat_activity WHERE xact_start < now() - interval '10 s' ORDER BY 3;",
        'SELECT pg_terminate_backend(<pid>);',
        'SELECT gid, prepared FROM pg_prepared_xacts;',
      ],
    ],
  },
  PG_SLOT_ACTIVE: {
    kind: 'passes',
    what: 'Another connection reads the slot: a second replicator, or one that died without a goodbye.',
    data: 'Nothing is lost or doubled: only one reads a slot at a time. At the start it is waited for 10 seconds.',
    fix: [
      'Stop the other reader; if it is gone, end its connection.',
      [
        "SELECT active_pid FROM pg_replication_slots WHERE slot_name = '<slot>';",
        'SELECT pg_terminate_backend(<pid>);',
      ],
    ],
    related: ['LEASE_HELD'],
  },
  PG_SLOT_LOST: {
    what: 'The source has removed log that the slot still needed (`wal_status` is lost).',
    data: OUT_OF_REACH,
    fix: [
      ...NEW_SLOT,
      'So that it does not come again: let the source keep more log, and resume sooner.',
      ["ALTER SYSTEM SET max_slot_wal_keep_size = '100GB'; SELECT pg_reload_conf();"],
    ],
    look: ['instar_slot_retained_bytes'],
    related: ['PG_SLOT_AT_RISK'],
  },
  PG_SLOT_AT_RISK: {
    kind: 'warns',
    what: 'The source is about to remove log that the slot still needs (`wal_status` is unreserved).',
    data: 'Nothing is lost yet. Once the log is removed, only a new copy of the rows helps.',
    fix: [
      'Raise `max_slot_wal_keep_size` now, and let the replication catch up.',
      [
        "ALTER SYSTEM SET max_slot_wal_keep_size = '100GB'; SELECT pg_reload_conf();",
        'SELECT slot_name, wal_status, pg_size_pretty(safe_wal_size) FROM pg_replication_slots;',
      ],
    ],
    look: ['instar_slot_retained_bytes'],
    related: ['PG_SLOT_LOST', 'REPLICATION_SLOW'],
  },
  PG_SLOT_AHEAD: {
    what: 'The slot starts behind the checkpoint: it was made anew, moved, or read by somebody else.',
    data: OUT_OF_REACH,
    fix: [
      ...NEW_SLOT,
      'Only if it is certain that the target has everything up to where the slot starts: set the checkpoint to that LSN in the memo.',
    ],
    related: ['PG_SLOT_MISSING'],
  },
  PG_SOURCE_CHANGED: {
    what: 'The checkpoint was written for another server or database than the connection leads to.',
    data: OTHER_PAST,
    fix: [
      'Connect to the former source; or start over.',
      ['SELECT system_identifier, current_database() FROM pg_control_system();'],
      ...NEW_SLOT,
    ],
  },
  PG_SOURCE_BEHIND: {
    what: 'The log of the source ends before the checkpoint: it was restored, or lost its newest commits.',
    data: TARGET_HAS_MORE,
    fix: ['Compare source and target, then start over.', ['SELECT pg_current_wal_lsn();'], NEW_SLOT[1]],
  },
  PG_FAILOVER_LOST_COMMITS: {
    what: 'The source was failed over to a server that had not received all that the target has.',
    data: TARGET_HAS_MORE,
    fix: [
      'Compare source and target, then start over.',
      ['SELECT timeline_id FROM pg_control_checkpoint();'],
      NEW_SLOT[1],
    ],
  },
  PG_SOURCE_DISCONNECTED: {
    kind: 'passes',
    what: 'The connection to the source was lost while it was read.',
    data: TRIED_AGAIN,
    fix: ['Nothing, unless it comes again and again: look at the log of the source, and at `wal_sender_timeout`.'],
    look: ['instar_reconnects_total'],
  },
  PG_SOURCE_SILENT: {
    kind: 'passes',
    what: 'The source has said nothing for too long, not even that it is there.',
    data: TRIED_AGAIN,
    fix: ['Nothing, unless it comes again and again: look at the load of the source and at the network.'],
    look: ['instar_reconnects_total'],
  },
  PG_SOURCE_ERROR: {
    what: 'The source reported an error that has no name here; it is quoted with its SQLSTATE.',
    data: NOT_APPLIED,
    fix: ['Act on what the message quotes; it is tried again by itself where that can help.'],
  },
  PG_SOURCE_WARNING: {
    kind: 'warns',
    what: 'The source sent a warning while it was read; the line quotes it.',
    data: 'Replication goes on; nothing is left out because of it, or it ends with an error of its own.',
    fix: ['Act on what the line quotes.'],
  },
  PG_PROTOCOL: {
    what: 'A message of the source cannot be read: it was changed on its way, or is of a kind that is not known here.',
    data: NOT_APPLIED,
    fix: ['Connect to PostgreSQL itself and not through a proxy that changes the stream; else report it.'],
  },
  PG_LSN: {
    what: 'The position in the memo is no LSN: somebody has edited it, or another program wrote it.',
    data: NOTHING_STARTED,
    fix: [
      'Set the checkpoint right, or start over.',
      [
        "SELECT key, convert_from(value, 'UTF8') FROM <staging>.memo WHERE key = 'pglogical-wal-offset-<target schema>'; -- as in 0/1A2B3C",
      ],
    ],
    related: ['STALE_CHECKPOINT'],
  },
  PG_REPLICA_IDENTITY: {
    what: 'The source does not tell which row was updated or deleted: the table has neither a primary key nor another identity.',
    data: 'Inserts are replicated; the source itself refuses updates and deletes of the table, or nothing of their transaction is applied.',
    fix: [
      'Give it a primary key, or let the source log whole rows.',
      ['ALTER TABLE <schema.table> REPLICA IDENTITY FULL; -- each partition too'],
    ],
  },
  PG_TABLE_NAME_CLASH: {
    what: 'Tables of one name in two schemas of the source would be mixed in one target table.',
    data: NOTHING_STARTED,
    fix: [
      'Use two publications and two target schemas, with a slot each.',
      ['ALTER PUBLICATION <publication> DROP TABLE <schema.table>;'],
    ],
    look: ['--publicationName', '--targetSchema'],
  },
  PG_TRUNCATE: {
    what: 'A table was truncated at the source, and `--truncate error` refuses that.',
    data: NOT_APPLIED,
    fix: ['Resume with `--truncate apply` to empty the target table too, or `--truncate ignore` to keep its rows.'],
    look: ['--truncate'],
  },
  PG_TWO_PHASE: {
    what: 'The slot decodes prepared transactions (`two_phase`), which was not asked for.',
    data: NOT_APPLIED,
    fix: ['Start over with a slot without `two_phase`.', NEW_SLOT[1]],
  },
} as const satisfies Explanations;
