import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChangeLog, decodeTuple } from '../../../src/changes/change-log.ts';
import type { SourceTable, TargetKind } from '../../../src/changes/table.ts';
import { TupleWriter } from '../../../src/changes/tuple-writer.ts';
import { OperatorError } from '../../../src/errors.ts';
import type { OracleColumnType } from '../../../src/sources/oracle/column-type.ts';
import { RedoParser } from '../../../src/sources/oracle/redo/redo-parser.ts';
import { RowWriter } from '../../../src/sources/oracle/redo/row-writer.ts';
import { columnWriter } from '../../../src/sources/oracle/values/column-writer.ts';
import { readChanges } from '../../harness/collecting-sink.ts';
import { seeded } from '../../harness/seed.ts';
import { literal } from '../../servers/oracle/redo-text.ts';

const COLUMNS = { indexOf: () => 0 };
const parser = new RedoParser();

/** What the target gets for a value as SQL_REDO has it. */
function written(type: string, sql: string, kind?: TargetKind, length = 100): string | null | undefined {
  const column: OracleColumnType = { name: 'C', type, length, precision: undefined, scale: undefined, nullable: true };
  const write = columnWriter(column, kind && { kind, array: false, nullable: true });
  const { literals, starts, ends, sql: text } = parser.parse(`insert into "S"."T"("C") values (${sql})`, COLUMNS);
  const out = new TupleWriter();
  out.begin(1);
  write(text, literals[0], starts[0], ends[0], out);
  return decodeTuple(out.buffer, 0)[0];
}

test('values of every type, as the redo has them, come in the form that the target takes', () => {
  const cases: readonly (readonly [
    type: string,
    sql: string,
    expected: string | null | undefined,
    kind?: TargetKind,
  ])[] = [
    ['NUMBER', "'123'", '123'],
    ['NUMBER', "'-.5'", '-0.5'],
    ['NUMBER', "'.5'", '0.5'],
    ['NUMBER', "'12345678901234567890123456789012345678'", '12345678901234567890123456789012345678'],
    ['NUMBER', "'1E+125'", '1E+125'],
    ['NUMBER', '42', '42'],
    ['NUMBER', 'NULL', null],
    ['NUMBER', "'1'", 't', 'bool'],
    ['NUMBER', "'0'", 'f', 'bool'],
    ['BINARY_FLOAT', "'1.10000002E+000'", '1.1'],
    ['BINARY_FLOAT', "'-Inf'", '-Infinity'],
    ['BINARY_DOUBLE', "'Nan'", 'NaN'],
    ['BINARY_DOUBLE', "'1.0E-003'", '0.001'],
    ['DATE', "TO_DATE(' 2020-02-01 13:14:15', 'SYYYY-MM-DD HH24:MI:SS')", '2020-02-01 13:14:15'],
    ['DATE', "TO_DATE('-0044-03-15 00:00:00', 'SYYYY-MM-DD HH24:MI:SS')", '0044-03-15 00:00:00 BC'],
    ['DATE', "TO_DATE(' 2020-02-01 13:14:15', 'X')", '2020-02-01', 'date'],
    ['TIMESTAMP(6)', "TO_TIMESTAMP(' 2020-02-01 00:00:00.')", '2020-02-01 00:00:00'],
    ['TIMESTAMP(9)', "TO_TIMESTAMP(' 2020-02-01 00:00:00.123456499')", '2020-02-01 00:00:00.123456'],
    ['TIMESTAMP(9)', "TO_TIMESTAMP(' 2020-12-31 23:59:59.999999500')", '2021-01-01 00:00:00'],
    ['TIMESTAMP(9)', "TO_TIMESTAMP('24-09-10 12:53:38,487742000')", undefined],
    ['TIMESTAMP(9)', "TO_TIMESTAMP('2024-09-10 12:53:38,487742000')", '2024-09-10 12:53:38.487742'],
    [
      'TIMESTAMP(6) WITH TIME ZONE',
      "TO_TIMESTAMP_TZ(' 2024-02-14 10:58:02.202590000 +01:00')",
      '2024-02-14 10:58:02.202590+01:00',
    ],
    [
      'TIMESTAMP(6) WITH TIME ZONE',
      "TO_TIMESTAMP_TZ('2024-02-14 10:58:02 Europe/Berlin')",
      '2024-02-14 10:58:02 Europe/Berlin',
    ],
    [
      'TIMESTAMP(6) WITH LOCAL TIME ZONE',
      "TO_TIMESTAMP_ITZ('2021-05-17 07:08:27.000000')",
      '2021-05-17 07:08:27+00:00',
    ],
    ['INTERVAL YEAR(2) TO MONTH', "TO_YMINTERVAL('-03-06')", '-3 years -6 mons'],
    ['INTERVAL DAY(2) TO SECOND(6)', "TO_DSINTERVAL('-001 02:03:04.56')", '-1 days -02:03:04.56'],
    ['RAW', "HEXTORAW('0eff')", '\\x0eff'],
    ['RAW', "HEXTORAW('00112233445566778899AABBCCDDEEFF')", '00112233-4455-6677-8899-aabbccddeeff', 'uuid'],
    ['CHAR', "'ab   '", 'ab'],
    ['CHAR', "' it''s  '", " it's"],
    ['VARCHAR2', "'ab   '", 'ab   '],
    ['VARCHAR2', "'it''s \\ a || b), (\", '", 'it\'s \\ a || b), (", '],
    ['VARCHAR2', "UNISTR('\\0412\\044B') || UNISTR('\\D83D\\DE42 \\\\ ''')", "Вы🙂 \\ '"],
    ['NVARCHAR2', "'plain'", 'plain'],
    ['NVARCHAR2', "UNISTR('a') || N'b' || NCHR(1042)", 'abВ'],
    ['CLOB', 'EMPTY_CLOB()', ''],
    ['BLOB', 'EMPTY_BLOB()', '\\x'],
    ['VARCHAR2', 'Unsupported Type', undefined],
    ['BOOLEAN', 'TRUE', 't'],
  ];
  for (const [type, sql, expected, kind] of cases) {
    if (sql.includes('24-09-10 12:53:38,4') && expected === undefined) {
      assert.throws(() => written(type, sql, kind), { code: 'ORACLE_VALUE' });
    } else assert.equal(written(type, sql, kind), expected, `${type} ${sql}`);
  }
});

