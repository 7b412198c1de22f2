import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { type CollapseOptions, Collapser } from '../../src/engine/collapse.ts';
import type { TargetTables } from '../../src/engine/target-tables.ts';
import type { Dialect } from '../../src/target/dialect.ts';
import { sqlState } from '../../src/target/retry.ts';
import type { Session } from '../../src/target/session.ts';
import { openSession, openTargetTables } from '../harness/apply-rig.ts';
import { ChangeRecorder, type RecordedChanges } from '../harness/recorded-changes.ts';
import { seeded } from '../harness/seed.ts';
import { sharedServer, type TestDatabase } from '../servers/postgres.ts';

/*
 * A real source carries out random statements; what it decodes is folded and applied in each of the ways that the applier
 * has, to tables of their own. However the changes are cut into batches, all must end up as the source did.
 */

const shared = sharedServer();
const dialect: Dialect = { product: 'postgresql', version: 18 };

const FAST: CollapseOptions = { exact: false, copy: true };
const UPSERT: CollapseOptions = { exact: false, copy: false };
const EXACT: CollapseOptions = { exact: true, copy: false };
const WAYS = { fast: FAST, upsert: UPSERT, exact: EXACT };

/** Every shape of table: foreign keys with every action, a cycle, self references, composite, other and no keys. */
const TABLES = `
  CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE, body text);
  CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE, body text);
  CREATE TABLE line (id int, n int, child int REFERENCES child ON DELETE SET NULL ON UPDATE CASCADE, body text,
    PRIMARY KEY (n, id));
  CREATE TABLE pair (child int REFERENCES child ON UPDATE CASCADE ON DELETE CASCADE, n int, PRIMARY KEY (child, n));
  CREATE TABLE node (id int PRIMARY KEY, up int REFERENCES node ON DELETE CASCADE ON UPDATE CASCADE, body text);
  CREATE TABLE strict (id int PRIMARY KEY, up int REFERENCES strict, body text);
  CREATE TABLE hen (id int PRIMARY KEY, egg int, body text);
  CREATE TABLE egg (id int PRIMARY KEY, hen int REFERENCES hen ON DELETE SET NULL ON UPDATE CASCADE, body text);
  ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg ON UPDATE CASCADE;
  CREATE TABLE loose (id int, code text, body text);
  CREATE TABLE whole (id int PRIMARY KEY, code text, body text);
  CREATE TABLE other (id int PRIMARY KEY, code int NOT NULL UNIQUE, body text);`;
const SOURCE_TABLES = `${TABLES}
  ALTER TABLE loose REPLICA IDENTITY FULL;
  ALTER TABLE whole REPLICA IDENTITY FULL;
  ALTER TABLE other REPLICA IDENTITY USING INDEX other_code_key;
  ${['parent', 'child', 'line', 'node', 'strict', 'hen', 'egg', 'loose', 'whole', 'other']
    .map((table) => `ALTER TABLE ${table} ALTER body SET STORAGE EXTERNAL;`)
    .join('\n')}`;
const NAMES = ['parent', 'child', 'line', 'pair', 'node', 'strict', 'hen', 'egg', 'loose', 'whole', 'other'];
/** What all tables hold at first. */
const ROWS = `
  UPDATE hen SET egg = NULL; UPDATE egg SET hen = NULL; DELETE FROM pair; DELETE FROM line; DELETE FROM child;
  DELETE FROM parent; DELETE FROM node; DELETE FROM strict; DELETE FROM hen; DELETE FROM egg; DELETE FROM loose;
  DELETE FROM whole; DELETE FROM other;
  INSERT INTO parent SELECT n, n, repeat('p', 3000) FROM generate_series(1, 4) AS n;
  INSERT INTO child SELECT n, n, repeat('c', 3000) FROM generate_series(1, 4) AS n;
  INSERT INTO line SELECT n, n, n, 'l' FROM generate_series(1, 4) AS n;
  INSERT INTO pair SELECT n, n FROM generate_series(1, 3) AS n;
  INSERT INTO node SELECT n, nullif(n - 1, 0), 'n' FROM generate_series(1, 4) AS n;
  INSERT INTO strict SELECT n, nullif(n - 1, 0), repeat('s', 3000) FROM generate_series(1, 4) AS n;
  INSERT INTO hen SELECT n, NULL, 'h' FROM generate_series(1, 3) AS n;
  INSERT INTO egg SELECT n, n, 'e' FROM generate_series(1, 3) AS n;
  UPDATE hen SET egg = 1 WHERE id = 2;
  INSERT INTO loose SELECT n, 2, repeat('l', 3000) FROM generate_series(1, 4) AS n, generate_series(1, 2);
  INSERT INTO whole SELECT n, 2, repeat('w', 3000) FROM generate_series(1, 4) AS n;
  INSERT INTO other SELECT n, n, repeat('o', 3000) FROM generate_series(1, 4) AS n`;
