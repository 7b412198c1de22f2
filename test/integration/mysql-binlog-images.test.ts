import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TargetColumnFacts } from '../../src/changes/table.ts';
import { OperatorError } from '../../src/errors.ts';
import type { BinlogReaderParts } from '../../src/sources/mysql/binlog/binlog-reader.ts';
import { readRowBody, rowEventKind } from '../../src/sources/mysql/binlog/row-events.ts';
import { Charsets } from '../../src/sources/mysql/charsets.ts';
import { Definitions } from '../../src/sources/mysql/definitions.ts';
import { capture, NO_CATALOGUE, opener, ReaderRig, unsealedBody } from '../harness/binlog.ts';
import { MYSQL_FLAVOURS, type MysqlServer, startMysql } from '../servers/mysql.ts';

const FACTS: TargetColumnFacts = { kind: 'other', array: false, nullable: true };

/** Columns that the servers compute for each row, or take from the statement: they are in every image. */
const COMPUTED = [
  'id INT AUTO_INCREMENT PRIMARY KEY',
  'now_at DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6)',
  'summed INT DEFAULT (1 + 1)',
  'kept INT AS (given + 1) STORED',
  'given INT',
];

/** Columns with constant defaults, and the text that SELECT shows of them. */
const CONSTANT = [
  'i TINYINT DEFAULT -128',
  'j SMALLINT UNSIGNED DEFAULT 65535',
  'k MEDIUMINT DEFAULT -8388608',
  'l INT UNSIGNED DEFAULT 4294967295',
  'm BIGINT DEFAULT -9223372036854775808',
  'n BIGINT UNSIGNED DEFAULT 18446744073709551615',
  'o DECIMAL(30,12) DEFAULT -123456789012345678.000000000001',
  'p DECIMAL(5,0) DEFAULT 99999',
  'q DOUBLE DEFAULT 0.1',
  'r FLOAT DEFAULT -1.5',
  "s VARCHAR(20) DEFAULT 'it''s \\\\ größe 😀?'",
  "t CHAR(5) CHARACTER SET latin1 DEFAULT 'größe'",
  "u ENUM('a','b','c\\'') DEFAULT 'c\\''",
  "v SET('a','b','c') DEFAULT 'a,c'",
  "w DATE DEFAULT '2024-02-29'",
  "x DATETIME(3) DEFAULT '1000-01-01 23:59:59.123'",
  "y TIMESTAMP(6) NULL DEFAULT '2038-01-19 03:14:07.999999'",
  "z TIME(2) DEFAULT '-838:59:58.99'",
  'aa YEAR DEFAULT 2155',
  "ab BIT(12) DEFAULT b'101'",
  "ac BINARY(4) DEFAULT 'ab'",
  "ad VARBINARY(9) DEFAULT X'00ff7f00'",
  'ae INT DEFAULT NULL',
  'af TEXT',
  'ag BLOB',
];

/** Without strict mode a row may leave out columns that must not be NULL: they take what is zero for their type. */
const IMPLICIT = [
  'ba INT NOT NULL',
  'bb DECIMAL(6,2) NOT NULL',
  'bc VARCHAR(5) NOT NULL',
  "bd ENUM('first','second') NOT NULL",
  "be SET('a') NOT NULL",
  'bf DOUBLE NOT NULL',
  'bg BIT(3) NOT NULL',
  'bh VARBINARY(3) NOT NULL',
  'bi TEXT NOT NULL',
  'bj TIME NOT NULL',
  'bk YEAR NOT NULL',
];

const nameOf = (column: string) => column.split(' ')[0];

