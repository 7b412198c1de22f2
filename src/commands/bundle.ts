import { contentsText, makeBundle } from '../bundle/bundle.ts';
import { parseCommandLine } from '../config/command-line.ts';
import { SecretsFile } from '../sessions/secrets.ts';
import { ReplicationStore } from '../sessions/store.ts';
import { formatBytes } from '../terminal/format.ts';
import type { CommandContext } from './command.ts';
import { chosen } from './chosen.ts';
import { versionText } from './version.ts';

/**
 * `instar bundle [NAME]`: packs what support needs to know of a saved replication into one file, without secrets; without a name of
 * the one used last. 0: it is written.
 */
export async function run({ args, env, program, stdout, stderr }: CommandContext): Promise<number> {
  const { settings, argument } = parseCommandLine('bundle', args, env);
  const store = ReplicationStore.open(env);
  const replication = chosen(store, argument);
  const bundle = await makeBundle(replication, {
    store,
    secrets: SecretsFile.open(env),
    env,
    output: settings.output,
    versions: versionText(program),
    report: settings.json ? undefined : (line) => stderr.write(`${line}\n`),
  });
  if (settings.json) {
    stdout.write(`${JSON.stringify({ name: replication.name, ...bundle }, undefined, 2)}\n`);
    return 0;
  }
  const passwords = bundle.passwordsKnown
    ? 'holds no passwords'
    : 'may hold passwords that are not known here: look through it before you send it';
  stdout.write(
    `${bundle.path} (${formatBytes(bundle.bytes)}) is closed to other users, and ${passwords}\n${contentsText(bundle)}` +
      `look at its history: instar watch ${bundle.path}\n`,
  );
  return 0;
}
