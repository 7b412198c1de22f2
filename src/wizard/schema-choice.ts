import type { ConnectionDescription } from '../config/connection.ts';
import { OperatorError } from '../errors.ts';
import type { SchemaSummary } from '../target/schemas.ts';
import { parseDottedName } from '../target/identifiers.ts';
import type { SelectItem } from '../terminal/select.tsx';

/** The item that stands for a name that is typed. */
export const ANOTHER = '';

const PLAIN = /^[A-Za-z_][A-Za-z0-9_$]*$/;

/** `database.schema` as `--targetSchema` takes it, each part quoted where it has to be. */
export function schemaText(database: string, schema: string): string {
  return [database, schema].map((part) => (PLAIN.test(part) ? part : `"${part.replaceAll('"', '""')}"`)).join('.');
}

/** The schemas of the target as a list to choose from, and at its end the offer to type a name. */
export function schemaItems({ database }: ConnectionDescription, schemas: readonly SchemaSummary[]): SelectItem[] {
  return [
    ...schemas.map(({ name, tables }) => ({
      value: schemaText(database, name),
      label: schemaText(database, name),
      hint: tables === 1 ? '1 table' : `${tables} tables`,
    })),
    { value: ANOTHER, label: 'another one', hint: 'its name is typed' },
  ];
}

/** What is wrong with the name of a target schema. */
export function schemaProblem(text: string): string | undefined {
  if (text.trim() === '') return 'enter a schema, or database.schema';
  try {
    const parts = parseDottedName(text, 'the name');
    return parts.length > 2 ? 'a schema, or database.schema; a part with a dot in it is quoted: "a.b"' : undefined;
  } catch (error) {
    if (error instanceof OperatorError) return error.message;
    throw error;
  }
}
