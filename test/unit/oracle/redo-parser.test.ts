import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { OperatorError } from '../../../src/errors.ts';
import { RedoParser } from '../../../src/sources/oracle/redo/redo-parser.ts';
import { Literal, type RedoColumns } from '../../../src/sources/oracle/redo/redo-statement.ts';

const NAMES = Object.entries(Literal).map(([name, code]) => [code, name] as const);
const literalName = new Map<number, string>(NAMES);

function columnsOf(...names: string[]): RedoColumns {
  return { indexOf: (sql, start, end) => names.indexOf(sql.slice(start, end)) };
}

const letters = columnsOf('A', 'B', 'C');

/** What was parsed, as a test can compare it: `0 plain x` for a value, with `where` in front of conditions. */
function parsed(sql: string, columns = letters, parser = new RedoParser()): string[] {
  const statement = parser.parse(sql, columns);
  const lines = [
    `${statement.kind} ${statement.owner}.${statement.table}${statement.rowId && ` rowid ${statement.rowId}`}`,
  ];
  for (let i = 0; i < statement.count; i++) {
    const where = i < statement.assigned ? '' : 'where ';
    const text = sql.slice(statement.starts[i], statement.ends[i]);
    const literal = statement.literals[i];
    lines.push(
      `${where}${statement.columns[i]} ${literalName.get(literal)}${literal === Literal.null ? '' : ` ${text}`}`,
    );
  }
  return lines;
}

