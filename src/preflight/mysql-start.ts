import { randomInt } from 'node:crypto';
import type { MysqlConnectionDescription } from '../config/mysql-connection.ts';
import { readReplicas } from '../sources/mysql/replicas.ts';
import { readServer, variable } from '../sources/mysql/server-facts.ts';
import { type BinlogPosition, checkStartSet, readBinlogStatus, type StartSetVerdict } from '../sources/mysql/setup.ts';
import { MysqlLine } from './mysql-connection-test.ts';

/** Where a binary log stands, and what a replication from this server has to be told. */
export interface MysqlStart {
  readonly position: BinlogPosition;
  /** Flags that fit this server, as typed. */
  readonly options: Readonly<Record<string, string>>;
}

/** Ids below are those that people give to their servers. */
const FIRST_ID = 100_000;
const LAST_ID = 2 ** 32 - 1;

/** Reads where the binary log stands. @throws OperatorError of the connection */
export async function readMysqlStart(description: MysqlConnectionDescription): Promise<MysqlStart> {
  const line = new MysqlLine(description);
  try {
    return await line.ask(async (connection) => {
      const server = await readServer(connection);
      const used = new Set([Number(variable(server, 'server_id'))]);
      for (const { serverId } of (await readReplicas(connection)) ?? []) used.add(serverId);
      const metadata = variable(server, 'binlog_row_metadata');
      return {
        position: await readBinlogStatus(connection),
        options: {
          replicationProcessID: String(freeId(used)),
          // Without names and types in the log they have to be read from the catalogue.
          ...(metadata?.toUpperCase() !== 'FULL' && { fetchMetadata: 'true' }),
        },
      };
    });
  } finally {
    line.close();
  }
}

/** Whether a replication of the connection's database, or of all, can begin at this set. @throws OperatorError of the connection */
export async function checkMysqlStart(
  description: MysqlConnectionDescription,
  set: string,
  allDatabases: boolean,
): Promise<StartSetVerdict> {
  const line = new MysqlLine(description);
  try {
    return await line.ask((connection) =>
      checkStartSet(connection, set, allDatabases ? undefined : description.database),
    );
  } finally {
    line.close();
  }
}

function freeId(used: ReadonlySet<number>): number {
  for (;;) {
    const id = randomInt(FIRST_ID, LAST_ID);
    if (!used.has(id)) return id;
  }
}
