import { setTimeout as sleep } from 'node:timers/promises';
import type { MysqlServer } from '../../servers/mysql.ts';
import { startInstarProcess } from '../instar-process.ts';
import { withClient } from '../servers.ts';
import { MysqlReader } from './reader.ts';
import type { Marker } from './workload.ts';

/** How often the target is asked for a marker row: cheap next to a drain of seconds. */
const MARKER_POLL_MS = 10;
const ARRIVAL_LIMIT_MS = 600_000;

export type MysqlContenderName = 'reader' | 'native' | 'instar';

export const MYSQL_CONTENDERS: Readonly<Record<MysqlContenderName, string>> = {
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

/** A contender at work. */
export interface MysqlRun {
  /** The process whose memory and CPU are measured; undefined for those that are part of another. */
  readonly pid: number | undefined;
  /** Resolves once the marker's transaction is visible at the target (for the reader: received). */
  arrival(marker: Marker): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a contender. Resolves at once, not when data flows. */
export async function startMysqlContender(name: MysqlContenderName, link: MysqlLink): Promise<MysqlRun> {
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
  const arrival = ({ id }: Marker) =>
    withClient(targetUrl, (client) =>
      arrived(async () => {
        const error = failure();
        if (error) throw error;
        const query = { name: 'marker', text: 'select from marker where id = $1', values: [id] };
        return (await client.query(query)).rowCount !== 0;
      }),
    );
  return { pid, arrival, stop };
}

async function arrived(look: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + ARRIVAL_LIMIT_MS;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`the target did not get there in ${ARRIVAL_LIMIT_MS / 1000} s`);
    await sleep(MARKER_POLL_MS);
  }
}
