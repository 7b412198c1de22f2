import { accessSync, constants, statSync } from 'node:fs';
import { type Flag, type FlagName, flagNamed, flagsOf } from '../config/flags.ts';
import { parseValue } from '../config/settings.ts';
import { OperatorError } from '../errors.ts';
import { LOG_SIZE } from '../sessions/engine-log.ts';
import type { Answers, SourceKind } from '../sessions/replication.ts';
import { parseListenAddress } from '../metrics/listen-address.ts';
import { parseDottedName } from '../target/identifiers.ts';
import { setupOf } from './source-setups.ts';

/** Flags that the other steps of the setup ask for, or that the wizard sets itself. */
const ELSEWHERE: ReadonlySet<FlagName> = new Set<FlagName>([
  'sourceConn',
  'targetConn',
  'stagingConn',
  'targetSchema',
  'stagingCreateSchema',
  'config',
  'dataDir',
  'logFormat',
  'logDestination',
  'standby',
  'help',
]);

/** What most people come for stands first. */
const FIRST: readonly FlagName[] = ['stagingSchema', 'userscript', 'metricsAddr'];

/** The flags of the engine that are options of a replication from this kind of source, in the order in which they are shown. */
export function optionNames(kind?: SourceKind): readonly FlagName[] {
  const setup = setupOf(kind);
  const tuning = flagsOf(setup.kind).filter(
    (name) =>
      !FIRST.includes(name) &&
      !ELSEWHERE.has(name) &&
      !setup.asked.includes(name) &&
      flagNamed(name).effect === undefined,
  );
  return [...FIRST, ...tuning];
}

/** What cannot be changed once a replication has been launched, with the reason. */
export function lockedOptions(answers: Answers): Readonly<Partial<Record<FlagName, string>>> {
  return {
    ...setupOf(answers.kind).locked(answers),
    stagingSchema: 'It cannot be changed any more: it holds the checkpoint, without which nothing can be resumed.',
  };
}

/** The value that counts while nothing is typed: the default as an operator would type it, or what happens without one. */
export function defaultText(name: FlagName): string {
  if (name === 'metricsAddr') return 'a free port on 127.0.0.1';
  if (name === 'logMaxSize') return LOG_SIZE;
  return flagNamed(name).default || 'none';
}

/** The values that a flag can have, where they can be counted. */
export function choicesOf(flag: Flag): readonly string[] | undefined {
  if (flag.type === 'bool') return ['false', 'true'];
  return flag.type === 'choice' ? flag.choices : undefined;
}

/** What is wrong with `text` as the value of an option, in one sentence; undefined when it fits. */
export function optionProblem(name: FlagName, text: string): string | undefined {
  const flag = flagNamed(name);
  try {
    parseValue(flag, name, text);
    if (name === 'stagingSchema' && parseDottedName(text, name).length > 2) {
      return 'stagingSchema takes a schema or database.schema; quote a part that contains a dot: "a.b"';
    }
    if (name === 'metricsAddr' && text !== '') parseListenAddress(text);
  } catch (error) {
    if (error instanceof OperatorError) return error.message;
    throw error;
  }
  return name === 'userscript' && text !== '' ? fileProblem(text) : undefined;
}

function fileProblem(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return `${path} is not a file`;
    accessSync(path, constants.R_OK);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : 'it cannot be read';
    return `${path}: ${reason}`;
  }
  return /\.[cm]?[jt]s$/.test(path) ? undefined : `${path} is neither TypeScript nor JavaScript (.ts, .js)`;
}
