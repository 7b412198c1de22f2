import { parseCommandLine } from '../config/command-line.ts';
import { mask } from '../config/secrets.ts';
import { UsageError } from '../errors.ts';
import { SecretsFile } from '../sessions/secrets.ts';
import { stateOf } from '../sessions/state.ts';
import { ReplicationStore } from '../sessions/store.ts';
import { readChanges } from '../wizard/change-file.ts';
import { changeLaunched, type Tried } from '../wizard/headless-edit.ts';
import { whenItCounts } from '../wizard/when-it-counts.ts';
import { chosen } from './chosen.ts';
import type { CommandContext } from './command.ts';

/**
 * `instar edit NAME --file changes.yaml`: other connections and options for a replication that was launched. 0: saved, or nothing
 * to change. Nothing is saved unless all of the new connections work.
 */
export async function run({ args, env, stdout, stderr }: CommandContext): Promise<number> {
  const { settings, argument } = parseCommandLine('edit', args, env);
  const store = ReplicationStore.open(env);
  const replication = chosen(store, argument);
  const { name } = replication;
  const state = stateOf(replication);
  if (state === 'unfinished') throw new UsageError(`the setup of ${name} is not finished`, { fix: 'instar' });
  const running = state === 'running';
  const changes = readChanges(settings.file, replication);
  const saved = { store, secrets: SecretsFile.open(env), env };
  const { changed } = await changeLaunched(replication, changes, saved, (tried) => {
    if (!settings.json) stderr.write(`${mask(triedLine(tried))}\n`);
  });
  if (settings.json) stdout.write(`${JSON.stringify({ name, changed, running }, undefined, 2)}\n`);
  else if (changed.length === 0) stdout.write(`${name}: nothing to change, it is all so already\n`);
  else stdout.write(`${name}: ${changed.join(', ')} saved; counts ${whenItCounts(running)}\n`);
  return 0;
}

function triedLine({ side, display, facts }: Tried): string {
  return `${side}: connected to ${display} as ${facts.user}, ${facts.encrypted ? 'encrypted' : 'in clear text'}`;
}
