import { after, describe, test } from 'node:test';
import { assertExactlyEqual } from '../harness/mysql-exact.ts';
import { MysqlReplica } from '../harness/mysql-replica.ts';
import { MYSQL_FLAVOURS, sharedMysql } from '../servers/mysql.ts';
import { sharedServer } from '../servers/postgres.ts';

const ROW_IMAGES = ['FULL', 'NOBLOB', 'MINIMAL'] as const;

for (const flavour of MYSQL_FLAVOURS) {
  const mariadb = flavour !== 'mysql';

  describe(`rows of ${flavour}`, () => {
    const cleanups: (() => void | Promise<void>)[] = [];
    // Registered before the servers' own hooks, so that it runs before them.
    after(async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    });
    const source = sharedMysql({ flavour });
    const target = sharedServer();

    /** A replica of the tables, with the replicator at work. */
    async function replicating(
      sourceSchema: readonly string[],
      targetSchema: readonly string[],
      flags: readonly string[] = [],
    ): Promise<MysqlReplica> {
      const end = { after: (action: () => void | Promise<void>) => void cleanups.push(action) };
      const replica = await MysqlReplica.create(end, source.server, target.server, {
        sourceSchema: sourceSchema.join(';\n'),
        targetSchema: targetSchema.join(';\n'),
      });
      await replica.start(flags);
      await replica.source.query(`SET SESSION sql_mode = '', time_zone = '+00:00'`);
      return replica;
    }

    /** Runs the statements one after the other, then waits, compares everything and ends the replicator. */
    async function replicated(replica: MysqlReplica, statements: readonly string[]): Promise<void> {
      for (const statement of statements) await replica.source.query(statement);
      await compared(replica);
      await replica.engine?.kill();
    }

    async function compared(replica: MysqlReplica, timeout?: number): Promise<void> {
      await replica.settle(timeout);
      await assertExactlyEqual(replica.source, replica.target, { mariadb });
    }

    for (const image of ROW_IMAGES) {
      test(`columns that an INSERT does not name, and computed ones, row image ${image}`, async () => {
        const json = mariadb ? `LONGTEXT DEFAULT '{"a": 1}'` : `JSON DEFAULT ('{"a": 1}')`;
        // MariaDB does not log virtual columns in the image MINIMAL: then the target has to compute them too.
        const computed =
          mariadb && image === 'MINIMAL'
            ? ', twice int generated always as (seven * 2) stored, thrice int generated always as (seven * 3) stored'
            : ', twice int, thrice int';
        const replica = await replicating(
          [
            `CREATE TABLE d (id INT AUTO_INCREMENT PRIMARY KEY, plain INT, seven INT DEFAULT 7, big BIGINT UNSIGNED DEFAULT 18446744073709551615,
               word VARCHAR(20) DEFAULT 'it''s "x" \\\\', blank VARCHAR(5) DEFAULT '', price DECIMAL(10,4) DEFAULT 1.5, ratio DOUBLE DEFAULT 0.1,
               bits BIT(5) DEFAULT b'101', raw VARBINARY(4) DEFAULT 0x00FF, fixed BINARY(3) DEFAULT 'a', mood ENUM('sad','ok') DEFAULT 'ok',
               many SET('a','b','c') DEFAULT 'a,c', born DATE DEFAULT '2000-01-02', at DATETIME(3) DEFAULT '2000-01-02 03:04:05.678',
               made DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6), stamp TIMESTAMP(6) NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
               span TIME DEFAULT '-12:30:00', y YEAR DEFAULT 1999, doc ${json}, expr VARCHAR(40) DEFAULT (CONCAT('n', 1 + 1)),
               strict INT NOT NULL, text_strict VARCHAR(9) NOT NULL, note TEXT,
               twice INT AS (seven * 2) VIRTUAL, thrice INT AS (seven * 3) STORED)`,
          ],
          [
            `create table d (id int primary key, plain int, seven int, big numeric(20), word text, blank text, price numeric, ratio double precision,
               bits bit(5), raw bytea, fixed bytea, mood text, many text, born date, at timestamp, made timestamp, stamp timestamptz,
               span interval, y int, doc jsonb, expr text, strict int not null, text_strict text not null, note text${computed})`,
          ],
          mariadb ? ['--fetchMetadata'] : [],
        );
        await replicated(replica, [
          `SET SESSION binlog_row_image = ${image}`,
          'INSERT INTO d (plain) VALUES (1), (2), (3), (4)',
          'INSERT INTO d () VALUES (), ()',
          `INSERT INTO d (word, seven) VALUES ('named', NULL), (NULL, 8)`,
          'INSERT INTO d (id, note, strict) VALUES (100, NULL, 5)',
          'UPDATE d SET plain = 9 WHERE id = 1',
          'UPDATE d SET seven = 70 WHERE id = 2',
          `UPDATE d SET note = 'long', id = 200 WHERE id = 3`,
          `REPLACE INTO d (id, word) VALUES (4, 'replaced'), (300, 'new')`,
          `INSERT INTO d (id, plain) VALUES (4, 1), (301, 1) ON DUPLICATE KEY UPDATE plain = 77, word = 'updated'`,
          'DELETE FROM d WHERE id = 5',
        ]);
      });

      test(`a key that moves, swaps and is reused, statements over many rows, row image ${image}`, async () => {
        const replica = await replicating(
          [
            'CREATE TABLE k (a INT, b VARCHAR(10), v TEXT, n INT, PRIMARY KEY (b, a))',
            'CREATE TABLE parent (id INT PRIMARY KEY, v TEXT)',
            `CREATE TABLE child (id INT PRIMARY KEY, parent INT, v TEXT, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
            `CREATE TABLE part (id INT PRIMARY KEY, v TEXT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN MAXVALUE)`,
            'CREATE TABLE uniq (id INT NOT NULL UNIQUE, other INT UNIQUE, v TEXT)',
            'CREATE TABLE bag (a INT, b TEXT, c DOUBLE)',
          ],
          [
            'create table k (a int, b text, v text, n int, primary key (b, a))',
            'create table parent (id int primary key, v text)',
            // MySQL 9.6 and later log what a foreign key changes, the child before the parent.
            `create table child (id int primary key, v text, parent int references parent on delete cascade on update cascade
               deferrable initially deferred)`,
            'create table part (id int primary key, v text)',
            'create table uniq (id int primary key, other int unique, v text)',
            'create table bag (a int, b text, c double precision)',
          ],
        );
        await replicated(replica, [
          `SET SESSION binlog_row_image = ${image}`,
          `INSERT INTO k VALUES (1, 'x', 'one', 1), (2, 'x', 'two', 2), (3, 'y', NULL, 3)`,
          `UPDATE k SET a = 10 WHERE a = 1`,
          `BEGIN; UPDATE k SET a = 99 WHERE a = 2; UPDATE k SET a = 2 WHERE a = 10; UPDATE k SET a = 10 WHERE a = 99; COMMIT`,
          `UPDATE k SET b = CONCAT(b, b), v = 'moved' ORDER BY a DESC`,
          `BEGIN; DELETE FROM k WHERE a = 3; INSERT INTO k VALUES (3, 'yy', 'again', 4); UPDATE k SET v = NULL WHERE a = 3; COMMIT`,
          `INSERT INTO parent VALUES (1, 'p'), (2, 'q'), (3, 'r')`,
          `INSERT INTO child VALUES (1, 1, 'c'), (2, 1, 'd'), (3, 2, 'e'), (4, 3, 'f')`,
          'DELETE FROM parent WHERE id = 1',
          'UPDATE parent SET id = 20 WHERE id = 2',
          `UPDATE parent JOIN child ON child.parent = parent.id SET parent.v = 'both', child.v = 'both'`,
          `INSERT INTO part VALUES (1, 'low'), (200, 'high')`,
          'UPDATE part SET id = id + 150 WHERE id = 1',
          'UPDATE part SET id = 5 WHERE id = 200',
          `INSERT INTO uniq VALUES (1, 10, 'a'), (2, 20, 'b')`,
          `BEGIN; UPDATE uniq SET other = NULL WHERE id = 1; UPDATE uniq SET other = 10 WHERE id = 2; UPDATE uniq SET other = 20 WHERE id = 1; COMMIT`,
          `INSERT INTO bag VALUES (1, 'x', 0.1), (1, 'x', 0.1), (NULL, NULL, NULL), (2, REPEAT('b', 300), 1e100)`,
          'UPDATE bag SET c = 0.2 WHERE a = 1 LIMIT 1',
          'DELETE FROM bag WHERE a IS NULL OR a = 2',
          `BEGIN; INSERT INTO k VALUES (50, 'z', 'kept', 1); SAVEPOINT s; INSERT INTO k VALUES (51, 'z', 'gone', 1); ROLLBACK TO s; UPDATE k SET n = 5 WHERE a = 50; COMMIT`,
          `BEGIN; DELETE FROM k; ROLLBACK`,
        ]);
      });
    }

    if (!mariadb) {
      for (const image of ['FULL', 'NOBLOB'] as const) {
        test(`JSON documents of which only parts are logged, row image ${image}`, async () => {
          const replica = await replicating(
            ['CREATE TABLE j (id INT PRIMARY KEY, a JSON, b JSON, n INT)'],
            ['create table j (id int primary key, a jsonb, b text, n int)'],
          );
          await replicated(replica, [
            `SET SESSION binlog_row_image = ${image}, binlog_row_value_options = PARTIAL_JSON`,
            `INSERT INTO j VALUES (1, '{"a": 1, "b": [1, 2, {"c": "x"}], "long": "${'y'.repeat(200)}"}', '{"k": 1.0, "s": "t"}', 1), (2, '[1, 2, 3]', NULL, 2), (3, NULL, '{}', 3)`,
            `UPDATE j SET a = JSON_SET(a, '$.a', 2) WHERE id = 1`,
            `UPDATE j SET a = JSON_SET(a, '$.b[2].c', JSON_OBJECT('deep', CAST(1 AS UNSIGNED))), b = JSON_REMOVE(b, '$.s') WHERE id = 1`,
            `UPDATE j SET a = JSON_ARRAY_INSERT(a, '$[1]', 'new'), n = 20 WHERE id = 2`,
            `UPDATE j SET b = JSON_SET(b, '$.x', 1, '$.y', JSON_ARRAY()) WHERE id = 3`,
            `UPDATE j SET a = JSON_REPLACE(a, '$.long', 'short'), b = JSON_REPLACE(b, '$.k', 18446744073709551615) WHERE id = 1`,
            `UPDATE j SET n = n + 1`,
            `UPDATE j SET a = JSON_SET(a, '$.a', 3), a = JSON_SET(a, '$.z', NULL) WHERE id = 1`,
          ]);
        });
      }

      test('a table whose primary key is of the server’s own making', async () => {
        const replica = await replicating(
          [],
          ['create table g (v text, n int)', 'create table h (v text, n int, my_row_id bigint primary key)'],
        );
        await replicated(replica, [
          'SET SESSION sql_generate_invisible_primary_key = ON',
          'CREATE TABLE g (v TEXT, n INT)',
          'CREATE TABLE h (v TEXT, n INT)',
          ...['g', 'h'].flatMap((table) => [
            `INSERT INTO ${table} VALUES ('a', 1), ('a', 1), ('b', 2)`,
            `UPDATE ${table} SET n = 5 WHERE v = 'b'`,
            `DELETE FROM ${table} WHERE v = 'a' LIMIT 1`,
          ]),
        ]);
      });
    }

    test('names of tables and columns that have to be quoted', async () => {
      const replica = await replicating(
        [
          'CREATE TABLE `Weird "Name` (`Id` INT PRIMARY KEY, `a b` INT, `select` TEXT, `tick``ed` TEXT, `ünï` TEXT, `q"uote` INT)',
          'CREATE TABLE `order` (`key` INT PRIMARY KEY, `group` INT)',
        ],
        [
          'create table "Weird ""Name" ("Id" int primary key, "a b" int, "select" text, "tick`ed" text, "ünï" text, "q""uote" int)',
          'create table "order" ("key" int primary key, "group" int)',
        ],
      );
      await replicated(replica, [
        `INSERT INTO \`Weird "Name\` VALUES (1, 2, 's', 't', 'ü', 3), (2, 2, 's', 't', 'ü', 3)`,
        `UPDATE \`Weird "Name\` SET \`tick\`\`ed\` = 'x', \`Id\` = 5 WHERE \`Id\` = 1`,
        'INSERT INTO `order` VALUES (1, 1), (2, 2)',
        'DELETE FROM `order` WHERE `key` = 1',
      ]);
    });

    // Once for each product is enough for what takes this long.
    for (const compressed of flavour === 'mariadb' ? [] : [false, true]) {
      test(`rows of more than 16 MiB, and 200,000 rows at once${compressed ? ', compressed' : ''}`, async () => {
        const replica = await replicating(
          [
            'CREATE TABLE big (id INT PRIMARY KEY, v LONGTEXT, raw LONGBLOB, n INT)',
            'CREATE TABLE many (id INT PRIMARY KEY, v VARCHAR(50), n DECIMAL(10, 2), at DATETIME(6))',
          ],
          [
            'create table big (id int primary key, v text, raw bytea, n int)',
            'create table many (id int primary key, v text, n numeric(10, 2), at timestamp)',
          ],
        );
        const rows = (first: number, last: number) =>
          `INSERT INTO many WITH RECURSIVE s (i) AS (SELECT ${first} UNION ALL SELECT i + 1 FROM s WHERE i < ${last})
             SELECT i, CONCAT('row ', i), i / 4, '2024-01-01' + INTERVAL i SECOND FROM s`;
        await replica.source.query(
          mariadb
            ? `SET GLOBAL log_bin_compress = ${compressed ? 'ON' : 'OFF'}; SET SESSION max_recursive_iterations = 1000000`
            : `SET SESSION binlog_transaction_compression = ${compressed ? 'ON' : 'OFF'}, cte_max_recursion_depth = 1000000`,
        );
        for (const statement of [
          // Not of one letter, so that there is something left when it is compressed.
          `INSERT INTO big SELECT 1, REPEAT(CONCAT(UUID(), RAND(), 'ü'), 320000), NULL, 1`,
          `INSERT INTO big SELECT 2, 'small', REPEAT(UNHEX(REPLACE(UUID(), '-', '')), 1100000), 2`,
          'UPDATE big SET n = n + 1',
          `UPDATE big SET v = CONCAT('x', v) WHERE id = 1`,
          rows(1, 200_000),
          'BEGIN',
          `UPDATE many SET v = CONCAT(v, '!') WHERE id % 2 = 0`,
          'DELETE FROM many WHERE id % 3 = 0',
          rows(200_001, 230_000),
          'UPDATE many SET id = id + 1000000 WHERE id > 220000',
          'COMMIT',
          'DELETE FROM big WHERE id = 1',
        ]) {
          await replica.source.query(statement);
        }
        await compared(replica, 120_000);
        await replica.engine?.kill();
        if (mariadb) await replica.source.query('SET GLOBAL log_bin_compress = OFF');
      });
    }

    test('new log files, another checksum, logs removed behind the reader', async () => {
      const replica = await replicating(
        ['CREATE TABLE r (id INT PRIMARY KEY, v TEXT)'],
        ['create table r (id int primary key, v text)'],
      );
      for (let round = 0; round < 6; round++) {
        await replica.source.query(`INSERT INTO r VALUES (${round}, 'before'), (${100 + round}, 'x')`);
        await replica.source.query(`SET GLOBAL binlog_checksum = ${round % 2 === 0 ? 'NONE' : 'CRC32'}`);
        await replica.source.query(`UPDATE r SET v = 'after' WHERE id = ${round}`);
        await replica.source.query('FLUSH BINARY LOGS');
        await replica.settle();
        const [logs] = await replica.source.query('SHOW BINARY LOGS');
        const newest = (logs as { Log_name: string }[]).at(-1)!.Log_name;
        await replica.source.query(`PURGE BINARY LOGS TO '${newest}'`);
      }
      // The engine that comes next has to begin in a log whose predecessors are gone.
      await replica.engine?.kill();
      await replica.source.query(`INSERT INTO r VALUES (1000, 'while it was down')`);
      await replica.start();
      await compared(replica);
    });
  });
}
