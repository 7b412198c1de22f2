import { OperatorError, UsageError } from '../errors.ts';
import type { Dialect } from './dialect.ts';

/** Bytes of a name that PostgreSQL keeps; it cuts longer ones with no more than a notice. */
const POSTGRESQL_NAME_BYTES = 63;

/** A schema on the server, decided once from what the operator wrote, so that no statement leaves it to a search path. */
export interface SchemaName {
  /** The parts joined by dots, unquoted, as the operator gave them: the form used in memo keys. */
  readonly raw: string;
  /** The operator's own text, quotes included: what `--targetSchema` would take again. */
  readonly text: string;
  readonly database: string;
  readonly schema: string;
  /** Quoted prefix for statements: three-part names on CockroachDB (`"db"."schema"`), two-part ones on PostgreSQL. */
  readonly sql: string;
}

/** What the connected server knows, as far as names are concerned. */
export interface Surroundings {
  readonly dialect: Dialect;
  /** The database of the connection. */
  readonly database: string;
  /** Schemas of that database. */
  readonly schemas: readonly string[];
}

/** `name` as a quoted identifier. NUL cannot be part of a name and is refused. */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0')) throw new UsageError(`not a name: ${JSON.stringify(name)}`);
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quoted name of a table in `schema`. */
export function qualify(schema: SchemaName, table: string): string {
  return `${schema.sql}.${quoteIdentifier(table)}`;
}

/** `"db"."schema"."table"`, as messages name a table on either dialect. */
export function describeTable(schema: SchemaName, table: string): string {
  return `${quoteIdentifier(schema.database)}.${quoteIdentifier(schema.schema)}.${quoteIdentifier(table)}`;
}

/**
 * The parts of a dotted name, of which any may be quoted as in SQL (`"a.b".c`). Unquoted parts keep their case.
 * `flag` names where the text came from in the UsageError for anything else.
 */
export function parseDottedName(text: string, flag: string): string[] {
  const parts: string[] = [];
  let at = 0;
  const trimmed = text.trim();
  for (;;) {
    let part = '';
    if (trimmed[at] === '"') {
      const quoted = /^"((?:[^"]|"")*)"/.exec(trimmed.slice(at));
      if (quoted === null) throw new UsageError(`${flag}: a quote is not closed in ${trimmed}`);
      part = quoted[1].replaceAll('""', '"');
      at += quoted[0].length;
    } else {
      part = /^[^".]*/.exec(trimmed.slice(at))?.[0].trim() ?? '';
      at += /^[^".]*/.exec(trimmed.slice(at))?.[0].length ?? 0;
    }
    if (part === '' || part.includes('\0')) throw new UsageError(`${flag}: not a name: ${JSON.stringify(trimmed)}`);
    parts.push(part);
    if (at === trimmed.length) return parts;
    if (trimmed[at] !== '.') throw new UsageError(`${flag}: a dot is missing in ${trimmed}`);
    at++;
  }
}

/**
 * Which schema `--targetSchema` means. Two parts are a database and a schema. One part is a schema of the connected
 * database if there is one of that name, else a database whose schema `public` is meant. PostgreSQL cannot leave the
 * connected database (TARGET_OTHER_DATABASE). Whether the schema exists is not checked here.
 */
