import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Connection } from 'mysql2/promise';
import { OperatorError } from '../../src/errors.ts';
import { Charsets } from '../../src/sources/mysql/charsets.ts';
import { Definitions } from '../../src/sources/mysql/definitions.ts';
import { capture, opener, ReaderRig } from '../harness/binlog.ts';
import { ReplayedTables } from '../harness/replayed-tables.ts';
import { seeded } from '../harness/seed.ts';
import { type MysqlFlavour, type MysqlServer, startMysql } from '../servers/mysql.ts';

interface Setup {
  readonly flavour: MysqlFlavour;
  readonly settings?: Readonly<Record<string, string>>;
  /** The log names columns and keys. */
  readonly named: boolean;
}

const SETUPS: readonly Setup[] = [
  { flavour: 'mysql', named: true },
  { flavour: 'mysql', settings: { binlog_row_metadata: 'MINIMAL' }, named: false },
  { flavour: 'mariadb', named: true },
  { flavour: 'mariadb-11', named: true },
  { flavour: 'mariadb-11', settings: { binlog_row_metadata: 'NO_LOG' }, named: false },
];

const TABLES = [
  `CREATE TABLE keyed (id INT PRIMARY KEY, a VARCHAR(40) DEFAULT 'it''s', b TEXT, c DECIMAL(10,3) DEFAULT 1.5,
     d DATETIME(6) DEFAULT '2024-02-29 23:59:59.000001', e ENUM('x','y','z') DEFAULT 'y', f INT NOT NULL DEFAULT -3,
     g TINYBLOB, h SET('p','q') NOT NULL DEFAULT 'p,q', i BIT(5) DEFAULT b'101', j JSON, k BINARY(4) DEFAULT 'ab')`,
  'CREATE TABLE keyless (x INT, y VARCHAR(20), z TEXT)',
  'CREATE TABLE pair (m INT, n VARCHAR(10), o INT DEFAULT 7, PRIMARY KEY (n, m))',
  'CREATE TABLE uniq (p INT NOT NULL UNIQUE, q TEXT, r INT)',
] as const;
const NAMES = ['keyed', 'keyless', 'pair', 'uniq'];

const small = fc.integer({ min: 1, max: 6 });
const text = fc.constantFrom("'x'", "'größe 😀'", 'NULL', "''", "'a long text that is no key'");
const json = fc.constantFrom('NULL', "'{}'", `'{"a": 1, "b": [1, 2, {"c": "d"}]}'`, `'[1, "two", null]'`);

/** Statements that may fail for a key that is there already; nothing of them is logged then. */
const statement = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(small, text)
      .map(([id, a]) => `INSERT INTO keyed (id, a) VALUES (${id}, ${a}), (${id + 6}, ${a})`),
  },
  small.map((id) => `INSERT INTO keyed (id) VALUES (${id})`),
  fc.tuple(small, text, json).map(([id, b, j]) => `REPLACE keyed (id, b, g, j) VALUES (${id}, ${b}, ${b}, ${j})`),
  fc.tuple(small, text).map(([id, a]) => `UPDATE keyed SET a = ${a}, f = f + 1 WHERE id <= ${id}`),
  fc.tuple(small, text).map(([id, b]) => `UPDATE keyed SET b = ${b}, e = 'z' WHERE id = ${id}`),
  small.map((id) => `UPDATE keyed SET j = JSON_SET(j, '$.a', ${id}, '$.b[1]', 'new') WHERE id <= ${id}`),
  fc.tuple(small, small).map(([id, to]) => `UPDATE keyed SET id = ${to}, c = c * 2 WHERE id = ${id}`),
  small.map((id) => `DELETE FROM keyed WHERE id >= ${id} ORDER BY id LIMIT 2`),
  fc
    .tuple(small, text)
    .map(
      ([x, y]) =>
        `INSERT INTO keyless (x, y) VALUES (${x}, 'same'), (NULL, 'y'), (${x}, 'same'), (2, ${y.slice(0, 15)}${y.length > 15 ? "'" : ''})`,
    ),
  fc.tuple(small, text).map(([x, z]) => `UPDATE keyless SET z = ${z}, x = ${x} ORDER BY x, y, z LIMIT 2`),
  small.map((x) => `DELETE FROM keyless WHERE x = ${x} LIMIT 1`),
  fc
    .tuple(small, small)
    .map(([m, n]) => `INSERT INTO pair (m, n) VALUES (${m}, '${n}') ON DUPLICATE KEY UPDATE o = o + 1`),
  fc.tuple(small, small).map(([m, n]) => `UPDATE pair SET n = '${n}' WHERE m = ${m} ORDER BY n LIMIT 1`),
  fc.tuple(small, text).map(([p, q]) => `REPLACE uniq VALUES (${p}, ${q}, 1)`),
  fc.tuple(small, small).map(([p, r]) => `UPDATE uniq SET r = ${r}, p = p + 3 WHERE p = ${p}`),
  fc.constantFrom('TRUNCATE keyless', 'DELETE FROM uniq'),
);

