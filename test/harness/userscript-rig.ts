import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ChangeKind,
  ChangeLog,
  decodeTuple,
  ENTRY_HEADER,
  encodeTuple,
  OldTuple,
  tupleEnd,
} from '../../src/changes/change-log.ts';
import type { SourceTable, TargetKind } from '../../src/changes/table.ts';
import { Catalogue, type TargetColumn, type TargetTable } from '../../src/target/catalogue.ts';
import type { SchemaName } from '../../src/target/identifiers.ts';
import { type Transformed, Userscript, type UserscriptOptions } from '../../src/userscript/userscript.ts';
import { RecordingLogger } from './recording-logger.ts';

interface TestScope {
  after(done: () => Promise<void> | void): void;
}

export const SCHEMA: SchemaName = {
  raw: 'defaultdb.public',
  text: 'defaultdb.public',
  database: 'defaultdb',
  schema: 'public',
  sql: '"public"',
};

/** `name` or `name kind`, as in `doc json`; `[]` behind the kind makes an array, `!` in front of the name a key column. */
function column(text: string): { key: boolean; name: string; kind: TargetKind; array: boolean } {
  const [name, kind = 'string'] = text.replace('!', '').split(' ');
  return {
    key: text.startsWith('!'),
    name,
    kind: kind.replace('[]', '') as TargetKind,
    array: kind.endsWith('[]'),
  };
}

export function sourceTable(name: string, ...columns: string[]): SourceTable {
  const read = columns.map(column);
  return {
    schema: 'shop',
    name,
    identity: read.some(({ key }) => key) ? 'key' : 'full',
    columns: read.map(({ name: own, key }) => ({ name: own, identity: key })),
  };
}

export function targetTable(name: string, ...columns: string[]): TargetTable {
  const read = columns.map(column);
  return {
    name,
    qualified: `"public"."${name}"`,
    columns: read.map(
      ({ name: own, kind, array }): TargetColumn => ({
        name: own,
        castType: kind,
        arrayBindable: false,
        unquoted: false,
        kind,
        array,
        typeName: kind,
        generated: false,
        identityAlways: false,
        hidden: false,
        hasDefault: false,
        nullable: true,
      }),
    ),
    primaryKey: read.filter(({ key }) => key).map(({ name: own }) => own),
    uniqueKeys: [],
    foreignKeys: [],
    triggers: false,
  };
}

export type Values = readonly (string | null | undefined)[];

/** A change for a log; `before` is the old key or, for a table without key, the whole old row. */
export type Change =
  | { readonly insert: SourceTable; readonly row: Values }
  | { readonly update: SourceTable; readonly row: Values; readonly before?: Values }
  | { readonly delete: SourceTable; readonly row: Values }
  | { readonly truncate: SourceTable };

/** Transactions as a source delivers them. */
export function logOf(...transactions: readonly (readonly Change[])[]): { log: ChangeLog; ends: number[] } {
  const log = new ChangeLog();
  const ends = transactions.map((changes) => {
    for (const change of changes) append(log, change);
    return log.length;
  });
  return { log, ends };
}

function append(log: ChangeLog, change: Change): void {
  if ('truncate' in change) {
    log.appendTruncate(change.truncate);
    return;
  }
  const table = 'insert' in change ? change.insert : 'update' in change ? change.update : change.delete;
  const kind = 'insert' in change ? ChangeKind.insert : 'update' in change ? ChangeKind.update : ChangeKind.delete;
  const before = 'delete' in change ? change.row : 'before' in change ? change.before : undefined;
  const old = before && encodeTuple(before);
  const row = 'delete' in change ? undefined : encodeTuple(change.row);
  const bytes = Buffer.concat([old ?? Buffer.alloc(0), row ?? Buffer.alloc(0)]);
  const split = old?.length ?? 0;
  const kindOfOld = before === undefined ? OldTuple.none : table.identity === 'full' ? OldTuple.full : OldTuple.key;
  log.append(kind, table, kindOfOld, bytes, 0, split, split, bytes.length);
}

const LETTERS = {
  [ChangeKind.insert]: '+',
  [ChangeKind.update]: '~',
  [ChangeKind.delete]: '-',
  [ChangeKind.truncate]: '0',
};

/** The entries of a log as text: `+orders id=1 name=a`, with the old tuple in brackets. */
export function entries(log: ChangeLog): string[] {
  const texts: string[] = [];
  for (let at = 0; at < log.length; at += log.buffer.readUInt32BE(at)) {
    const table = log.tables[log.buffer.readUInt16BE(at + 6)];
    const end = at + log.buffer.readUInt32BE(at);
    const old = log.buffer[at + 5];
    let tuple = at + ENTRY_HEADER;
    const row = (keyOnly: boolean) =>
      decodeTuple(log.buffer, tuple)
        .map((value, i) => ({ value, ...table.columns[i] }))
        .filter(({ identity }) => identity || !keyOnly)
        .map(({ name, value }) => `${name}=${value === null ? 'NULL' : (value ?? '?')}`)
        .join(' ');
    const parts = [`${LETTERS[log.buffer[at + 4] as ChangeKind]}${table.name}`];
    if (old !== OldTuple.none) {
      parts.push(`[${row(old === OldTuple.key)}]`);
      tuple = tupleEnd(log.buffer, tuple);
    }
    if (tuple < end) parts.push(row(false));
    texts.push(parts.join(' '));
  }
  return texts;
}

/** Files of a script in a folder of their own; the path of the first. */
export function scriptFiles(test: TestScope, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'instar-script-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return join(folder, Object.keys(files)[0]);
}

export const IMPORT = 'import * as api from "replicator@v2";\n';

/** A script that is loaded, and a target that it is bound to. */
export interface ScriptRig {
  readonly script: Userscript;
  readonly log: RecordingLogger;
  readonly catalogue: Catalogue;
  transform(...transactions: readonly (readonly Change[])[]): Promise<Transformed>;
  /** The entries that come of transactions that all go well. */
  entries(...transactions: readonly (readonly Change[])[]): Promise<string[]>;
}

export async function openScript(
  test: TestScope,
  text: string,
  tables: readonly TargetTable[],
  options: Partial<UserscriptOptions> = {},
): Promise<ScriptRig> {
  const log = new RecordingLogger();
  const path = options.path ?? scriptFiles(test, { 'script.ts': IMPORT + text });
  const script = await Userscript.open({ timeout: 5000, log, ...options, path });
  test.after(() => script.close());
  const catalogue = new Catalogue(tables);
  script.bind(SCHEMA, { product: 'postgresql', version: 18 }, catalogue);
  const transform: ScriptRig['transform'] = (...transactions) => {
    const { log: changes, ends } = logOf(...transactions);
    return script.transform(changes, 0, ends, catalogue);
  };
  return {
    script,
    log,
    catalogue,
    transform,
    async entries(...transactions) {
      const done = await transform(...transactions);
      if (done.error !== undefined) throw done.error;
      return entries(done.log);
    },
  };
}
