import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { ChangeLog, ENTRY_HEADER } from '../../src/changes/change-log.ts';
import type { SourceTable } from '../../src/changes/table.ts';
import type { Dialect } from '../../src/target/dialect.ts';
import { quoteIdentifier } from '../../src/target/identifiers.ts';
import { TableWriter } from '../../src/target/table-writer.ts';
import { append, openSession, openTargetTables, sourceTable, type Values } from '../harness/apply-rig.ts';
import { seeded } from '../harness/seed.ts';
import { sharedServer, type TestDatabase } from '../servers/postgres.ts';

/** Values go out as bytes in four different disguises; whatever text a row holds must come back as it was. */
const shared = sharedServer();

const POSTGRESQL: Dialect = { product: 'postgresql', version: 18 };
const COCKROACHDB: Dialect = { product: 'cockroachdb', version: 26.02 };

/** Text that some format gives a meaning. */
const AWKWARD = [
  ...['', ' ', 'NULL', 'null', '\\N', '\\.', '\\', '\\\\', '"', '""', "'", ',', ';', '{', '}', '{}', '{NULL}', '()'],
  ...['\t', '\n', '\r', '\r\n', '\n\\.\n', '\\.\n', 'a\\', '\\x00', '\\t', '\b\f\v', '\u0001\u001f\u007f', '$1', '--'],
  ...['ä', 'ß\u0301', '\u2028', '\ufeff', '\uffff', '𝄞', '👩‍👩‍👧', '\u{10ffff}', '١', 'İ'],
];

const text = fc.oneof(
  fc.constantFrom(...AWKWARD),
  fc.string({ unit: 'binary', maxLength: 30 }).filter((value) => !value.includes('\0')),
  fc.array(fc.constantFrom(...AWKWARD), { maxLength: 6 }).map((parts) => parts.join('')),
);
const value = fc.option(text, { freq: 5 });

async function write(
  t: TestContext,
  database: TestDatabase,
  source: SourceTable,
  dialect: Dialect,
): Promise<(method: 'copy' | 'upsert', rows: readonly Values[]) => Promise<void>> {
  const tables = await openTargetTables(t, database.url, 'public');
  const writer = new TableWriter(tables.resolve(source).writer.mapping, dialect);
  const session = await openSession(t, database.url);
  return async (method, rows) => {
    const log = new ChangeLog(64);
    const offsets: number[] = [];
    for (const row of rows) {
      offsets.push(log.length + ENTRY_HEADER);
      append.insert(log, source, row);
    }
    const script = session.script();
    const store = { log: log.buffer, merged: [] };
    if (method === 'copy') writer.copy(script, offsets, store);
    else writer.upsert(session, script, offsets, store);
    await session.send(script);
  };
}

for (const [name, method, dialect] of [
  ['COPY in text format', 'copy', POSTGRESQL],
  ['COPY in CSV format, as CockroachDB gets it', 'copy', COCKROACHDB],
  ['arrays', 'upsert', POSTGRESQL],
] as const) {
  test(`any text and NULL pass through ${name}`, async (t) => {
    const database = await shared.freshDatabase(t);
    await database.query('CREATE TABLE texts (n int PRIMARY KEY, a text, b varchar, c text)');
    const source = sourceTable('texts', ['n', 'a', 'b', 'c'], ['n']);
    const send = await write(t, database, source, dialect);
    const client = await openSession(t, database.url);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 30 }), async (rows) => {
        await client.run('TRUNCATE texts');
        await send(
          method,
          rows.map((row, n) => [String(n), ...row]),
        );
        const found = await database.query<{ a: string; b: string; c: string }>('SELECT a, b, c FROM texts ORDER BY n');
        assert.deepEqual(
          found.map(({ a, b, c }) => [a, b, c]),
          rows,
        );
      }),
      seeded(t, 40),
    );
  });
}

test('a table of one column takes NULL, the empty string and the end mark by COPY', async (t) => {
  const database = await shared.freshDatabase(t);
  await database.query('CREATE TABLE lines (line text)');
  const source = sourceTable('lines', ['line'], []);
  const send = await write(t, database, source, POSTGRESQL);
  const rows: Values[] = [[null], [''], ['\\.'], ['\\N'], ['x']];
  await send('copy', rows);
  const found = await database.query<{ line: string }>('SELECT line FROM lines');
  assert.deepEqual(
    found.map(({ line }) => [line]),
    rows,
  );
});