test('a value that the target cannot hold is named by its column, and not repeated', () => {
  for (const [type, sql, kind] of [
    ['RAW', "HEXTORAW('abc')", undefined],
    ['RAW', "HEXTORAW('zz')", undefined],
    ['RAW', "HEXTORAW('abcd')", 'uuid'],
    ['NUMBER', "'secret'", undefined],
    ['NUMBER', "'7'", 'bool'],
    ['DATE', "TO_DATE('secret', 'X')", undefined],
    ['VARCHAR2', "'secret\0'", undefined],
  ] as const) {
    assert.throws(
      () => written(type, sql, kind),
      (error) =>
        error instanceof OperatorError &&
        error.code === 'ORACLE_VALUE' &&
        /column C/.test(error.message) &&
        !/secret|abc/.test(error.message),
      `${type} ${sql}`,
    );
  }
});

test('text of any characters comes through as it was', (t) => {
  const text = fc.string({ unit: fc.constantFrom(...'ab \'\\|,")(0É漢', '🙂', '||', "''", '\\0041'), maxLength: 80 });
  fc.assert(
    fc.property(text, fc.constantFrom('VARCHAR2', 'NVARCHAR2', 'CLOB'), (value, type) => {
      if (value === '') return;
      const column = { name: 'C', type, length: 400, nullable: true };
      assert.equal(written(type, literal(column, value, new Map())), value);
    }),
    seeded(t, 2000),
  );
});

test('nanoseconds are rounded to the nearest microsecond, whatever that carries over', (t) => {
  const day = 86_400n * 1_000_000_000n;
  fc.assert(
    fc.property(fc.bigInt(-100n * 365n * day, 100n * 365n * day), fc.constantFrom(0n, 1n), (near, edge) => {
      // Every other one at the end of a day, where the most is carried.
      const nanoseconds = edge === 0n ? near : (near / day) * day - 499n + (near % 1000n);
      const text = (nanos: bigint, digits: number) => {
        const seconds = nanos / 1_000_000_000n - (nanos % 1_000_000_000n < 0n ? 1n : 0n);
        const rest = nanos - seconds * 1_000_000_000n;
        const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ');
        return `${date}.${String(rest).padStart(9, '0').slice(0, digits)}`;
      };
      const up = nanoseconds + 500n;
      const rounded = up - (((up % 1000n) + 1000n) % 1000n);
      const expected = text(rounded, 6).replace(/\.000000$/, '');
      assert.equal(written('TIMESTAMP(9)', `TO_TIMESTAMP(' ${text(nanoseconds, 9)}')`), expected);
    }),
    seeded(t, 2000),
  );
});

test('a value that is not told stays as it is in an update, and is NULL in a new row', () => {
  const column = { name: 'C', type: 'VARCHAR2', length: 10, precision: undefined, scale: undefined, nullable: true };
  const source: SourceTable = {
    schema: 'S',
    name: 'T',
    identity: 'key',
    columns: [
      { name: 'ID', identity: true },
      { name: 'C', identity: false },
    ],
  };
  const writer = new RowWriter(
    source,
    [columnWriter(column, undefined), columnWriter(column, undefined)],
    new TupleWriter(),
  );
  const log = new ChangeLog();
  for (const sql of [
    `insert into "S"."T"("ID","C") values ('1',Unsupported Type)`,
    `update "S"."T" set "C" = Unsupported Type where "ID" = '1'`,
  ]) {
    writer.append(parser.parse(sql, writer), log);
  }
  assert.deepEqual(
    readChanges(log).map((change) => change.new),
    [
      ['1', null],
      ['1', undefined],
    ],
  );
});
