import { OperatorError } from '../../errors.ts';
import type { Finding } from '../finding.ts';
import type { Connection } from './connection.ts';
import { failureOf } from './connection-errors.ts';
import { type ServerFacts, select, variable } from './server-facts.ts';

/** A reader of the binary log that has made itself known. */
export interface KnownReplica {
  readonly serverId: number;
  /** Empty when it did not say. */
  readonly host: string;
}

const STATEMENTS = ['SHOW REPLICAS', 'SHOW SLAVE HOSTS'];

const SYNTAX_ERROR = 1064;
const DENIED = 1227;

/**
 * The readers that are connected and have said who they are. Undefined when the user may not ask: MySQL lets those who may
 * replicate, MariaDB only administrators.
 */
export async function readReplicas(connection: Connection): Promise<KnownReplica[] | undefined> {
  for (const statement of STATEMENTS) {
    try {
      const rows = await select<Record<string, unknown>>(connection, statement);
      return rows.map((row) => ({
        serverId: Number(row.Server_Id ?? row.Server_id),
        host: String(row.Host ?? ''),
      }));
    } catch (error) {
      const { number } = failureOf(error);
      if (number === DENIED) return undefined;
      if (number !== SYNTAX_ERROR) throw error;
    }
  }
  return undefined;
}

/** Whether a reader may call itself `serverId`: of two with one id the source ends the connection of the first. */
export function serverIdFreeFinding(
  serverId: number,
  server: ServerFacts,
  replicas: readonly KnownReplica[] | undefined,
): Finding {
  const other = replicas?.find((each) => each.serverId === serverId);
  if (other !== undefined) {
    const where = other.host === '' ? '' : ` from ${other.host}`;
    return taken(`${serverId}, which is connected${where}`, serverId, [
      serverId,
      ...(replicas ?? []).map((each) => each.serverId),
    ]);
  }
  if (variable(server, 'server_id') === String(serverId)) {
    return taken(`${serverId}, which is the source's own`, serverId, [serverId]);
  }
  return {
    found: replicas === undefined ? `${serverId}; other readers are not to be seen by this user` : `${serverId}, free`,
  };
}

function taken(found: string, serverId: number, used: readonly number[]): Finding {
  let free = serverId + 1;
  while (used.includes(free)) free += 1;
  return {
    found,
    refusal: {
      expected: 'an id of its own',
      error: new OperatorError(
        'MYSQL_SERVER_ID_IN_USE',
        `the server id ${found}: unless that is this replication itself, the source ends the connection of one for the other, again and again`,
        { fix: `--replicationProcessID ${free}` },
      ),
    },
  };
}
