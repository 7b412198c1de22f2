import { escapeIdentifier } from 'pg';
import { dropPublicationStatement } from './publication.ts';
import { dropSlotStatement } from './slot.ts';

/** Something that a setup has made, or will make. */
interface Made {
  readonly what: 'publication' | 'slot' | 'staging schema' | 'table';
  readonly side: 'source' | 'target';
  /** Of a staging schema and of a table: dotted, each part quoted where it has to be. */
  readonly name: string;
}

const PART = /"(?:[^"]|"")*"|[^".]+/g;

/**
 * SQL for people that removes what was made, in an order that works: what is read from last is removed first, and nothing
 * that holds more than what was made is removed.
 */
export function undoStatements(made: readonly Made[]): { side: 'source' | 'target'; sql: string }[] {
  const order: readonly Made['what'][] = ['slot', 'publication', 'staging schema', 'table'];
  return made
    .toSorted((a, b) => order.indexOf(a.what) - order.indexOf(b.what))
    .map(({ what, side, name }) => ({ side, sql: undo(what, name) }));
}

function undo(what: Made['what'], name: string): string {
  switch (what) {
    case 'slot':
      return `${dropSlotStatement(name)};`;
    case 'publication':
      return `${dropPublicationStatement(name)};`;
    case 'table':
      return `DROP TABLE ${dotted(name)};`;
    case 'staging schema':
      return undoStaging(name);
  }
}

/**
 * The name of a staging schema means different things on either product: `a.public` is the database `a` on CockroachDB, and
 * the schema `a` on PostgreSQL. Tables are named so that both find them; only the last line differs.
 */
function undoStaging(name: string): string {
  const parts = partsOf(name);
  const inPublic = parts.length === 1 || parts[1] === 'public';
  const schema = inPublic ? escapeIdentifier(parts[0]) : parts.map((part) => escapeIdentifier(part)).join('.');
  const own = escapeIdentifier(inPublic ? parts[0] : parts[1]);
  return [
    `DROP TABLE ${schema}."memo", ${schema}."leases";`,
    inPublic
      ? `DROP SCHEMA ${own} RESTRICT; -- on CockroachDB: DROP DATABASE ${own} RESTRICT;`
      : `DROP SCHEMA ${own} RESTRICT; -- on CockroachDB: DROP SCHEMA ${schema} RESTRICT;`,
  ].join('\n');
}

function dotted(name: string): string {
  return partsOf(name)
    .map((part) => escapeIdentifier(part))
    .join('.');
}

function partsOf(name: string): string[] {
  return Array.from(name.match(PART) ?? [name], (part) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.trim(),
  );
}
