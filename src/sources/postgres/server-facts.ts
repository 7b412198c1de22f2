import type { Client } from 'pg';

/** Services whose settings are not changed by SQL. */
export type Provider = 'rds' | 'cloudsql' | 'azure';

/** What a PostgreSQL server and the connected user are, as far as replicating from there is concerned. */
export interface ServerFacts {
  /** As in 180001. */
  readonly version: number;
  readonly versionText: string;
  readonly database: string;
  readonly user: string;
  readonly superuser: boolean;
  readonly inRecovery: boolean;
  readonly walLevel: string;
  /** Replication connections in use. */
  readonly walSenders: number;
  readonly maxWalSenders: number;
  readonly slots: number;
  readonly maxSlots: number;
  readonly mayReplicate: boolean;
  readonly provider: Provider | null;
}

/** Asks a server for them. */
export async function readServer(client: Client): Promise<ServerFacts> {
  // Managed services hand out replication through the role rds_replication instead of the attribute.
  const { rows } = await client.query<{ server: string }>(`
    SELECT jsonb_build_object(
             'version', current_setting('server_version_num')::int, 'versionText', current_setting('server_version'),
             'database', current_database(), 'user', current_user, 'superuser', r.rolsuper,
             'inRecovery', pg_is_in_recovery(), 'walLevel', current_setting('wal_level'),
             'walSenders', (SELECT count(*) FROM pg_stat_replication),
             'maxWalSenders', current_setting('max_wal_senders')::int,
             'slots', (SELECT count(*) FROM pg_replication_slots),
             'maxSlots', current_setting('max_replication_slots')::int,
             'mayReplicate', r.rolsuper OR r.rolreplication OR EXISTS (
               SELECT FROM pg_roles g WHERE g.rolname = 'rds_replication' AND pg_has_role(r.oid, g.oid, 'MEMBER')),
             'provider', CASE WHEN current_setting('rds.logical_replication', true) IS NOT NULL THEN 'rds'
                              WHEN current_setting('cloudsql.logical_decoding', true) IS NOT NULL THEN 'cloudsql'
                              WHEN current_setting('azure.extensions', true) IS NOT NULL THEN 'azure' END
           )::text AS server
      FROM pg_roles r WHERE r.rolname = current_user`);
  return JSON.parse(rows[0].server);
}
