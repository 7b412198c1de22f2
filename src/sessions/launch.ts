import type { Client } from 'pg';
import type { ConnectionDescription } from '../config/connection.ts';
import { connect } from '../config/postgres-client.ts';
import { OperatorError } from '../errors.ts';
import { TargetFacts } from '../preflight/target-facts.ts';
import { checkpointKey, KIND } from '../sources/postgres/checkpoint-key.ts';
import { createPublication, createSlot, dropPublication, dropSlot, undoStatements } from '../sources/postgres/setup.ts';
import { dropStaging } from '../staging/drop.ts';
import { identityKey } from '../staging/identity.ts';
import { describeConnections } from './connections.ts';
import { type Saved, startEngine } from './engine-child.ts';
import type { Created, Replication } from './replication.ts';
import { readSourceFacts } from './source-facts.ts';
import { stateOf } from './state.ts';

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
  const { source } = describeConnections(replication, saved);
  const mine: Created[] = [];
  const made = (thing: Created) => {
    mine.push(thing);
    store.update(name, (before) => ({ ...before, made: [...before.made, thing] }));
  };
  const had = (what: Created['what']) => replication.made.some((thing) => thing.what === what);
  let step: Omit<LaunchStep, 'state' | 'found'> | undefined;
  const during = async (next: typeof step & object, work: () => Promise<[LaunchStep['state'], string]>) => {
    step = next;
    tell({ ...next, state: 'running' });
    const [state, found] = await work();
    tell({ ...next, state, found });
  };
  try {
    const client = await connect(source, 'source');
    try {
      await during({ id: 'publication', title: `publication ${publication.name}` }, async () => {
        if (!publication.create || had('publication')) return ['skipped', 'is there already and is used'];
        await createPublication(client, publication.name, tables);
        made({ what: 'publication', side: 'source', name: publication.name, at: now() });
        return ['passed', `created for ${tables === 'all' ? 'all tables' : `${tables.length} tables`}`];
      });
      await during({ id: 'slot', title: `replication slot ${slot.name}` }, async () => {
        if (!slot.create || had('slot')) return ['skipped', 'is there already and is used'];
        const { lsn } = await createSlot(client, slot.name);
        made({ what: 'slot', side: 'source', name: slot.name, at: now(), lsn });
        return ['passed', `(${slot.name},${lsn})`];
      });
      const facts = await readSourceFacts(client, publication.name);
      store.update(name, (before) => ({ ...before, facts }));
    } finally {
      await client.end().catch(() => {});
    }
    await during({ id: 'engine', title: 'the engine' }, async () => {
      const run = await startEngine(store.get(name) ?? replication, saved);
      return ['passed', `process ${run.pid}`];
    });
  } catch (error) {
    if (step !== undefined) tell({ ...step, state: 'failed', found: firstLine(error) });
    const left = await takeBack(mine, source, name, saved);
    if (left.length === 0) throw error;
    throw alsoLeft(error, left);
  }
  return store.update(name, ({ step: _, ...launched }) => launched);
}

/** Removes what a failed launch has made, the newest first; returns what could not be removed. */
async function takeBack(
  mine: readonly Created[],
  source: Parameters<typeof connect>[0],
  name: string,
  { store }: Saved,
): Promise<Created[]> {
  if (mine.length === 0) return [];
  const left: Created[] = [];
  let client: Client | undefined;
  try {
    client = await connect(source, 'source');
  } catch {
    return [...mine];
  }
  try {
    for (const thing of mine.toReversed()) {
      try {
        await drop(client, thing);
        store.update(name, (before) => ({ ...before, made: without(before.made, thing) }));
      } catch {
        left.push(thing);
      }
    }
  } finally {
    await client.end().catch(() => {});
  }
  return left;
}

function alsoLeft(error: unknown, left: readonly Created[]): OperatorError {
  const { code, message, fix } =
    error instanceof OperatorError ? error : { code: 'ENGINE_START', message: firstLine(error), fix: undefined };
  const undo = undoStatements(left).map(({ side, sql }) => `-- to undo, at the ${side}:\n${sql}`);
  return new OperatorError(code, `${message}. Left on the servers: ${left.map(described).join('; ')}`, {
    fix: [...(fix === undefined ? [] : [fix]), ...undo].join('\n'),
    cause: error,
  });
}

/** What this program has made for a replication and not removed, one thing a line; empty when that is nothing. */
export function cancelled(replication: Replication): string[] {
  return replication.made.map(described);
}

/**
 * Drops the chosen things on their servers, then forgets the replication and its secrets.
 * @throws OperatorError SESSION_RUNNING; that of the first thing that cannot be dropped: what was dropped before it is forgotten, the rest is kept.
 */
export async function retire(name: string, drops: readonly Created[], saved: Saved): Promise<void> {
  const { store, secrets } = saved;
  const replication = store.get(name);
  if (replication === undefined) throw store.missing(name);
  if (stateOf(replication) === 'running') {
    throw new OperatorError('SESSION_RUNNING', `${name} still replicates; nothing was dropped or forgotten`, {
      fix: `instar stop ${name}`,
    });
  }
  if (drops.length > 0) {
    const connections = describeConnections(replication, saved);
    // The slot first: it is what does harm by staying.
    const ordered = drops.toSorted((a, b) => Number(b.what === 'slot') - Number(a.what === 'slot'));
    for (const thing of ordered) {
      if (thing.what === 'staging schema') await forgetProgress(connections, replication, thing.name);
      else await dropOn(connections[thing.side], thing);
      store.update(name, (before) => ({ ...before, made: without(before.made, thing) }));
    }
  }
  secrets.remove(name);
  store.remove(name);
}

async function dropOn(connection: ConnectionDescription, thing: Created): Promise<void> {
  const client = await connect(connection, thing.side);
  try {
    await drop(client, thing);
  } finally {
    await client.end().catch(() => {});
  }
}

async function drop(client: Client, { what, name }: Created): Promise<void> {
  switch (what) {
    case 'publication':
      return await dropPublication(client, name);
    case 'slot':
      return await dropSlot(client, name);
    case 'staging schema':
    case 'table':
      throw new OperatorError('SESSION_KEEPS_TABLES', `${what} ${name} holds rows and is not dropped`, {
        fix: `DROP TABLE ${name};`,
      });
  }
}

/** The staging schema may keep the progress of other replications too, which stays. */
async function forgetProgress(
  connections: ReturnType<typeof describeConnections>,
  { answers }: Replication,
  text: string,
): Promise<void> {
  const { source, target, staging } = connections;
  const facts = new TargetFacts(target, {
    source,
    staging,
    targetSchema: answers.targetSchema ?? 'public',
    stagingSchema: text,
    tables: 'all',
  });
  try {
    if (!(await facts.stagingState()).complete) return;
    const [schema, { schema: spelled }] = [await facts.staging(), await facts.progress()];
    const keys = { checkpoint: checkpointKey(spelled), identity: identityKey(KIND, spelled) };
    await facts.stagingLine.ask((client) => dropStaging(client, schema, keys));
  } finally {
    facts.close();
  }
}

function without(made: readonly Created[], thing: Created): Created[] {
  return made.filter(({ what, side, name }) => what !== thing.what || side !== thing.side || name !== thing.name);
}

function described({ what, side, name, lsn }: Created): string {
  return `${what} ${lsn === undefined ? name : `(${name},${lsn})`} on the ${side}`;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}

function now(): string {
  return new Date().toISOString();
}
