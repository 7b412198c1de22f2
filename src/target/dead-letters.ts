import { type ChangeLog, decodeTuple, ENTRY_HEADER, OldTuple, tupleEnd } from '../changes/change-log.ts';
import type { SourceTable } from '../changes/table.ts';
import { OperatorError, UsageError } from '../errors.ts';
import type { Catalogue } from './catalogue.ts';
import type { Dialect, Queryable } from './dialect.ts';
import { describeTable, matchName, parseDottedName, qualify, quoteIdentifier, type SchemaName } from './identifiers.ts';

/** One change that the target refused, as it stands in the dead-letter table. */
export interface DeadLetter {
  /** Name of the source table. */
  readonly name: string;
  /** Commit time at the source, nanoseconds since the Unix epoch. */
  readonly nanos: bigint;
  /** Ordinal of the change in its transaction, from 0. */
  readonly logical: number;
  /** JSON objects by column name; `null` when there is no such row. Both are null for a TRUNCATE. */
  readonly after: string;
  readonly before: string;
}

/** The dead-letter table of a target schema. */
export interface DeadLetterTable {
  readonly qualified: string;
  /** Inserts one row; the parameters are those of `deadLetterValues`, all text. */
  readonly insert: string;
  /** How many they are. */
  readonly parameters: number;
}

const REQUIRED = ['dlq_name', 'source_nanos', 'source_logical', 'data_after', 'data_before'] as const;
/** Written where the table has it: tables made for the existing tool have not. */
const ERROR = 'error';

/** An error text longer than this is cut: the row is there to be read. */
const LONGEST_ERROR = 8192;

/**
 * Finds the table, or creates it when it is missing. `name` is `--dlqTableName`, a name in the target schema.
 * @throws OperatorError DLQ_MISSING when it cannot be created, DLQ_COLUMNS when it lacks columns.
 */
export async function openDeadLetterTable(
  client: Queryable,
  dialect: Dialect,
  schema: SchemaName,
  catalogue: Catalogue,
  name: string,
): Promise<DeadLetterTable> {
  const [table, ...more] = parseDottedName(name, '--dlqTableName');
  if (more.length > 0) {
    throw new UsageError(`--dlqTableName takes the name of a table in the target schema, and ${name} has a dot`);
  }
  const found = catalogue.find(table);
  if (found === undefined) {
    await create(client, dialect, schema, table);
    const types = dialect.product === 'cockroachdb' ? COCKROACHDB_TYPES : POSTGRESQL_TYPES;
    return describe(
      qualify(schema, table),
      [...REQUIRED, ERROR].map((column) => ({ name: column, type: types[column] })),
    );
  }
  const columnNames = found.columns.map((column) => column.name);
  const missing = REQUIRED.filter((column) => matchName(column, columnNames) === undefined);
  if (missing.length > 0) {
    throw new OperatorError(
      'DLQ_COLUMNS',
      `dlq table ${describeTable(schema, found.name)} was found, but it is missing the following columns: ${missing.join(', ')}`,
      {
        fix: `rename or drop that table, give another --dlqTableName, or add the columns as in:\n${ddl(dialect, schema, found.name)}`,
      },
    );
  }
  const written = [...REQUIRED, ERROR].flatMap((wanted) => {
    const column = found.columns.find((candidate) => candidate.name === matchName(wanted, columnNames));
    return column === undefined ? [] : [{ name: column.name, type: column.castType }];
  });
  return describe(found.qualified, written);
}

