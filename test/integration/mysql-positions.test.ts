import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { EventType } from '../../src/sources/mysql/binlog/event-types.ts';
import { GtidSet } from '../../src/sources/mysql/gtid-set.ts';
import { parseMysqlPosition, transactionsBetween } from '../../src/sources/mysql/positions.ts';
import { loggedEvents } from '../harness/mysql-log-files.ts';
import { type MysqlServer, sharedMysql } from '../servers/mysql.ts';

const A = '11111111-aaaa-4bbb-8ccc-dddddddddddd';
const B = 'f9999999-aaaa-4bbb-8ccc-dddddddddddd';

/** A range of transactions in one of the ways in which people write it. */
const range = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 9 }), fc.constantFrom('', ' ', '\n'))
  .map(([first, more, blank]) => (more === 0 ? `${first}${blank}` : `${blank}${first}${blank}-${first + more}`));

const entry = fc
  .tuple(
    fc.constantFrom(A, B, A.toUpperCase(), B.replaceAll('-', ''), `{${A}}`),
    fc.array(range, { maxLength: 4 }),
    fc.array(
      fc.tuple(fc.constantFrom('blue', 'Green', '_1', ' blue '), fc.array(range, { minLength: 1, maxLength: 3 })),
      {
        maxLength: 3,
      },
    ),
  )
  .filter(([, untagged, tagged]) => untagged.length + tagged.length > 0)
  .map(([uuid, untagged, tagged]) =>
    [uuid, ...untagged, ...tagged.flatMap(([tag, ranges]) => [tag, ...ranges])].join(':'),
  );

const setText = fc.array(entry, { maxLength: 5 }).map((entries) => entries.join(',\n'));

/** Texts that are no sets. */
const BROKEN = [
  'x',
  `${A}:`,
  `${A}:0`,
  `${A}:0-3`,
  `${A}:-3`,
  `${A}:1-`,
  `${A}:1::2`,
  `${A}:1 2`,
  `${A}:1;2`,
  `${A}:1-2-3`,
  `${A}:+1`,
  `${A}:0x5`,
  `${A}:9x:1`,
  `${A}:b-1:1`,
  `${A}:b$:1`,
  `${A}:${'a'.repeat(33)}:1`,
  `${A}:9223372036854775807`,
  '0-1-100',
  `${A.slice(0, 20)} ${A.slice(20)}:1`,
  A.replace('-', '').concat(':1'),
  `{${A}:1`,
  `+${A}:1`,
  `${A}:1\n${B}:2`,
];

async function one(server: MysqlServer, sql: string, params: readonly unknown[] = []): Promise<string> {
  const [row] = await server.query<{ answer: string | number }>(`SELECT ${sql} AS answer`, params);
  return String(row.answer);
}

