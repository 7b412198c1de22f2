import { OperatorError } from '../../errors.ts';
import type { Connection } from './connection.ts';
import { type Flavour, parseServerVersion, productName } from './flavour.ts';
import { select } from './server-facts.ts';

/** What stands for all databases in an identity. No database can be called that way on a server. */
export const ALL_DATABASES = '*';

/** What tells this source from another; kept in staging beside the checkpoint. */
export interface MysqlIdentity extends Readonly<Record<string, string>> {
  readonly flavour: Flavour;
  /** MySQL: server_uuid. MariaDB, which has none: server_id. */
  readonly server: string;
  /** The one that is replicated, or `*`. */
  readonly database: string;
}

/** Asks the server who it is. `database`: the one that is replicated; undefined for all. */
export async function identityOf(connection: Connection, database: string | undefined): Promise<MysqlIdentity> {
  const [{ version }] = await select<{ version: string }>(connection, 'SELECT @@version AS version');
  const { flavour } = parseServerVersion(version);
  const name = flavour === 'mysql' ? 'server_uuid' : 'server_id';
  const [{ server }] = await select<{ server: string | number }>(connection, `SELECT @@GLOBAL.${name} AS server`);
  return { flavour, server: String(server), database: database ?? ALL_DATABASES };
}

/**
 * Refuses a checkpoint that was written for something else than this source: GTIDs of one product mean nothing to the other,
 * and what was passed over in other databases cannot be had by going on.
 * @throws OperatorError MYSQL_SOURCE_CHANGED
 */
export function refuseOtherSource(
  identity: MysqlIdentity,
  stored: Readonly<Record<string, string>>,
  startOver: string,
): void {
  const { flavour, database } = stored;
  if ((flavour === 'mysql' || flavour === 'mariadb') && flavour !== identity.flavour) {
    throw new OperatorError(
      'MYSQL_SOURCE_CHANGED',
      `the checkpoint was written for ${productName(flavour)}, but the source connection goes to ${productName(identity.flavour)}, to which its GTIDs mean nothing`,
      { fix: `Connect to the former source, or start over:\n${startOver}` },
    );
  }
  if (database === undefined || database === identity.database || database === ALL_DATABASES) return;
  throw new OperatorError(
    'MYSQL_SOURCE_CHANGED',
    `the checkpoint was written for database ${database}, but ${
      identity.database === ALL_DATABASES ? 'all databases are' : `database ${identity.database} is`
    } to be replicated now: earlier changes there were passed over and would be missing`,
    { fix: `Name the database ${database} in the source connection, or start over:\n${startOver}` },
  );
}
