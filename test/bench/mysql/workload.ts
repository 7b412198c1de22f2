import type { Connection } from 'mysql2/promise';
import type pg from 'pg';

/** The source, and a replica of it. The same eight columns as the PostgreSQL workload's, in MySQL's types. */
export const SOURCE_TABLES = `
  CREATE TABLE item (id BIGINT PRIMARY KEY, a INT, b VARCHAR(64), c DECIMAL(12,2), d JSON, e BINARY(16), f TIMESTAMP(6), g BOOLEAN);
  CREATE TABLE marker (id BIGINT PRIMARY KEY);
`;

/** What Instar replicates into. */
export const TARGET_TABLES = `
  create table item (id bigint primary key, a integer, b text, c numeric, d jsonb, e uuid, f timestamptz, g boolean);
  create table marker (id bigint primary key);
`;

/** A row of `item` for the number `i`: `b` takes 20 to 40 bytes. */
const row = (i: string) => `
  ${i}, ${i} % 1000, SUBSTR(SHA2(${i}, 256), 1, 20 + ${i} % 21), ${i} % 100000 / 100,
  JSON_OBJECT('number', ${i}, 'tags', JSON_ARRAY('a', 'b')), UUID_TO_BIN(UUID()), NOW(6), ${i} % 2 = 0`;

/** Six in ten transactions insert a row, three update one, one deletes the oldest: each statement is a transaction. */
export const SMALL_TRANSACTIONS = `
  CREATE PROCEDURE small_transactions(transactions INT)
  BEGIN
    DECLARE i, oldest, next BIGINT DEFAULT 1;
    WHILE i <= transactions DO
      IF i % 10 < 6 OR next - oldest < 2 THEN
        INSERT INTO item VALUES (${row('next')});
        SET next = next + 1;
      ELSEIF i % 10 < 9 THEN
        UPDATE item SET a = a + 1, f = NOW(6) WHERE id = oldest + (i * 7919) % (next - oldest);
      ELSE
        DELETE FROM item WHERE id = oldest;
        SET oldest = oldest + 1;
      END IF;
      SET i = i + 1;
    END WHILE;
  END`;

/** Inserts rows `first` to `last` with one statement, in one transaction. */
export async function insertRows(source: Connection, first: number, last: number): Promise<void> {
  await source.query('SET SESSION cte_max_recursion_depth = 4294967295');
  await source.query(
    `INSERT INTO item WITH RECURSIVE numbers (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM numbers WHERE i < ?)
       SELECT ${row('i')} FROM numbers`,
    [first, last],
  );
}

/** Inserts and commits one row. */
export async function insertItem(source: Connection, id: number): Promise<void> {
  await source.execute(
    `INSERT INTO item VALUES (?, 1, 'a text of about thirty bytes', 12.5, '{"tags": ["a"]}', UUID_TO_BIN(UUID()), NOW(6), TRUE)`,
    [id],
  );
}

/** The last transaction of a workload: a row that is looked for at the target, and the number of its GTID. */
export interface Marker {
  readonly id: number;
  readonly gno: bigint;
}

/** Commits a marker row; nobody else may write to the source. */
export async function commitMarker(source: Connection, id: number): Promise<Marker> {
  await source.query('INSERT INTO marker VALUES (?)', [id]);
  return { id, gno: await newestGno(source) };
}

/** The number of the last transaction that began at this server. */
export async function newestGno(source: Connection): Promise<bigint> {
  const [rows] = await source.query('SELECT @@gtid_executed AS executed');
  const [{ executed }] = rows as { executed: string }[];
  const last = /(\d+)$/.exec(executed);
  if (last === null) throw new Error(`the source has executed no transaction: ${executed}`);
  return BigInt(last[1]);
}

/**
 * Number of rows and a digest of all their columns that does not depend on their order, the same at both sides: CRC-32 of
 * the columns' texts.
 */
export async function sourceFingerprint(source: Connection): Promise<string> {
  const [rows] = await source.query(
    `SELECT COUNT(*) AS n, SUM(CRC32(CONCAT_WS('|', id, a, b, c, CAST(d AS CHAR), LOWER(HEX(e)), f, g))) AS digest FROM item`,
  );
  const [{ n, digest }] = rows as { n: number; digest: string | null }[];
  return `${n} rows, digest ${digest}`;
}

/** The target's side of `sourceFingerprint`. */
export async function targetFingerprint(target: pg.Client): Promise<string> {
  const { rows } = await target.query<{ n: string; digest: string | null }>(
    `select count(*) as n, sum(crc32(convert_to(concat_ws('|', id, a, b, c, d, replace(e::text, '-', ''),
              to_char(f at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), g::integer), 'UTF8'))) as digest from item`,
  );
  return `${rows[0].n} rows, digest ${rows[0].digest}`;
}
