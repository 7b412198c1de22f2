import type { Client } from 'pg';

/** Settings that decide how well a replication goes. Undefined: the server does not have the setting. */
export interface ServerSettings {
  /** Bytes of log that a slot may hold back; -1 without limit. PostgreSQL 13 and newer. */
  readonly maxSlotWalKeepSize: number | undefined;
  /** Milliseconds after which the server cuts a silent reader off; 0 never. */
  readonly walSenderTimeout: number | undefined;
  /** Bytes of decoded changes that are held in memory. PostgreSQL 13 and newer. */
  readonly logicalDecodingWorkMem: number | undefined;
  /** Milliseconds after which a slot that nobody reads is given up; 0 never. PostgreSQL 18 and newer. */
  readonly idleReplicationSlotTimeout: number | undefined;
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1024,
  '8kB': 8192,
  MB: 1024 ** 2,
  ms: 1,
  s: 1000,
  min: 60_000,
};

/** Asks for them. */
export async function readSettings(client: Client): Promise<ServerSettings> {
  const { rows } = await client.query<{ name: string; setting: string; unit: string }>(`
    SELECT name, setting, unit FROM pg_settings
     WHERE name IN ('max_slot_wal_keep_size', 'wal_sender_timeout', 'logical_decoding_work_mem', 'idle_replication_slot_timeout')`);
  const value = (name: string): number | undefined => {
    const row = rows.find((each) => each.name === name);
    if (row === undefined) return undefined;
    const number = Number(row.setting);
    return number < 0 ? -1 : number * UNITS[row.unit];
  };
  return {
    maxSlotWalKeepSize: value('max_slot_wal_keep_size'),
    walSenderTimeout: value('wal_sender_timeout'),
    logicalDecodingWorkMem: value('logical_decoding_work_mem'),
    idleReplicationSlotTimeout: value('idle_replication_slot_timeout'),
  };
}
