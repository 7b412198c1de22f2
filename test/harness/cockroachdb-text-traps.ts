import { bareText } from './sql-text.ts';

/** A statement as it would be sent. */
export interface Sent {
  readonly sql: string;
  /** Sent inside of BEGIN and COMMIT. */
  readonly inTransaction?: boolean;
}

/**
 * Something that PostgreSQL takes and CockroachDB refuses or takes in another sense. No such server can be had for tests, so
 * what is sent to it is held against this list; it says nothing about what the server does with the rest.
 */
export interface Trap {
  readonly name: string;
  /** What happens there. */
  readonly why: string;
  /** What of the statement is in the trap; undefined when it is not. */
  catches(sent: Sent): string | undefined;
  /** Statements that it must catch, and harmless ones that look alike. */
  readonly caught: readonly (string | Sent)[];
  readonly passed: readonly (string | Sent)[];
}

function pattern(name: string, why: string, text: RegExp, caught: readonly string[], passed: readonly string[]): Trap {
  return { name, why, catches: ({ sql }) => text.exec(bareText(sql))?.[0], caught, passed };
}

const SETTINGS = [
  ...[
    'SESSION_REPLICATION_ROLE',
    'WORK_MEM',
    'MAINTENANCE_WORK_MEM',
    'TEMP_BUFFERS',
    'CONSTRAINT_EXCLUSION',
    'COMMIT_DELAY',
  ],
  ...[
    '(DEFAULT_)?TRANSACTION_DEFERRABLE',
    'ZERO_DAMAGED_PAGES',
    'LOG_\\w+',
    'TRACK_\\w+',
    'JIT\\w*',
    'PLAN_CACHE_MODE',
  ],
  'ENABLE_(HASH|MERGE|NEST|INDEX|BITMAP|SORT|MATERIAL|TID|GATHER|PARTITION|MEMO|INCREMENTAL)\\w*',
].join('|');

const TYPES = [
  ...[
    'POINT',
    'LINE',
    'LSEG',
    'BOX',
    'PATH',
    'POLYGON',
    'CIRCLE',
    'XML',
    'MONEY',
    'CIDR',
    'MACADDR8?',
    'HSTORE',
    'TXID_SNAPSHOT',
  ],
  ...['PG_LSN', 'JSONPATH', '(INT[48]|NUM|TS|TSTZ|DATE)(MULTI)?RANGE'],
].join('|');