/** The changes of entries [start, end) of a log as dead letters; `logical` is the ordinal of the first of them. */
export function* deadLetters(
  log: ChangeLog,
  start: number,
  end: number,
  commitTime: number,
  logical = 0,
): Generator<DeadLetter> {
  const nanos = BigInt(Math.round(commitTime)) * 1000n;
  let at = start;
  while (at < end) {
    const entryEnd = at + log.buffer.readUInt32BE(at);
    const old = log.buffer[at + 5] as OldTuple;
    const table = log.tables[log.buffer.readUInt16BE(at + 6)];
    let tuple = at + ENTRY_HEADER;
    let before = 'null';
    if (old !== OldTuple.none) {
      before = rowJson(table, log.buffer, tuple, old === OldTuple.key);
      tuple = tupleEnd(log.buffer, tuple);
    }
    const after = tuple < entryEnd ? rowJson(table, log.buffer, tuple, false) : 'null';
    yield { name: table.name, nanos, logical: logical++, after, before };
    at = entryEnd;
  }
}

/** Parameters of the table's insert statement, in order. `error` says why the transaction was refused. */
export function deadLetterValues(table: DeadLetterTable, letter: DeadLetter, error: unknown): string[] {
  const { name, nanos, logical, after, before } = letter;
  return [name, String(nanos), String(logical), after, before, errorText(error)].slice(0, table.parameters);
}

function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, LONGEST_ERROR);
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  const detail = 'detail' in error && typeof error.detail === 'string' ? ` (${error.detail})` : '';
  return `${code}${error.message}${detail}`.slice(0, LONGEST_ERROR);
}

/** Values as JSON strings, so that none loses digits; columns that were not sent are left out. */
function rowJson(table: SourceTable, buffer: Buffer, at: number, onlyKey: boolean): string {
  const row = new Map<string, string | null>();
  decodeTuple(buffer, at).forEach((value, index) => {
    const column = table.columns[index];
    // The protocol fills a tuple of key columns up with NULLs that mean nothing.
    if (value !== undefined && !(onlyKey && !column.identity)) row.set(column.name, value);
  });
  return JSON.stringify(Object.fromEntries(row));
}

function describe(qualified: string, columns: readonly { name: string; type: string }[]): DeadLetterTable {
  const all = columns.map((column) => quoteIdentifier(column.name)).join(', ');
  const values = columns.map((column, index) => `($${index + 1}::TEXT)::${column.type}`).join(', ');
  return { qualified, insert: `INSERT INTO ${qualified} (${all}) VALUES (${values})`, parameters: columns.length };
}

async function create(client: Queryable, dialect: Dialect, schema: SchemaName, table: string): Promise<void> {
  try {
    await client.query(ddl(dialect, schema, table).replace('CREATE TABLE', 'CREATE TABLE IF NOT EXISTS'));
  } catch (cause) {
    throw new OperatorError(
      'DLQ_MISSING',
      `the dead-letter queue table ${describeTable(schema, table)} must be created in the target database. This could not be done here: ${cause instanceof Error ? cause.message : String(cause)}`,
      { fix: `Consider using the following schema:\n${ddl(dialect, schema, table)};`, cause },
    );
  }
}

const POSTGRESQL_TYPES: Readonly<Record<string, string>> = {
  dlq_name: 'TEXT',
  source_nanos: 'INT8',
  source_logical: 'INT8',
  data_after: 'JSONB',
  data_before: 'JSONB',
  error: 'TEXT',
};

const COCKROACHDB_TYPES: Readonly<Record<string, string>> = {
  ...POSTGRESQL_TYPES,
  dlq_name: 'STRING',
  error: 'STRING',
};

function ddl({ product }: Dialect, schema: SchemaName, table: string): string {
  const cockroach = product === 'cockroachdb';
  const types = cockroach ? COCKROACHDB_TYPES : POSTGRESQL_TYPES;
  const event = cockroach ? 'UUID DEFAULT gen_random_uuid() PRIMARY KEY' : 'BIGSERIAL PRIMARY KEY';
  const columns = REQUIRED.map((column) => `  ${column} ${types[column]} NOT NULL`);
  return `CREATE TABLE ${qualify(schema, table)} (\n  event ${event},\n${columns.join(',\n')},\n  ${ERROR} ${types[ERROR]}\n)`;
}
