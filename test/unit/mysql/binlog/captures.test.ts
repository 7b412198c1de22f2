import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../../../src/errors.ts';
import type { TableDefinition } from '../../../../src/sources/mysql/definitions.ts';
import { GtidSet, uuidText } from '../../../../src/sources/mysql/gtid-set.ts';
import { parseMysqlPosition } from '../../../../src/sources/mysql/positions.ts';
import { ReaderRig } from '../../../harness/binlog.ts';
import { captured, withoutUuid } from './captured.ts';

const JSON_1 = '"{\\"a\\": 1}"';

/** What the same few statements leave in any log. */
const ROWS = [
  `  insert orders ["1", "one", "1.50", ${JSON_1}]`,
  '  insert orders ["2", null, "-0.25", null]',
  `  update orders ["1", "uno", "1.50", ${JSON_1}]`,
  '  update orders key ["2", null, null, null] -> ["12", null, null, null]',
  '  delete orders key ["12", null, null, null]',
];

function isRefused(code: string, pattern = /./): (error: unknown) => boolean {
  return (error) => error instanceof OperatorError && error.code === code && pattern.test(error.message);
}

test('MySQL: transactions of every form, with the position behind each', async () => {
  const rig = await new ReaderRig('mysql').feed(captured('mysql'));
  assert.deepEqual(withoutUuid(rig.lines), [
    '1-3',
    ...ROWS.slice(0, 2),
    '1-4',
    ROWS[2],
    '1-5',
    ROWS[3],
    '1-6',
    ROWS[4],
    '1-7',
    '  insert orders ["3", null, null, null]',
    '  insert orders ["4", null, null, null]',
    `  update orders ["1", "uno", "7.00", ${JSON_1}]`,
    '  update orders ["3", null, "7.00", null]',
    '  update orders ["4", null, "7.00", null]',
    // A table that is not transactional, without a key: COMMIT ends it, and whole old rows tell which is meant.
    '1-9',
    '  insert plain ["no key", "2024-02-29 01:02:03.456"]',
    '1-10',
    '  update plain full ["no key", "2024-02-29 01:02:03.456"] -> ["changed", "2024-02-29 01:02:03.456"]',
    '1-11',
    '  delete plain full ["changed", "2024-02-29 01:02:03.456"]',
    // CREATE TABLE … SELECT.
    '1-12',
    '  insert copied ["1", "uno"]',
    '  insert copied ["3", null]',
    '  insert copied ["4", null]',
    '1-13',
    '  truncate copied',
    // 15 is an XA PREPARE: it is a gap until 17 commits it.
    '1-14:16',
    '  insert orders ["21", "in between", null, null]',
    '1-17 (gathered)',
    '  insert orders ["20", "prepared", null, null]',
    // 18 was prepared and 19 rolled it back; 20 was committed in one phase.
    '1-20 (gathered)',
    '  insert orders ["23", null, null, null]',
    // binlog_row_image = MINIMAL.
    '1-21',
    '  update orders ["3", "minimal", …, …]',
    '1-22',
    '  delete orders key ["4", null, null, null]',
    '1-23',
    '  insert orders ["5", null, null, null]',
    '1-23:batch:1',
    '  insert orders ["6", "tagged", null, null]',
    // The key that the server made is not the target's affair.
    '1-25:batch:1',
    '  insert keyless ["hidden"]',
    '1-29:batch:1',
    '  insert t ["1"]',
  ]);
  assert.deepEqual(rig.counts, { insert: 16, update: 7, delete: 3, truncate: 1 });
});

test('MySQL: every transaction reaches the position, those without rows too', async () => {
  const rig = await new ReaderRig('mysql').feed(captured('mysql').slice(0, 6));
  assert.deepEqual(withoutUuid(rig.sink.progressed), ['1', '1-2']);
  assert.deepEqual(rig.sink.transactions, []);
});

