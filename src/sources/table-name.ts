import { escapeIdentifier } from 'pg';
import { UsageError } from '../errors.ts';
import { readableIdentifier } from './readable-identifier.ts';

/** A table of the source, by its names as they are stored: neither quoted nor folded. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

const PART = '"(?:[^"]|"")+"|[^".]+';
const FORM = new RegExp(`^\\s*(${PART})\\.(${PART})\\s*$`);

/**
 * Reads `schema.table` as PostgreSQL prints it, each part quoted where it has to be (`public."Orders"`). Unquoted parts keep
 * their case.
 * @throws UsageError for anything else.
 */
export function parseTableName(text: string): TableName {
  const match = FORM.exec(text);
  if (match === null) {
    throw new UsageError(`${JSON.stringify(text)} is not a table: schema.table is needed, as in public.orders`);
  }
  const [schema, name] = [match[1], match[2]].map((part) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.trim(),
  );
  return { schema, name };
}

/** The name for messages. */
export function readableTable({ schema, name }: TableName): string {
  return `${readableIdentifier(schema)}.${readableIdentifier(name)}`;
}

/** The name for statements. */
export function quotedTable({ schema, name }: TableName): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
}

/** True when both mean one table. */
export function isSameTable(a: TableName, b: TableName): boolean {
  return a.schema === b.schema && a.name === b.name;
}
