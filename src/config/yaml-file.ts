import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { UsageError } from '../errors.ts';
import { mask } from './secrets.ts';

/** One "key: value" of a YAML file. */
export interface YamlEntry {
  readonly key: string;
  /** File and line, as in `answers.yaml line 3`. */
  readonly place: string;
  readonly value: YamlValue;
}

/** A plain value as YAML reads it, a list, a nested map, or nothing. */
export type YamlValue =
  | {
      readonly kind: 'scalar';
      readonly value: unknown;
      /** As it stands in the file, where that was told: long numbers lose digits as values. */
      readonly written?: string;
    }
  | { readonly kind: 'list'; readonly items: readonly unknown[] }
  | { readonly kind: 'map'; readonly entries: readonly YamlEntry[] }
  | { readonly kind: 'nothing' };

/** A YAML file whose top is a map. */
export interface YamlFile {
  readonly entries: readonly YamlEntry[];
  /** @throws UsageError when other users of the machine can read the file: for files that turn out to hold a password. */
  refuseShared(): void;
}

/**
 * Reads a YAML file. `flag` is where its name came from; `form` says what such a file is, for the complaint about others.
 * @throws UsageError naming file and line.
 */
export function readYamlFile(path: string, flag: string, form: string): YamlFile {
  const { content, mode } = read(path, flag);
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => `${path} line ${lines.linePos(offset ?? 0).line}`;
  for (const error of document.errors) throw new UsageError(`${at(error.pos[0])}: ${mask(error.message)}`);
  if (document.contents !== null && !isMap(document.contents)) throw new UsageError(`${at(0)}: ${form}`);
  return {
    entries: document.contents === null ? [] : entriesOf(document.contents, at),
    refuseShared() {
      if ((mode & 0o077) === 0 || process.platform === 'win32') return;
      throw new UsageError(`${path} holds a password and other users of this machine can read it`, {
        fix: `chmod 600 ${/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`}`,
      });
    },
  };
}

function read(path: string, flag: string): { content: string; mode: number } {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    return { content: readFileSync(file, 'utf8'), mode: fstatSync(file).mode };
  } catch (cause) {
    throw new UsageError(`${flag}: cannot read ${path}: ${(cause as Error).message}`, { cause });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function entriesOf(map: Node, at: (offset: number | undefined) => string): YamlEntry[] {
  if (!isMap(map)) return [];
  return map.items.map(({ key, value }) => ({
    key: String(isScalar(key) ? key.value : key),
    place: at(isScalar(key) ? key.range?.[0] : undefined),
    value: yamlValue(value, at),
  }));
}

function yamlValue(node: unknown, at: (offset: number | undefined) => string): YamlValue {
  if (isMap(node)) return { kind: 'map', entries: entriesOf(node, at) };
  if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => (isScalar(item) ? item.value : undefined)) };
  if (isScalar(node) && node.value !== null)
    return { kind: 'scalar', value: node.value, ...(node.source !== undefined && { written: node.source }) };
  return { kind: 'nothing' };
}
