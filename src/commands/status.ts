import { parseCommandLine } from '../config/command-line.ts';
import { readOnce } from '../dashboard/poller.ts';
import { statusJson, statusText } from '../dashboard/text.ts';
import { reason } from '../sessions/resume.ts';
import { settleEnding, stateOf } from '../sessions/state.ts';
import { ReplicationStore } from '../sessions/store.ts';
import type { CommandContext } from './command.ts';
import { chosen } from './chosen.ts';

/**
 * `instar status [NAME|URL]`: how a replication is doing, once; without either of the one used last. 0: it runs and is not
 * stalled; 1: it does not run, or is stalled.
 */
export async function run({ args, env, stdout }: CommandContext): Promise<number> {
  const { settings, argument } = parseCommandLine('status', args, env);
  const { interval } = settings;
  const url = argument !== undefined && /^https?:\/\/|:\d+(\/|$)/.test(argument) ? argument : undefined;
  let endpoint = url;
  let name: string | undefined;
  if (endpoint === undefined) {
    const store = ReplicationStore.open(env);
    const replication = settleEnding(chosen(store, argument), store);
    name = replication.name;
    const state = stateOf(replication);
    if (state !== 'running' || replication.run === undefined) {
      const { ending, seen } = replication;
      const why = ending === undefined ? '' : `: ${reason(ending)}`;
      stdout.write(
        settings.json
          ? `${JSON.stringify({ name, state, ending: ending ?? null, seen: seen ?? null }, undefined, 2)}\n`
          : `${name} does not run (${state})${why}\n${state === 'unfinished' ? 'go on with its setup: instar' : `resume it: instar resume ${name}`}\n`,
      );
      return 1;
    }
    endpoint = `http://${replication.run.metricsAddr}`;
  }
  const reading = await readOnce(endpoint, { interval });
  stdout.write(
    settings.json
      ? `${JSON.stringify({ ...(name && { name }), ...statusJson(reading) }, undefined, 2)}\n`
      : statusText(reading),
  );
  return reading.lag.state === 'stalled' ? 1 : 0;
}
