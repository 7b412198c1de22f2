import type { MysqlServer } from '../../servers/mysql.ts';
import { arrived } from '../arrival.ts';
import { type ContenderName, markerVisible, type Run } from '../contenders.ts';
import { startInstarProcess } from '../instar-process.ts';
import { MysqlReader } from './reader.ts';
import type { Marker } from './workload.ts';

export const MYSQL_CONTENDERS: Readonly<Record<ContenderName, string>> = {
  reader: 'reader only',
  native: 'replica',
  instar: 'Instar into PostgreSQL',
};

/** Where a contender replicates from and to. */
export interface MysqlLink {
  readonly source: MysqlServer;
  readonly database: string;
  readonly executed: string;
  /** The native contender itself. */
  readonly replica: MysqlServer | undefined;
  readonly targetUrl: string | undefined;
}

export type MysqlRun = Run<Marker>;

/** Starts a contender. Resolves at once, not when data flows. */
export async function startMysqlContender(name: ContenderName, link: MysqlLink): Promise<MysqlRun> {
  if (name === 'reader') return await startReader(link);
  return name === 'native' ? await startReplica(link) : await startInstar(link);
}

async function startReader({ source, database, executed }: MysqlLink): Promise<MysqlRun> {
  const reader = await MysqlReader.start(source.uri(database), executed);
  return { pid: undefined, arrival: ({ gno }) => reader.reach(gno), stop: async () => reader.stop() };
}

/** MySQL's own replication, with the defaults of CHANGE REPLICATION SOURCE and of its workers. */
async function startReplica({ source, database, replica }: MysqlLink): Promise<MysqlRun> {
  if (replica === undefined) throw new Error('the replica is a server of its own');
  await replica.query(
    `CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = ${source.port}, SOURCE_USER = 'root',
       SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1;
     START REPLICA`,
  );
  const connection = await replica.connect(database);
  return {
    pid: replica.pid,
    arrival: (marker) =>
      arrived(async () => {
        const [rows] = await connection.query('SELECT 1 FROM marker WHERE id = ?', [marker.id]);
        return (rows as unknown[]).length > 0;
      }),
    stop: () => connection.end(),
  };
}

async function startInstar({ source, database, executed, targetUrl }: MysqlLink): Promise<MysqlRun> {
  if (targetUrl === undefined) throw new Error('Instar needs a target');
  const staging = ['--stagingSchema', '_replicator', '--stagingCreateSchema'];
  const { pid, failure, stop } = await startInstarProcess(
    ['mylogical', '--targetSchema', `${database}.public`, '--defaultGTIDSet', executed, ...staging],
    source.uri(database),
    targetUrl,
  );
  return { pid, arrival: (marker) => markerVisible(targetUrl, marker, failure), stop };
}
