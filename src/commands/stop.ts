import { parseCommandLine } from '../config/command-line.ts';
import { stopEngine } from '../sessions/engine-child.ts';
import { reason } from '../sessions/resume.ts';
import { stateOf } from '../sessions/state.ts';
import { ReplicationStore } from '../sessions/store.ts';
import type { CommandContext } from './command.ts';
import { chosen } from './chosen.ts';

/** `instar stop NAME`: stops the engine of a saved replication. 0: it does not run any more. */
export async function run({ args, env, stdout, stderr }: CommandContext): Promise<number> {
  const { settings, argument } = parseCommandLine('stop', args, env);
  const store = ReplicationStore.open(env);
  const replication = chosen(store, argument);
  const { name } = replication;
  const running = stateOf(replication) === 'running';
  if (running && !settings.json) stderr.write(`stopping ${name}: what is in hand is applied first\n`);
  const ending = await stopEngine(replication, { store }, { force: settings.force });
  if (settings.json)
    stdout.write(`${JSON.stringify({ name, wasRunning: running, ending: ending ?? null }, undefined, 2)}\n`);
  else if (running) stdout.write(`${name} is stopped; resume it: instar resume ${name}\n`);
  else stdout.write(`${name} did not run${ending === undefined ? '' : `: ${reason(ending)}`}\n`);
  return 0;
}
