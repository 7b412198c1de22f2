import type { SourceColumn, SourceTable } from '../changes/table.ts';
import { OperatorError } from '../errors.ts';
import type { Catalogue, TargetColumn, TargetTable } from './catalogue.ts';
import type { Dialect } from './dialect.ts';
import { describeTable, qualify, quoteIdentifier, type SchemaName } from './identifiers.ts';
import { findColumn } from './mapping.ts';
import { proposeType } from './proposed-types.ts';

/** Why a target table cannot take the rows of a source table, and the SQL that mends it. */
interface Finding {
  readonly problem: string;
  /** What to know of the statements, as comments. */
  readonly notes?: readonly string[];
  /** Without semicolons. */
  readonly statements: readonly string[];
}

/** How a target table fits a source table. */
export interface TableFit {
  /** Undefined when it does not exist. */
  readonly target: TargetTable | undefined;
  /** Empty when it can take the rows as they are. */
  readonly findings: readonly Finding[];
}

/**
 * The target table for a source table's rows.
 * @throws OperatorError TARGET_SCHEMA_DRIFT when there is none, or when it cannot take the rows as they are.
 */
export function checkTable(
  source: SourceTable,
  catalogue: Catalogue,
  schema: SchemaName,
  dialect: Dialect,
): TargetTable {
  checkTables([source], catalogue, schema, dialect);
  return catalogue.find(source.name)!;
}

/**
 * Checks all tables before any row is written, so that one error tells everything that has to be mended.
 * @throws OperatorError TARGET_SCHEMA_DRIFT
 */
export function checkTables(
  sources: readonly SourceTable[],
  catalogue: Catalogue,
  schema: SchemaName,
  dialect: Dialect,
): void {
  const messages: string[] = [];
  const fixes: string[] = [];
  for (const source of sources) {
    const { target, findings } = fitTable(source, catalogue, schema, dialect);
    if (findings.length === 0) continue;
    const problems = findings.map((finding) => finding.problem).join('; ');
    messages.push(`schema drift detected in ${describeTable(schema, target?.name ?? source.name)}: ${problems}`);
    fixes.push(...findings.map(fixText));
  }
  if (messages.length === 0) return;
  throw new OperatorError(
    'TARGET_SCHEMA_DRIFT',
    `${messages.join('; ')}. No change is lost: once the target is mended, replication goes on from the checkpoint`,
    { fix: fixes.join('\n') },
  );
}

/** Compares a source table with the target table that its rows would go to. */
export function fitTable(source: SourceTable, catalogue: Catalogue, schema: SchemaName, dialect: Dialect): TableFit {
  const target = catalogue.find(source.name);
  const findings =
    target === undefined ? [missingTable(source, schema, dialect)] : compare(source, target, schema, dialect);
  return { target, findings };
}

/** SQL for people that mends a finding. */
export function fixText({ notes = [], statements }: Finding): string {
  return [...notes, ...statements.map((statement) => `${statement};`)].join('\n');
}

function missingTable(source: SourceTable, schema: SchemaName, dialect: Dialect): Finding {
  const notes: string[] = [];
  const lines = source.columns.map((column) => `  ${columnDefinition(source, column, dialect, notes)}`);
  if (source.identity === 'key') {
    const key = source.columns
      .filter((column) => column.identity)
      .map((column) => quoteIdentifier(spelled(source, column.name)));
    lines.push(`  PRIMARY KEY (${key.join(', ')})`);
  }
  return {
    problem: 'the table does not exist, or the user may not see it',
    notes,
    statements: [`CREATE TABLE ${qualify(schema, spelled(source, source.name))} (\n${lines.join(',\n')}\n)`],
  };
}

function compare(source: SourceTable, target: TargetTable, schema: SchemaName, dialect: Dialect): Finding[] {
  const table = qualify(schema, target.name);
  const taken = new Map<TargetColumn, SourceColumn>();
  const unexpected: SourceColumn[] = [];
  for (const column of source.columns) {
    const found = findColumn(target, column.name);
    if (found === undefined || taken.has(found)) unexpected.push(column);
    else taken.set(found, column);
  }
  const findings: Finding[] = [];
  if (unexpected.length > 0) {
    const notes: string[] = [];
    const definitions = unexpected.map((column) => columnDefinition(source, column, dialect, notes));
    findings.push({
      problem: `unexpected columns: ${names(unexpected)} (the source has them, the target has not)`,
      notes,
      statements: definitions.map((definition) => `ALTER TABLE ${table} ADD COLUMN ${definition}`),
    });
  }
  const required = target.columns.filter(
    (column) => !taken.has(column) && !column.nullable && !column.hasDefault && !column.generated,
  );
  if (required.length > 0) {
    findings.push({
      problem: `columns that must not be NULL, have no default and are not in the source: ${names(required)}`,
      statements: required.map(
        (column) => `ALTER TABLE ${table} ALTER COLUMN ${quoteIdentifier(column.name)} DROP NOT NULL`,
      ),
    });
  }
  const key = new Set(source.columns.filter((column) => column.identity).map((column) => column.name));
  const fixed = [...taken]
    .filter(([column, from]) => column.identityAlways && (dialect.product === 'cockroachdb' || !key.has(from.name)))
    .map(([column]) => column);
  if (fixed.length > 0) {
    findings.push({
      problem: `columns that are GENERATED ALWAYS AS IDENTITY, which the target lets nobody ${
        dialect.product === 'cockroachdb' ? 'write' : 'update'
      }: ${names(fixed)}`,
      statements: fixed.map(
        (column) => `ALTER TABLE ${table} ALTER COLUMN ${quoteIdentifier(column.name)} SET GENERATED BY DEFAULT`,
      ),
    });
  }
  const keyless = source.identity === 'key' ? missingKey(source, target, unexpected, table) : undefined;
  return keyless === undefined ? findings : [...findings, keyless];
}

/** Updates and deletes name rows by the source's identity columns, so the target needs a unique key over just those. */
function missingKey(
  source: SourceTable,
  target: TargetTable,
  unexpected: readonly SourceColumn[],
  table: string,
): Finding | undefined {
  const identity = source.columns.filter((column) => column.identity);
  const key = identity.map((column) =>
    unexpected.includes(column) ? spelled(source, column.name) : (findColumn(target, column.name)?.name ?? column.name),
  );
  const covers = (candidate: readonly string[]) =>
    candidate.length === key.length && candidate.every((name) => key.includes(name));
  if (covers(target.primaryKey) || target.uniqueKeys.some(covers)) return undefined;
  const columns = key.map(quoteIdentifier).join(', ');
  return {
    problem:
      `no primary key or unique index over exactly ${columns}, by which the source tells its rows apart ` +
      '(deferrable and partial ones do not count)',
    statements: [`CREATE UNIQUE INDEX ON ${table} (${columns})`],
  };
}

/** A name of the source as the target would have it: plain names are in capitals there, and in lower case here. */
function spelled({ capitals }: SourceTable, name: string): string {
  return capitals === true && name === name.toUpperCase() ? name.toLowerCase() : name;
}

function columnDefinition(source: SourceTable, column: SourceColumn, dialect: Dialect, notes: string[]): string {
  const { type, note } = proposeType(column.type, dialect);
  const name = quoteIdentifier(spelled(source, column.name));
  if (note !== undefined) notes.push(`-- ${name.replaceAll(/\s/g, ' ')}: ${note.replaceAll(/\s/g, ' ')}`);
  return `${name} ${type}`;
}

function names(columns: readonly { readonly name: string }[]): string {
  return columns.map((column) => column.name).join(', ');
}
