import { parseArgs } from 'node:util';
import { UsageError } from '../errors.ts';
import { type Found, readConfigFile } from './config-file.ts';
import { readEnvironment } from './environment.ts';
import { ARGUMENTS, type CommandName, FLAGS, type FlagName, flagNamed, flagsOf } from './flags.ts';
import { didYouMean } from './nearest.ts';
import { mask } from './secrets.ts';
import { defaultValue, parseValue, type Settings, type SettingValue } from './settings.ts';

/** What a command was told. */
export interface CommandLine<C extends CommandName> {
  readonly settings: Settings<C>;
  /** What stood there without a flag, for commands that take such a thing. */
  readonly argument: string | undefined;
  /** The flags that were set by the command line, the environment or the configuration file. */
  readonly given: ReadonlySet<FlagName>;
  /** To be logged at start: flags without effect, environment variables that look misspelt. */
  readonly warnings: readonly string[];
}

/**
 * Reads a command's settings. The command line wins over the environment (`INSTAR_SOURCE_CONN`), that over the YAML file
 * named by `--config`, that over the defaults; a flag given twice has its last value.
 * @throws UsageError for whatever an operator can get wrong, naming the flag and the nearest known one.
 */
export function parseCommandLine<C extends CommandName>(
  command: C,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): CommandLine<C> {
  const { found: line, argument } = readArguments(command, args);
  const environment = readEnvironment(command, env);
  const path = (line.get('config') ?? environment.found.get('config'))?.text;
  const file = path ? readConfigFile(path, command, env) : new Map<FlagName, Found>();

  const found = new Map([...file, ...environment.found, ...line]);
  const settings: Partial<Record<FlagName, SettingValue>> = {};
  for (const name of flagsOf(command)) {
    const place = found.get(name);
    settings[name] = place === undefined ? defaultValue(name) : parseValue(flagNamed(name), place.label, place.text);
  }
  if (settings.help !== true) {
    for (const name of flagsOf(command)) checkUse(command, name, settings[name], argument);
    if (argument === undefined && ARGUMENTS[command]?.required) {
      throw new UsageError(`${command} needs to be told: ${command} ${ARGUMENTS[command].name}`);
    }
  }
  const idle = flagsOf(command).filter((name) => flagNamed(name).effect === 'none' && found.has(name));
  return {
    // Every flag of the command was visited, and parseValue returns what the table's type promises.
    settings: settings as Settings<C>,
    argument,
    given: new Set(found.keys()),
    warnings: [...environment.warnings, ...(idle.length > 0 ? [withoutEffect(idle)] : [])],
  };
}

/** The flags of `args`, not yet validated, and what stands there without one. */
function readArguments(
  command: CommandName,
  args: readonly string[],
): { found: Map<FlagName, Found>; argument: string | undefined } {
  const allowed = flagsOf(command);
  const options: Record<string, { type: 'boolean' | 'string'; short?: string }> = {};
  for (const name of allowed) {
    const { type, short, alias } = flagNamed(name);
    if (alias !== undefined) options[alias] = { type: type === 'bool' ? 'boolean' : 'string' };
    options[name] = { type: type === 'bool' || type === 'count' ? 'boolean' : 'string', ...(short && { short }) };
  }
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const found = new Map<FlagName, Found>();
  let counted = 0;
  let last: FlagName | undefined;
  let argument: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      if (ARGUMENTS[command] === undefined || argument !== undefined)
        throw unexpectedArgument(command, token.value, last);
      argument = token.value;
      continue;
    }
    const name = allowed.find((flag) => flag === token.name || flagNamed(flag).alias === token.name);
    if (name === undefined) throw unknownFlag(command, token.rawName, args[token.index]);
    last = name;
    const label = `--${name}`;
    switch (flagNamed(name).type) {
      case 'count':
        counted = token.value === undefined ? counted + 1 : Number(parseValue(flagNamed(name), label, token.value));
        found.set(name, { text: String(counted), label });
        break;
      case 'bool':
        found.set(name, { text: token.value ?? 'true', label });
        break;
      default:
        if (token.value === undefined || (!token.inlineValue && /^-+[a-z]/i.test(token.value))) {
          throw new UsageError(`${label} needs a value: ${label} VALUE or ${label}=VALUE`);
        }
        found.set(name, { text: token.value, label });
    }
  }
  return { found, argument };
}

/** `last` is the flag that stood before the argument. */
function unexpectedArgument(command: CommandName, argument: string, last: FlagName | undefined): UsageError {
  const type = last && flagNamed(last).type;
  if (type === 'connection') {
    // Most likely the rest of a connection string that the shell took apart, so perhaps of a password: not shown.
    return new UsageError(`unexpected argument after the value of --${last}: put the connection string in quotes`);
  }
  const shown = JSON.stringify(mask(argument));
  if (type === 'bool' && /^(true|false)$/i.test(argument)) {
    return new UsageError(`unexpected argument ${shown}; did you mean --${last}=${argument}?`);
  }
  return new UsageError(
    `unexpected argument ${shown}: ${command} takes only ${ARGUMENTS[command] === undefined ? '' : `${ARGUMENTS[command].name} and `}flags`,
  );
}

function unknownFlag(command: CommandName, rawName: string, argument: string): UsageError {
  // A name after a single dash comes apart into letters: complain about what was typed.
  const typed = rawName.startsWith('--') ? rawName : mask(argument.split('=', 1)[0]);
  const name = typed.replace(/^-+/, '');
  const elsewhere = Object.hasOwn(FLAGS, name) ? flagNamed(name as FlagName).commands : [];
  if (elsewhere.length > 0 && !elsewhere.includes(command)) {
    return new UsageError(`${typed} is not a flag of ${command}, but of ${elsewhere.join(' and ')}`);
  }
  return new UsageError(`unknown flag ${typed}${didYouMean(name, flagsOf(command), (flag) => `--${flag}`)}`);
}

/** Whoever names a saved replication need not say again what is saved with it. */
function checkUse(command: CommandName, name: FlagName, value: SettingValue, argument: string | undefined): void {
  const flag = flagNamed(name);
  if (flag.required !== undefined && value === undefined && argument === undefined) {
    const fix = flag.type === 'connection' ? `--${name} ${flag.placeholder}` : undefined;
    throw new UsageError(`${flag.required}: ${command} needs --${name}`, { fix });
  }
  if (flag.effect === 'unavailable' && value !== defaultValue(name)) {
    throw new UsageError(`--${name} is not available in this version: ${flag.reason}`);
  }
}

/** One sentence for all flags that were set in vain, ordered by reason. */
function withoutEffect(names: readonly FlagName[]): string {
  const reasons = Map.groupBy(names, (name) => {
    const { deprecatedBy, reason } = flagNamed(name);
    return deprecatedBy === undefined ? String(reason) : `replaced by --${deprecatedBy}`;
  });
  const parts = [...reasons].map(([reason, flags]) => `${flags.map((name) => `--${name}`).join(', ')} (${reason})`);
  return `flags that have no effect here: ${parts.join('; ')}`;
}