const image = fc.constantFrom('FULL', 'FULL', 'NOBLOB', 'MINIMAL');
const transaction = fc.record({
  image,
  compressed: fc.boolean(),
  /** MySQL: JSON is logged by its differences. MariaDB 11: new rows without what did not change. */
  partial: fc.boolean(),
  kind: fc.constantFrom(
    'single',
    'commit',
    'commit',
    'rollback',
    'savepoint',
    'temporary',
    'xaCommit',
    'xaRollback',
    'xaOnePhase',
  ),
  statements: fc.array(statement, { minLength: 1, maxLength: 4 }),
});
type Transaction = typeof transaction extends fc.Arbitrary<infer T> ? T : never;

/** What no seed may leave out: each kind of event that changes arrive in. */
const ALWAYS: readonly Transaction[] = [
  ...[false, true].map((compressed) => ({
    image: 'FULL' as const,
    compressed,
    partial: true,
    kind: 'commit' as const,
    statements: [
      `INSERT INTO keyed (id, a, j) VALUES (1, 'a long text that is no key', '{"a": 1, "b": [1, 2]}')`,
      "UPDATE keyed SET j = JSON_SET(j, '$.a', 2) WHERE id <= 6",
      'DELETE FROM keyed WHERE id >= 1 ORDER BY id LIMIT 2',
    ],
  })),
  {
    image: 'FULL' as const,
    compressed: false,
    partial: false,
    kind: 'xaCommit' as const,
    statements: ['INSERT INTO keyed (id) VALUES (2)'],
  },
];

async function attempt(connection: Connection, sql: string): Promise<void> {
  try {
    await connection.query(sql);
  } catch (error) {
    const { code } = error as { code?: string };
    if (!/DUP_ENTRY|XAER|TRUNCATED|DATA_TOO_LONG|WRONG_VALUE|INVALID_JSON|BAD_NULL/.test(String(code))) throw error;
  }
}

let xids = 0;

async function runTransaction(
  connection: Connection,
  flavour: MysqlFlavour,
  { image, compressed, partial, kind, statements }: Transaction,
): Promise<void> {
  const maria = flavour !== 'mysql';
  const brief = flavour === 'mariadb-11' && image === 'FULL' && partial;
  await connection.query(`SET SESSION binlog_row_image = ${brief ? 'FULL_NODUP' : image}`);
  if (maria) await connection.query(`SET GLOBAL log_bin_compress = ${compressed ? 'ON' : 'OFF'}`);
  else {
    await connection.query(`SET SESSION binlog_transaction_compression = ${compressed ? 'ON' : 'OFF'}`);
    // Only what changed, of a value that is not in the log, is refused.
    await connection.query(
      `SET SESSION binlog_row_value_options = '${partial && image === 'FULL' ? 'PARTIAL_JSON' : ''}'`,
    );
  }
  // TRUNCATE would end a transaction. What a REPLACE sets to defaults MariaDB does not log unless images are full.
  const alone = statements.filter(
    (sql) =>
      (kind === 'single' || !sql.startsWith('TRUNCATE')) &&
      (!maria || image === 'FULL' || !sql.startsWith('REPLACE keyed')),
  );
  const half = alone.length >> 1;
  const first = alone.slice(0, half);
  const second = alone.slice(half);
  const all = async (list: readonly string[]) => {
    for (const sql of list) await attempt(connection, sql);
  };
  if (kind.startsWith('xa')) {
    const xid = `'x${++xids}'`;
    await connection.query(`XA START ${xid}`);
    await all(alone);
    await connection.query(`XA END ${xid}`);
    if (kind === 'xaOnePhase') return void (await connection.query(`XA COMMIT ${xid} ONE PHASE`));
    await connection.query(`XA PREPARE ${xid}`);
    return void (await connection.query(`XA ${kind === 'xaCommit' ? 'COMMIT' : 'ROLLBACK'} ${xid}`));
  }
  if (kind === 'single') return all(alone);
  await connection.query('START TRANSACTION');
  await all(first);
  if (kind === 'savepoint' || kind === 'temporary') {
    await connection.query('SAVEPOINT here');
    // MariaDB then cannot take back what is in the log already, and logs the ROLLBACK TO.
    if (kind === 'temporary') await connection.query('CREATE TEMPORARY TABLE scratch (id INT)');
    await all(second);
    await connection.query('ROLLBACK TO here');
    await all(first);
  } else {
    await all(second);
  }
  await connection.query(kind === 'rollback' ? 'ROLLBACK' : 'COMMIT');
  await connection.query('DROP TEMPORARY TABLE IF EXISTS scratch');
}