test('only the wanted database is read, and the server’s own never', async () => {
  const rig = await new ReaderRig('mysql', { database: 'elsewhere' }).feed(captured('mysql'));
  assert.deepEqual(rig.changes, ['insert t ["1"]']);
  assert.equal(GtidSet.parse(String(rig.sink.position)).count, 30n);
  assert.deepEqual(
    rig.log.lines.map(({ fields }) => fields.statement),
    ['CREATE TABLE elsewhere.t (id INT PRIMARY KEY)'],
  );
});

test('a generated key goes to a target that has it', async () => {
  const rig = new ReaderRig('mysql');
  rig.sink.targetColumns = ({ name, columns }) =>
    columns.map(() => (name === 'keyless' ? { kind: 'other', array: false, nullable: true } : undefined));
  await rig.feed(captured('mysql'));
  assert.ok(rig.changes.includes('insert keyless ["1", "hidden"]'));
});

test('schema changes are told, without the passwords of other statements', async () => {
  const rig = await new ReaderRig('mysql').feed(captured('mysql'));
  const text = JSON.stringify(rig.log.lines);
  assert.match(text, /schema change at the source.*CREATE TABLE orders/);
  assert.doesNotMatch(text, /secret|CREATE USER/);
  const [dropped] = rig.log.lines.filter(({ level }) => level === 'warning');
  assert.match(dropped.message, /may have removed rows/);
  assert.match(String(dropped.fields.statement), /DROP TABLE `copied`/);
});

test('the time of the commit is known to the microsecond', async () => {
  const rig = await new ReaderRig('mysql').feed(captured('mysql'));
  const times = rig.sink.transactions.map(({ commitTime }) => commitTime);
  assert.ok(times.some((time) => time % 1000 !== 0));
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
});

test('TRUNCATE: applied, ignored, or refused', async () => {
  const ignoring = await new ReaderRig('mysql', { truncate: 'ignore' }).feed(captured('mysql'));
  assert.ok(!ignoring.changes.includes('truncate copied'));
  assert.equal(ignoring.log.find('TRUNCATE ignored; the target keeps its rows').length, 1);
  const refusing = new ReaderRig('mysql', { truncate: 'error' });
  await assert.rejects(refusing.feed(captured('mysql')), isRefused('MYSQL_TRUNCATE', /shop\.copied/));
});

test('an XA COMMIT whose XA PREPARE was not seen is searched for, and refused where it cannot be found', async () => {
  const events = captured('mysql');
  const isPrepare = (event: Buffer) => event.includes("XA START X'6b657074'");
  const from = events.findIndex(isPrepare) - 1;
  const without = [...events.slice(0, 2), ...events.slice(from + 6)];
  await assert.rejects(new ReaderRig('mysql').feed(without), isRefused('MYSQL_XA_UNKNOWN', /X'6b657074'/));

  const earlier = new ReaderRig('mysql');
  await earlier.feed(events.slice(0, from + 6));
  const rig = new ReaderRig('mysql', {
    searchPrepared: async (xid) => {
      assert.equal(xid, "X'6b657074',X'',1");
      return undefined;
    },
  });
  await assert.rejects(rig.feed(without), isRefused('MYSQL_XA_UNKNOWN'));
});

test('compressed transactions, and JSON of which only the differences were logged', async () => {
  const rig = await new ReaderRig('mysql').feed(captured('mysql-payload'));
  assert.deepEqual(
    rig.changes,
    [
      ...ROWS,
      `  update orders ["1", "uno", "1.50", "{\\"a\\": 1, \\"b\\": [1, 2, 3], \\"long\\": \\"${'x'.repeat(200)}\\"}"]`,
      `  update orders ["1", "uno", "1.50", "{\\"a\\": 2, \\"b\\": [1, \\"two\\", 3], \\"long\\": \\"${'x'.repeat(200)}\\"}"]`,
      '  update orders ["1", "both", "1.50", "{\\"a\\": 2, \\"b\\": [1, \\"two\\", 3]}"]',
    ].map((line) => line.trim()),
  );
});

