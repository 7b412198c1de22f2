import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { parseMysqlConnectionString } from '../../src/config/mysql-connection.ts';
import { EventBytes } from '../../src/sources/mysql/binlog/event-bytes.ts';
import { EventType } from '../../src/sources/mysql/binlog/event-types.ts';
import { readTableMap, type TableMap } from '../../src/sources/mysql/binlog/table-map.ts';
import { Charsets } from '../../src/sources/mysql/charsets.ts';
import { connect } from '../../src/sources/mysql/connection.ts';
import {
  type ColumnDefinition,
  Definitions,
  isNewerThan,
  misfit,
  type TableDefinition,
} from '../../src/sources/mysql/definitions.ts';
import { parseMysqlPosition } from '../../src/sources/mysql/positions.ts';
import { ColumnType } from '../../src/sources/mysql/values/column.ts';
import { COMPUTED_OF, DEFAULTS, DEFAULTS_OF, TYPES, TYPES_OF } from '../harness/mysql-column-samples.ts';
import { loggedEvents } from '../harness/mysql-log-files.ts';
import { MYSQL_FLAVOURS, type MysqlServer, sharedMysql, type TestMysqlDatabase } from '../servers/mysql.ts';

const TABLE_ID = 6;

function definitionsOf(uri: string): Definitions {
  const description = parseMysqlConnectionString(uri, 'sourceConn');
  return new Definitions(() => connect(description));
}

async function definitionOf({ server, name }: TestMysqlDatabase, table: string): Promise<TableDefinition> {
  const definition = await definitionsOf(server.uri()).read(name, table);
  assert.ok(definition, table);
  return definition;
}

/** What the log said last of each table of a database. */
async function loggedTables({ server, name }: TestMysqlDatabase): Promise<Map<string, TableMap>> {
  const flavour = server.flavour === 'mysql' ? 'mysql' : 'mariadb';
  const maps = (await loggedEvents(server))
    .filter(({ type }) => type === EventType.TABLE_MAP)
    .map(({ body }) => readTableMap(new EventBytes('TABLE_MAP', body, TABLE_ID, body.length), flavour));
  return new Map(maps.filter(({ database }) => database === name).map((map) => [map.name, map]));
}

async function makeTable(database: TestMysqlDatabase, columns: readonly string[]): Promise<void> {
  await database.query(`SET sql_mode = ''; CREATE TABLE t (${columns.join(', ')})`);
}

/** The SQL by which a stored value shows itself as a default does. */
function shown({ name, column }: ColumnDefinition): string {
  const quoted = `\`${name}\``;
  if (column.type === ColumnType.bit) return `LPAD(BIN(${quoted}), ${column.meta}, '0') AS ${quoted}`;
  const text = /^(?:uuid|inet)/.test(column.declared ?? '');
  return column.charset === 'binary' && !text
    ? `CONCAT('\\\\x', LOWER(HEX(${quoted}))) AS ${quoted}`
    : `CAST(${quoted} AS CHAR) AS ${quoted}`;
}

function same(text: string | null, stored: unknown, { column }: ColumnDefinition): boolean {
  if (text === null || stored === null) return text === stored;
  const number =
    column.charset === undefined && /^-?[\d.]+(?:e[+-]?\d+)?$/i.test(text) && column.type !== ColumnType.bit;
  return text === String(stored) || (number && Number(text) === Number(stored));
}

/** Waits for the server's clock to come to the next second; returns that second. */
async function nextSecond(server: MysqlServer): Promise<number> {
  const connection = await server.connect();
  try {
    const now = async () => {
      const [rows] = await connection.query('SELECT UNIX_TIMESTAMP() AS now');
      return Number((rows as { now: string | number }[])[0].now);
    };
    const before = await now();
    for (;;) {
      const after = await now();
      if (after > before) return after;
    }
  } finally {
    await connection.end();
  }
}

async function setUp(shared: ReturnType<typeof sharedMysql>, context: TestContext) {
  return shared.freshDatabase({ after: (done) => context.after(done) });
}

