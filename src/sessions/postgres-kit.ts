import type { Client } from 'pg';
import { parseConnectionString } from '../config/connection.ts';
import { connect } from '../config/postgres-client.ts';
import { asPostgres, type SourceConnection } from '../config/source-connection.ts';
import { counted } from '../preflight/look.ts';
import { KIND } from '../sources/postgres/checkpoint-key.ts';
import { readLeftOut } from '../sources/postgres/left-out.ts';
import { createPublication, createSlot, dropPublication, dropSlot } from '../sources/postgres/setup.ts';
import type { Created, Sent } from './replication.ts';
import type { LaunchWork, PlannedThing, SourceKit } from './source-kit.ts';

/** Milliseconds that the source gets to answer; a slot waits up to a minute for transactions that are open. */
const PATIENCE = 90_000;
/** Milliseconds that a step waits for a table that somebody else has locked: the application must not queue behind it. */
const LOCK_PATIENCE = 10_000;
/** Milliseconds that the source gets to drop something. */
const DROP_PATIENCE = 30_000;

/** PostgreSQL by logical replication: a publication says what is sent, a slot keeps the log until it was. */
export const POSTGRES_KIT: SourceKit = {
  kind: KIND,
  name: 'PostgreSQL',
  example: 'postgresql://user:password@host:5432/database',
  parse: parseConnectionString,
  complete: async (answers) => answers,
  missing: ({ publication, slot }) =>
    publication === undefined || slot === undefined ? 'publication or slot' : undefined,
  wishes: ({ publication, slot, tables }, launched) => ({
    ...(publication && { publication: { name: publication.name, create: publication.create && !launched } }),
    ...(slot && { slot: { name: slot.name, create: slot.create && !launched } }),
    ...(tables !== undefined && { tables }),
  }),
  flags: ({ slot, publication }) => [
    ['slotName', slot?.name],
    ['publicationName', publication?.name],
  ],
  firstFlags: () => [],
  things({ publication, slot, tables }) {
    const things: PlannedThing[] = [];
    if (publication !== undefined) {
      const count = tables === undefined || tables === 'all' ? 'all tables' : counted(tables.length, 'table');
      const how = publication.create ? 'created' : 'used as it is';
      things.push({ what: 'publication', side: 'source', name: publication.name, how, remark: `for ${count}` });
    }
    if (slot !== undefined) {
      const how = slot.create ? 'created' : 'used as it is';
      things.push({ what: 'slot', side: 'source', name: slot.name, how, remark: 'from here on nothing is missed' });
    }
    return things;
  },
  prepare: (work) => withClient(work.connection, PATIENCE, (client) => prepare(work, client)),
  drop: ({ what, name }, connection) =>
    withClient(connection, DROP_PATIENCE, (client) =>
      what === 'slot' ? dropSlot(client, name) : dropPublication(client, name),
    ),
  async readSent(connection, { publication }) {
    if (publication === undefined) return undefined;
    return await withClient(connection, DROP_PATIENCE, (client) => readSent(client, publication.name));
  },
};

async function withClient<T>(
  connection: SourceConnection,
  patience: number,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect(asPostgres(connection), 'source', { query_timeout: patience });
  try {
    await client.query(`SET lock_timeout = ${LOCK_PATIENCE}`);
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** The publication, then the slot, because a slot cannot deliver what was changed before there was a publication. */
async function prepare(work: LaunchWork, client: Client): Promise<void> {
  const { publication, slot, tables = 'all' } = work.answers;
  if (publication === undefined || slot === undefined) throw new TypeError('the answers are not complete');
  const had = (what: Created['what'], name: string) => work.existing(what, name).length > 0;
  if (had('publication', publication.name) && !(await publishes(client, publication.name, tables))) {
    // What an interrupted launch has left is for other tables, and its slot delivers nothing of those that are wanted now.
    await work.takeBack([...work.existing('publication', publication.name), ...work.existing('slot', slot.name)]);
  }
  await work.step({ id: 'publication', title: `publication ${publication.name}` }, async () => {
    if (!publication.create || had('publication', publication.name)) return ['skipped', 'is there already and is used'];
    await createPublication(client, publication.name, tables);
    work.made({ what: 'publication', side: 'source', name: publication.name });
    return ['passed', `created for ${tables === 'all' ? 'all tables' : `${tables.length} tables`}`];
  });
  await work.step({ id: 'slot', title: `replication slot ${slot.name}` }, async () => {
    if (!slot.create || had('slot', slot.name)) return ['skipped', 'is there already and is used'];
    const { lsn } = await createSlot(client, slot.name);
    work.made({ what: 'slot', side: 'source', name: slot.name, lsn });
    return ['passed', `(${slot.name},${lsn})`];
  });
  work.sends(await readSent(client, publication.name));
}

/** Whether a publication is there for just these tables. */
async function publishes(client: Client, name: string, tables: 'all' | readonly string[]): Promise<boolean> {
  const { rows } = await client.query<{ all: string }>(
    'SELECT puballtables::text AS all FROM pg_publication WHERE pubname = $1',
    [name],
  );
  if (rows.length === 0) return false;
  if (tables === 'all' || rows[0].all === 'true') return tables === 'all' && rows[0].all === 'true';
  const published = new Set(await readPublished(client, name));
  return published.size === tables.length && tables.every((table) => published.has(table));
}

async function readSent(client: Client, publication: string): Promise<Sent> {
  return { tables: await readPublished(client, publication), leftOut: await readLeftOut(client, publication) };
}

/** The tables of a publication, as PostgreSQL prints the names. */
async function readPublished(client: Client, publication: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_publication_tables WHERE pubname = $1 ORDER BY 1`,
    [publication],
  );
  return rows.map(({ name }) => name);
}
