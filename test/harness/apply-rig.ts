import pg from 'pg';
import { ChangeKind, type ChangeLog, encodeTuple, OldTuple } from '../../src/changes/change-log.ts';
import type { SourceTable } from '../../src/changes/table.ts';
import { TargetTables } from '../../src/engine/target-tables.ts';
import { readCatalogue } from '../../src/target/catalogue.ts';
import { describeServer } from '../../src/target/dialect.ts';
import { targetSchemaName } from '../../src/target/identifiers.ts';
import { Session } from '../../src/target/session.ts';

interface TestScope {
  after(done: () => Promise<void>): void;
}

export type Values = readonly (string | null | undefined)[];

/** A pipelined session on a connection of its own, cut when the test ends. */
export async function openSession(test: TestScope, url: string, statementLimit = 100): Promise<Session> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  const session = new Session(client, statementLimit);
  test.after(async () => session.destroy());
  return session;
}

/** The target tables of `schema` (raw dotted form), by the catalogue of the server. */
export async function openTargetTables(test: TestScope, url: string, schema: string): Promise<TargetTables> {
  const client = new pg.Client({
    connectionString: url,
    types: { getTypeParser: () => (value: string) => value } as never,
  });
  client.on('error', () => {});
  await client.connect();
  test.after(() => client.end());
  const server = await describeServer(client);
  const name = targetSchemaName(schema, server);
  return TargetTables.open(name, server.dialect, () => readCatalogue(client, server.dialect, name));
}

/** A source table whose identity is its `key` columns; without any, whole old rows are sent. */
export function sourceTable(name: string, columns: readonly string[], key: readonly string[]): SourceTable {
  return {
    schema: 'public',
    name,
    identity: key.length > 0 ? 'key' : 'full',
    columns: columns.map((column) => ({ name: column, identity: key.includes(column) })),
  };
}

/** Appends changes to a log as a source does; undefined stands for a value that was not sent. */
export const append = {
  insert(log: ChangeLog, table: SourceTable, row: Values): void {
    write(log, ChangeKind.insert, table, OldTuple.none, undefined, row);
  },
  /** `old`: the old key columns (the others null), or the whole old row for a table with identity `full`. */
  update(log: ChangeLog, table: SourceTable, row: Values, old?: Values): void {
    write(log, ChangeKind.update, table, old === undefined ? OldTuple.none : oldKind(table), old, row);
  },
  delete(log: ChangeLog, table: SourceTable, old: Values): void {
    write(log, ChangeKind.delete, table, oldKind(table), old, undefined);
  },
};

function oldKind(table: SourceTable): OldTuple {
  return table.identity === 'full' ? OldTuple.full : OldTuple.key;
}

function write(
  log: ChangeLog,
  kind: ChangeKind,
  table: SourceTable,
  old: OldTuple,
  before: Values | undefined,
  after: Values | undefined,
): void {
  const first = before === undefined ? Buffer.alloc(0) : encodeTuple(before);
  const second = after === undefined ? Buffer.alloc(0) : encodeTuple(after);
  const both = Buffer.concat([first, second]);
  log.append(kind, table, old, both, 0, first.length, first.length, both.length);
}