for (const { flavour, settings, named } of SETUPS) {
  const label = `${flavour}${settings === undefined ? '' : ` with ${Object.entries(settings).join()}`}`;
  test(`${label}: whatever transactions are logged, their changes lead to what the source shows`, async (t) => {
    const maria = flavour !== 'mysql';
    let server: MysqlServer;
    let charsets: Charsets;
    before(async () => {
      server = await startMysql({ flavour, settings });
      charsets = await Charsets.load(opener(server));
      if (maria) await server.query('SET GLOBAL log_bin_compress_min_len = 10');
      await server.createDatabase('shop');
    });
    after(() => server?.stop());

    const counts: Record<string, number> = {};
    await t.test('random transactions', async (t) => {
      await fc.assert(
        fc.asyncProperty(fc.array(transaction, { minLength: 5, maxLength: 25 }), async (transactions) => {
          await server.query('DROP DATABASE shop; CREATE DATABASE shop CHARACTER SET utf8mb4');
          const events = await capture(
            server,
            async (connection) => {
              for (const table of TABLES) await connection.query(table);
              await connection.query(`SET sql_mode = ''`);
              for (const one of transactions) await runTransaction(connection, flavour, one);
            },
            'shop',
          );
          for (const event of events) counts[event[4]] = (counts[event[4]] ?? 0) + 1;
          const replayed = new ReplayedTables();
          const rig = await read(events, () => ({
            database: 'shop',
            definitions: new Definitions(opener(server)),
            fetchMetadata: !named,
            charsets,
          }));
          for (const { changes } of rig.sink.transactions) for (const change of changes) replayed.apply(change);
          const connection = await server.connect('shop');
          try {
            for (const name of NAMES) assert.deepEqual(replayed.rowsOf(name), await selected(connection, name), name);
          } finally {
            await connection.end();
          }
        }),
        { ...seeded(t, 12), examples: [[[...ALWAYS]]] },
      );
    });
    await t.test('what such logs consist of was there', () => {
      const wanted = maria ? [23, 24, 25, 166, 38, 162] : [30, 31, 32, 39, 40, 38, 33];
      for (const type of wanted) assert.ok((counts[type] ?? 0) > 0, `events of type ${type}`);
    });
  });

  function read(
    events: readonly Buffer[],
    parts: () => ConstructorParameters<typeof ReaderRig>[1],
  ): Promise<ReaderRig> {
    const gather = new Set<string>();
    const again = async (): Promise<ReaderRig> => {
      const rig = new ReaderRig(flavour === 'mysql' ? 'mysql' : 'mariadb', { ...parts(), gather });
      const known = gather.size;
      try {
        return await rig.feed(events);
      } catch (error) {
        const rereads = error instanceof OperatorError && error.code === 'MYSQL_REREAD' && gather.size > known;
        if (!rereads) throw error;
        return again();
      }
    };
    return again();
  }
}

/** The rows of a table, in the text of a target that has no types of its own. */
async function selected(connection: Connection, table: string): Promise<string[]> {
  const [columns] = await connection.query({ sql: `SHOW COLUMNS FROM ${table}`, rowsAsArray: true });
  const list = (columns as string[][]).map(([name, type]) => {
    if (/blob|binary/.test(type)) return `CONCAT('\\\\x', LOWER(HEX(${name})))`;
    if (/^bit/.test(type)) return `LPAD(BIN(${name}), 5, '0')`;
    return `CAST(${name} AS CHAR)`;
  });
  const [rows] = await connection.query({ sql: `SELECT ${list.join(', ')} FROM ${table}`, rowsAsArray: true });
  return (rows as (string | null)[][]).map((row) => JSON.stringify(row)).sort();
}