for (const flavour of MYSQL_FLAVOURS) {
  test(`${flavour}: what binlog_row_image = MINIMAL leaves out of an INSERT`, async (t) => {
    const maria = flavour !== 'mysql';
    let server: MysqlServer;
    let parts: Partial<BinlogReaderParts>;
    before(async () => {
      server = await startMysql({ flavour });
      await server.createDatabase('shop');
      parts = {
        database: 'shop',
        definitions: new Definitions(opener(server)),
        charsets: await Charsets.load(opener(server)),
      };
    });
    after(() => server?.stop());

    const inserted = (table: string, columns: readonly string[], sql: string) =>
      capture(
        server,
        async (connection) => {
          await connection.query("SET time_zone = '+05:30'");
          await connection.query(`CREATE TABLE ${table} (${columns.join(', ')})`);
          await connection.query("SET SESSION binlog_row_image = MINIMAL, sql_mode = ''");
          await connection.query(sql);
        },
        'shop',
      );

    await t.test('constants are left out and nothing else; they are written', async () => {
      const columns = [...COMPUTED, ...CONSTANT, ...IMPLICIT];
      const events = await inserted('full', columns, 'INSERT INTO full (given) VALUES (7)');
      assert.deepEqual(presentColumns(events, columns.map(nameOf)), COMPUTED.map(nameOf));

      const rig = await new ReaderRig(maria ? 'mariadb' : 'mysql', parts).feed(events);
      const [{ changes }] = rig.sink.transactions;
      assert.deepEqual(changes[0].new, await shown(server, 'full', columns));
    });

    await t.test('an INSERT that names every column leaves nothing out, DEFAULT said or not', async () => {
      const columns = ['id INT PRIMARY KEY', 'a INT DEFAULT 5', "b VARCHAR(9) DEFAULT 'x'"];
      const events = await inserted('named', columns, 'INSERT INTO named (id, a, b) VALUES (1, DEFAULT, NULL)');
      assert.deepEqual(presentColumns(events, columns.map(nameOf)), ['id', 'a', 'b']);
      const rig = await new ReaderRig(maria ? 'mariadb' : 'mysql', parts).feed(events);
      assert.deepEqual(rig.changes, ['insert named ["1", "5", null]']);
    });

    await t.test('what a trigger sets is logged', async () => {
      await server.query('CREATE TABLE shop.watched (id INT PRIMARY KEY, a INT DEFAULT 5, b INT DEFAULT 6)');
      await server.query('CREATE TRIGGER shop.w BEFORE INSERT ON shop.watched FOR EACH ROW SET NEW.b = 60');
      const events = await capture(server, async (connection) => {
        await connection.query('SET SESSION binlog_row_image = MINIMAL');
        await connection.query('INSERT INTO shop.watched (id) VALUES (1)');
      });
      assert.deepEqual(presentColumns(events, ['id', 'a', 'b']), ['id', 'b']);
      const rig = await new ReaderRig(maria ? 'mariadb' : 'mysql', parts).feed(events);
      assert.deepEqual(rig.changes, ['insert watched ["1", "5", "60"]']);
    });

    await t.test('a row of nothing but defaults', async () => {
      const columns = ['a INT DEFAULT 5', "b VARCHAR(9) DEFAULT 'x'"];
      const events = await inserted('bare', columns, 'INSERT INTO bare VALUES ()');
      // MariaDB logs tables without a key whole.
      assert.deepEqual(presentColumns(events, ['a', 'b']), maria ? ['a', 'b'] : []);
      const rig = await new ReaderRig(maria ? 'mariadb' : 'mysql', parts).feed(events);
      assert.deepEqual(rig.changes, ['insert bare ["5", "x"]']);
    });

    await t.test('a table that is gone meanwhile: refused where the target needs the value', async () => {
      const events = await inserted(
        'gone',
        ['id INT PRIMARY KEY', 'a INT DEFAULT 5'],
        'INSERT INTO gone (id) VALUES (1)',
      );
      const rig = new ReaderRig(maria ? 'mariadb' : 'mysql', { ...parts, definitions: NO_CATALOGUE });
      rig.sink.targetColumns = ({ columns }) => columns.map(() => FACTS);
      await assert.rejects(rig.feed(events), refused('MYSQL_DEFAULT_UNKNOWN', /column a of shop\.gone/));
      const without = new ReaderRig(maria ? 'mariadb' : 'mysql', { ...parts, definitions: NO_CATALOGUE });
      await without.feed(events);
      assert.deepEqual(without.changes, ['insert gone ["1", null]']);
    });

    await t.test(
      'a virtual column: MySQL logs it; MariaDB does not, so the target has to compute it, too',
      async () => {
        const columns = ['id INT PRIMARY KEY', 'a INT', 'v INT AS (a * 2) VIRTUAL'];
        const events = await inserted('computed', columns, 'INSERT INTO computed (id, a) VALUES (1, 2)');
        const changed = await capture(server, async (connection) => {
          await connection.query('SET SESSION binlog_row_image = MINIMAL');
          await connection.query('UPDATE shop.computed SET a = 3');
        });
        for (const [log, line] of [
          [events, `insert computed ["1", "2", ${maria ? 'null' : '"4"'}]`],
          [changed, `update computed ["1", "3", ${maria ? '…' : '"6"'}]`],
        ] as const) {
          assert.deepEqual((await new ReaderRig(maria ? 'mariadb' : 'mysql', parts).feed(log)).changes, [line]);
          const ordinary = new ReaderRig(maria ? 'mariadb' : 'mysql', parts);
          ordinary.sink.targetColumns = ({ columns }) => columns.map(() => FACTS);
          if (maria)
            await assert.rejects(ordinary.feed(log), refused('MYSQL_GENERATED_MISSING', /column v of shop\.computed/));
          else assert.deepEqual((await ordinary.feed(log)).changes, [line]);
        }
      },
    );

    await t.test('MariaDB: an UPDATE that is logged in part may be a REPLACE, which is told of once', async () => {
      const events = await inserted('replaced', ['id INT PRIMARY KEY', 'a INT DEFAULT 5', 'b INT'], 'SELECT 1');
      const replaced = await capture(server, async (connection) => {
        await connection.query('INSERT INTO shop.replaced VALUES (1, 1, 1)');
        await connection.query('SET SESSION binlog_row_image = MINIMAL');
        await connection.query('REPLACE shop.replaced (id, b) VALUES (1, 2)');
        await connection.query('REPLACE shop.replaced (id, b) VALUES (1, 3)');
      });
      const rig = await new ReaderRig(maria ? 'mariadb' : 'mysql', parts).feed([...events, ...replaced]);
      const told = rig.log.lines.filter(({ message }) => /REPLACE sets to defaults/.test(message));
      if (maria) {
        assert.equal(rig.changes.at(-1), 'update replaced ["1", …, "3"]');
        assert.equal(told.length, 1);
        assert.match(told[0].message, /^shop\.replaced: /);
      } else {
        assert.equal(rig.changes.at(-1), 'update replaced ["1", "5", "3"]', 'MySQL logs the defaults that it sets');
        assert.equal(told.length, 0);
      }
    });
  });
}

