// Makes the captures in this folder anew, from real servers: node test/unit/mysql/captures/make.ts
// The tests beside them say what is in them; both have to change together.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { capture } from '../../../harness/binlog.ts';
import { type MysqlFlavour, startMysql } from '../../../servers/mysql.ts';

interface Capture {
  readonly flavour: MysqlFlavour;
  readonly settings?: Readonly<Record<string, string>>;
  /** Run before the log file begins. */
  readonly before?: readonly string[];
  readonly statements: readonly string[];
}

/** In front of statements for another connection. */
const ELSEWHERE = '/* another session */';

const ORDERS = 'CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(20), amount DECIMAL(8,2), doc JSON)';

const ROWS = [
  "INSERT INTO orders VALUES (1, 'one', 1.50, '{\"a\": 1}'), (2, NULL, -0.25, NULL)",
  "UPDATE orders SET note = 'uno' WHERE id = 1",
  'UPDATE orders SET id = 12, amount = NULL WHERE id = 2',
  'DELETE FROM orders WHERE id = 12',
];

const XA = [
  "XA START 'kept'",
  "INSERT INTO orders (id, note) VALUES (20, 'prepared')",
  "XA END 'kept'",
  "XA PREPARE 'kept'",
  `${ELSEWHERE} INSERT INTO shop.orders (id, note) VALUES (21, 'in between')`,
  "XA COMMIT 'kept'",
  "XA START 'dropped', 'branch', 7",
  'INSERT INTO orders (id) VALUES (22)',
  "XA END 'dropped', 'branch', 7",
  "XA PREPARE 'dropped', 'branch', 7",
  "XA ROLLBACK 'dropped', 'branch', 7",
  "XA START 'short'",
  'INSERT INTO orders (id) VALUES (23)',
  "XA END 'short'",
  "XA COMMIT 'short' ONE PHASE",
];

const CAPTURES: Readonly<Record<string, Capture>> = {
  mysql: {
    flavour: 'mysql',
    statements: [
      'CREATE DATABASE shop',
      'USE shop',
      ORDERS,
      ...ROWS,
      'START TRANSACTION',
      'INSERT INTO orders (id) VALUES (3)',
      'SAVEPOINT here',
      'INSERT INTO orders (id) VALUES (4)',
      'UPDATE orders SET amount = 7',
      'COMMIT',
      'CREATE TABLE plain (line TEXT, at DATETIME(3)) ENGINE=MyISAM',
      "INSERT INTO plain VALUES ('no key', '2024-02-29 01:02:03.456')",
      "UPDATE plain SET line = 'changed'",
      'DELETE FROM plain',
      'CREATE TABLE copied AS SELECT id, note FROM orders',
      'TRUNCATE copied',
      'DROP TABLE copied',
      ...XA,
      'SET SESSION binlog_row_image = MINIMAL',
      "UPDATE orders SET note = 'minimal' WHERE id = 3",
      'DELETE FROM orders WHERE id = 4',
      'INSERT INTO orders (id) VALUES (5)',
      'SET SESSION binlog_row_image = FULL',
      'SET SESSION binlog_rows_query_log_events = ON',
      "SET SESSION gtid_next = 'AUTOMATIC:batch'",
      "INSERT INTO orders (id, note) VALUES (6, 'tagged')",
      "SET SESSION gtid_next = 'AUTOMATIC'",
      'SET SESSION sql_generate_invisible_primary_key = ON',
      'CREATE TABLE keyless (word VARCHAR(10))',
      "INSERT INTO keyless VALUES ('hidden')",
      "CREATE USER someone IDENTIFIED BY 'a secret'",
      'CREATE DATABASE elsewhere',
      'CREATE TABLE elsewhere.t (id INT PRIMARY KEY)',
      'INSERT INTO elsewhere.t VALUES (1)',
    ],
  },
  'mysql-payload': {
    flavour: 'mysql',
    before: ['CREATE DATABASE shop', `CREATE TABLE shop.${ORDERS.slice('CREATE TABLE '.length)}`],
    statements: [
      'USE shop',
      'SET SESSION binlog_transaction_compression = ON',
      ...ROWS,
      'SET SESSION binlog_row_value_options = PARTIAL_JSON',
      `UPDATE orders SET doc = '{"a": 1, "b": [1, 2, 3], "long": "${'x'.repeat(200)}"}'`,
      "UPDATE orders SET doc = JSON_SET(doc, '$.a', 2, '$.b[1]', 'two')",
      "UPDATE orders SET doc = JSON_REMOVE(doc, '$.long'), note = 'both'",
    ],
  },
  'mysql-minimal-metadata': {
    flavour: 'mysql',
    settings: { binlog_row_metadata: 'MINIMAL' },
    before: ['CREATE DATABASE shop', `CREATE TABLE shop.${ORDERS.slice('CREATE TABLE '.length)}`],
    statements: [
      'USE shop',
      ...ROWS,
      'ALTER TABLE orders ADD COLUMN more INT',
      'INSERT INTO orders (id, more) VALUES (5, 55)',
    ],
  },
  mariadb: {
    flavour: 'mariadb-11',
    statements: [
      'CREATE DATABASE shop',
      'USE shop',
      ORDERS,
      ...ROWS,
      'START TRANSACTION',
      'INSERT INTO orders (id) VALUES (3)',
      'SAVEPOINT here',
      'CREATE TEMPORARY TABLE scratch (id INT)',
      'INSERT INTO orders (id) VALUES (4)',
      'ROLLBACK TO here',
      'INSERT INTO orders (id) VALUES (5)',
      'COMMIT',
      'DROP TEMPORARY TABLE scratch',
      'CREATE TABLE plain (line TEXT, at DATETIME(3)) ENGINE=MyISAM',
      "INSERT INTO plain VALUES ('no key', '2024-02-29 01:02:03.456')",
      'CREATE TABLE copied AS SELECT id, note FROM orders',
      'TRUNCATE copied',
      ...XA,
      'CREATE SEQUENCE numbers',
      'SELECT NEXTVAL(numbers)',
      'SET GLOBAL log_bin_compress = ON, log_bin_compress_min_len = 10',
      `INSERT INTO orders (id, note) VALUES (30, '${'z'.repeat(20)}'), (31, '${'z'.repeat(20)}'), (32, '${'z'.repeat(20)}')`,
      `CREATE TABLE later (id INT PRIMARY KEY COMMENT '${'c'.repeat(100)}')`,
      'SET GLOBAL log_bin_compress = OFF',
      'SET gtid_domain_id = 7',
      'INSERT INTO later VALUES (1)',
      'SET SESSION binlog_alter_two_phase = ON',
      'ALTER TABLE later ADD COLUMN more INT',
      'INSERT INTO later VALUES (2, 2)',
    ],
  },
};

const wanted = process.argv.slice(2);
for (const [name, { flavour, settings, before = [], statements }] of Object.entries(CAPTURES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const server = await startMysql({ flavour, settings });
  try {
    for (const statement of before) await server.query(statement);
    const events = await capture(server, async (connection) => {
      for (const statement of statements) {
        await (statement.startsWith(ELSEWHERE) ? server.query(statement) : connection.query(statement));
      }
    });
    const file = path.join(import.meta.dirname, `${name}.binlog`);
    writeFileSync(file, Buffer.concat([Buffer.from([0xfe, 0x62, 0x69, 0x6e]), ...events]));
    console.log(`${name}: ${events.length} events`);
  } finally {
    await server.stop();
  }
}