for (const flavour of MYSQL_FLAVOURS) {
  describe(`table definitions of ${flavour}`, () => {
    const shared = sharedMysql({ flavour });
    const mariadb = flavour !== 'mysql';

    test('columns are described as the log describes them', async (context) => {
      const database = await setUp(shared, context);
      await makeTable(database, ['id INT NOT NULL PRIMARY KEY', ...TYPES, ...TYPES_OF[flavour]]);
      await database.query('INSERT INTO t (id, tiu) VALUES (1, 1)');
      const definition = await definitionOf(database, 't');
      const map = (await loggedTables(database)).get('t');
      assert.ok(map?.full);
      assert.deepEqual(definition.primaryKey, ['id']);
      const charsets = await Charsets.load(() => database.server.connect());
      for (const [i, logged] of map.columns.entries()) {
        const { column, name } = definition.columns[i];
        assert.equal(name, logged.name);
        assert.deepEqual([column.type, column.meta], [logged.type, logged.meta], `${name} ${column.declared}`);
        assert.equal(column.nullable, logged.nullable, name);
        if (logged.unsigned !== undefined) assert.equal(column.unsigned, logged.unsigned, name);
        if (logged.collation !== undefined && column.type !== ColumnType.geometry) {
          assert.equal(column.charset, charsets.charsetOf(logged.collation), `${name} ${column.declared}`);
        }
        assert.deepEqual(column.members, logged.members?.map(String), name);
      }
      assert.equal(misfit(definition, map.columns), undefined);
      const flagged = (is: (column: ColumnDefinition) => boolean) =>
        definition.columns.filter(is).map(({ name }) => name);
      assert.deepEqual(
        flagged(({ generated }) => generated),
        ['gv', 'gs'],
      );
      assert.deepEqual(
        flagged(({ virtual }) => virtual),
        ['gv'],
      );
      assert.deepEqual(
        flagged(({ invisible }) => invisible),
        ['inv'],
      );
      assert.deepEqual(
        flagged(({ key }) => key),
        ['id'],
      );
    });

    test('the key is the one that the server logs', async (context) => {
      const database = await setUp(shared, context);
      const tables: Readonly<Record<string, string>> = {
        in_order_of_creation: 'a INT NOT NULL, b INT NOT NULL, UNIQUE zz (b), UNIQUE aa (a)',
        nullable: 'a INT NOT NULL, b INT NOT NULL, c INT, UNIQUE aa (c), UNIQUE zz (a, b), UNIQUE bb (b)',
        prefix: 'a INT NOT NULL, b VARCHAR(20) NOT NULL, UNIQUE aa (b(5)), UNIQUE zz (b)',
        prefix_only: 'a INT NOT NULL, b VARCHAR(20) NOT NULL, UNIQUE aa (b(5))',
        primary_prefix: 'a INT NOT NULL, b VARCHAR(20) NOT NULL, PRIMARY KEY (b(5), a)',
        primary_order: 'b INT NOT NULL, a INT NOT NULL, UNIQUE aa (b), PRIMARY KEY (a, b)',
        nothing: 'a INT, b INT, UNIQUE (a)',
        computed: 'a INT NOT NULL, v INT AS (a + 1) VIRTUAL, b INT NOT NULL, UNIQUE aa (v), UNIQUE bb (b)',
        ordinary_first: 'a INT NOT NULL, b INT NOT NULL, KEY aa (a), UNIQUE bb (b), UNIQUE ab (a)',
        without_transactions: 'a INT NOT NULL, b INT NOT NULL, UNIQUE bb (b), UNIQUE aa (a)',
      };
      for (const [name, columns] of Object.entries(tables)) {
        const engine = name === 'without_transactions' ? 'ENGINE = MyISAM' : '';
        await database.query(`CREATE TABLE ${name} (${columns}) ${engine}`);
        await database.query(`INSERT INTO ${name} (a, b) VALUES (1, 1)`);
      }
      const maps = await loggedTables(database);
      for (const name of Object.keys(tables)) {
        const map = maps.get(name);
        assert.ok(map, name);
        const { primaryKey } = await definitionOf(database, name);
        assert.deepEqual(
          primaryKey,
          map.key.map((i) => map.columns[i].name ?? ''),
          name,
        );
      }
      const all = await definitionsOf(database.url).readAll(database.name);
      assert.deepEqual(
        all.map(({ name }) => name),
        Object.keys(tables).sort(),
      );
    });

    test('defaults are what a row gets that does not name the column', async (context) => {
      const database = await setUp(shared, context);
      const constants = [...DEFAULTS, ...(DEFAULTS_OF[mariadb ? 'mariadb' : 'mysql'] ?? [])];
      const computed = COMPUTED_OF[mariadb ? 'mariadb' : 'mysql'];
      const columns = ['id INT PRIMARY KEY AUTO_INCREMENT', 'a INT NOT NULL', ...constants, ...computed];
      // Of another time zone than the one in which it is read.
      await database.query(
        `SET sql_mode = '', time_zone = '+05:00'; CREATE TABLE t (${columns.join(', ')}, g INT AS (a) VIRTUAL)`,
      );
      await database.query("SET sql_mode = '', time_zone = '+00:00'; INSERT INTO t (a) VALUES (1)");
      const definition = await definitionOf(database, 't');
      const known = definition.columns.filter(({ constantDefault }) => constantDefault !== undefined);
      assert.deepEqual(
        known.map(({ name }) => name),
        constants.map((text) => text.split(' ')[0]),
      );
      const [row] = await database.query(`SELECT ${known.map(shown).join(', ')} FROM t`);
      for (const column of known) {
        const { constantDefault = null, name, type } = column;
        assert.ok(
          same(constantDefault, row[name], column),
          `${name} ${type}: ${constantDefault} instead of ${row[name]}`,
        );
      }
      const without = definition.columns.filter(({ hasDefault }) => !hasDefault).map(({ name }) => name);
      assert.deepEqual(without, ['a', 'nu', 'nn', 'tx', 'g']);
    });

    test('a default that the user may not ask for is unknown, and not taken for none', async (context) => {
      const database = await setUp(shared, context);
      await database.query(
        `CREATE TABLE t (id INT PRIMARY KEY, plain VARCHAR(9) NOT NULL DEFAULT 'x', bytes VARBINARY(9) NOT NULL DEFAULT x'00ff')`,
      );
      const user = `blind_${database.name}`;
      await database.query(
        `CREATE USER ${user}@'%' IDENTIFIED BY ''; GRANT INSERT ON ${database.name}.t TO ${user}@'%'`,
      );
      const definition = await definitionsOf(database.server.uri('', { user })).read(database.name, 't');
      const defaults = definition?.columns.map(({ hasDefault, constantDefault }) => [hasDefault, constantDefault]);
      assert.deepEqual(defaults, [
        [false, undefined],
        [true, 'x'],
        [true, undefined],
      ]);
    });

    test('members that the catalogue cannot print are unknown', async (context) => {
      const database = await setUp(shared, context);
      await database.query(
        `CREATE TABLE t (wide ENUM('a','😀'), latin ENUM('a?','b') CHARACTER SET latin1, plain SET('a','日本'))`,
      );
      const { columns } = await definitionOf(database, 't');
      assert.deepEqual(
        columns.map(({ column }) => column.members),
        [undefined, ['a?', 'b'], ['a', '日本']],
      );
      assert.equal(columns[0].column.meta, 1);
    });

    test('tables whose names differ in capitals or accents are not mixed up, and views are none', async (context) => {
      const database = await setUp(shared, context);
      await database.query(
        'CREATE TABLE Item (x INT PRIMARY KEY); CREATE TABLE item (y INT PRIMARY KEY); CREATE TABLE `ïtem` (z INT PRIMARY KEY);' +
          "CREATE TABLE `a``b \"c` (id INT PRIMARY KEY, v VARBINARY(3) DEFAULT x'00'); CREATE VIEW looks AS SELECT 1",
      );
      const definitions = definitionsOf(database.url);
      const look = async (name: string) =>
        (await definitions.read(database.name, name))?.columns.map((column) => column.name);
      assert.deepEqual(await look('Item'), ['x']);
      assert.deepEqual(await look('item'), ['y']);
      assert.deepEqual(await look('ïtem'), ['z']);
      assert.deepEqual(await look('a`b "c'), ['id', 'v']);
      assert.equal(definitions.get(database.name, 'a`b "c')?.columns[1].constantDefault, '\\x00');
      for (const name of ['ITEM', 'looks', 'nothing', 'item ']) assert.equal(await look(name), undefined, name);
      const all = await definitions.readAll(database.name);
      assert.deepEqual(new Set(all.map(({ name }) => name)), new Set(['Item', 'item', 'ïtem', 'a`b "c']));
      for (const { name, columns } of all) assert.equal(columns.length, name.startsWith('a') ? 2 : 1, name);
      const databases = (await definitions.readAll(undefined)).map((table) => table.database);
      assert.ok(databases.includes(database.name) && !databases.includes('mysql') && !databases.includes('sys'));
    });

    test('they are kept until they are invalidated', async (context) => {
      const database = await setUp(shared, context);
      await database.query('CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE u (id INT PRIMARY KEY)');
      const definitions = definitionsOf(database.url);
      assert.equal(definitions.get(database.name, 't'), undefined);
      const t = await definitions.read(database.name, 't');
      assert.equal(definitions.get(database.name, 't'), t);
      definitions.invalidate(database.name, 'u');
      definitions.invalidate('another');
      assert.equal(definitions.get(database.name, 't'), t);
      await database.query('ALTER TABLE t ADD x INT');
      definitions.invalidate(database.name, 't');
      assert.equal(definitions.get(database.name, 't'), undefined);
      assert.equal((await definitions.read(database.name, 't'))?.columns.length, 2);
      for (const forget of [() => definitions.invalidate(database.name), () => definitions.invalidate()]) {
        await definitions.readAll(database.name);
        assert.ok(definitions.get(database.name, 'u'));
        forget();
        assert.equal(definitions.get(database.name, 'u'), undefined);
      }
    });

    test('what was logged before columns changed their types is told apart', async (context) => {
      const database = await setUp(shared, context);
      await database.query('CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(10), b INT); INSERT INTO t VALUES (1, 1, 1)');
      const before = (await loggedTables(database)).get('t')?.columns ?? [];
      const alterations: readonly (readonly [string, RegExp | undefined])[] = [
        ['ADD c INT', /it has 4 columns now, and had 3/],
        ['DROP c', undefined],
        ['MODIFY a VARCHAR(11)', /its column a is varchar\(11\) now/],
        ['MODIFY a VARCHAR(10)', undefined],
        ['MODIFY b INT NOT NULL', /its column b/],
        ['MODIFY b BIGINT', /its column b/],
        ['MODIFY b INT AFTER id', /its column b/],
      ];
      for (const [alteration, problem] of alterations) {
        await database.query(`ALTER TABLE t ${alteration}`);
        const found = misfit(await definitionOf(database, 't'), before);
        if (problem === undefined) assert.equal(found, undefined, alteration);
        else assert.match(found ?? '', problem, alteration);
      }
    });

    test('a definition says as of when it is, and whether the table was altered since a change', async (context) => {
      const database = await setUp(shared, context);
      const { server } = database;
      await database.query('CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)');
      const executed = mariadb ? '@@GLOBAL.gtid_binlog_pos' : '@@GLOBAL.gtid_executed';
      const position = async () => {
        const [{ here }] = await server.query<{ here: string }>(`SELECT ${executed} AS here`);
        return parseMysqlPosition(here);
      };
      for (const alteration of [
        'RENAME COLUMN a TO c',
        'ADD d INT',
        'MODIFY b INT AFTER id',
        'ALTER b SET DEFAULT 1',
        'DROP d',
      ]) {
        const second = await nextSecond(server);
        const before = await position();
        await database.query(`ALTER TABLE t ${alteration}`);
        const definition = await definitionOf(database, 't');
        assert.ok(definition.asOf.covers(await position()) && !before.covers(definition.asOf));
        if (mariadb) {
          assert.equal(definition.altered, undefined);
          assert.equal(isNewerThan(definition, 0), false);
          continue;
        }
        assert.ok(isNewerThan(definition, second * 1e6 - 1), alteration);
        // A row that is written by this definition is never refused, not even in the same second.
        await database.query('REPLACE INTO t (id) VALUES (1)');
        const [{ now }] = await server.query<{ now: string }>('SELECT UNIX_TIMESTAMP(NOW(6)) AS now');
        assert.ok(!isNewerThan(definition, Math.floor(Number(now) * 1e6)), alteration);
      }
    });
  });
}
