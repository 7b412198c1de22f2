import { parseCommandLine } from '../config/command-line.ts';
import { settleEnding, stateOf } from '../sessions/state.ts';
import { ReplicationStore } from '../sessions/store.ts';
import type { CommandContext } from './command.ts';

/** `instar list`: the saved replications and how they are, the one used last in front. */
export async function run({ args, env, stdout, stderr }: CommandContext): Promise<number> {
  const { settings } = parseCommandLine('list', args, env);
  const store = ReplicationStore.open(env);
  const found = store.list().map((each) => settleEnding(each, store));
  if (store.problem !== undefined) stderr.write(`${store.problem}\n`);
  if (settings.json) {
    const rows = found.map((each) => ({
      name: each.name,
      state: stateOf(each),
      source: each.answers.source?.display ?? null,
      target: each.answers.target?.display ?? null,
      pid: stateOf(each) === 'running' ? each.run?.pid : null,
      metrics: stateOf(each) === 'running' ? `http://${each.run?.metricsAddr}/_/varz` : null,
      ending: each.ending ?? null,
      seen: each.seen ?? null,
    }));
    stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
    return 0;
  }
  if (found.length === 0) stdout.write('no replication is saved yet; set one up: instar\n');
  const rows = found.map((each) => [
    each.name,
    stateOf(each),
    `${each.answers.source?.display ?? '?'} -> ${each.answers.target?.display ?? '?'}`,
  ]);
  const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column].length)));
  for (const [name, state, place] of rows) {
    stdout.write(`${name.padEnd(widths[0])}  ${state.padEnd(widths[1])}  ${place}\n`);
  }
  return 0;
}
