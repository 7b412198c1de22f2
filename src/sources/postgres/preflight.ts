import type { Client } from 'pg';
import { OperatorError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import { findPublication, type PublicationFacts } from './publication.ts';
import { checkPublishedTables, type PublishedTable, readPublishedTables } from './published-tables.ts';
import { checkSlot, readSlot } from './slot.ts';
import { readableIdentifier } from './sql-text.ts';
import { readTypeNames, type TypeNames } from './type-names.ts';

/** What a source that passed its checks is. */
export interface CheckedSource {
  readonly publication: PublicationFacts;
  readonly published: readonly PublishedTable[];
  readonly types: TypeNames;
}

interface ServerFacts {
  version: number;
  versionText: string;
  database: string;
  user: string;
  inRecovery: boolean;
  walLevel: string;
  walSenders: number;
  maxWalSenders: number;
  mayReplicate: boolean;
}

const OLDEST_VERSION = 120000;

/**
 * Checks that changes of this database can be streamed from `slotName`, and says what is published. Every refusal is an
 * OperatorError with a code and a fix; a busy slot is transient, as the server may not have noticed the last reader's end.
 */
export async function checkSource(
  client: Client,
  slotName: string,
  publicationName: string | undefined,
  log: Logger,
): Promise<CheckedSource> {
  const server = await readServer(client);
  checkServer(server);
  const publication = await findPublication(client, publicationName);
  checkSlot(await readSlot(client, slotName), slotName, server.database);
  if (server.walSenders >= server.maxWalSenders) throw noWalSenders(server);
  const types = await readTypeNames(client);
  const published = await readPublishedTables(client, publication, server.version, types);
  checkPublishedTables(publication, published, log);
  return { publication, published, types };
}

async function readServer(client: Client): Promise<ServerFacts> {
  // Managed services hand out replication through the role rds_replication instead of the attribute.
  const { rows } = await client.query<{ server: string }>(`
    SELECT jsonb_build_object(
             'version', current_setting('server_version_num')::int, 'versionText', current_setting('server_version'),
             'database', current_database(), 'user', current_user, 'inRecovery', pg_is_in_recovery(),
             'walLevel', current_setting('wal_level'),
             'walSenders', (SELECT count(*) FROM pg_stat_replication),
             'maxWalSenders', current_setting('max_wal_senders')::int,
             'mayReplicate', r.rolsuper OR r.rolreplication OR EXISTS (
               SELECT FROM pg_roles g WHERE g.rolname = 'rds_replication' AND pg_has_role(r.oid, g.oid, 'MEMBER'))
           )::text AS server
      FROM pg_roles r WHERE r.rolname = current_user`);
  return JSON.parse(rows[0].server);
}

function checkServer(server: ServerFacts): void {
  if (server.version < OLDEST_VERSION) {
    throw new OperatorError(
      'PG_VERSION',
      `the source is PostgreSQL ${server.versionText}; version 12 or newer is needed`,
      { fix: 'Upgrade the source, or replicate from a newer copy of it.' },
    );
  }
  if (server.inRecovery) {
    throw new OperatorError(
      'PG_IN_RECOVERY',
      'the source is a standby (it is in recovery); replication reads from the primary only',
      { fix: 'Connect to the primary.' },
    );
  }
  if (server.walLevel !== 'logical') {
    throw new OperatorError(
      'PG_WAL_LEVEL',
      `the source's wal_level is ${server.walLevel}, which does not hold enough to replicate from; it must be logical`,
      { fix: "ALTER SYSTEM SET wal_level = 'logical'; -- then restart the server" },
    );
  }
  if (!server.mayReplicate) {
    const user = readableIdentifier(server.user);
    throw new OperatorError('PG_NO_REPLICATION_PRIVILEGE', `the source user ${server.user} has no right to replicate`, {
      fix: `ALTER ROLE ${user} REPLICATION; -- on Amazon RDS: GRANT rds_replication TO ${user};`,
    });
  }
}

function noWalSenders(server: ServerFacts): OperatorError {
  return new OperatorError(
    'PG_NO_WAL_SENDERS',
    `all ${server.maxWalSenders} replication connections of the source (max_wal_senders) are in use`,
    {
      fix: `ALTER SYSTEM SET max_wal_senders = ${server.maxWalSenders + 10}; -- then restart the server\nSELECT pid, application_name, client_addr FROM pg_stat_replication; -- or stop one of these`,
    },
  );
}
