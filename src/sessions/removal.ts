import { OperatorError } from '../errors.ts';
import { describeConnections } from './connections.ts';
import type { Saved } from './engine-child.ts';
import type { Created, Replication } from './replication.ts';
import { kitOf } from './source-kits.ts';
import { forgetProgress } from './staging-facts.ts';
import { stateOf } from './state.ts';
import type { ReplicationStore } from './store.ts';

/** What this program has made for a replication and not removed, one thing a line; empty when that is nothing. */
export function cancelled(replication: Replication): string[] {
  return replication.made.map(describeThing);
}

/** A thing for people: `slot (molt_slot,0/167A220) on the source`. */
export function describeThing({ what, side, name, lsn }: Created): string {
  const where = side === 'here' ? 'on this machine' : `on the ${side}`;
  return `${what} ${lsn === undefined ? name : `(${name},${lsn})`} ${where}`;
}

/**
 * Drops the chosen things on their servers, then forgets the replication and its secrets.
 * @throws OperatorError SESSION_RUNNING, SESSION_BUSY; that of the first thing that cannot be dropped: what was dropped before it is
 *   forgotten, the rest is kept.
 */
export async function retire(name: string, drops: readonly Created[], saved: Saved): Promise<void> {
  const { store } = saved;
  // Nobody may launch or start meanwhile what is taken away here.
  const locks = [await store.lock(name)];
  try {
    locks.push(await store.lock(name, 'start'));
    await retireLocked(name, drops, saved);
  } finally {
    for (const unlock of locks) unlock();
  }
}

async function retireLocked(name: string, drops: readonly Created[], { store, secrets, env }: Saved): Promise<void> {
  const replication = store.get(name);
  if (replication === undefined) throw store.missing(name);
  if (stateOf(replication) === 'running') {
    throw new OperatorError('SESSION_RUNNING', `${name} still replicates; nothing was dropped or forgotten`, {
      fix: `instar stop ${name}`,
    });
  }
  if (drops.length > 0) {
    const connections = describeConnections(replication, { secrets, env });
    // The slot first: it is what does harm by staying.
    const ordered = drops.toSorted((a, b) => Number(b.what === 'slot') - Number(a.what === 'slot'));
    for (const thing of ordered) {
      await dropThing(thing, replication, connections);
      forgetThing(thing, name, store);
    }
  }
  secrets.remove(name);
  store.remove(name);
}

/**
 * Removes one thing from its server; one that is gone already is as good. Rows are never removed.
 * @throws OperatorError of the connection or the server; SESSION_KEEPS_TABLES, SESSION_ELSEWHERE
 */
export async function dropThing(
  thing: Created,
  replication: Replication,
  connections: ReturnType<typeof describeConnections>,
): Promise<void> {
  const { what, side, name } = thing;
  if (what === 'staging schema') return await forgetProgress(replication, connections, name);
  if (what === 'table') {
    throw new OperatorError('SESSION_KEEPS_TABLES', `table ${name} may hold rows and is not dropped`, {
      fix: `DROP TABLE ${name};`,
    });
  }
  const kit = kitOf(replication.answers.kind);
  if (side === 'here') return await kit.drop(thing, connections.source);
  const { display } = connections[side];
  if (thing.place !== undefined && thing.place !== display) {
    throw new OperatorError(
      'SESSION_ELSEWHERE',
      `${describeThing(thing)} was made on ${thing.place}, but the connection leads to ${display} now; nothing was dropped there`,
      { fix: `let the connection lead to ${thing.place} again, or drop it there by hand` },
    );
  }
  await kit.drop(thing, connections.source);
}

/** Strikes a thing off the list of what was made. */
export function forgetThing(thing: Created, name: string, store: Pick<ReplicationStore, 'update'>): void {
  const same = (other: Created) => other.what === thing.what && other.side === thing.side && other.name === thing.name;
  store.update(name, (before) => ({ ...before, made: before.made.filter((other) => !same(other)) }));
}
