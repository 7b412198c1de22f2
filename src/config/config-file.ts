import { UsageError } from '../errors.ts';
import { type CommandName, type Flag, type FlagName, flagNamed, flagsOf } from './flags.ts';
import { didYouMean } from './nearest.ts';
import { holdsPassword, mask } from './secrets.ts';
import { readYamlFile, type YamlValue } from './yaml-file.ts';

/** A value as it was found, and how its place is called in errors. */
export interface Found {
  readonly text: string;
  readonly label: string;
}

/** `$NAME` or `${NAME}` as the whole value. */
const REFERENCE = /^\$(?:(\w+)|\{(\w+)\})$/;

/**
 * Reads a YAML file whose keys are flag names. A connection string may be `$NAME`: it is then taken from the environment, so
 * that the file holds no secret. Throws UsageError, naming file and line, for unknown keys, nested values and wrong
 * types, and for a file with a password in it that other users of the machine can read.
 */
export function readConfigFile(path: string, command: CommandName, env: NodeJS.ProcessEnv): Map<FlagName, Found> {
  const file = readYamlFile(path, '--config', 'a configuration file is a list of "flag: value" lines');
  const allowed = flagsOf(command).filter((name) => name !== 'config' && !flagNamed(name).commandLineOnly);
  const found = new Map<FlagName, Found>();
  let secret = false;
  for (const { key, place, value } of file.entries) {
    if (!isFlag(key, allowed)) {
      throw new UsageError(`${place}: ${mask(key)} is not a flag of ${command}${didYouMean(key, allowed)}`);
    }
    const label = `${place}: ${key}`;
    const flag = flagNamed(key);
    const text = flagText(flag, label, value);
    secret ||= holdsPassword(text);
    found.set(key, { text: flag.type === 'connection' ? resolve(text, label, env) : text, label });
  }
  if (secret) file.refuseShared();
  return found;
}

function isFlag(name: string, allowed: readonly string[]): name is FlagName {
  return allowed.includes(name);
}

/**
 * A flag's value in a file as the text that the command line would have had.
 * @throws UsageError unless YAML's type fits the flag's.
 */
export function flagText(flag: Flag, label: string, found: YamlValue): string {
  if (found.kind !== 'scalar') {
    throw new UsageError(`${label} must have one plain value${found.kind === 'nothing' ? '' : ', nothing nested'}`);
  }
  const { value } = found;
  switch (flag.type) {
    case 'bool':
      if (typeof value === 'boolean') return String(value);
      throw new UsageError(`${label} must be true or false, without quotes`);
    case 'int':
    case 'count':
      if (typeof value === 'number') return String(value);
      throw new UsageError(`${label} must be a number, without quotes`);
    case 'duration':
    case 'size':
      if (typeof value === 'number' || typeof value === 'string') return String(value);
      throw new UsageError(`${label} must be a ${flag.type}`);
    default:
      if (typeof value === 'string') return value;
      throw new UsageError(`${label} must be text: put it in quotes`);
  }
}

function resolve(text: string, label: string, env: NodeJS.ProcessEnv): string {
  const reference = REFERENCE.exec(text);
  if (reference === null) return text;
  const value = env[reference[1] ?? reference[2]];
  if (value) return value;
  throw new UsageError(`${label} is to be taken from the environment, but ${text} is not set`);
}
