import { ACCOUNTS, KEYS } from './mysql-workload-tables.ts';
import type { Dice, Step } from './workload-steps.ts';

const key = (dice: Dice) => 1 + dice.roll(KEYS);
const word = (dice: Dice) =>
  dice.pick([`w${dice.roll(10_000)}`, `é${dice.roll(100)}`, `it\\'s "x" \\\\ ${dice.roll(9)}`]);
const large = (dice: Dice) => `REPEAT('${word(dice)}', ${dice.pick([3, 40, 900])})`;
const region = (dice: Dice) => dice.pick(['eu', 'us', 'asia']);
const customer = (dice: Dice) => `region = '${region(dice)}' AND id = ${key(dice)}`;

/** Moves money: the sum of all balances is 0 in every state that is a prefix of the history. */
const transfer: Step = (dice) => {
  const amount = 1 + dice.roll(100);
  const from = 1 + dice.roll(ACCOUNTS);
  const to = 1 + ((from + dice.roll(ACCOUNTS - 1)) % ACCOUNTS);
  return [
    `UPDATE account SET balance = balance - ${amount} WHERE id = ${Math.min(from, to)}`,
    `UPDATE account SET balance = balance + ${amount} WHERE id = ${Math.max(from, to)}`,
  ];
};

/** Passes a unique value on. */
const handle: Step = (dice) => {
  const [one, two] = [1 + dice.roll(ACCOUNTS), 1 + dice.roll(ACCOUNTS)];
  return [
    `UPDATE account SET handle = NULL WHERE id = ${one}`,
    `UPDATE account SET handle = 'h${one}' WHERE id = ${two}`,
    `UPDATE account SET handle = 'h${two}' WHERE id = ${one}`,
  ];
};

const customers: Step = (dice) => {
  const insert = `INSERT IGNORE INTO customer VALUES ('${region(dice)}', ${key(dice)}, '${word(dice)}', ${large(dice)})`;
  return dice.pick([
    [insert],
    [insert],
    [`UPDATE customer SET name = '${word(dice)}' WHERE ${customer(dice)}`],
    [`UPDATE customer SET profile = ${large(dice)} WHERE ${customer(dice)}`],
    [`REPLACE INTO customer VALUES ('${region(dice)}', ${key(dice)}, '${word(dice)}', NULL)`],
    [`UPDATE IGNORE customer SET id = ${1000 + dice.roll(1000)} WHERE ${customer(dice)}`],
    [`DELETE FROM customer WHERE ${customer(dice)}`],
  ]);
};

const purchases: Step = (dice) => {
  const id = key(dice);
  const insert = `INSERT IGNORE INTO purchase SELECT ${id}, region, id, ${dice.roll(1000)}.5, ${large(dice)} FROM customer
    WHERE region = '${region(dice)}' ORDER BY ABS(CAST(id AS SIGNED) - ${key(dice)}), id LIMIT 1`;
  return dice.pick([
    [insert],
    [insert],
    [`UPDATE purchase SET total = total + 1 WHERE id = ${id}`],
    [`UPDATE purchase SET note = ${large(dice)} WHERE id = ${id}`],
    [`UPDATE IGNORE purchase SET id = ${key(dice)} WHERE id = ${id}`],
    [`DELETE FROM purchase WHERE id = ${id}`],
    [`DELETE FROM purchase WHERE id = ${id}`, insert],
  ]);
};

const documents: Step = (dice) => {
  const id = `${dice.pick([0n, 18446744073709550000n]) + BigInt(key(dice))}`;
  const meta = `JSON_OBJECT('n', ${dice.roll(100)}, 'w', '${word(dice)}', 'list', JSON_ARRAY(1, 2.5, NULL, true))`;
  const insert = `INSERT IGNORE INTO document (id, title, body, picture, meta, changed) VALUES
    (${id}, '${word(dice)}', ${large(dice)}, UNHEX(SHA2('${word(dice)}', 512)), ${meta}, NOW(6))`;
  return dice.pick([
    [insert],
    [insert, `UPDATE document SET title = '${word(dice)}' WHERE id = ${id}`],
    [`INSERT IGNORE INTO document (id) VALUES (${id})`],
    [`UPDATE document SET revision = revision + 1 WHERE id = ${id}`],
    [`UPDATE document SET body = ${large(dice)}, revision = revision + 1 WHERE id = ${id}`],
    [`UPDATE document SET meta = JSON_SET(meta, '$.n', ${dice.roll(1000)}) WHERE id = ${id}`],
    [`UPDATE document SET picture = NULL WHERE id = ${id}`, `UPDATE document SET title = 'after' WHERE id = ${id}`],
    [`UPDATE IGNORE document SET id = ${key(dice)} WHERE id = ${id}`],
    [`UPDATE document SET revision = revision + 1 WHERE id % 10 = ${dice.roll(10)}`],
    [`DELETE FROM document WHERE id = ${id}`],
    [`DELETE FROM document WHERE id = ${id}`, insert],
    [insert, `DELETE FROM document WHERE id = ${id}`],
  ]);
};

