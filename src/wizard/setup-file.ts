import { flagText } from '../config/config-file.ts';
import { type FlagName, flagNamed } from '../config/flags.ts';
import { didYouMean } from '../config/nearest.ts';
import { holdsPassword, mask } from '../config/secrets.ts';
import { parseValue } from '../config/settings.ts';
import { readYamlFile, type YamlEntry } from '../config/yaml-file.ts';
import { UsageError } from '../errors.ts';
import type { Answers } from '../sessions/replication.ts';
import { parseTableName } from '../sources/postgres/table-name.ts';
import { optionNames, optionProblem } from './option-list.ts';

/** The answers that a file gives to the questions of the setup. */
export interface SetupFile {
  readonly name: string;
  /** As written: connection strings, or `$NAME` for one that is in the environment. */
  readonly connections: { readonly source: string; readonly target: string; readonly staging?: string };
  /** All answers but the connections. */
  readonly answers: Answers & Required<Pick<Answers, 'targetSchema' | 'tables' | 'publication' | 'slot' | 'options'>>;
}

const KEYS = ['name', 'source', 'target', 'staging', 'targetSchema', 'tables', 'publication', 'slot', 'options'];

/** What is shown to someone whose file lacks something. */
const EXAMPLE = `name: shop
source: $SOURCE
target: $TARGET
targetSchema: defaultdb.public
tables: all              # or [public.orders, public.lines]
publication: molt_fetch  # created; {name: molt_fetch, create: false} uses one that is there
slot: molt_slot          # likewise
options:
  stagingSchema: _replicator`;

const NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * Reads a YAML file of answers. `publication` and `slot` may be names of things to create, or maps of `name` and `create`.
 * @throws UsageError naming file and line, for whatever is missing, unknown, or does not fit; and for a file with a
 *   password in it that other users of the machine can read.
 */
export function readSetupFile(path: string): SetupFile {
  const file = readYamlFile(path, '--file', 'a file of answers is a list of "key: value" lines');
  const entries = new Map<string, YamlEntry>();
  for (const entry of file.entries) {
    if (!KEYS.includes(entry.key)) {
      throw new UsageError(`${entry.place}: ${mask(entry.key)} is not an answer${didYouMean(entry.key, KEYS)}`, {
        fix: `the answers are ${KEYS.join(', ')}`,
      });
    }
    entries.set(entry.key, entry);
  }
  const missing = ['name', 'source', 'target', 'targetSchema'].filter((key) => !entries.has(key));
  if (missing.length > 0) {
    throw new UsageError(`${path} does not answer: ${missing.join(', ')}`, { fix: EXAMPLE });
  }
  const connections = {
    source: text(entries.get('source')!),
    target: text(entries.get('target')!),
    ...(entries.has('staging') && { staging: text(entries.get('staging')!) }),
  };
  if (Object.values(connections).some(holdsPassword)) file.refuseShared();
  return {
    name: name(entries.get('name')!),
    connections,
    answers: {
      kind: 'pglogical',
      targetSchema: text(entries.get('targetSchema')!),
      tables: tables(entries.get('tables')),
      publication: thing(entries.get('publication'), 'molt_fetch'),
      slot: slot(entries.get('slot')),
      options: options(entries.get('options')),
    },
  };
}

function text({ key, place, value }: YamlEntry): string {
  if (value.kind === 'scalar' && typeof value.value === 'string' && value.value.trim() !== '') return value.value;
  throw new UsageError(`${place}: ${key} must be text`);
}

function name(entry: YamlEntry): string {
  const found = text(entry);
  if (NAME.test(found)) return found;
  throw new UsageError(
    `${entry.place}: name must be up to 64 letters, digits, hyphens, underscores and dots, not ${JSON.stringify(found)}`,
  );
}

function tables(entry: YamlEntry | undefined): 'all' | readonly string[] {
  if (entry === undefined) return 'all';
  const { place, value } = entry;
  if (value.kind === 'scalar' && value.value === 'all') return 'all';
  const form = `${place}: tables must be "all", or a list of schema.table names`;
  if (value.kind !== 'list' || value.items.length === 0) throw new UsageError(form);
  return value.items.map((item) => {
    if (typeof item !== 'string') throw new UsageError(`${form}, not ${JSON.stringify(item)}`);
    try {
      parseTableName(item);
    } catch (error) {
      throw new UsageError(`${place}: ${(error as Error).message}`);
    }
    return item;
  });
}

/** Something at the source that is created, or that is there already. */
function thing(entry: YamlEntry | undefined, otherwise: string): { name: string; create: boolean } {
  if (entry === undefined) return { name: otherwise, create: true };
  const { key, place, value } = entry;
  if (value.kind !== 'map') return { name: text(entry), create: true };
  let found: string | undefined;
  let create = true;
  for (const part of value.entries) {
    if (part.key === 'name') found = text(part);
    else if (part.key === 'create' && part.value.kind === 'scalar' && typeof part.value.value === 'boolean') {
      create = part.value.value;
    } else {
      throw new UsageError(`${part.place}: ${key} has a name (text) and create (true or false), not ${mask(part.key)}`);
    }
  }
  if (found === undefined) throw new UsageError(`${place}: ${key} has no name`);
  return { name: found, create };
}

function slot(entry: YamlEntry | undefined): { name: string; create: boolean } {
  const found = thing(entry, 'molt_slot');
  parseValue(flagNamed('slotName'), `${entry?.place ?? ''}: slot`, found.name);
  return found;
}

function options(entry: YamlEntry | undefined): Readonly<Record<string, string>> {
  if (entry === undefined || entry.value.kind === 'nothing') return {};
  if (entry.value.kind !== 'map') throw new UsageError(`${entry.place}: options are "flag: value" lines below it`);
  const allowed: readonly FlagName[] = optionNames();
  const found: Record<string, string> = {};
  for (const { key, place, value } of entry.value.entries) {
    const flag = allowed.find((each) => each === key);
    if (flag === undefined) throw new UsageError(`${place}: ${mask(key)} is not an option${didYouMean(key, allowed)}`);
    const given = flagText(flagNamed(flag), `${place}: ${key}`, value);
    const problem = optionProblem(flag, given);
    if (problem !== undefined) throw new UsageError(`${place}: ${problem}`);
    found[flag] = given;
  }
  return found;
}
