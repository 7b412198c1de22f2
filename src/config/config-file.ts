import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, parseDocument, type Scalar } from 'yaml';
import { UsageError } from '../errors.ts';
import { type CommandName, type Flag, type FlagName, flagNamed, flagsOf } from './flags.ts';
import { didYouMean } from './nearest.ts';
import { holdsPassword, mask } from './secrets.ts';

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
  const { content, mode } = read(path);
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => `${path} line ${lines.linePos(offset ?? 0).line}`;
  for (const error of document.errors) throw new UsageError(`${at(error.pos[0])}: ${mask(error.message)}`);

  const found = new Map<FlagName, Found>();
  if (document.contents === null) return found;
  if (!isMap(document.contents))
    throw new UsageError(`${at(0)}: a configuration file is a list of "flag: value" lines`);

  const allowed = flagsOf(command).filter((name) => name !== 'config' && !flagNamed(name).commandLineOnly);
  let secret = false;
  for (const { key, value } of document.contents.items) {
    const name = String(isScalar(key) ? key.value : key);
    const place = at(isScalar(key) ? key.range?.[0] : undefined);
    if (!isFlag(name, allowed)) {
      throw new UsageError(`${place}: ${mask(name)} is not a flag of ${command}${didYouMean(name, allowed)}`);
    }
    const label = `${place}: ${name}`;
    if (!isScalar(value) || value.value === null) {
      throw new UsageError(
        `${label} must have one plain value${value === null || isScalar(value) ? '' : ', nothing nested'}`,
      );
    }
    const flag = flagNamed(name);
    const text = scalarText(flag, label, value);
    secret ||= holdsPassword(text);
    found.set(name, { text: flag.type === 'connection' ? resolve(text, label, env) : text, label });
  }
  if (secret && (mode & 0o077) !== 0 && process.platform !== 'win32') {
    throw new UsageError(`${path} holds a password and other users of this machine can read it`, {
      fix: `chmod 600 ${/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`}`,
    });
  }
  return found;
}

function read(path: string): { content: string; mode: number } {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    return { content: readFileSync(file, 'utf8'), mode: fstatSync(file).mode };
  } catch (cause) {
    throw new UsageError(`--config: cannot read ${path}: ${(cause as Error).message}`, { cause });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function isFlag(name: string, allowed: readonly string[]): name is FlagName {
  return allowed.includes(name);
}

/** The scalar as the text that the command line would have had, provided that YAML's type fits the flag's. */
function scalarText(flag: Flag, label: string, scalar: Scalar): string {
  const { value } = scalar;
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
