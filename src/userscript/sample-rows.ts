import { readFileSync } from 'node:fs';
import {
  ChangeKind,
  ChangeLog,
  decodeTuple,
  ENTRY_HEADER,
  encodeTuple,
  OldTuple,
  tupleEnd,
} from '../changes/change-log.ts';
import type { SourceTable, TargetKind } from '../changes/table.ts';
import { type OperatorError, UsageError } from '../errors.ts';
import type { Logger } from '../log/logger.ts';
import { Catalogue, type TargetTable } from '../target/catalogue.ts';
import type { SchemaName } from '../target/identifiers.ts';
import { Userscript } from './userscript.ts';

/** A change at the source, made up to try a script on. */
export interface Sample {
  readonly table: string;
  readonly action: 'upsert' | 'delete';
  readonly row: Readonly<Record<string, unknown>>;
  /** Names of the key columns. */
  readonly key: readonly string[];
}

/** What would be written for a sample. */
export interface SampleOutcome {
  readonly sample: Sample;
  readonly changes: readonly {
    readonly table: string;
    readonly action: 'upsert' | 'delete';
    readonly row: Readonly<Record<string, string | null>>;
    /** True when onWrite would be given it, which takes a target to run. */
    readonly onWrite: boolean;
  }[];
  readonly error: OperatorError | undefined;
}

const FORM =
  '[{"table": "orders", "upsert": {"id": "1", "total": "9.50"}}, {"table": "orders", "delete": {"id": "1"}}]';

/**
 * Reads samples: a JSON list of `{"table", "upsert": row}` and `{"table", "delete": row}`, each with the names of its key
 * columns in `"key"` where the key is not `id`. @throws UsageError
 */
export function readSamples(path: string): Sample[] {
  let list: unknown;
  try {
    list = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`--rows ${path}: ${(error as Error).message}`, { fix: FORM });
  }
  if (!Array.isArray(list)) throw new UsageError(`--rows ${path}: a list of changes is needed`, { fix: FORM });
  return list.map((item: unknown, i) => {
    const { table, upsert, delete: deleted, key } = (isObject(item) ? item : {}) as Record<string, unknown>;
    const row = upsert ?? deleted;
    if (typeof table !== 'string' || !isObject(row)) {
      throw new UsageError(
        `--rows ${path}: item ${i + 1} is not {"table": …, "upsert": {…}} or {"table": …, "delete": {…}}`,
        {
          fix: FORM,
        },
      );
    }
    const names = Object.keys(row);
    const own = Array.isArray(key) ? key.map(String) : [names.find((name) => name.toLowerCase() === 'id') ?? names[0]];
    return { table, action: upsert === undefined ? 'delete' : 'upsert', row: row as Sample['row'], key: own };
  });
}

