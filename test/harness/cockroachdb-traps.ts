import { type Sent, TEXT_TRAPS, type Trap } from './cockroachdb-text-traps.ts';
import { bareText, ddl, modifiedTables, placeholders, tableNames } from './sql-text.ts';

export type { Sent, Trap };

/** Columns of the catalogues that are never NULL, so that the place of NULLs in an order does not matter. */
const NEVER_NULL =
  /^(\d+|\w+\.(RELNAME|NSPNAME|CONNAME|ATTNUM|TABLE_NAME|INDEX_NAME|COLUMN_NAME|SEQ_IN_INDEX|ORDINAL_POSITION))$/;

export const TRAPS: readonly Trap[] = [
  ...TEXT_TRAPS,
  {
    name: 'placeholder without type',
    why: 'types are not inferred as far, so every placeholder carries a cast',
    catches: ({ sql }) => placeholders(sql).find(({ cast }) => !cast)?.text,
    caught: ['SELECT $1', 'SELECT coalesce($1::INT8, $2)', 'DELETE FROM "d"."s"."t" WHERE "a" = $1'],
    passed: [
      'SELECT $1::INT8',
      'SELECT CAST($1 AS INT8)',
      `SELECT '$1'`,
      'SELECT ($1::TEXT)::"d"."s"."mood"',
      'SELECT "$1"',
    ],
  },
  {
    name: 'placeholders',
    why: 'more than 65535 placeholders are refused when the statement is prepared',
    catches: ({ sql }) => {
      const most = placeholders(sql).reduce((max, { number }) => Math.max(max, number), 0);
      return most > 65_535 ? `$${most}` : undefined;
    },
    caught: ['SELECT $65536::INT8'],
    passed: ['SELECT $65535::INT8'],
  },
  {
    name: 'statement size',
    why: 'a message of more than 16 MiB is refused',
    catches: ({ sql }) => (Buffer.byteLength(sql) > 16 * 1024 * 1024 ? `${Buffer.byteLength(sql)} bytes` : undefined),
    caught: [`SELECT '${'x'.repeat(16 * 1024 * 1024)}'`],
    passed: [`SELECT '${'x'.repeat(1024 * 1024)}'`],
  },
  {
    name: 'table name',
    why: 'a name of two parts may mean a table of another database, one of one part depends on the session',
    catches: ({ sql }) =>
      tableNames(sql)
        .find((name) => !isComplete(name))
        ?.join('.'),
    caught: [
      ...['SELECT 1 FROM t', 'SELECT 1 FROM "s"."t"', 'UPDATE "s"."t" SET "a" = 1', 'INSERT INTO "t" VALUES (1)'],
      ...[
        'DELETE FROM "s"."t" AS t USING unnest($1::INT8[]) AS u(c0) WHERE true',
        'COPY "s"."t" ("a") FROM STDIN WITH CSV',
      ],
      ...[
        'CREATE TABLE IF NOT EXISTS "s"."t" ("a" INT8)',
        'ALTER TABLE "t" ADD COLUMN "a" INT8',
        'SELECT 1 FROM "d"."s"."t" JOIN s.u ON true',
      ],
      'CREATE UNIQUE INDEX ON "s"."t" ("a")',
    ],
    passed: [
      ...[
        'SELECT 1 FROM "d"."s"."t" AS t JOIN pg_catalog.pg_class c ON true',
        'SELECT 1 FROM "d".information_schema.columns',
      ],
      ...[
        'WITH moved AS (UPDATE "d"."s"."t" SET "a" = 1 RETURNING "a") SELECT 1 FROM moved',
        'SELECT 1 FROM (SELECT 2) AS x',
      ],
      ...['UPDATE "d"."s"."t" AS t SET "a" = u.c0 FROM unnest($1::INT8[]) AS u(c0)', `SELECT 'from t'`],
      ...[
        'INSERT INTO "d"."s"."t" VALUES (1) ON CONFLICT ("a") DO UPDATE SET "a" = 1',
        'CREATE DATABASE IF NOT EXISTS "d"',
      ],
    ],
  },
  {
    name: 'schema name',
    why: 'a schema of one part belongs to whatever database the session is in',
    catches: ({ sql }) => /\b(CREATE|DROP) SCHEMA (IF (NOT )?EXISTS )?("[^"]*"|\w+)(?!\.)\s*$/i.exec(sql)?.[0],
    caught: ['CREATE SCHEMA "s"', 'CREATE SCHEMA IF NOT EXISTS s'],
    passed: ['CREATE SCHEMA IF NOT EXISTS "d"."s"'],
  },
  {
    name: 'two changes of a table',
    why: 'one statement may change a table once',
    catches: ({ sql }) => {
      const names = modifiedTables(sql);
      return names.find((name, i) => names.indexOf(name) < i);
    },
    caught: ['WITH d AS (DELETE FROM "d"."s"."t" WHERE true RETURNING "a") INSERT INTO "d"."s"."t" SELECT "a" FROM d'],
    passed: ['WITH d AS (DELETE FROM "d"."s"."t" WHERE true RETURNING "a") INSERT INTO "d"."s"."u" SELECT "a" FROM d'],
  },
  {
    name: 'order of NULLs',
    why: 'NULLs come first there and last here',
    catches: ({ sql }) => {
      const [, list] = /\bORDER BY ([^)]*?)(\bLIMIT\b|\)|$)/.exec(bareText(sql)) ?? [];
      return list
        ?.split(',')
        .map((term) => term.trim())
        .find((term) => !/NULLS (FIRST|LAST)$/.test(term) && !NEVER_NULL.test(term));
    },
    caught: ['SELECT "a" FROM "d"."s"."t" ORDER BY "a"', 'SELECT 1 FROM "d"."s"."t" ORDER BY "a" NULLS LAST, "b" DESC'],
    passed: [
      'SELECT "a" FROM "d"."s"."t" ORDER BY "a" NULLS LAST',
      'SELECT c.relname FROM pg_catalog.pg_class c ORDER BY c.relname',
    ],
  },
  {
    name: 'schema change in a transaction',
    why: 'it commits what came before it, and what comes after it is on its own',
    catches: ({ sql, inTransaction }) => (inTransaction ? ddl(sql) : undefined),
    caught: [
      { sql: 'CREATE TABLE "d"."s"."t" ("a" INT8)', inTransaction: true },
      { sql: ' drop index x', inTransaction: true },
    ],
    passed: [
      { sql: 'CREATE TABLE "d"."s"."t" ("a" INT8)' },
      { sql: 'DELETE FROM "d"."s"."t" WHERE true', inTransaction: true },
    ],
  },
  {
    name: 'long name',
    why: 'a name of more than 63 bytes is cut on PostgreSQL and kept there',
    catches: ({ sql }) =>
      [...sql.matchAll(/"((?:[^"]|"")*)"/g)].map(([, name]) => name).find((name) => Buffer.byteLength(name) > 63),
    caught: [`SELECT "${'n'.repeat(64)}"`],
    passed: [`SELECT "${'n'.repeat(63)}"`],
  },
];

function isComplete(name: readonly string[]): boolean {
  const catalogue = name.length > 1 && /^(pg_catalog|information_schema)$/.test(name[name.length - 2]);
  return name.length === 3 || catalogue;
}

/** What is wrong with a statement: the traps that it is in, each with the part that is. */
export function trapsOf(sent: Sent): string[] {
  return TRAPS.flatMap((trap) => {
    const part = trap.catches(sent);
    return part === undefined ? [] : [`${trap.name} (${part.trim()}): ${trap.why}`];
  });
}
