import { type Client, escapeLiteral } from 'pg';
import { OperatorError } from '../../errors.ts';
import { Lsn } from './lsn.ts';

/** What pg_replication_slots says about a slot. */
export interface SlotFacts {
  readonly name: string;
  readonly type: string;
  readonly plugin: string | undefined;
  readonly database: string | undefined;
  readonly temporary: boolean;
  /** Process that streams from it. */
  readonly activePid: number | undefined;
  /** Who that is, as far as this user may see it. */
  readonly activeClient: string | undefined;
  readonly restart: Lsn | undefined;
  readonly confirmed: Lsn | undefined;
  /** `reserved`, `extended`, `unreserved` or `lost`; undefined before PostgreSQL 13. */
  readonly walStatus: string | undefined;
  /** Log that can still be written before the slot is given up; undefined without a limit, and before PostgreSQL 13. */
  readonly safeBytes?: number;
  /** Why the server gave the slot up; PostgreSQL 17 and newer. */
  readonly invalidation: string | undefined;
  /** The server's end of log. */
  readonly current: Lsn;
}

interface SlotRow {
  slot_name: string;
  slot_type: string;
  plugin: string | null;
  database: string | null;
  temporary: boolean;
  active_pid: number | null;
  restart_lsn: string | null;
  confirmed_flush_lsn: string | null;
  wal_status?: string | null;
  safe_wal_size?: number | null;
  invalidation_reason?: string | null;
}

/** Looks a slot up; undefined when there is none. */
export async function readSlot(client: Client, name: string): Promise<SlotFacts | undefined> {
  const [slot] = await readSlots(client, name);
  return slot;
}

/**
 * The server's slots, or that of the given name, sorted by name. The name stands in the statement as a literal because
 * replication connections, which ask this too, know only the simple query protocol.
 */
export async function readSlots(client: Client, name?: string): Promise<SlotFacts[]> {
  const { rows } = await client.query<{ slot: string; client: string; current: string }>(`
    SELECT to_jsonb(s)::text AS slot, pg_current_wal_lsn()::text AS current,
           concat_ws(' ', nullif(a.application_name, ''), 'from ' || host(a.client_addr), 'as ' || a.usename) AS client
      FROM pg_replication_slots s
      LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid
     ${name === undefined ? '' : `WHERE s.slot_name = ${escapeLiteral(name)}`}
     ORDER BY s.slot_name`);
  return rows.map(({ slot, client: activeClient, current }) => slotFacts(JSON.parse(slot), activeClient, current));
}

function slotFacts(row: SlotRow, activeClient: string, current: string): SlotFacts {
  return {
    name: row.slot_name,
    type: row.slot_type,
    plugin: row.plugin ?? undefined,
    database: row.database ?? undefined,
    temporary: row.temporary,
    activePid: row.active_pid ?? undefined,
    activeClient: activeClient || undefined,
    restart: row.restart_lsn === null ? undefined : Lsn.parse(row.restart_lsn),
    confirmed: row.confirmed_flush_lsn === null ? undefined : Lsn.parse(row.confirmed_flush_lsn),
    walStatus: row.wal_status ?? undefined,
    safeBytes: row.safe_wal_size ?? undefined,
    invalidation: row.invalidation_reason ?? undefined,
    current: Lsn.parse(current),
  };
}

/** Refuses, with a named error, a slot from which this database's changes cannot be streamed now. */
export function checkSlot(slot: SlotFacts | undefined, name: string, database: string): asserts slot is SlotFacts {
  if (slot === undefined) throw slotMissing(name);
  const problem = slotProblem(slot, database);
  if (problem !== undefined) throw problem;
}

/** Why the changes of this database cannot be streamed from the slot now; undefined when they can. */
export function slotProblem(slot: SlotFacts, database: string): OperatorError | undefined {
  const { name } = slot;
  const recreate = `${dropSlotStatement(name)};\n${slotStatement(name)};`;
  if (slot.type !== 'logical' || slot.plugin !== 'pgoutput') {
    const kind = slot.type === 'logical' ? `uses the plugin ${slot.plugin}` : `is a ${slot.type} slot`;
    return new OperatorError(
      'PG_SLOT_PLUGIN',
      `replication slot ${name} ${kind}; a logical slot with pgoutput is needed`,
      {
        fix: `Name another slot, or, if nothing else uses this one:\n${recreate}`,
      },
    );
  }
  if (slot.database !== database) {
    return new OperatorError(
      'PG_SLOT_DATABASE',
      `replication slot ${name} belongs to database ${slot.database}, but the source connection goes to ${database}`,
      {
        fix: `Connect to ${slot.database}, or name a slot made in ${database}:\n${slotStatement(`${name}_${database}`)};`,
      },
    );
  }
  if (slot.temporary) {
    return new OperatorError(
      'PG_SLOT_TEMPORARY',
      `replication slot ${name} is temporary: it belongs to the session that made it and vanishes with it`,
      { fix: `${slotStatement(`${name}_permanent`)};` },
    );
  }
  if (slot.walStatus === 'lost' || slot.invalidation !== undefined) {
    const reason = slot.invalidation === undefined ? '' : ` (${slot.invalidation})`;
    return new OperatorError(
      'PG_SLOT_LOST',
      `the source gave up replication slot ${name}${reason} and removed log that it needed; the changes in it cannot be delivered any more`,
      {
        fix: `${recreate}\n-- then copy the data again and start over with a fresh checkpoint; a larger max_slot_wal_keep_size prevents this`,
      },
    );
  }
  if (slot.activePid !== undefined) {
    const client = slot.activeClient === undefined ? '' : `, ${slot.activeClient}`;
    return new OperatorError(
      'PG_SLOT_ACTIVE',
      `replication slot ${name} is in use by another connection (PID ${slot.activePid}${client})`,
      {
        fix: `Stop the other reader, or, if it is gone without a goodbye:\nSELECT pg_terminate_backend(${slot.activePid});`,
        transient: true,
      },
    );
  }
  return undefined;
}

/** There is no such slot. */
export function slotMissing(name: string): OperatorError {
  return new OperatorError(
    'PG_SLOT_MISSING',
    `replication slot ${name} does not exist: run ${slotStatement(name)}; in source database, then perform bulk data copy`,
    { fix: `${slotStatement(name)};` },
  );
}

/** Makes a slot that is kept until it is dropped. */
export function slotStatement(name: string): string {
  return `SELECT pg_create_logical_replication_slot(${escapeLiteral(name)}, 'pgoutput')`;
}

export function dropSlotStatement(name: string): string {
  return `SELECT pg_drop_replication_slot(${escapeLiteral(name)})`;
}
