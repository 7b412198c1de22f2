import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  COLUMNS,
  type OracleTable,
  PRIMARY_KEYS,
  readTables,
  TABLES,
  PARTITIONS,
  UNIQUE_INDEXES,
} from '../../../src/sources/oracle/tables.ts';
import { answering } from '../../harness/oracle-answers.ts';

type Row = readonly (string | null)[];

interface Catalogue {
  readonly tables: readonly Row[];
  readonly columns: readonly Row[];
  readonly primary?: readonly Row[];
  readonly unique?: readonly Row[];
  readonly partitions?: readonly Row[];
}

const table = (name: string, rows: string | null = null, temporary = 'N'): Row => [name, '7', rows, temporary];
const column = (of: string, name: string, type = 'NUMBER', nullable = 'N', virtual = 'NO'): Row => [
  of,
  name,
  type,
  '22',
  null,
  null,
  nullable,
  virtual,
];

async function read({
  tables,
  columns,
  primary = [],
  unique = [],
  partitions = [],
}: Catalogue): Promise<OracleTable[]> {
  const answers = new Map([
    [TABLES, tables],
    [COLUMNS, columns],
    [PRIMARY_KEYS, primary],
    [PARTITIONS, partitions],
    [UNIQUE_INDEXES, unique],
  ]);
  const asked: string[] = [];
  const found = await readTables(
    answering((sql, binds) => {
      asked.push(sql);
      assert.deepEqual(binds, ['APP']);
      return answers.get(sql);
    }),
    'APP',
  );
  assert.equal(asked.length, 5, 'one question each, however many tables there are');
  return found;
}

test('columns, estimates and the primary key in its own order', async () => {
  const [orders, empty] = await read({
    tables: [table('ORDERS', '12'), table('EMPTY')],
    columns: [
      column('ORDERS', 'A'),
      ['ORDERS', 'B', 'VARCHAR2', '80', null, null, 'Y', 'NO'],
      ['ORDERS', 'C', 'NUMBER', '22', '10', '2', 'N', 'NO'],
      column('EMPTY', 'ID'),
    ],
    primary: [
      ['ORDERS', 'C'],
      ['ORDERS', 'A'],
    ],
    unique: [['ORDERS', 'ORDERS_U', 'A']],
    partitions: [
      ['ORDERS', '801'],
      ['ORDERS', '802'],
    ],
  });
  assert.deepEqual(orders.objectIds.slice(1), ['801', '802']);
  assert.equal(empty.objectIds.length, 1);
  assert.deepEqual(orders.key, ['C', 'A']);
  assert.equal(orders.rows, 12);
  assert.equal(empty.rows, undefined);
  assert.deepEqual(empty.key, []);
  assert.deepEqual(orders.columns[1], {
    name: 'B',
    type: 'VARCHAR2',
    length: 80,
    precision: undefined,
    scale: undefined,
    nullable: true,
    virtual: false,
  });
  assert.equal(orders.columns[2].scale, 2);
});

test('without a primary key the smallest unique index over columns that cannot be NULL', async () => {
  const [found] = await read({
    tables: [table('T')],
    columns: [
      column('T', 'A'),
      column('T', 'B'),
      column('T', 'N', 'NUMBER', 'Y'),
      column('T', 'V', 'NUMBER', 'N', 'YES'),
    ],
    unique: [
      ['T', 'NULLS', 'N'],
      ['T', 'PAIR', 'A'],
      ['T', 'PAIR', 'B'],
      ['T', 'SINGLE', 'B'],
      ['T', 'VIRTUAL', 'V'],
    ],
  });
  assert.deepEqual(found.key, ['B']);
});

test('a reversed index is one that the server may log by', () => {
  assert.match(UNIQUE_INDEXES, /INDEX_TYPE IN \('NORMAL', 'NORMAL\/REV'\)/);
});

test('what cannot be replicated says why', async () => {
  const long = 'A'.repeat(31);
  const found = await read({
    tables: [table('TMP', null, 'Y'), table(long), table('L'), table('O'), table('B'), table('GOOD')],
    columns: [
      column('TMP', 'ID'),
      column(long, 'ID'),
      column('L', 'É'.repeat(16)),
      column('O', 'SHAPE', 'SDO_GEOMETRY'),
      column('B', 'F', 'BFILE'),
      column('GOOD', 'ID'),
      column('GOOD', 'BIG', 'CLOB'),
    ],
  });
  const problems = Object.fromEntries(found.map(({ name, problem }) => [name, problem]));
  assert.match(problems.TMP ?? '', /temporary/);
  assert.match(problems[long] ?? '', /longer than 30 bytes/);
  assert.match(problems.L ?? '', /longer than 30 bytes/);
  assert.match(problems.O ?? '', /SHAPE.*SDO_GEOMETRY/);
  // The rest of such a row is told.
  assert.equal(problems.B, undefined);
  assert.equal(problems.GOOD, undefined);
});
