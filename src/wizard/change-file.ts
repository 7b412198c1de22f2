import { flagNamed } from '../config/flags.ts';
import { didYouMean } from '../config/nearest.ts';
import { holdsPassword, mask } from '../config/secrets.ts';
import { readYamlFile } from '../config/yaml-file.ts';
import { UsageError } from '../errors.ts';
import { SIDES, type Side } from '../sessions/connections.ts';
import type { Replication } from '../sessions/replication.ts';
import { textOf } from './file-entries.ts';
import { optionEntries, optionText } from './option-entries.ts';
import { lockedOptions } from './option-list.ts';

/** What is to be changed of a replication that has been launched. */
export interface Changes {
  /** As written: connection strings, or `$NAME` for one that is in the environment. */
  readonly connections: Readonly<Partial<Record<Side, string>>>;
  /** Options by flag; undefined: the default again. */
  readonly options: Readonly<Record<string, string | undefined>>;
}

const KEYS: readonly string[] = ['name', ...SIDES, 'options'];

const EXAMPLE = `source: $SOURCE
options:
  parallelism: 8
  userscript:            # nothing behind it: the default again`;

/**
 * Reads a YAML file of changes, which has the keys of a file of answers. What it does not name stays.
 * @throws UsageError naming file and line, for what cannot be changed after the launch, is unknown, or does not fit; and for a
 *   file with a password in it that other users of the machine can read.
 */
export function readChanges(path: string, { name, answers }: Replication): Changes {
  const file = readYamlFile(path, '--file', 'a file of changes is a list of "key: value" lines');
  const entries = new Map(file.entries.map((entry) => [entry.key, entry]));
  for (const { key, place } of file.entries) {
    if (KEYS.includes(key)) continue;
    throw new UsageError(`${place}: ${mask(key)} cannot be changed after the launch${didYouMean(key, KEYS)}`, {
      fix: `what can be changed are ${[...SIDES, 'options'].join(', ')}; another ${mask(key)} is another replication`,
    });
  }
  const named = entries.get('name');
  if (named !== undefined && textOf(named) !== name) {
    throw new UsageError(`${named.place}: these are changes of ${textOf(named)}, not of ${name}`);
  }
  const connections = Object.fromEntries(
    SIDES.flatMap((side) => {
      const entry = entries.get(side);
      return entry === undefined ? [] : [[side, textOf(entry)] as const];
    }),
  );
  if (Object.values(connections).some(holdsPassword)) file.refuseShared();
  if (connections.staging !== undefined && answers.staging === undefined) {
    throw new UsageError(
      `${entries.get('staging')?.place}: the checkpoint of ${name} is on the target and stays there`,
    );
  }
  const locked = lockedOptions(answers);
  const options: Record<string, string | undefined> = {};
  for (const option of optionEntries(entries.get('options'), answers.kind)) {
    const { flag, entry } = option;
    const { place, value } = entry;
    const before = answers.options?.[flag];
    const reason = locked[flag];
    if (reason !== undefined) {
      // Its value is not looked at: whether it would do is of no use to know.
      const same = value.kind === 'scalar' && (before ?? flagNamed(flag).default) === String(value.value);
      if (!same) throw new UsageError(`${place}: ${flag}: ${reason}`);
      continue;
    }
    const text = value.kind === 'nothing' ? undefined : optionText(option);
    const wanted = text === flagNamed(flag).default ? undefined : text;
    if (wanted !== before) options[flag] = wanted;
  }
  if (Object.keys(connections).length + (entries.get('options') === undefined ? 0 : 1) === 0) {
    throw new UsageError(`${path} changes nothing`, { fix: EXAMPLE });
  }
  return { connections, options };
}