function definition(flavour: 'mysql' | 'mariadb', more: Partial<TableDefinition> = {}): TableDefinition {
  const column = (name: string, type: number, meta: number, nullable = true) => ({
    name,
    type: '',
    nullable,
    charset: type === 15 ? 'utf8mb4' : undefined,
    column: {
      name,
      type,
      meta,
      unsigned: false,
      charset: type === 15 ? 'utf8mb4' : undefined,
      members: undefined,
      nullable,
      declared: undefined,
      flavour,
    },
    key: name === 'id',
    generated: false,
    virtual: false,
    invisible: false,
    hasDefault: false,
    constantDefault: null,
  });
  return {
    database: 'shop',
    name: 'orders',
    columns: [column('id', 3, 0, false), column('note', 15, 80), column('amount', 246, 0x0802), column('doc', 245, 4)],
    primaryKey: ['id'],
    asOf: parseMysqlPosition('', flavour),
    altered: undefined,
    ...more,
  };
}

function catalogue(table: TableDefinition) {
  return { get: () => undefined, read: () => Promise.resolve(table), invalidate: () => {} };
}

test('a log that does not name columns needs the catalogue', async () => {
  const events = captured('mysql-minimal-metadata');
  await assert.rejects(new ReaderRig('mysql').feed(events), isRefused('MYSQL_METADATA_MISSING'));

  const known = new ReaderRig('mysql', { fetchMetadata: true, definitions: catalogue(definition('mysql')) });
  await known.feed(events.slice(0, -8));
  assert.deepEqual(
    known.changes,
    ROWS.map((line) => line.trim()),
  );
  assert.deepEqual(
    known.sink.transactions[0].changes[0].table.columns.map(({ name, identity, type }) => [name, identity, type]),
    [
      ['id', true, 'integer'],
      ['note', false, 'character varying(20)'],
      ['amount', false, 'numeric(8,2)'],
      ['doc', false, 'jsonb'],
    ],
  );
});

test('a definition that is not the one of the log is refused before any row is read by it', async () => {
  const events = captured('mysql-minimal-metadata');
  const { columns } = definition('mysql');
  const refused = async (table: TableDefinition, code: string) => {
    const rig = new ReaderRig('mysql', { fetchMetadata: true, definitions: catalogue(table) });
    await assert.rejects(rig.feed(events), isRefused(code));
    assert.deepEqual(rig.sink.transactions, []);
    assert.equal(rig.sink.begun, false);
  };
  await refused(definition('mysql', { columns: columns.slice(1) }), 'MYSQL_DEFINITION_MISMATCH');
  await refused(
    definition('mysql', { columns: [columns[0], columns[2], columns[1], columns[3]] }),
    'MYSQL_DEFINITION_MISMATCH',
  );
  const tomorrow = Math.floor(Date.now() / 1000) + 86_400;
  await refused(definition('mysql', { altered: tomorrow }), 'MYSQL_DEFINITION_NEWER');
});

test('an ALTER TABLE behind rows that were read by its outcome stops; by the definition before it, it does not', async () => {
  const events = captured('mysql-minimal-metadata');
  const uuid = uuidText(events.find((event) => event[4] === 33) as Buffer, 20);
  const before = definition('mysql', { asOf: parseMysqlPosition(`${uuid}:1-6`) });
  const more = { ...before.columns[0], name: 'more', nullable: true, key: false };
  const after = {
    ...before,
    columns: [...before.columns, { ...more, column: { ...more.column, name: 'more', nullable: true } }],
  };

  let known: TableDefinition | undefined;
  const answers = [before, after];
  const rig = new ReaderRig('mysql', {
    fetchMetadata: true,
    definitions: {
      get: () => known,
      read: async () => {
        known = answers.shift();
        return known;
      },
      invalidate: () => {
        known = undefined;
      },
    },
  });
  await rig.feed(events);
  assert.equal(rig.changes.at(-1), 'insert orders ["5", null, null, null, "55"]');

  const younger = definition('mysql', { asOf: parseMysqlPosition(`${uuid}:1-7`) });
  const late = new ReaderRig('mysql', { fetchMetadata: true, definitions: catalogue(younger) });
  await assert.rejects(late.feed(events), isRefused('MYSQL_DEFINITION_NEWER', /shop\.orders was altered/));
});