describe('SQL_REDO of LogMiner', () => {
  test('an insert, of a table seen before or not', () => {
    const parser = new RedoParser();
    for (const [id, name] of [
      ['1', 'x'],
      ['2', 'y'],
    ]) {
      assert.deepEqual(parsed(`insert into "HR"."T"("A","B","C") values ('${id}','${name}',NULL);`, letters, parser), [
        'insert HR.T',
        `0 plain ${id}`,
        `1 plain ${name}`,
        '2 null',
      ]);
    }
  });

  test('an insert that names other columns than the one before', () => {
    const parser = new RedoParser();
    parsed(`insert into "HR"."T"("A","B") values ('1','2')`, letters, parser);
    assert.deepEqual(parsed(`insert into "HR"."T"("C","A") values ('1','2')`, letters, parser), [
      'insert HR.T',
      '2 plain 1',
      '0 plain 2',
    ]);
  });

  test('an update with an alias, unknown columns, IS NULL and a row id', () => {
    assert.deepEqual(
      parsed(
        `update "HR"."T" a set a."A" = '2', a."SYS_NC1$" = HEXTORAW('c1') where a."A" = '1' and a."B" IS NULL and a.ROWID = 'AAA';`.replace(
          'a.ROWID',
          'ROWID',
        ),
      ),
      ['update HR.T rowid AAA', '0 plain 2', '-1 hex c1', 'where 0 plain 1', 'where 1 null'],
    );
  });

  test('updates and deletes without a condition are statements too', () => {
    assert.deepEqual(parsed(`update "HR"."T" set "B" = NULL`), ['update HR.T', '1 null']);
    assert.deepEqual(parsed(`delete from "HR"."T";`), ['delete HR.T']);
    assert.deepEqual(parsed(`delete from "HR"."T" where ROWID = 'AAAR3sAAEAAAACXAAA';`), [
      'delete HR.T rowid AAAR3sAAEAAAACXAAA',
    ]);
  });

  test('every form of a value', () => {
    const forms: [string, string][] = [
      [`'-1.5'`, 'plain -1.5'],
      [`''''`, `quoted ''`],
      [`'O''Reilly'`, `quoted O''Reilly`],
      [`TO_DATE('2020-02-01 00:00:00', 'YYYY-MM-DD HH24:MI:SS')`, 'date 2020-02-01 00:00:00'],
      [`TO_TIMESTAMP('2020-02-01 00:00:00.')`, 'timestamp 2020-02-01 00:00:00.'],
      [`TO_TIMESTAMP_TZ('2024-02-14 10:58:02.2 +01:00')`, 'timestampTz 2024-02-14 10:58:02.2 +01:00'],
      [`TO_TIMESTAMP_ITZ('2021-05-17 07:08:27.000000')`, 'timestampLtz 2021-05-17 07:08:27.000000'],
      [`to_timestamp_ltz('2021-05-17 07:08:27.000000')`, 'timestampLtz 2021-05-17 07:08:27.000000'],
      [`TO_YMINTERVAL('-03-06')`, 'yearMonth -03-06'],
      [`TO_DSINTERVAL('-001 02:03:04.56')`, 'daySecond -001 02:03:04.56'],
      [`HEXTORAW('0e1f')`, 'hex 0e1f'],
      [`HEXTORAW('')`, 'hex '],
      ['EMPTY_CLOB()', 'emptyLob EMPTY_CLOB()'],
      ['EMPTY_BLOB()', 'emptyLob EMPTY_BLOB()'],
      [
        String.raw`UNISTR('\0412\044B') || UNISTR(' a||b')`,
        String.raw`expression UNISTR('\0412\044B') || UNISTR(' a||b')`,
      ],
      [String.raw`'a' || UNISTR('\0412')`, String.raw`expression 'a' || UNISTR('\0412')`],
      [String.raw`UNISTR('\0412')`, String.raw`expression UNISTR('\0412')`],
      [`N'abc'`, 'plain abc'],
      ['Unsupported Type', 'unsupported Unsupported Type'],
      ['Unsupported', 'unsupported Unsupported'],
      ['-12.5E+3', 'bare -12.5E+3'],
      ['TRUE', 'bare TRUE'],
      [`XMLType(:1)`, 'call XMLType(:1)'],
    ];
    for (const [text, expected] of forms) {
      assert.deepEqual(parsed(`insert into "HR"."T"("B") values (${text})`), ['insert HR.T', `1 ${expected}`], text);
      assert.deepEqual(parsed(`update "HR"."T" set "B" = ${text} where "A" = ${text}`), [
        'update HR.T',
        `1 ${expected}`,
        `where 0 ${expected}`,
      ]);
    }
  });

  test('what looks like the end of a value inside of one', () => {
    const values = [`, "C" = 'x`, `') values ('`, ` where "A" = '1`, '||', ');', `','`, '\\', 'NULL'];
    for (const value of values) {
      const text = `'${value.replaceAll("'", "''")}'`;
      const lines = parsed(`insert into "HR"."T"("A","B") values (${text},'2')`);
      assert.equal(lines.length, 3, value);
      assert.equal(lines[1].replace(/^0 \w+ /, '').replaceAll("''", "'"), value);
    }
  });

  test('apostrophes that the server has not doubled are told from the end of the text', () => {
    const parser = new RedoParser();
    const sql = `update "HR"."T" set "A" = 'it's', "B" = 'O'Reilly, "x"' where "C" = 'rock 'n' roll';`;
    const statement = parser.parse(sql, letters);
    assert.equal(statement.guessed, true);
    assert.deepEqual(
      statement.starts.slice(0, statement.count).map((start, i) => sql.slice(start, statement.ends[i])),
      [`it's`, `O'Reilly, "x"`, `rock 'n' roll`],
    );
  });

  test('an error tells the form of the statement and nothing of its values', () => {
    const bad = [
      `insert into "HR"."T"("A","B") values ('secret')`,
      `insert into "HR"."T"("A") values ('secret','more')`,
      `insert into "HR"."T"("A" values ('secret')`,
      `update "HR"."T" set "A" = 'secret' where`,
      `delete from "HR"."T" where "A" > 'secret'`,
      `merge into "HR"."T"`,
      `insert into "HR"."T"("A") values ('secret`,
      '',
    ];
    for (const sql of bad) {
      assert.throws(
        () => new RedoParser().parse(sql, letters),
        (error) =>
          error instanceof OperatorError &&
          error.code === 'ORACLE_REDO_UNREADABLE' &&
          !error.message.includes('secret'),
        sql,
      );
    }
  });

  test('whatever values there are, they come back', () => {
    const name = fc.stringMatching(/^[A-Z][A-Za-z0-9 .#$_]{0,12}$/);
    const value = fc.oneof(
      fc.constant(null),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.stringMatching(/^['", =)(;]{0,12}$/),
    );
    const row = fc.uniqueArray(fc.tuple(name, value), { minLength: 1, maxLength: 8, selector: ([column]) => column });
    const write = (text: string | null) => (text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`);
    const parser = new RedoParser();
    fc.assert(
      fc.property(row, row, fc.constantFrom('insert', 'update', 'delete'), (set, where, kind) => {
        const names = [...new Set([...set, ...where].map(([column]) => column))];
        const conditions = where.map(
          ([column, text]) => `"${column}" ${text === null ? 'IS NULL' : `= ${write(text)}`}`,
        );
        const tail = ` where ${conditions.join(' and ')};`;
        const sql = {
          insert: `insert into "S"."T"(${set.map(([column]) => `"${column}"`).join(',')}) values (${set.map(([, text]) => write(text)).join(',')});`,
          update: `update "S"."T" set ${set.map(([column, text]) => `"${column}" = ${write(text)}`).join(', ')}${tail}`,
          delete: `delete from "S"."T"${tail}`,
        }[kind] as string;
        const statement = parser.parse(sql, columnsOf(...names));
        const expected = [...(kind === 'delete' ? [] : set), ...(kind === 'insert' ? [] : where)];
        assert.equal(statement.assigned, kind === 'delete' ? 0 : set.length);
        assert.deepEqual(
          Array.from({ length: statement.count }, (_, i) => {
            const text = sql.slice(statement.starts[i], statement.ends[i]);
            return [
              names[statement.columns[i]],
              statement.literals[i] === Literal.null ? null : text.replaceAll("''", "'"),
            ];
          }),
          expected,
        );
      }),
      { numRuns: 2000 },
    );
  });

  test('text that was damaged on its way ends in the named error or is read, and never hangs', () => {
    const parser = new RedoParser();
    const sql = `update "HR"."T" a set a."A" = 'it''s', "B" = TO_DATE('2020-02-01', 'YYYY') where "C" = UNISTR('\\0412') || 'x' and "A" IS NULL and ROWID = 'AAA';`;
    fc.assert(
      fc.property(fc.nat(sql.length), fc.nat(10), fc.string({ maxLength: 4 }), (at, cut, put) => {
        try {
          parser.parse(sql.slice(0, at) + put + sql.slice(at + cut), letters);
        } catch (error) {
          assert.ok(error instanceof OperatorError, String(error));
        }
      }),
      { numRuns: 5000 },
    );
  });
});