test('rows larger than a frame and than the buffers pass', async (t) => {
  const database = await shared.freshDatabase(t);
  await database.query('CREATE TABLE large (n int PRIMARY KEY, body text)');
  const source = sourceTable('large', ['n', 'body'], ['n']);
  const copy = await write(t, database, source, POSTGRESQL);
  const csv = await write(t, database, source, COCKROACHDB);
  const rows = [1, 1000, 3_000_000, 10, 262_144, 500_000, 0].map(
    (length, n): Values => [String(n), '\\"\n'.repeat(length / 3 + 1)],
  );
  for (const send of [() => copy('copy', rows), () => csv('copy', rows), () => copy('upsert', rows)]) {
    await database.query('TRUNCATE large');
    await send();
    const found = await database.query<{ n: number; body: string }>('SELECT n, body FROM large ORDER BY n');
    assert.ok(found.every(({ body }, n) => body === rows[n][1]) && found.length === rows.length);
  }
});

test('values bound one by one pass, in updates of rows without key', async (t) => {
  const database = await shared.freshDatabase(t);
  await database.query('CREATE TABLE loose (a text, b text); INSERT INTO loose VALUES (NULL, NULL)');
  const source = sourceTable('loose', ['a', 'b'], []);
  const tables = await openTargetTables(t, database.url, 'public');
  const { writer } = tables.resolve(source);
  const session = await openSession(t, database.url);
  let before: Values = [null, null];
  await fc.assert(
    fc.asyncProperty(value, value, async (a, b) => {
      const log = new ChangeLog();
      append.delete(log, source, before);
      const second = log.length + ENTRY_HEADER;
      append.insert(log, source, [a, b]);
      const script = session.script();
      writer.updateRow(session, script, ENTRY_HEADER, second, { log: log.buffer, merged: [] });
      const { tags } = await session.send(script);
      assert.deepEqual(tags.slice(-1), ['UPDATE 1']);
      before = [a, b];
    }),
    seeded(t, 120),
  );
  const [found] = await database.query<{ a: string; b: string }>('SELECT a, b FROM loose');
  assert.deepEqual([found.a, found.b], before);
});

test('names of any kind are quoted in every statement', async (t) => {
  const database = await shared.freshDatabase(t);
  const letters = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
    fc.constantFrom(
      '"',
      '""',
      ' ',
      '.',
      'a b',
      'Select',
      'SELECT',
      "'",
      '\\',
      '$1',
      't',
      'u',
      'c0',
      'excluded',
      'ä',
      '\n',
      '--',
    ),
  );
  const name = fc
    .array(letters, { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join('').normalize())
    .filter((each) => !each.includes('\0') && Buffer.byteLength(each) <= 63 && each.isWellFormed());
  const names = fc.uniqueArray(name, { minLength: 4, maxLength: 4, selector: (each) => each.toLowerCase() });
  const session = await openSession(t, database.url, 8);
  await fc.assert(
    fc.asyncProperty(names, async ([table, key, first, second]) => {
      const [quoted, k, a, b] = [table, key, first, second].map(quoteIdentifier);
      await session.run(`DROP SCHEMA public CASCADE; CREATE SCHEMA public`);
      await session.run(`CREATE TABLE public.${quoted} (${k} text PRIMARY KEY, ${a} text, ${b} text)`);
      const source = sourceTable(table, [key, first, second], [key]);
      const tables = await openTargetTables(t, database.url, 'public');
      const { writer } = tables.resolve(source);
      const log = new ChangeLog();
      const at: number[] = [];
      for (const row of [
        ['1', 'x', null],
        ['2', 'y', null],
        ['2', undefined, 'z'],
        ['3', 'v', 'w'],
      ]) {
        at.push(log.length + ENTRY_HEADER);
        append.insert(log, source, row);
      }
      const store = { log: log.buffer, merged: [] };
      const script = session.script();
      writer.copy(script, [at[0]], store);
      writer.upsert(session, script, [at[0], at[1]], store);
      writer.update(session, script, [at[2]], store);
      writer.move(session, script, at[0], at[3], store);
      await session.send(script);
      const read = `SELECT ${k} AS k, ${a} AS a, ${b} AS b FROM public.${quoted} ORDER BY 1`;
      assert.deepEqual(await database.query(read), [
        { k: '2', a: 'y', b: 'z' },
        { k: '3', a: 'v', b: 'w' },
      ]);
      const removal = session.script();
      writer.delete(session, removal, [at[1]], store);
      writer.deleteRow(session, removal, at[3], store);
      await session.send(removal);
      assert.deepEqual(await database.query(read), []);
    }),
    // What the statements themselves call things.
    { ...seeded(t, 12), examples: [[['excluded', 't', 'u', 'c0']]] },
  );
});
