import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { Replica } from '../harness/replica.ts';
import { SAMPLE_TYPES, TYPE_FAMILIES, type TypeSample } from '../harness/type-samples.ts';
import { sharedServer } from '../servers/postgres.ts';

/** Rows of the bulk tests: more than any batch of single rows, so that they take the path of fresh rows. */
const BULK_ROWS = 5000;
/** A primary key must fit into a third of an index page. */
const LONGEST_KEY = 1000;
/** Keeps the bulk to a size that takes a second. */
const LONGEST_BULK_VALUE = 300;

const literal = (value: string | null): string => (value === null ? 'NULL' : pg.escapeLiteral(value));
/** The type without a collation, as a cast wants it. */
const plain = (type: string): string => type.replace(/ collate .*/, '');
const each = (statements: readonly string[]): string => statements.map((sql) => `begin; ${sql}; commit;`).join('\n');

/** A table whose primary key is not of the type: inserted, updated and deleted row by row, each in its own transaction. */
function valueTable(name: string, { type, values }: TypeSample): { ddl: string; changes: string[] } {
  const all = [...values, null];
  const rotated = all.map((_, i) => all[(i + 1) % all.length]);
  return {
    ddl: `create table ${name} (id integer primary key, v ${type}, note text);`,
    changes: [
      ...all.map((value, i) => `insert into ${name} values (${i}, ${literal(value)}, 'first')`),
      ...all.map((value, i) => `insert into ${name} values (${1000 + i}, ${literal(value)}, 'first')`),
      ...rotated.map((value, i) => `update ${name} set v = ${literal(value)} where id = ${i}`),
      `update ${name} set note = 'value unchanged' where id >= 1000`,
      `delete from ${name} where id % 3 = 2`,
    ],
  };
}

/** A table whose primary key is of the type: rows found, moved and deleted by it. */
function keyTable(name: string, { type, values }: TypeSample): { ddl: string; changes: string[] } {
  const keys = values
    .filter((value) => value !== null && value.length <= LONGEST_KEY)
    .map((value) => `(${literal(value)})::${plain(type)}`);
  const [first, second] = keys;
  const last = keys[keys.length - 1];
  return {
    ddl: `create table ${name} (k ${type} primary key, n integer);`,
    changes: [
      ...keys.map((key, i) => `insert into ${name} values (${key}, ${i}) on conflict do nothing`),
      ...keys.map((key, i) => `update ${name} set n = ${100 + i} where k = ${key}`),
      `delete from ${name} where k = ${first}`,
      ...(second === undefined ? [] : [`update ${name} set k = ${first} where k = ${second}`]),
      ...(keys.length > 2 ? [`delete from ${name} where k = ${last}`] : []),
    ],
  };
}

for (const major of [14, 18] as const) {
  describe(`types, source PostgreSQL ${major}`, () => {
    const cleanups: (() => void | Promise<void>)[] = [];
    // Registered before the servers' own hook, so that it runs before it.
    after(async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
    });

    const source = sharedServer({ version: major });
    const target = sharedServer();
    let replica: Replica;
    const families = Object.entries(TYPE_FAMILIES).map(([family, all], index) => {
      const samples = all.filter(({ since }) => (since ?? 0) <= major);
      const tables = samples.flatMap((sample, i) => [
        valueTable(`v_${index}_${i}`, sample),
        ...(sample.key ? [keyTable(`k_${index}_${i}`, sample)] : []),
      ]);
      return { family, samples, tables };
    });
    const samples = families.flatMap((family) => family.samples);

    before(async () => {
      replica = await Replica.create({ after: (action) => cleanups.push(action) }, source.server, target.server, {
        schema: `
          create extension hstore; create extension citext; ${SAMPLE_TYPES}
          ${families.flatMap(({ tables }) => tables.map(({ ddl }) => ddl)).join('\n')}
          create table wide (id integer primary key, note text, ${samples.map(({ type }, i) => `c${i} ${type}`).join(', ')});`,
      });
      await replica.start();
    });

    for (const { family, tables } of families) {
      test(`${family}: single rows inserted, updated and deleted, as values and as keys`, async () => {
        for (const { changes } of tables) await replica.source.query(each(changes));
        await replica.assertSettledEqual();
      });
    }

    test('every type in one table: bulk insert, bulk update of all columns, of one column, bulk delete', async () => {
      const value = ({ values, type }: TypeSample, row: string, shift: number) => {
        const short = [
          ...values.filter((text) => text !== null && text.length < LONGEST_BULK_VALUE).map(literal),
          'NULL',
        ];
        const cases = short.map((text, i) => `when ${i} then ${text}`).join(' ');
        return `(case (${row} + ${shift}) % ${short.length} ${cases} end)::${plain(type)}`;
      };
      await replica.source.query(`
        insert into wide select n, 'row ' || n, ${samples.map((sample) => value(sample, 'n', 0)).join(', ')}
          from generate_series(1, ${BULK_ROWS}) n`);
      await replica.assertSettledEqual();

      const assignments = samples.map((sample, i) => `c${i} = ${value(sample, 'id', 1)}`);
      await replica.source.query(`update wide set ${assignments.join(', ')} where id % 5 = 0`);
      await replica.source.query(`update wide set note = note || ' touched' where id % 2 = 0`);
      await replica.source.query('delete from wide where id % 3 = 0');
      await replica.source.query(`insert into wide (id) select generate_series(${BULK_ROWS + 1}, ${2 * BULK_ROWS})`);
      await replica.assertSettledEqual();
    });
  });
}