export function targetSchemaName(text: string, surroundings: Surroundings): SchemaName {
  const parts = parseSchemaName(text, '--targetSchema', surroundings.dialect);
  const { dialect, database, schemas } = surroundings;
  if (parts.length === 1) {
    const schema = matchName(parts[0], schemas);
    if (schema !== undefined) return schemaName(parts, text, dialect, database, schema);
    if (dialect.product === 'cockroachdb') return schemaName(parts, text, dialect, parts[0], 'public');
    const named = matchName(parts[0], [database]);
    return schemaName(parts, text, dialect, database, named === undefined ? parts[0] : 'public');
  }
  if (dialect.product === 'cockroachdb') {
    const inside = parts[0] === database ? matchName(parts[1], schemas) : undefined;
    return schemaName(parts, text, dialect, parts[0], inside ?? parts[1]);
  }
  if (matchName(parts[0], [database]) === undefined) {
    throw new OperatorError(
      'TARGET_OTHER_DATABASE',
      `--targetSchema ${text} names the database ${quoteIdentifier(parts[0])}, but --targetConn is connected to ` +
        `${quoteIdentifier(database)}; a PostgreSQL connection cannot write to another database`,
      { fix: `give a --targetConn that ends in /${encodeURIComponent(parts[0])}, or --targetSchema ${parts[1]}` },
    );
  }
  return schemaName(parts, text, dialect, database, matchName(parts[1], schemas) ?? parts[1]);
}

/**
 * Where `--stagingSchema` is. On CockroachDB one part is a database (schema `public`), two are a database and a schema.
 * On PostgreSQL, where a transaction cannot span databases, staging is a schema of the connected database: one part
 * names it, and so do `<connected database>.<schema>` and `<schema>.public`, the form of the default.
 */
export function stagingSchemaName(text: string, surroundings: Surroundings): SchemaName {
  const parts = parseSchemaName(text, '--stagingSchema', surroundings.dialect);
  const { dialect, database, schemas } = surroundings;
  if (dialect.product === 'cockroachdb') return schemaName(parts, text, dialect, parts[0], parts[1] ?? 'public');
  if (parts.length === 1) return schemaName(parts, text, dialect, database, matchName(parts[0], schemas) ?? parts[0]);
  if (matchName(parts[0], [database]) !== undefined) {
    return schemaName(parts, text, dialect, database, matchName(parts[1], schemas) ?? parts[1]);
  }
  if (parts[1].toLowerCase() === 'public') {
    return schemaName(parts, text, dialect, database, matchName(parts[0], schemas) ?? parts[0]);
  }
  throw new OperatorError(
    'STAGING_OTHER_DATABASE',
    `--stagingSchema ${text} names the database ${quoteIdentifier(parts[0])}, but the connection is to ` +
      `${quoteIdentifier(database)}; on PostgreSQL the staging schema is a schema of the connected database`,
    { fix: `--stagingSchema ${parts[1]}` },
  );
}

/** The name in `names` equal to `name`, else the only one that differs in case alone. */
export function matchName(name: string, names: Iterable<string>): string | undefined {
  const lower = name.toLowerCase();
  let found: string | undefined;
  let several = false;
  for (const candidate of names) {
    if (candidate === name) return candidate;
    if (candidate.toLowerCase() === lower) {
      several = found !== undefined;
      found = candidate;
    }
  }
  return several ? undefined : found;
}

function parseSchemaName(text: string, flag: string, dialect: Dialect): string[] {
  const parts = parseDottedName(text, flag);
  if (parts.length > 2) {
    throw new UsageError(`${flag} takes a schema or database.schema, and ${text.trim()} has ${parts.length} parts`, {
      fix: `quote a part that contains a dot: ${flag} '"a.b".c'`,
    });
  }
  const long = parts.find((part) => Buffer.byteLength(part) > POSTGRESQL_NAME_BYTES);
  if (dialect.product === 'postgresql' && long !== undefined) {
    throw new UsageError(`${flag}: PostgreSQL would cut the name ${long} to ${POSTGRESQL_NAME_BYTES} bytes`);
  }
  return parts;
}

function schemaName(
  parts: readonly string[],
  text: string,
  dialect: Dialect,
  database: string,
  schema: string,
): SchemaName {
  const inDatabase = dialect.product === 'cockroachdb' ? `${quoteIdentifier(database)}.` : '';
  return { raw: parts.join('.'), text: text.trim(), database, schema, sql: `${inDatabase}${quoteIdentifier(schema)}` };
}