test('MariaDB: transactions of every form', async () => {
  const first = new ReaderRig('mariadb');
  await assert.rejects(
    first.feed(captured('mariadb')),
    (error) => isRefused('MYSQL_REREAD')(error) && (error as OperatorError).transient,
  );
  assert.equal(first.sink.begun, true, 'rows were handed on before they were taken back');
  assert.deepEqual([...first.parts.gather], ['0-1-7']);

  const rig = await new ReaderRig('mariadb', { gather: first.parts.gather }).feed(captured('mariadb'));
  assert.deepEqual(rig.lines, [
    '0-1-3',
    ...ROWS.slice(0, 2),
    '0-1-4',
    ROWS[2],
    '0-1-5',
    ROWS[3],
    '0-1-6',
    ROWS[4],
    // 4 came after the savepoint, and was rolled back to it.
    '0-1-7 (gathered)',
    '  insert orders ["3", null, null, null]',
    '  insert orders ["5", null, null, null]',
    '0-1-9',
    '  insert plain ["no key", "2024-02-29 01:02:03.456"]',
    '0-1-10',
    '  insert copied ["1", "uno"]',
    '  insert copied ["3", null]',
    '  insert copied ["5", null]',
    '0-1-11',
    '  truncate copied',
    // 12 is an XA PREPARE, which MariaDB's positions pass.
    '0-1-13',
    '  insert orders ["21", "in between", null, null]',
    '0-1-14 (gathered)',
    '  insert orders ["20", "prepared", null, null]',
    '0-1-17',
    '  insert orders ["23", null, null, null]',
    // The state of a sequence is no row; what follows was compressed.
    '0-1-20',
    '  insert orders ["30", "zzzzzzzzzzzzzzzzzzzz", null, null]',
    '  insert orders ["31", "zzzzzzzzzzzzzzzzzzzz", null, null]',
    '  insert orders ["32", "zzzzzzzzzzzzzzzzzzzz", null, null]',
    '0-1-21,7-1-1',
    '  insert later ["1"]',
    '0-1-21,7-1-4',
    '  insert later ["2", "2"]',
  ]);
  assert.ok(rig.sink.progressed.includes('0-1-12'));
});

test('MariaDB: changes that were prepared before the stream began are searched for by the GTID that commits them', async () => {
  const events = captured('mariadb');
  const prepare = events.findIndex((event) => event[4] === 38);
  const start = events.findLastIndex((event, i) => i < prepare && event[4] === 162);
  const head = events.slice(0, 3);

  const earlier = new ReaderRig('mariadb', { preparedOnly: true });
  await earlier.feed([...head, ...events.slice(start)]);
  const found = earlier.sink.transactions.find(({ spilled }) => spilled);
  assert.deepEqual(earlier.lines.slice(0, 2), ['0-1-14 (gathered)', '  insert orders ["20", "prepared", null, null]']);
  assert.equal(earlier.sink.transactions.length, 1, 'nothing else is read');
  assert.ok(found);

  const asked: string[] = [];
  const rig = new ReaderRig('mariadb', {
    searchPrepared: async (xid, commit) => {
      asked.push(`${xid} ${JSON.stringify(commit, (_, value) => (typeof value === 'bigint' ? Number(value) : value))}`);
      return undefined;
    },
  });
  await assert.rejects(rig.feed([...head, ...events.slice(prepare + 1)]), isRefused('MYSQL_XA_UNKNOWN', /0-1-14/));
  assert.deepEqual(asked, [
    `X'6b657074',X'',1 ${JSON.stringify({ flavour: 'mariadb', domain: 0, server: 1, sequence: 14 })}`,
  ]);
});

test('the same tables, described again on another stream, are the same objects', async () => {
  const first = await new ReaderRig('mysql').feed(captured('mysql'));
  const second = await new ReaderRig('mysql', { tables: first.parts.tables }).feed(captured('mysql'));
  const tables = (rig: ReaderRig) => rig.sink.transactions.flatMap(({ changes }) => changes.map(({ table }) => table));
  assert.equal(new Set([...tables(first), ...tables(second)]).size, 5);
});