/** The traps that a pattern finds in the bare text of a statement. */
export const TEXT_TRAPS: readonly Trap[] = [
  pattern(
    'setting',
    'the setting is refused as not supported',
    new RegExp(`\\bSET (LOCAL |SESSION )?(${SETTINGS})\\b`),
    ['SET session_replication_role = replica', 'SET LOCAL work_mem = 1', 'set enable_hashjoin = off', 'SET jit = off'],
    [`SET timezone = 'UTC'`, 'SET statement_timeout = 1', 'SELECT "set work_mem"'],
  ),
  pattern(
    'trigger switch',
    'triggers cannot be switched off',
    /\b(DISABLE|ENABLE) (REPLICA |ALWAYS )?(TRIGGER|RULE)\b/,
    ['ALTER TABLE "d"."s"."t" DISABLE TRIGGER ALL'],
    ['SELECT "disable trigger"'],
  ),
  pattern(
    'deferrable',
    'constraints and transactions cannot be deferred',
    /(?<!\bAS )\bDEFERR\w*|\bSET CONSTRAINTS\b/,
    ['SET CONSTRAINTS ALL DEFERRED', 'BEGIN DEFERRABLE', 'CREATE TABLE "d"."s"."t" (a INT8 UNIQUE DEFERRABLE)'],
    [`SELECT 'deferrable'`, 'SELECT false AS deferrable'],
  ),
  pattern(
    'isolation',
    'REPEATABLE READ is another isolation level there, or none',
    /\bREPEATABLE READ\b/,
    ['BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'],
    ['BEGIN', 'BEGIN READ WRITE'],
  ),
  pattern(
    'overriding',
    'an identity column that is always generated cannot be overridden',
    /\bOVERRIDING\b/,
    ['INSERT INTO "d"."s"."t" ("a") OVERRIDING SYSTEM VALUE SELECT 1'],
    ['SELECT "overriding"'],
  ),
  pattern(
    'conflict expression',
    'ON CONFLICT takes columns only',
    /\bON CONFLICT (\([^)]*\(|ON CONSTRAINT\b)/,
    ['INSERT INTO "d"."s"."t" VALUES (1) ON CONFLICT (lower("a")) DO NOTHING'],
    ['INSERT INTO "d"."s"."t" VALUES (1) ON CONFLICT ("a", "b") DO NOTHING'],
  ),
  pattern(
    'system column',
    'there are no such system columns',
    /\b(XMIN|XMAX|CMIN|CMAX|CTID)\b/,
    ['DELETE FROM "d"."s"."t" WHERE ctid = (SELECT 1)', 'SELECT (xmax = 0)'],
    ['SELECT "ctid"'],
  ),
  pattern(
    'hidden rowid',
    'only a table without primary key has a rowid, and not under that name where a column has taken it',
    /(?<![\w"])ROWID(?![\w"])/,
    ['DELETE FROM "d"."s"."t" WHERE (rowid) = (SELECT rowid FROM "d"."s"."t" LIMIT 1)'],
    ['SELECT "rowid"', 'SELECT unique_rowid()'],
  ),
  pattern('merge', 'there is no MERGE', /\bMERGE INTO\b/, ['MERGE INTO t USING s ON true'], ['SELECT "merge into"']),
  pattern(
    'temporary table',
    'temporary tables are off, and cannot end with a transaction',
    /\bTEMP(ORARY)?\b|\bON COMMIT\b/,
    ['CREATE TEMP TABLE t (a INT8)', 'CREATE TABLE "d"."s"."t" (a INT8) ON COMMIT DROP'],
    ['SELECT "temp"'],
  ),
  pattern(
    'COPY option',
    'such options, and files on the server, are not taken',
    /\bCOPY\b.*(\bFREEZE\b|\bWHERE\b|\bFORCE_\w+|\bFROM '|\bPROGRAM\b)/,
    [`COPY "d"."s"."t" FROM '/file' WITH CSV`, 'COPY "d"."s"."t" FROM STDIN WITH (FREEZE)'],
    ['COPY "d"."s"."t" ("a") FROM STDIN WITH CSV'],
  ),
  pattern(
    'COPY as text',
    'an empty field may be taken for NULL in the text format, and some types are not unescaped',
    /\bCOPY\b.*\bFROM STDIN\b(?!.*\bCSV\b)/,
    ['COPY "d"."s"."t" ("a") FROM STDIN'],
    ['COPY "d"."s"."t" ("a") FROM STDIN WITH CSV'],
  ),
  pattern(
    'notification',
    'there are no notifications',
    /\bLISTEN\b|\bUNLISTEN\b|\bNOTIFY\b|\bPG_NOTIFY\b/,
    ['LISTEN x', `SELECT pg_notify('a', 'b')`],
    ['SELECT "listen"'],
  ),
  pattern(
    'table lock',
    'tables cannot be locked',
    /\bLOCK TABLE\b/,
    ['LOCK TABLE t IN SHARE MODE'],
    ['SELECT "lock table"'],
  ),
  pattern(
    'row lock',
    'a row lock does not exclude others in every case, so nothing may rest on it',
    /\bFOR (NO KEY )?(UPDATE|SHARE)\b|\bFOR KEY SHARE\b/,
    ['SELECT "a" FROM "d"."s"."t" FOR UPDATE'],
    ['SELECT "for update"'],
  ),
  pattern(
    'advisory lock',
    'advisory locks are granted to everybody',
    /\bPG_(TRY_)?ADVISORY_\w+/,
    ['SELECT pg_try_advisory_lock(1)'],
    ['SELECT "pg_advisory_lock"'],
  ),
  pattern(
    'two-phase commit',
    'prepared transactions depend on the version',
    /\b(PREPARE TRANSACTION|(COMMIT|ROLLBACK) PREPARED)\b/,
    [`PREPARE TRANSACTION 'x'`],
    ['DEALLOCATE ALL'],
  ),
  pattern(
    'object kind',
    'there is no such kind of object, or it does nothing',
    /\bCREATE (OR REPLACE )?(DOMAIN|RULE|EVENT TRIGGER|EXTENSION|PUBLICATION|SUBSCRIPTION|UNLOGGED)\b/,
    ['CREATE DOMAIN d AS STRING', 'CREATE EXTENSION hstore'],
    ['CREATE TABLE IF NOT EXISTS "d"."s"."t" ("a" INT8)'],
  ),
  pattern(
    'table option',
    'tables have no such options',
    /\b(EXCLUDE USING|INHERITS|PARTITION OF|TABLESPACE)\b/,
    ['CREATE TABLE "d"."s"."t" () INHERITS (p)'],
    ['SELECT "inherits"'],
  ),
  pattern(
    'missing type',
    'there is no such type',
    new RegExp(`(::\\s*|\\bAS |"[^"]*" |\\(\\w+ )(${TYPES})\\b(?!["(.])`),
    [
      'SELECT $1::TEXT::cidr',
      'CREATE TABLE "d"."s"."t" ("a" point)',
      'SELECT CAST(1 AS money)',
      'SELECT $1::int4range',
    ],
    ['SELECT "point"', 'SELECT $1::"d"."s"."point"', 'CREATE TABLE "d"."s"."line" ("a" INT8)', 'SELECT 1::BOX2D'],
  ),
  pattern(
    'nested array',
    'arrays have one dimension and begin at one',
    /\[\]\s*\[\]|ARRAY\[ARRAY|\[\d+:\d+\]/,
    ['SELECT $1::STRING[][]', 'SELECT ARRAY[ARRAY[1]]'],
    ['SELECT $1::STRING[]'],
  ),
  pattern(
    'empty array',
    'an empty array needs a type',
    /\bARRAY\[\s*\](?!::)/,
    ['SELECT ARRAY[]'],
    ['SELECT ARRAY[]::STRING[]'],
  ),
  pattern(
    'nested set function',
    'a set-returning function cannot be the argument of another',
    /\bUNNEST\(UNNEST\b/,
    ['SELECT unnest(unnest($1::STRING[]))'],
    ['SELECT "a" FROM unnest($1::STRING[]) AS u("a")'],
  ),
  pattern(
    'cursor',
    'cursors only go forward, and only one portal is open at a time',
    /\bDECLARE\b|\bFETCH\b|\bSCROLL\b/,
    ['DECLARE c SCROLL CURSOR FOR SELECT 1'],
    ['SELECT "fetch"'],
  ),
  pattern(
    'internals',
    'crdb_internal and the system database are closed by default',
    /\b(CRDB_INTERNAL|SYSTEM)\s*\./,
    ['SELECT "name" FROM crdb_internal.tables', 'SELECT "id" FROM system.users'],
    ['SELECT "crdb_internal"', 'SELECT "system".pg_catalog.x'],
  ),
  pattern(
    'empty catalogue',
    'the catalogue is missing or always empty',
    /\bPG_(STATS|STATISTIC\w*|STAT_\w+|STATIO_\w+|REPLICATION_\w+|PUBLICATION\w*|SUBSCRIPTION\w*|PREPARED_STATEMENTS)\b|\bRELTUPLES\b/,
    [
      'SELECT "n" FROM pg_stats',
      'SELECT reltuples FROM pg_catalog.pg_class',
      'SELECT 1 FROM pg_catalog.pg_publication',
    ],
    ['SELECT 1 FROM pg_catalog.pg_class'],
  ),
  pattern(
    'sequence',
    'a serial column has no sequence of its own',
    /\b(NEXTVAL|SETVAL|CURRVAL|PG_GET_SERIAL_SEQUENCE)\b|\b(BIG|SMALL)?SERIAL\d?\b/,
    [`SELECT nextval('t_id_seq')`, 'CREATE TABLE "d"."s"."t" ("a" BIGSERIAL)'],
    ['SELECT "serial"', 'CREATE TABLE "d"."s"."t" ("serial" INT8)'],
  ),
  pattern(
    'change of type',
    'the type of a column cannot be changed at will',
    /\bALTER COLUMN\b.*\b(SET DATA )?TYPE\b/,
    ['ALTER TABLE "d"."s"."t" ALTER COLUMN "a" TYPE INT8'],
    ['ALTER TABLE "d"."s"."t" ALTER COLUMN "type" DROP NOT NULL'],
  ),
  pattern(
    'truncate',
    'TRUNCATE is a change of the schema, and commits what came before it',
    /\bTRUNCATE\b/,
    ['TRUNCATE "d"."s"."t"'],
    ['DELETE FROM "d"."s"."truncate" WHERE true'],
  ),
  pattern(
    'time travel parameter',
    'the time of AS OF SYSTEM TIME cannot be a parameter',
    /\bAS OF SYSTEM TIME \$/,
    ['SELECT 1 AS OF SYSTEM TIME $1'],
    [`SELECT 1 AS OF SYSTEM TIME '-5s'`],
  ),
  pattern(
    'integer width',
    'an INT is 64 bits wide there',
    /\b(INT|INTEGER)\b/,
    ['CREATE TABLE "d"."s"."t" ("a" INT)', 'SELECT $1::integer'],
    ['SELECT $1::INT8', 'SELECT "int"'],
  ),
  pattern(
    'bit operation',
    'bit operators bind in another order, and shifts do not wrap around',
    /<<|>>|~(?!\*?\s*'')|(?<![-#])#(?![->])/,
    ['SELECT 1 << 2', 'SELECT ~1 + 2', 'SELECT 1 # 2'],
    [`SELECT "a" ~ '^x'`, `SELECT "a" #> '{a}'`],
  ),
  pattern(
    'division',
    'integers divide to decimals',
    /(?<!::(DECIMAL|FLOAT8?|NUMERIC))\s\/|\/\s(?![^\s,]*::(DECIMAL|FLOAT8?|NUMERIC))/,
    ['SELECT 5 / 2', 'SELECT count(*) / 2::DECIMAL'],
    ['SELECT 1::DECIMAL / count(*)::DECIMAL'],
  ),
  pattern(
    'index name',
    'the names of indexes belong to their tables, so that IF NOT EXISTS means another thing',
    /\bCREATE (UNIQUE )?INDEX IF NOT EXISTS\b/,
    ['CREATE INDEX IF NOT EXISTS "i" ON "d"."s"."t" ("a")'],
    ['CREATE UNIQUE INDEX ON "d"."s"."t" ("a")'],
  ),
  pattern('DO block', 'PL/pgSQL is a part of itself there', /^\s*DO\b/, ['DO $$BEGIN END$$'], ['SELECT "do"']),
  pattern(
    'star',
    'a prepared SELECT * fails once a column is added',
    /\bSELECT (\w+\.|"[^"]*"\.)?\*|\bRETURNING \*/,
    ['SELECT * FROM "d"."s"."t"', 'SELECT t.* FROM "d"."s"."t" AS t'],
    ['SELECT count(*) FROM "d"."s"."t"'],
  ),
  pattern(
    'key of JSON',
    'JSONB cannot be a key',
    /\bJSONB?\s+(NOT NULL )?(PRIMARY KEY|UNIQUE)\b/,
    ['CREATE TABLE "d"."s"."t" ("a" JSONB PRIMARY KEY)'],
    ['CREATE TABLE "d"."s"."t" ("a" JSONB NOT NULL)'],
  ),
];