/** Columns beside `id` that hold an id of another row. */
const REFERENCES: Record<string, string> = {
  child: 'parent',
  line: 'child',
  node: 'up',
  strict: 'up',
  hen: 'egg',
  egg: 'hen',
};

const id = fc.integer({ min: 1, max: 5 });
// The long ones are stored out of line: an update that leaves them alone does not send them.
const body = fc.constantFrom('NULL', "'a'", "repeat('x', 3000)", "repeat('y', 3000)", "repeat('z', 3000)");
const withBody = fc.constantFrom(...NAMES.filter((name) => name !== 'pair'));

const statement = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(withBody, id, id, body).map(([name, n, m, text]) => insert(name, n, m, text)) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('parent', 'loose', 'whole'), body)
      .map(([name, text]) => `INSERT INTO ${name} SELECT n, 'many' || n, ${text} FROM generate_series(101, 130) AS n`),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(withBody, id, body)
      .map(([name, n, text]) => `UPDATE ${name} SET body = ${text} WHERE id = ${n}`),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...Object.keys(REFERENCES)), id, fc.option(id))
      .map(([name, n, m]) => `UPDATE ${name} SET ${REFERENCES[name]} = ${m} WHERE id = ${n}`),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom('parent', 'loose', 'whole', 'other'), id, id)
      .map(([name, n, m]) => `UPDATE ${name} SET code = '${m}' WHERE id = ${n}`),
  },
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...NAMES), id, id).map(([name, n, m]) => move(name, n, m)) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...NAMES), id)
      .map(([name, n]) => `DELETE FROM ${name} WHERE ${keyOf(name)} = ${n}`),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('parent', 'child', 'node', 'loose', 'other'), id)
      .map(([name, n]) => `DELETE FROM ${name} WHERE id > ${n}`),
  },
  { weight: 2, arbitrary: fc.tuple(id, id).map(([n, m]) => `INSERT INTO pair VALUES (${n}, ${m})`) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('parent', 'line', 'hen', 'loose', 'node', 'other')
      .map((name) => `TRUNCATE ${name} CASCADE`),
  },
  // A value that must be unique goes from one row to another.
  {
    weight: 2,
    arbitrary: fc
      .tuple(id, id)
      .map(
        ([n, m]) =>
          `UPDATE parent SET code = 'tmp' WHERE id = ${n}; UPDATE parent SET code = '${n}' WHERE id = ${m}; UPDATE parent SET code = '${m}' WHERE id = ${n}`,
      ),
  },
);

function keyOf(name: string): string {
  return name === 'pair' ? 'child' : 'id';
}

function insert(name: string, n: number, m: number, text: string): string {
  const middle = name in REFERENCES ? (m === 5 ? 'NULL' : m) : `'${m}'`;
  if (name === 'line') return `INSERT INTO line VALUES (${n}, ${m}, ${m === 5 ? 'NULL' : m}, ${text})`;
  return `INSERT INTO ${name} VALUES (${n}, ${middle}, ${text})`;
}

function move(name: string, n: number, m: number): string {
  if (name === 'line') return `UPDATE line SET n = ${m} WHERE id = ${n} AND n = ${n}`;
  if (name === 'other') return `UPDATE other SET id = ${m}, code = ${m} WHERE id = ${n}`;
  return `UPDATE ${name} SET ${keyOf(name)} = ${m} WHERE ${keyOf(name)} = ${n}`;
}

/** What the source would refuse is left out; the rest of the transaction goes on. */
function transaction(statements: readonly string[]): string {
  const each = statements.map(
    (sql) => `BEGIN ${sql}; EXCEPTION WHEN integrity_constraint_violation OR object_in_use THEN NULL; END;`,
  );
  return `DO $do$ BEGIN ${each.join('\n')} END $do$`;
}

/** Histories that were refused once, each with the sizes of its batches. */
const KNOWN: [string[][], number[]][] = [
  // The key of a row that references itself: the target changes the reference by itself.
  [[['INSERT INTO node VALUES (9, 9, NULL)'], ['UPDATE node SET id = 8 WHERE id = 9']], [1]],
];

class Replica {
  readonly way: keyof typeof WAYS;
  readonly #session: Session;
  readonly #collapser: Collapser;
  batches = 0;
  refused = 0;