describe('GTID sets and MySQL', () => {
  const shared = sharedMysql();

  test('sets are read, printed and reckoned with as the server does', async () => {
    const { server } = shared;
    const connection = await server.connect();
    const ask = async (sql: string, ...params: string[]) => {
      const [rows] = await connection.query(`SELECT ${sql} AS answer`, params);
      return String((rows as { answer: string | number }[])[0].answer).replaceAll('\n', '');
    };
    try {
      await fc.assert(
        fc.asyncProperty(setText, setText, async (left, right) => {
          const [a, b] = [GtidSet.parse(left), GtidSet.parse(right)];
          assert.equal(a.toString(), await ask("GTID_SUBTRACT(?, '')", left));
          assert.equal(a.subtract(b).toString(), await ask('GTID_SUBTRACT(?, ?)', left, right));
          assert.equal(String(Number(a.isSubsetOf(b))), await ask('GTID_SUBSET(?, ?)', left, right));
          assert.equal(a.union(b).toString(), await ask("GTID_SUBTRACT(CONCAT(?, ',', ?), '')", left, right));
        }),
        { numRuns: 150 },
      );
      for (const text of BROKEN) {
        await assert.rejects(ask("GTID_SUBTRACT(?, '')", text), /malformed/i, text);
        assert.throws(() => GtidSet.parse(text), { code: 'MYSQL_GTID_SYNTAX' }, text);
      }
      // What the server reads as nothing is refused here, as a replication would start from elsewhere by it.
      for (const text of [A, `${A}:5-3`, `${A}:blue`]) {
        assert.equal(await ask("GTID_SUBTRACT(?, '')", text), '');
        assert.throws(() => GtidSet.parse(text), { code: 'MYSQL_GTID_SYNTAX' }, text);
      }
    } finally {
      await connection.end();
    }
  });

  test('what the server says of itself is read and written as it is, in text and in bytes', async (context) => {
    const { server, name } = await shared.freshDatabase(context);
    await server.query(`CREATE TABLE ${name}.t (id INT AUTO_INCREMENT PRIMARY KEY)`);
    const own = await one(server, '@@server_uuid');
    const nexts = [
      'AUTOMATIC',
      'AUTOMATIC:blue',
      'AUTOMATIC:a_tag',
      `${A}:7`,
      `${A}:5`,
      `${A}:6`,
      `${B}:blue:9`,
      `${B}:2`,
    ];
    for (const next of [...nexts, 'AUTOMATIC:blue', 'AUTOMATIC']) {
      const insert = `INSERT INTO ${name}.t VALUES ()`;
      await server.query(`SET gtid_next = '${next}'; ${insert}; SET gtid_next = 'AUTOMATIC'`);
      await server.query('FLUSH BINARY LOGS');
    }
    const executed = await one(server, '@@GLOBAL.gtid_executed');
    const set = GtidSet.parse(executed);
    assert.equal(set.toString(), executed.replaceAll('\n', ''));
    assert.match(set.toString(), new RegExp(`${own}:1-\\d+:a_tag:1:blue:1-2`));
    assert.match(set.toString(), new RegExp(`${A}:5-7(,|$)`));
    assert.equal(parseMysqlPosition(executed).toString(), set.toString());

    // Each file begins with what came before it: in the form without tags until there are some.
    const files = (await loggedEvents(server)).filter(({ type }) => type === EventType.PREVIOUS_GTIDS);
    assert.equal(files.length, nexts.length + 3);
    const seen = files.map(({ body }) => GtidSet.decode(body, 0, body.length));
    for (const [i, { body }] of files.entries()) {
      const tagged = seen[i].toString().includes('blue');
      assert.equal(body[7] === 1, tagged);
      assert.deepEqual(seen[i].encode(), body);
      if (i > 0) assert.ok(seen[i - 1].isSubsetOf(seen[i]) && !seen[i].isSubsetOf(seen[i - 1]));
    }
    assert.equal(seen.at(-1)?.toString(), set.toString());

    const [{ Log_name }] = (await server.query<{ Log_name: string }>('SHOW BINARY LOGS')).slice(-3);
    await server.query(`PURGE BINARY LOGS TO '${Log_name}'`);
    const purged = await one(server, '@@GLOBAL.gtid_purged');
    const position = parseMysqlPosition(purged);
    assert.equal(position.toString(), purged.replaceAll('\n', ''));
    assert.ok(parseMysqlPosition(executed).covers(position) && !position.covers(parseMysqlPosition(executed)));
    const rest = await one(server, 'GTID_SUBTRACT(?, ?)', [executed, purged]);
    const left = GtidSet.parse(rest).count;
    assert.equal(transactionsBetween(position, parseMysqlPosition(executed)), Number(left));
  });
});

for (const flavour of ['mariadb', 'mariadb-11'] as const) {
  describe(`positions of ${flavour}`, () => {
    const shared = sharedMysql({ flavour });

    test('what the server says of itself is read and written as it is', async (context) => {
      const { server, name } = await shared.freshDatabase(context);
      await server.query(`CREATE TABLE ${name}.t (id INT AUTO_INCREMENT PRIMARY KEY)`);
      const positions = [];
      for (const [domain, id, sequence] of [
        [0, 1, 100],
        [7, 2, 5],
        [4294967295, 9, 1],
        [7, 3, 6],
        [10, 1, 2],
        [0, 4, 101],
      ]) {
        const settings = `SET gtid_domain_id = ${domain}, server_id = ${id}, gtid_seq_no = ${sequence}`;
        await server.query(`${settings}; INSERT INTO ${name}.t VALUES ()`);
        const text = await one(server, '@@GLOBAL.gtid_binlog_pos');
        const position = parseMysqlPosition(text);
        // The server prints its domains in no particular order.
        assert.deepEqual(position.toString().split(',').sort(), text.split(',').sort());
        assert.ok(text.split(',').includes(`${domain}-${id}-${sequence}`));
        positions.push(position);
        // What is printed here is a position to the server, and the same one.
        const [{ answer }] = await server.query<{ answer: string }>(
          `SET GLOBAL gtid_slave_pos = '${position}'; SELECT @@GLOBAL.gtid_slave_pos AS answer`,
        );
        assert.equal(parseMysqlPosition(answer).toString(), position.toString());
      }
      for (const [i, later] of positions.entries()) {
        for (const [j, earlier] of positions.entries()) assert.equal(later.covers(earlier), i >= j);
      }
      assert.equal(positions.at(-1)?.toString(), '0-4-101,7-3-6,10-1-2,4294967295-9-1');
      assert.equal(transactionsBetween(positions[0], positions[5]), 1 + 6 + 1 + 2);
    });
  });
}
