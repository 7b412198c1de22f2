import type { Client } from 'pg';
import { connect } from '../config/postgres-client.ts';
import { OperatorError } from '../errors.ts';
import { createPublication, createSlot, undoStatements } from '../sources/postgres/setup.ts';
import { describeConnections } from './connections.ts';
import { type Saved, startEngine, stopEngine } from './engine-child.ts';
import { describeThing, dropThing, forgetThing } from './removal.ts';
import type { Created, Replication } from './replication.ts';
import { readSourceFacts } from './source-facts.ts';
import { lacksStaging, stagingSchemaOf } from './staging-facts.ts';

export { cancelled, retire } from './removal.ts';

/** Milliseconds that the source gets to answer; a slot waits up to a minute for transactions that are open. */
const PATIENCE = 90_000;
/** Milliseconds that a step waits for a table that somebody else has locked: the application must not queue behind it. */
const LOCK_PATIENCE = 10_000;

/** A step of a launch, told when it begins and again when it ends. */
export interface LaunchStep {
  readonly id: 'publication' | 'slot' | 'engine';
  readonly title: string;
  readonly state: 'running' | 'passed' | 'failed' | 'skipped';
  readonly found?: string;
}

/**
 * Makes what a replication needs and starts its engine: the publication, then the slot, because a slot cannot deliver what
 * was changed before there was a publication; the engine makes the staging schema. What is made is written down as soon as it
 * is. After a failure what this launch has made is removed again, or the error says what is left and how to remove it.
 * @throws OperatorError of the part that failed.
 */
export async function launch(
  name: string,
  saved: Saved & { readonly report?: (step: LaunchStep) => void },
): Promise<Replication> {
  const { store } = saved;
  const tell = saved.report ?? (() => {});
  const replication = store.get(name);
  if (replication === undefined) throw store.missing(name);
  const { publication, slot, tables = 'all' } = replication.answers;
  if (publication === undefined || slot === undefined) {
    throw new OperatorError(
      'SESSION_UNFINISHED',
      `the setup of ${name} is not finished: it has no publication or slot`,
      {
        fix: 'instar',
      },
    );
  }
  const connections = describeConnections(replication, saved);
  const mine: Created[] = [];
  const made = (what: Omit<Created, 'at' | 'place'>) => {
    const thing = { ...what, at: now(), place: connections[what.side].display };
    mine.push(thing);
    store.update(name, (before) => ({ ...before, made: [...before.made, thing] }));
  };
  const ours = (what: Created['what'], named: string) =>
    (store.get(name) ?? replication).made.filter((thing) => thing.what === what && thing.name === named);
  const had = (what: Created['what'], named: string) => ours(what, named).length > 0;
  let step: Omit<LaunchStep, 'state' | 'found'> | undefined;
  const during = async (next: typeof step & object, work: () => Promise<[LaunchStep['state'], string]>) => {
    step = next;
    tell({ ...next, state: 'running' });
    const [state, found] = await work();
    tell({ ...next, state, found });
  };
  try {
    const client = await connect(connections.source, 'source', { query_timeout: PATIENCE });
    try {
      await client.query(`SET lock_timeout = ${LOCK_PATIENCE}`);
      if (had('publication', publication.name) && !(await publishes(client, publication.name, tables))) {
        // What an interrupted launch has left is for other tables, and its slot delivers nothing of those that are wanted now.
        await takeBack([...ours('publication', publication.name), ...ours('slot', slot.name)], replication, saved);
      }
      await during({ id: 'publication', title: `publication ${publication.name}` }, async () => {
        if (!publication.create || had('publication', publication.name))
          return ['skipped', 'is there already and is used'];
        await createPublication(client, publication.name, tables);
        made({ what: 'publication', side: 'source', name: publication.name });
        return ['passed', `created for ${tables === 'all' ? 'all tables' : `${tables.length} tables`}`];
      });
      await during({ id: 'slot', title: `replication slot ${slot.name}` }, async () => {
        if (!slot.create || had('slot', slot.name)) return ['skipped', 'is there already and is used'];
        const { lsn } = await createSlot(client, slot.name);
        made({ what: 'slot', side: 'source', name: slot.name, lsn });
        return ['passed', `(${slot.name},${lsn})`];
      });
      const facts = await readSourceFacts(client, publication.name);
      store.update(name, (before) => ({ ...before, facts }));
    } finally {
      await client.end().catch(() => {});
    }
    await during({ id: 'engine', title: 'the engine' }, async () => {
      // The engine makes the staging schema, even if it fails later on.
      const missing = await lacksStaging(replication, connections);
      try {
        const run = await startEngine(store.get(name) ?? replication, saved);
        return ['passed', `process ${run.pid}`];
      } finally {
        if (missing && !(await lacksStaging(replication, connections))) {
          made({ what: 'staging schema', side: 'target', name: stagingSchemaOf(replication) });
        }
      }
    });
  } catch (error) {
    if (step !== undefined) tell({ ...step, state: 'failed', found: firstLine(error) });
    const left = (await endEngine(replication, saved)) ? await takeBack(mine, replication, saved) : mine;
    if (left.length === 0) throw error;
    throw alsoLeft(error, left);
  }
  return store.update(name, ({ step: _, ...launched }) => launched);
}

/** Ends the engine that a failed launch has started: nothing may be taken from under it. False when it does not end. */
async function endEngine(replication: Replication, saved: Saved): Promise<boolean> {
  const current = saved.store.get(replication.name);
  if (current?.run === undefined || current.run.identity === replication.run?.identity) return true;
  try {
    await stopEngine(current, saved, { force: true });
    return true;
  } catch {
    return false;
  }
}

/** Whether a publication is there for just these tables. */
async function publishes(client: Client, name: string, tables: 'all' | readonly string[]): Promise<boolean> {
  const { rows } = await client.query<{ all: string }>(
    'SELECT puballtables::text AS all FROM pg_publication WHERE pubname = $1',
    [name],
  );
  if (rows.length === 0) return false;
  if (tables === 'all' || rows[0].all === 'true') return tables === 'all' && rows[0].all === 'true';
  const published = new Set((await readSourceFacts(client, name)).tables);
  return published.size === tables.length && tables.every((table) => published.has(table));
}

/** Removes what a failed launch has made, the newest first; returns what could not be removed. */
async function takeBack(mine: readonly Created[], replication: Replication, saved: Saved): Promise<Created[]> {
  const left: Created[] = [];
  for (const thing of mine.toReversed()) {
    try {
      await dropThing(thing, replication, describeConnections(replication, saved));
      forgetThing(thing, replication.name, saved.store);
    } catch {
      left.push(thing);
    }
  }
  return left;
}

function alsoLeft(error: unknown, left: readonly Created[]): OperatorError {
  const { code, message, fix } =
    error instanceof OperatorError ? error : { code: 'ENGINE_START', message: firstLine(error), fix: undefined };
  const undo = undoStatements(left).map(({ side, sql }) => `-- to undo, at the ${side}:\n${sql}`);
  return new OperatorError(code, `${message}. Left on the servers: ${left.map(describeThing).join('; ')}`, {
    fix: [...(fix === undefined ? [] : [fix]), ...undo].join('\n'),
    cause: error,
  });
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}

function now(): string {
  return new Date().toISOString();
}