/** Runs a script on samples, each a transaction of its own. @throws OperatorError SCRIPT_… when the script cannot be loaded. */
export async function trySamples(
  path: string,
  timeout: number,
  samples: readonly Sample[],
  log: Logger,
): Promise<SampleOutcome[]> {
  const script = await Userscript.open({ path, timeout, log, open: true });
  try {
    const { schemas, tables } = script.configuration;
    const schema = schemaCalled(schemas[0]?.name ?? 'defaultdb.public');
    const sources = sourceTables(samples);
    const named = tables.flatMap(({ names }) => names.map((name) => name.slice(name.lastIndexOf('.') + 1)));
    const targets = [...new Set([...sources.keys(), ...named])].map((name) => targetTable(name, sources.get(name)));
    const catalogue = new Catalogue(targets);
    script.bind(schema, { product: 'postgresql', version: 18 }, catalogue);
    const outcomes: SampleOutcome[] = [];
    for (const sample of samples) {
      const source = sources.get(sample.table)!;
      const log = new ChangeLog();
      const tuple = encodeTuple(source.columns.map(({ name }) => textOf(sample.row[name])));
      if (sample.action === 'upsert')
        log.append(ChangeKind.insert, source, OldTuple.none, tuple, 0, 0, 0, tuple.length);
      else log.append(ChangeKind.delete, source, OldTuple.key, tuple, 0, tuple.length, 0, 0);
      const done = await script.transform(log, 0, [log.length], catalogue);
      const changes = changesOf(done.log).map(({ source: made, ...change }) => ({
        ...change,
        onWrite: script.writerOf(made, catalogue) !== undefined,
      }));
      outcomes.push({ sample, changes: done.error === undefined ? changes : [], error: done.error });
    }
    return outcomes;
  } finally {
    await script.close();
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function schemaCalled(raw: string): SchemaName {
  const [schema, database = 'defaultdb'] = raw.split('.').reverse();
  return { raw, text: raw, database, schema, sql: `"${schema}"` };
}

function kindOf(value: unknown): TargetKind {
  return typeof value === 'boolean' ? 'bool' : typeof value === 'object' && value !== null ? 'json' : 'string';
}

/** The text that a source would send. */
function textOf(value: unknown): string | null | undefined {
  if (value === undefined || value === null) return value;
  if (typeof value === 'boolean') return value ? 't' : 'f';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A table for the samples of each name, with all of their columns. */
function sourceTables(samples: readonly Sample[]): Map<string, SourceTable> {
  const types: Partial<Record<TargetKind, string>> = { bool: 'boolean', json: 'jsonb' };
  return new Map(
    Array.from(
      Map.groupBy(samples, ({ table }) => table),
      ([name, own]) => {
        const columns = new Map<string, unknown>();
        for (const { row } of own) {
          for (const [column, value] of Object.entries(row)) columns.set(column, columns.get(column) ?? value);
        }
        const key = own[0].key;
        const table: SourceTable = {
          schema: 'source',
          name,
          identity: 'key',
          columns: Array.from(columns, ([column, value]) => ({
            name: column,
            identity: key.includes(column),
            type: types[kindOf(value)] ?? 'text',
          })),
        };
        return [name, table];
      },
    ),
  );
}

function targetTable(name: string, source: SourceTable | undefined): TargetTable {
  const kinds: Readonly<Record<string, TargetKind>> = { boolean: 'bool', jsonb: 'json' };
  const columns = source?.columns ?? [];
  return {
    name,
    qualified: name,
    columns: columns.map(({ name: column, type = '' }) => ({
      name: column,
      castType: type,
      arrayBindable: false,
      unquoted: false,
      kind: kinds[type] ?? 'string',
      array: false,
      typeName: type,
      generated: false,
      identityAlways: false,
      hidden: false,
      hasDefault: false,
      nullable: true,
    })),
    primaryKey: columns.filter(({ identity }) => identity).map(({ name: column }) => column),
    uniqueKeys: [],
    foreignKeys: [],
    triggers: false,
  };
}

interface Change {
  readonly source: SourceTable;
  readonly table: string;
  readonly action: 'upsert' | 'delete';
  readonly row: Record<string, string | null>;
}

function changesOf(log: ChangeLog): Change[] {
  const changes: Change[] = [];
  for (let at = 0; at < log.length; at += log.buffer.readUInt32BE(at)) {
    const source = log.tables[log.buffer.readUInt16BE(at + 6)];
    const deleted = log.buffer[at + 4] === ChangeKind.delete;
    let tuple = at + ENTRY_HEADER;
    if (!deleted && log.buffer[at + 5] !== OldTuple.none) tuple = tupleEnd(log.buffer, tuple);
    const row = new Map<string, string | null>();
    decodeTuple(log.buffer, tuple).forEach((value, i) => {
      const { name, identity } = source.columns[i];
      if (value !== undefined && (!deleted || identity)) row.set(name, value);
    });
    changes.push({ source, table: source.name, action: deleted ? 'delete' : 'upsert', row: Object.fromEntries(row) });
  }
  return changes;
}
