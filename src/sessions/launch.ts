import { OperatorError } from '../errors.ts';
import { describeConnections } from './connections.ts';
import { type Saved, startEngine, stopEngine } from './engine-child.ts';
import { describeThing, dropThing, forgetThing } from './removal.ts';
import type { Created, Replication } from './replication.ts';
import type { LaunchStep } from './source-kit.ts';
import { kitOf } from './source-kits.ts';
import { lacksStaging, stagingSchemaOf } from './staging-facts.ts';
import { undoSteps } from './undo.ts';

export type { LaunchStep };
export { cancelled, retire } from './removal.ts';

/**
 * Makes what a replication needs and starts its engine, which makes the staging schema. What is made is written down as soon
 * as it is. After a failure what this launch has made is removed again, or the error says what is left and how to remove it.
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
  const { answers } = replication;
  const kit = kitOf(answers.kind);
  const missing = kit.missing(answers);
  if (missing !== undefined) {
    throw new OperatorError('SESSION_UNFINISHED', `the setup of ${name} is not finished: it has no ${missing}`, {
      fix: 'instar',
    });
  }
  const connections = describeConnections(replication, saved);
  const mine: Created[] = [];
  const made = (what: Omit<Created, 'at' | 'place'>) => {
    const thing = { ...what, at: now(), ...(what.side !== 'here' && { place: connections[what.side].display }) };
    mine.push(thing);
    store.update(name, (before) => ({ ...before, made: [...before.made, thing] }));
  };
  let step: Omit<LaunchStep, 'state' | 'found'> | undefined;
  const during = async (next: typeof step & object, work: () => Promise<readonly [LaunchStep['state'], string]>) => {
    step = next;
    tell({ ...next, state: 'running' });
    const [state, found] = await work();
    tell({ ...next, state, found });
  };
  try {
    await kit.prepare({
      answers,
      connection: connections.source,
      step: during,
      made,
      existing: (what, named) =>
        (store.get(name) ?? replication).made.filter((thing) => thing.what === what && thing.name === named),
      async takeBack(things) {
        await takeBack(things, replication, saved);
      },
      sends: (facts) => store.update(name, (before) => ({ ...before, facts })),
    });
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
    error instanceof OperatorError
      ? error
      : { code: 'ENGINE_START' as const, message: firstLine(error), fix: undefined };
  const undo = undoSteps(left).map(({ place, text }) => `-- to undo, ${place}:\n${text}`);
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
