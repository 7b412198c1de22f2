import { after, before, describe, test } from 'node:test';
import { type MysqlTypeSample, samplesOf, TARGET_TYPES } from '../harness/mysql-type-samples.ts';
import { assertExactlyEqual } from '../harness/mysql-exact.ts';
import { MysqlReplica } from '../harness/mysql-replica.ts';
import { MYSQL_FLAVOURS, sharedMysql } from '../servers/mysql.ts';
import { sharedServer } from '../servers/postgres.ts';

/** How the source writes its log for a round of changes. */
interface Round {
  readonly image: 'FULL' | 'NOBLOB' | 'MINIMAL';
  readonly compressed: boolean;
}

const EVERY_ROUND: readonly Round[] = (['FULL', 'NOBLOB', 'MINIMAL'] as const).flatMap((image) => [
  { image, compressed: false },
  { image, compressed: true },
]);
/** Where only the metadata differ. */
const SOME_ROUNDS: readonly Round[] = [
  { image: 'FULL', compressed: false },
  { image: 'MINIMAL', compressed: true },
];

/** Ids of a round are of its own. */
const IDS = 100_000;
/** The bulk is doubled this often. */
const DOUBLINGS = 5;

interface TestTable {
  readonly name: string;
  readonly source: string;
  readonly target: string;
  /** Statements of a round whose ids begin at `first`. */
  changes(first: number): string[];
}

const next = <T>(items: readonly T[], i: number): T => items[(i + 1) % items.length];

/** A table whose key is not of the type, with a column for each target type: inserted, updated and deleted row by row. */
function valueTable(name: string, { type, values, targets }: MysqlTypeSample): TestTable {
  const all = [...values, 'NULL'];
  const columns = (types: readonly string[]) => types.map((each, i) => `v${i} ${each}`).join(', ');
  const insert = (id: number, value: string) =>
    `INSERT INTO ${name} VALUES (${id}, ${targets.map(() => value).join(', ')}, 'first')`;
  const assign = (value: string) => targets.map((_, i) => `v${i} = ${value}`).join(', ');
  return {
    name,
    source: `CREATE TABLE ${name} (id INT PRIMARY KEY, ${columns(targets.map(() => `${type}`))}, note TEXT)`,
    target: `create table ${name} (id integer primary key, ${columns(targets)}, note text)`,
    changes: (first) => [
      ...all.map((value, i) => insert(first + i, value)),
      ...all.map((value, i) => insert(first + 1000 + i, value)),
      ...all.map((_, i) => `UPDATE ${name} SET ${assign(next(all, i))} WHERE id = ${first + i}`),
      `UPDATE ${name} SET note = 'value unchanged' WHERE id BETWEEN ${first + 1000} AND ${first + 1999}`,
      `DELETE FROM ${name} WHERE id BETWEEN ${first} AND ${first + IDS - 1} AND id % 3 = 2`,
    ],
  };
}

/** A table without any key: its rows are known by all of their values. */
function keylessTable(name: string, { type, values, targets }: MysqlTypeSample): TestTable {
  const all = [...values, 'NULL'];
  return {
    name,
    source: `CREATE TABLE ${name} (n INT, v ${type}, note VARCHAR(20))`,
    target: `create table ${name} (n integer, v ${targets[0]}, note text)`,
    changes: (first) => [
      ...all.map((value, i) => `INSERT INTO ${name} VALUES (${first + i}, ${value}, 'a'), (NULL, ${value}, 'twice')`),
      ...all.map((_, i) => `UPDATE ${name} SET v = ${next(all, i)} WHERE n = ${first + i}`),
      `UPDATE ${name} SET note = 'unchanged' WHERE n >= ${first} AND n % 2 = 0`,
      `DELETE FROM ${name} WHERE n >= ${first} AND n % 3 = 2`,
      `DELETE FROM ${name} WHERE n IS NULL LIMIT 1`,
    ],
  };
}

/** A table whose primary key is of the type: rows found, moved and deleted by it. */
function keyTable(name: string, { type, values, targets }: MysqlTypeSample): TestTable {
  const last = values[values.length - 1];
  return {
    name,
    source: `CREATE TABLE ${name} (k ${type} NOT NULL PRIMARY KEY, n INT)`,
    target: `create table ${name} (k ${targets[0]} primary key, n integer)`,
    changes: () => [
      `DELETE FROM ${name}`,
      ...values.map((value, i) => `INSERT INTO ${name} VALUES (${value}, ${i})`),
      ...values.map((value, i) => `UPDATE ${name} SET n = ${100 + i} WHERE k = ${value}`),
      `DELETE FROM ${name} WHERE k = ${values[0]}`,
      `UPDATE ${name} SET k = ${values[0]} WHERE k = ${values[1]}`,
      ...(values.length > 2 ? [`DELETE FROM ${name} WHERE k = ${last}`] : []),
    ],
  };
}

