import { didYouMean } from '../config/nearest.ts';
import { holdsPassword, mask } from '../config/secrets.ts';
import { readYamlFile, type YamlEntry } from '../config/yaml-file.ts';
import { UsageError } from '../errors.ts';
import type { Answers, SourceKind } from '../sessions/replication.ts';
import { parseTableName } from '../sources/table-name.ts';
import { referencedVariable } from '../sessions/connections.ts';
import { textOf } from './file-entries.ts';
import { optionEntries, optionText } from './option-entries.ts';
import type { SourceSetup } from './source-setup.ts';
import { kindOfText, setupOf, SOURCE_SETUPS } from './source-setups.ts';

/** The answers that a file gives to the questions of the setup. */
export interface SetupFile {
  readonly name: string;
  /** As written: connection strings, or `$NAME` for one that is in the environment. */
  readonly connections: { readonly source: string; readonly target: string; readonly staging?: string };
  /** All answers but the connections. */
  readonly answers: Answers & Required<Pick<Answers, 'kind' | 'targetSchema' | 'tables' | 'options'>>;
}

/** Answers that every kind of source has. */
const KEYS = ['name', 'kind', 'source', 'target', 'staging', 'targetSchema', 'tables', 'options'];

/** What is shown to someone whose file lacks something. */
function exampleOf({ file }: SourceSetup): string {
  return `name: shop
source: $SOURCE
target: $TARGET
targetSchema: defaultdb.public
tables: all              # or ${file.tables}
${file.example}
options:
  stagingSchema: _replicator`;
}

const NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/**
 * Reads a YAML file of answers. The kind of source is what `kind` says, else what the scheme of its connection string tells.
 * @throws UsageError naming file and line, for whatever is missing, unknown, or does not fit; and for a file with a
 *   password in it that other users of the machine can read.
 */
export function readSetupFile(path: string, env: NodeJS.ProcessEnv = process.env): SetupFile {
  const file = readYamlFile(path, '--file', 'a file of answers is a list of "key: value" lines');
  const entries = new Map(file.entries.map((entry) => [entry.key, entry]));
  const setup = setupOf(kindOf(entries, env));
  const keys = [...KEYS, ...setup.file.keys];
  for (const { key, place } of file.entries) {
    if (!keys.includes(key)) {
      throw new UsageError(`${place}: ${mask(key)} is not an answer${didYouMean(key, keys)}`, {
        fix: `the answers are ${keys.join(', ')}`,
      });
    }
  }
  const missing = ['name', 'source', 'target', 'targetSchema'].filter((key) => !entries.has(key));
  if (missing.length > 0) {
    throw new UsageError(`${path} does not answer: ${missing.join(', ')}`, { fix: exampleOf(setup) });
  }
  const connections = {
    source: textOf(entries.get('source')!),
    target: textOf(entries.get('target')!),
    ...(entries.has('staging') && { staging: textOf(entries.get('staging')!) }),
  };
  if (Object.values(connections).some(holdsPassword)) file.refuseShared();
  return {
    name: name(entries.get('name')!),
    connections,
    answers: {
      kind: setup.kind,
      targetSchema: textOf(entries.get('targetSchema')!),
      tables: tables(entries.get('tables')),
      ...setup.file.read(entries),
      options: options(entries.get('options'), setup.kind),
    },
  };
}

/** @throws UsageError for a kind that there is not. */
function kindOf(entries: ReadonlyMap<string, YamlEntry>, env: NodeJS.ProcessEnv): SourceKind | undefined {
  const entry = entries.get('kind');
  if (entry !== undefined) {
    const found = textOf(entry);
    const known = SOURCE_SETUPS.find(({ kind }) => kind === found);
    if (known !== undefined) return known.kind;
    const kinds = SOURCE_SETUPS.map(({ kind }) => kind);
    throw new UsageError(`${entry.place}: kind must be one of ${kinds.join(', ')}${didYouMean(found, kinds)}`);
  }
  const source = entries.get('source')?.value;
  if (source?.kind !== 'scalar' || typeof source.value !== 'string') return undefined;
  const variable = referencedVariable(source.value);
  return kindOfText(variable === undefined ? source.value : (env[variable] ?? ''));
}

function name(entry: YamlEntry): string {
  const found = textOf(entry);
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

function options(entry: YamlEntry | undefined, kind: SourceKind): Readonly<Record<string, string>> {
  return Object.fromEntries(optionEntries(entry, kind).map((option) => [option.flag, optionText(option)]));
}
