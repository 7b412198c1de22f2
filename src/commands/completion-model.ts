import { ARGUMENTS, type CommandName, type Flag, type FlagName, flagNamed, flagsOf } from '../config/flags.ts';
import { allCodes } from '../explanations/table.ts';

/** What can stand in a place of the command line. */
export type Place =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'names' | 'file' | 'directory' | 'text' };

/** A flag as the completions of a shell know it. */
export interface CompletedFlag {
  readonly name: string;
  readonly short: string | undefined;
  readonly help: string;
  /** What it wants behind it; nothing for a flag that stands alone. */
  readonly value: Place | undefined;
  readonly repeats: boolean;
  /** Of which commands it is a flag. */
  readonly commands: readonly CommandName[];
}

export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** What it may be told without a flag, word by word. */
  readonly places: readonly Place[];
}

/** Flags whose value is the path of something. */
const PATHS: Readonly<Partial<Record<FlagName, 'file' | 'directory'>>> = {
  config: 'file',
  dataDir: 'directory',
  file: 'file',
  logDestination: 'file',
  oracleClientLib: 'directory',
  rows: 'file',
  userscript: 'file',
};

/** Every command of `summaries` with its flags that have an effect, from the table of flags. */
export function completedCommands(summaries: ReadonlyMap<string, string>): CompletedCommand[] {
  return Array.from(summaries, ([command, summary]) => {
    const name = command as CommandName;
    return {
      name,
      summary,
      flags: flagsOf(name).filter(hasEffect).map(completedFlag),
      places: placesOf(ARGUMENTS[name]?.name ?? ''),
    };
  });
}

function hasEffect(name: FlagName): boolean {
  return flagNamed(name).effect === undefined;
}

function completedFlag(name: FlagName): CompletedFlag {
  const flag = flagNamed(name);
  const { short, help, commands } = flag;
  return { name, short, help, value: valuePlace(name, flag), repeats: flag.type === 'count', commands };
}

function valuePlace(name: FlagName, flag: Flag): Place | undefined {
  if (flag.type === 'bool' || flag.type === 'count') return undefined;
  if (flag.type === 'choice') return { kind: 'words', words: flag.choices };
  return { kind: PATHS[name] ?? 'text' };
}

/** `check FILE`, `CODE [NAME] | WORDS`: word by word; what stands behind a lone bar is free text instead of all that. */
function placesOf(argument: string): Place[] {
  const [words] = argument.split(' | ');
  return words === '' ? [] : words.split(' ').map((word) => placeOf(word.replaceAll(/[[\]]/g, '')));
}

/**
 * `NAME|URL`, `bash|zsh|fish`, `check`, `FILE`: capitals stand for something, the rest for itself. The codes are written into the
 * completions: they change with the program, and whoever installs another one reads its completions anew.
 */
function placeOf(word: string): Place {
  const parts = word.split('|');
  if (parts.includes('NAME')) return { kind: 'names' };
  if (parts.includes('CODE')) return { kind: 'words', words: allCodes() };
  if (parts.some((part) => ['FILE', 'DIR', 'BUNDLE'].includes(part))) return { kind: 'file' };
  const words = parts.filter((part) => part !== part.toUpperCase());
  return words.length > 0 ? { kind: 'words', words } : { kind: 'text' };
}