/** A table without a key, with equal rows. */
const bag: Step = (dice) => {
  const a = dice.roll(5);
  const insert = `INSERT INTO bag VALUES (${a}, ${dice.pick([`'x'`, 'NULL', `'y'`])}, ${dice.pick(['1.0', '2.125', 'NULL'])})`;
  return dice.pick([
    [insert],
    [insert, insert],
    [`UPDATE bag SET b = 'changed' WHERE a = ${a} LIMIT 1`],
    [`UPDATE bag SET a = ${dice.roll(5)}, b = NULL WHERE a = ${a} LIMIT 1`],
    [`DELETE FROM bag WHERE a = ${a} LIMIT 1`],
    ['UPDATE bag SET c = 1.0 WHERE a = 3', `DELETE FROM bag WHERE a = ${a} LIMIT 1`],
    ['DELETE FROM bag WHERE a = 4'],
  ]);
};

const bulk: Step = (dice) => {
  const start = dice.roll(20) * 1000;
  // Both products end a recursion after 1000 rounds.
  const rows = 3 * (100 + dice.roll(700));
  const numbers = `(WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${rows / 3})
    SELECT 3 * n - k AS n FROM n, (SELECT 0 AS k UNION ALL SELECT 1 UNION ALL SELECT 2) AS three) AS s`;
  const insert = `INSERT INTO ledger SELECT ${start} + n, n % 40, n / 3.0, CONCAT('note ', n), NOW(6) FROM ${numbers}
    ON DUPLICATE KEY UPDATE amount = ledger.amount + 1`;
  return dice.pick([
    [insert],
    [insert, 'SAVEPOINT part', `UPDATE ledger SET note = 'undone' WHERE id > ${start}`, 'ROLLBACK TO part'],
    [`UPDATE ledger SET amount = amount + 1, note = NULL WHERE id BETWEEN ${start} AND ${start + rows}`],
    [`UPDATE IGNORE ledger SET id = id + 1000000 WHERE id BETWEEN ${start} AND ${start + 200}`],
    [`DELETE FROM ledger WHERE id BETWEEN ${start} AND ${start + rows}`],
    ['DELETE FROM ledger WHERE id > 1000000'],
  ]);
};

/** Up to tens of thousands of rows each, some megabytes. */
export const LARGE_TRANSACTION = [
  `INSERT INTO ledger SELECT 2000000 + n.n * 30 + m.n, n.n % 40, n.n / 3.0, REPEAT(SHA2(n.n, 256), 3), NOW(6)
    FROM (WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 799) SELECT n FROM n) AS n,
         (WITH RECURSIVE m (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM m WHERE n < 29) SELECT n FROM m) AS m
    ON DUPLICATE KEY UPDATE amount = ledger.amount + 1`,
  'UPDATE ledger SET amount = amount + 1, account = account + 1 WHERE id > 2000000',
  'DELETE FROM ledger WHERE id > 2000000 AND id % 2 = 0',
] as const;

/** A table that knows no transactions. MySQL with GTIDs wants such statements to stand alone. */
export const journal: Step = (dice) => {
  const id = key(dice);
  return dice.pick([
    [`INSERT IGNORE INTO journal VALUES (${id}, '${word(dice)}')`],
    [`UPDATE journal SET v = '${word(dice)}' WHERE id = ${id}`],
    [`DELETE FROM journal WHERE id = ${id}`],
    [`REPLACE INTO journal VALUES (${id}, '${word(dice)}'), (${key(dice)}, '${word(dice)}')`],
  ]);
};

const drifting: Step = (dice) => {
  const id = key(dice);
  return dice.pick([
    [`INSERT IGNORE INTO drifting (id, base) VALUES (${id}, '${word(dice)}')`],
    [`UPDATE drifting SET base = '${word(dice)}' WHERE id = ${id}`],
    [`UPDATE IGNORE drifting SET id = ${key(dice)} WHERE id = ${id}`],
    [`DELETE FROM drifting WHERE id = ${id}`],
  ]);
};

/** Steps as often as they are drawn; each is part of a transaction. */
export const MYSQL_STEPS: readonly Step[] = [
  ...Array<Step>(5).fill(transfer),
  ...Array<Step>(2).fill(handle),
  ...Array<Step>(4).fill(customers),
  ...Array<Step>(5).fill(purchases),
  ...Array<Step>(6).fill(documents),
  ...Array<Step>(3).fill(bag),
  ...Array<Step>(2).fill(drifting),
  bulk,
];

/** Statements that end the transaction before them and are one of their own. */
export const truncate: Step = (dice) => {
  const values = Array.from({ length: 5 + dice.roll(10) }, (_, i) => `(${i + 1}, '${word(dice)}')`).join(', ');
  return dice.pick([['TRUNCATE TABLE scratch'], [`INSERT IGNORE INTO scratch VALUES ${values}`]]);
};

/** What a session may say of how its changes are logged; MariaDB knows the row image only. */
export function loggingSettings(dice: Dice, mariadb: boolean): string[] {
  const image = dice.pick(['FULL', 'MINIMAL', 'NOBLOB']);
  const settings = [`SET SESSION binlog_row_image = ${image}`];
  if (mariadb) return settings;
  settings.push(`SET SESSION binlog_transaction_compression = ${dice.pick(['ON', 'OFF'])}`);
  settings.push(`SET SESSION binlog_row_value_options = '${image === 'FULL' ? dice.pick(['PARTIAL_JSON', '']) : ''}'`);
  return settings;
}