  private constructor(way: keyof typeof WAYS, session: Session, tables: TargetTables) {
    this.way = way;
    this.#session = session;
    this.#collapser = new Collapser(dialect, (table) => tables.resolve(table));
  }

  static async open(t: TestContext, database: TestDatabase, way: keyof typeof WAYS): Promise<Replica> {
    await database.query(`CREATE SCHEMA ${way}`);
    const session = await openSession(t, database.url);
    await session.run(`SET search_path = ${way}; ${TABLES}`);
    return new Replica(way, session, await openTargetTables(t, database.url, way));
  }

  async reset(): Promise<void> {
    await this.#session.run(ROWS);
  }

  /** Applies transactions in batches of the given sizes, as the applier does: first all at once, then one by one. */
  async apply(changes: RecordedChanges, sizes: readonly number[]): Promise<void> {
    let first = 0;
    for (let i = 0; first < changes.ends.length; i++) {
      const last = Math.min(first + sizes[i % sizes.length], changes.ends.length);
      await this.#batch(changes, first, last);
      first = last;
    }
  }

  async #batch(changes: RecordedChanges, first: number, last: number): Promise<void> {
    this.batches++;
    const start = (transaction: number) => (transaction === 0 ? 0 : changes.ends[transaction - 1]);
    if ((await this.#write(changes, start(first), changes.ends[last - 1], WAYS[this.way])) === undefined) return;
    this.refused++;
    for (let i = first; i < last; i++) {
      let error: Error | undefined;
      for (const options of [WAYS[this.way], UPSERT, EXACT]) {
        error = await this.#write(changes, start(i), changes.ends[i], options);
        if (error === undefined) break;
      }
      if (error !== undefined) throw error;
    }
  }

  async #write(
    changes: RecordedChanges,
    start: number,
    end: number,
    options: CollapseOptions,
  ): Promise<Error | undefined> {
    const script = this.#session.script();
    script.query(options.exact ? 'BEGIN; SET CONSTRAINTS ALL DEFERRED' : 'BEGIN');
    this.#collapser.write(changes.log, start, end, this.#session, script, options);
    script.query('COMMIT');
    try {
      await this.#session.send(script);
      return undefined;
    } catch (error) {
      // Refusals are part of the game, by a constraint or for a TRUNCATE; anything else is not.
      if (!/^23|^0A000/.test(sqlState(error) ?? '')) throw error;
      return error as Error;
    }
  }
}

/** All rows of all tables; what a long body repeats is written once. */
function contents(schema: string): string {
  const row = String.raw`regexp_replace(t::text, '(.)\1{20,}', '\1...', 'g')`;
  return `${NAMES.map(
    (name) =>
      `SELECT '${name}' AS name, string_agg(${row}, ' ' ORDER BY t::text COLLATE "C") AS rows FROM ${schema}.${name} AS t`,
  ).join(' UNION ALL ')} ORDER BY name`;
}

for (const [name, runs, transactions, longest] of [
  ['short transactions', 20, 40, 3],
  ['long transactions', 20, 8, 20],
] as const) {
  test(`folded in whatever batches, ${name} leave what the source has`, async (t) => {
    const [source, target] = [await shared.freshDatabase(t), await shared.freshDatabase(t)];
    await source.query(SOURCE_TABLES);
    const recorder = await ChangeRecorder.open(source);
    const session = await openSession(t, source.url);
    const replicas: Replica[] = [];
    for (const way of ['fast', 'upsert', 'exact'] as const) replicas.push(await Replica.open(t, target, way));

    const history = fc.array(fc.array(statement, { minLength: 1, maxLength: longest }), {
      minLength: transactions / 2,
      maxLength: transactions,
    });
    const sizes = fc.array(fc.constantFrom(1, 2, 3, 5, 10), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(history, sizes, async (statements, batches) => {
        await session.run(ROWS);
        await recorder.read();
        for (const each of statements) await session.run(transaction(each));
        const changes = await recorder.read();
        const wanted = await source.query(contents('public'));
        for (const replica of replicas) {
          await replica.reset();
          await replica.apply(changes, batches);
          assert.deepEqual(await target.query(contents(replica.way)), wanted, replica.way);
        }
      }),
      { ...seeded(t, runs), examples: KNOWN },
    );
    for (const { way, batches, refused } of replicas)
      t.diagnostic(`${way}: ${batches} batches, ${refused} refused at first`);
    const [fast] = replicas;
    assert.ok(fast.refused < fast.batches / 2, 'folding seldom fits the constraints');
  });
}
