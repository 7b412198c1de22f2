import pg from 'pg';
import { arrived } from './arrival.ts';
import { startInstarProcess } from './instar-process.ts';
import { Reader } from './reader.ts';
import { withClient } from './servers.ts';
import { type Marker, PUBLICATION } from './workload.ts';

export type ContenderName = 'reader' | 'native' | 'instar';

export const CONTENDERS: Readonly<Record<ContenderName, string>> = {
  reader: 'reader only',
  native: 'subscription',
  instar: 'Instar',
};

/** Where a contender replicates from and to. */
export interface Link {
  readonly sourceUrl: string;
  readonly targetUrl: string;
  readonly slot: string;
  /** Further flags for Instar. */
  readonly flags?: readonly string[];
}

/** A contender at work. */
export interface Run<Mark = Marker> {
  /** The process whose memory and CPU are measured; undefined for those that are part of another. */
  readonly pid: number | undefined;
  /** Resolves once the marker's transaction is visible at the target (for the reader: received). */
  arrival(marker: Mark): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a contender; its slot must be there. Resolves at once, not when data flows. */
export function startContender(name: ContenderName, link: Link): Promise<Run> {
  if (name === 'reader') return startReader(link);
  return name === 'native' ? startSubscription(link) : startInstar(link);
}

async function startReader(link: Link): Promise<Run> {
  const reader = await Reader.start(link.sourceUrl, link.slot);
  return { pid: undefined, arrival: ({ lsn }) => reader.reach(lsn), stop: () => reader.stop() };
}

/** PostgreSQL's own logical replication, with the defaults of CREATE SUBSCRIPTION. */
async function startSubscription(link: Link): Promise<Run> {
  const { hostname, port, username, password, pathname } = new URL(link.sourceUrl);
  const parameters = { host: hostname, port, user: username, password, dbname: pathname.slice(1) };
  const connection = Object.entries(parameters)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}='${decodeURIComponent(value)}'`)
    .join(' ');
  await withClient(link.targetUrl, (client) =>
    client.query(
      `create subscription bench connection ${pg.escapeLiteral(connection)} publication ${PUBLICATION}
         with (create_slot = false, slot_name = ${pg.escapeLiteral(link.slot)}, copy_data = false)`,
    ),
  );
  const stop = () =>
    withClient(link.targetUrl, async (client) => {
      await client.query('alter subscription bench disable');
      await client.query('alter subscription bench set (slot_name = none)');
      await client.query('drop subscription bench');
    });
  return { pid: undefined, arrival: (marker) => markerVisible(link.targetUrl, marker), stop };
}

async function startInstar(link: Link): Promise<Run> {
  const flags = ['--targetSchema', 'public', '--slotName', link.slot, '--publicationName', PUBLICATION];
  const staging = ['--stagingSchema', '_replicator', '--stagingCreateSchema'];
  const { pid, failure, stop } = await startInstarProcess(
    ['pglogical', ...flags, ...staging, ...(link.flags ?? [])],
    link.sourceUrl,
    link.targetUrl,
  );
  return { pid, arrival: (marker) => markerVisible(link.targetUrl, marker, failure), stop };
}

/** Waits until a connection of its own sees the marker row at the target. */
export function markerVisible(
  targetUrl: string,
  { id }: { readonly id: number },
  failure: () => Error | undefined = () => undefined,
): Promise<void> {
  const query = { name: 'marker', text: 'select from marker where id = $1', values: [id] };
  return withClient(targetUrl, (client) => arrived(async () => (await client.query(query)).rowCount !== 0, failure));
}