test('a change of only a part of a JSON value is refused where the old value is not in the log', async (t) => {
  const server = await startMysql();
  t.after(() => server.stop());
  const events = await capture(server, async (connection) => {
    await connection.query('CREATE DATABASE shop');
    await connection.query('CREATE TABLE shop.docs (id INT PRIMARY KEY, doc JSON)');
    await connection.query(`INSERT INTO shop.docs VALUES (1, '{"a": 1, "long": "${'x'.repeat(100)}"}')`);
    await connection.query("SET SESSION binlog_row_image = MINIMAL, binlog_row_value_options = 'PARTIAL_JSON'");
    await connection.query("UPDATE shop.docs SET doc = JSON_SET(doc, '$.a', 2)");
  });
  await assert.rejects(new ReaderRig('mysql').feed(events), refused('MYSQL_PARTIAL_JSON', /column doc of shop\.docs/));
});

test('changes of rows without a key are refused where the log does not have all of the old row', async (t) => {
  const server = await startMysql();
  t.after(() => server.stop());
  const events = await capture(server, async (connection) => {
    await connection.query('CREATE DATABASE shop');
    await connection.query('SET SESSION sql_generate_invisible_primary_key = ON, binlog_row_image = MINIMAL');
    await connection.query('CREATE TABLE shop.words (word VARCHAR(9), more INT)');
    await connection.query("INSERT INTO shop.words VALUES ('a', 1)");
    await connection.query("UPDATE shop.words SET word = 'b'");
  });
  // The target has the generated key, or not.
  const keyed = new ReaderRig('mysql');
  keyed.sink.targetColumns = ({ columns }) => columns.map(() => FACTS);
  await keyed.feed(events);
  assert.equal(keyed.changes.at(-1), 'update words ["1", "b", …]');
  const keyless = new ReaderRig('mysql');
  keyless.sink.targetColumns = ({ columns }) => columns.map(({ name }) => (name === 'my_row_id' ? undefined : FACTS));
  await assert.rejects(keyless.feed(events), refused('MYSQL_OLD_ROW_INCOMPLETE', /shop\.words/));
});

function refused(code: string, pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof OperatorError && error.code === code && pattern.test(error.message);
}

/** Names of the columns that the only INSERT of a log holds. */
function presentColumns(events: readonly Buffer[], names: readonly string[]): string[] {
  for (const event of events) {
    const kind = rowEventKind(event[4]);
    if (kind === undefined) continue;
    const { present } = readRowBody(event[4], kind, ...unsealedBody(event));
    return names.filter((_, i) => (present[i >>> 3] >>> (i & 7)) & 1);
  }
  throw new Error('no rows');
}

/** The row of a table as its own server shows it. */
async function shown(server: MysqlServer, table: string, columns: readonly string[]): Promise<(string | null)[]> {
  const list = columns.map((column) => {
    const [name, type] = column.split(' ');
    if (/BLOB|BINARY/.test(type)) return `CONCAT('\\\\x', LOWER(HEX(${name})))`;
    const bits = /BIT\((\d+)\)/.exec(type)?.[1];
    if (bits !== undefined) return `LPAD(BIN(${name}), ${bits}, '0')`;
    if (type === 'YEAR') return `CAST(${name} + 0 AS CHAR)`;
    if (type.startsWith('TIMESTAMP')) return `CONCAT(${name}, '+00')`;
    return `CAST(${name} AS CHAR)`;
  });
  const connection = await server.connect('shop');
  try {
    await connection.query("SET time_zone = '+00:00'");
    const [rows] = await connection.query({ sql: `SELECT ${list.join(', ')} FROM ${table}`, rowsAsArray: true });
    return (rows as (string | null)[][])[0];
  } finally {
    await connection.end();
  }
}
