import type { Control } from '../dashboard/engine.ts';
import { OperatorError } from '../errors.ts';
import { continueEngine, pauseEngine, type Saved, stopEngine } from '../sessions/engine-child.ts';
import type { Replication } from '../sessions/replication.ts';
import { resume } from '../sessions/resume.ts';
import { settleEnding, stateOf } from '../sessions/state.ts';

/** Where the endpoints of a replication's newest run are; undefined when it has never run. */
export function endpointOf({ run }: Replication): string | undefined {
  return run === undefined ? undefined : `http://${run.metricsAddr}`;
}

/** What the dashboard can do with the engine of a saved replication. */
export function controlOf(name: string, saved: Saved): Control {
  const { store } = saved;
  const find = (): Replication => {
    const found = store.get(name);
    if (found === undefined) throw store.missing(name);
    return found;
  };
  return {
    pause: async () => await pauseEngine(find(), saved),
    continue: async () => await continueEngine(find(), saved),
    stop: async () => (await stopEngine(find(), saved)) ?? { at: new Date().toISOString(), how: 'stopped' },
    async resume() {
      const { verdict, replication } = await resume(name, saved);
      const endpoint = replication && endpointOf(replication);
      if (endpoint !== undefined) return endpoint;
      throw new OperatorError('RESUME_UNSAFE', `${name} was not resumed: ${verdict?.lines[1] ?? 'it has never run'}`, {
        fix: verdict?.waysOut.map(({ label, text }) => `${label}:\n${text}`).join('\n'),
      });
    },
    async ending() {
      const found = settleEnding(find(), store);
      return stateOf(found) === 'running' ? undefined : found.ending;
    },
  };
}