/** All types of a family in one table, thousands of rows in one statement. */
function bulkTable(name: string, all: readonly MysqlTypeSample[]): TestTable {
  // A row of MySQL has to fit into 64 KB, long texts apart.
  const samples = all
    .filter(({ type }) => !type.startsWith('VARCHAR(16000)'))
    .map((sample) => ({ ...sample, values: sample.values.filter((value) => !value.startsWith('REPEAT(')) }));
  const columns = samples.map((_, i) => `c${i}`);
  const rows = Math.max(...samples.map(({ values }) => values.length)) + 1;
  const row = (id: number, i: number) => {
    const values = samples.map((sample) => [...sample.values, 'NULL'][i % (sample.values.length + 1)]);
    return `(${id}, 'bulk', ${values.join(', ')})`;
  };
  return {
    name,
    source: `CREATE TABLE ${name} (id INT PRIMARY KEY, note TEXT, ${samples.map(({ type }, i) => `c${i} ${type}`).join(', ')})`,
    target: `create table ${name} (id integer primary key, note text, ${samples.map(({ targets }, i) => `c${i} ${targets[0]}`).join(', ')})`,
    changes: (first) => [
      `INSERT INTO ${name} VALUES ${Array.from({ length: rows }, (_, i) => row(first + i, i)).join(', ')}`,
      ...Array.from(
        { length: DOUBLINGS },
        (_, i) =>
          `INSERT INTO ${name} SELECT id + ${rows * 2 ** i}, note, ${columns.join(', ')} FROM ${name} WHERE id >= ${first}`,
      ),
      `UPDATE ${name} a JOIN ${name} b ON b.id = a.id + 1 SET ${columns.map((column) => `a.${column} = b.${column}`).join(', ')}
        WHERE a.id >= ${first} AND a.id % 5 = 0`,
      `UPDATE ${name} SET note = 'touched' WHERE id >= ${first} AND id % 2 = 0`,
      `DELETE FROM ${name} WHERE id >= ${first} AND id % 3 = 0`,
    ],
  };
}

for (const flavour of MYSQL_FLAVOURS) {
  describe(`types of ${flavour}`, () => {
    const mariadb = flavour !== 'mysql';
    const cleanups: (() => void | Promise<void>)[] = [];
    // Registered before the servers' own hooks, so that it runs before them.
    after(async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    });
    const source = sharedMysql({ flavour });
    const target = sharedServer();
    const families = samplesOf(flavour).map(([family, samples], f) => ({
      family,
      tables: samples.flatMap((sample, i) => [
        valueTable(`v_${f}_${i}`, sample),
        ...(sample.keyless === false ? [] : [keylessTable(`n_${f}_${i}`, sample)]),
        ...(sample.key ? [keyTable(`k_${f}_${i}`, sample)] : []),
      ]),
      bulk: bulkTable(`bulk_${f}`, samples),
    }));
    const every = families.flatMap(({ tables, bulk }) => [...tables, bulk]);

    const metadatas = mariadb ? (['FULL', 'MINIMAL', 'NO_LOG'] as const) : (['FULL', 'MINIMAL'] as const);
    for (const metadata of metadatas) {
      describe(`binlog_row_metadata=${metadata}`, () => {
        let replica: MysqlReplica;
        before(async () => {
          await source.server.query(`SET GLOBAL binlog_row_metadata = ${metadata}`);
          const end = { after: (action: () => void | Promise<void>) => void cleanups.push(action) };
          replica = await MysqlReplica.create(end, source.server, target.server, {
            sourceSchema: every.map((table) => table.source).join(';\n'),
            targetSchema: `${TARGET_TYPES} ${every.map((table) => table.target).join(';\n')}`,
          });
          // A product's own types are known from the catalogue alone.
          await replica.start(metadata === 'FULL' && !mariadb ? [] : ['--fetchMetadata']);
          await replica.source.query(`SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'`);
        });
        after(async () => {
          await replica.engine?.kill();
        });

        const rounds = metadata === 'FULL' ? EVERY_ROUND : SOME_ROUNDS;
        for (const [number, { image, compressed }] of rounds.entries()) {
          const write = async (tables: readonly TestTable[]) => {
            const compression = mariadb ? 'GLOBAL log_bin_compress' : 'SESSION binlog_transaction_compression';
            if (mariadb) await replica.source.query('SET GLOBAL log_bin_compress_min_len = 10');
            await replica.source.query(
              `SET SESSION binlog_row_image = ${image}, ${compression} = ${compressed ? 'ON' : 'OFF'}`,
            );
            for (const table of tables) await replica.source.query(table.changes((number + 1) * IDS).join(';\n'));
            await replica.settle();
            await assertExactlyEqual(
              replica.source,
              replica.target,
              { mariadb },
              tables.map(({ name }) => name),
            );
          };
          const how = `row image ${image}${compressed ? ', compressed' : ''}`;
          for (const { family, tables, bulk } of families) {
            if (tables.length === 0) continue;
            test(`${family}: as values, as keys and without a key, ${how}`, () => write(tables));
            test(`${family}: in bulk, ${how}`, () => write([bulk]));
          }
        }
      });
    }
  });
}
