import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Charsets } from '../../src/sources/mysql/charsets.ts';
import type { Connection } from '../../src/sources/mysql/connection.ts';
import { TupleWriter } from '../../src/changes/tuple-writer.ts';
import { type MysqlFlavour, type MysqlServer, startMysql } from '../servers/mysql.ts';

/** Characters that libraries and servers know differently, and others that none gets wrong. */
const SAMPLES = [
  'plain text',
  '¢£¥¬‖−〜～＼',
  "‘’ʽʼ'‾¯",
  'äöüßÄÖÜ¤€',
  'Привет, мир',
  'ｱｲｳ日本語',
  '漢字中文',
  '한국어똠',
  'שלום',
  'สวัสดี',
  'ՀայաստանՙΩμέγα',
];

async function rowsOf<Row>(connection: Connection, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  const [rows] = await connection.query(sql, [...values]);
  return rows as Row[];
}

for (const flavour of ['mysql', 'mariadb', 'mariadb-11'] as const satisfies MysqlFlavour[]) {
  let server: MysqlServer;

  before(async () => {
    server = await startMysql({ flavour });
  });

  after(() => server.stop());

  test(`${flavour}: text of every character set becomes what the server itself makes of it`, async () => {
    const connection = await server.connect();
    const charsets = await Charsets.load(() => server.connect());
    try {
      const sets = await rowsOf<{ name: string }>(
        connection,
        "SELECT CHARACTER_SET_NAME AS name FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME <> 'binary'",
      );
      for (const { name } of sets) {
        const charset = name === 'utf8' ? 'utf8mb3' : name;
        await charsets.prepare(charset);
        const convert = charsets.converter(charset);
        assert.ok(convert, charset);
        for (const sample of SAMPLES) {
          // What the charset lacks becomes a question mark on the way in, as for any client.
          const [{ bytes, text }] = await rowsOf<{ bytes: string; text: string }>(
            connection,
            `SELECT HEX(CONVERT(? USING ${name})) AS bytes, CONVERT(CONVERT(? USING ${name}) USING utf8mb4) AS text`,
            [sample, sample],
          );
          const input = Buffer.from(bytes, 'hex');
          const out = new TupleWriter();
          assert.equal(convert(input, 0, input.length, out), -1, `${charset} ${bytes}`);
          assert.equal(out.buffer.toString('utf8', 0, out.length), text, charset);
        }
      }
    } finally {
      await connection.end();
    }
  });

  test(`${flavour}: collations are known by their numbers`, async () => {
    const connection = await server.connect();
    const charsets = await Charsets.load(() => server.connect());
    try {
      // MariaDB's newest collations have their numbers in this view only.
      const view = flavour === 'mysql' ? 'COLLATIONS' : 'COLLATION_CHARACTER_SET_APPLICABILITY';
      const [rows] = await connection.query(
        `SELECT ID AS id, CHARACTER_SET_NAME AS name FROM information_schema.${view} WHERE ID IS NOT NULL`,
      );
      const collations = rows as { id: number | string; name: string }[];
      assert.ok(collations.length > 200);
      for (const { id, name } of collations) assert.equal(charsets.charsetOf(Number(id)), name, String(id));
      const builtIn = new Charsets();
      for (const { id, name } of collations) {
        assert.ok([name, undefined].includes(builtIn.charsetOf(Number(id))), `${id} is ${name}`);
      }
    } finally {
      await connection.end();
    }
  });
}
