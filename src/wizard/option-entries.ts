import { flagText } from '../config/config-file.ts';
import { type FlagName, flagNamed } from '../config/flags.ts';
import { didYouMean } from '../config/nearest.ts';
import { mask } from '../config/secrets.ts';
import type { YamlEntry } from '../config/yaml-file.ts';
import { UsageError } from '../errors.ts';
import type { SourceKind } from '../sessions/replication.ts';
import { optionNames, optionProblem } from './option-list.ts';

/** An option that a file names. */
export interface OptionEntry {
  readonly flag: FlagName;
  readonly entry: YamlEntry;
}

/** The options below `options:`. @throws UsageError for what is none of this kind of source */
export function optionEntries(entry: YamlEntry | undefined, kind: SourceKind | undefined): readonly OptionEntry[] {
  if (entry === undefined || entry.value.kind === 'nothing') return [];
  if (entry.value.kind !== 'map') throw new UsageError(`${entry.place}: options are "flag: value" lines below it`);
  const allowed: readonly FlagName[] = optionNames(kind);
  return entry.value.entries.map((option) => {
    const { key, place } = option;
    const flag = allowed.find((each) => each === key);
    if (flag === undefined) throw new UsageError(`${place}: ${mask(key)} is not an option${didYouMean(key, allowed)}`);
    return { flag, entry: option };
  });
}

/** The value that a file gives to an option, as an operator would type it. @throws UsageError for one that does not fit */
export function optionText({ flag, entry: { place, value } }: OptionEntry): string {
  const text = flagText(flagNamed(flag), `${place}: ${flag}`, value);
  const problem = optionProblem(flag, text);
  if (problem !== undefined) throw new UsageError(`${place}: ${problem}`);
  return text;
}
