import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeTuple } from '../../../src/changes/change-log.ts';
import type { TargetKind } from '../../../src/changes/table.ts';
import { TupleWriter } from '../../../src/changes/tuple-writer.ts';
import { OperatorError } from '../../../src/errors.ts';
import type { OracleColumnType } from '../../../src/sources/oracle/column-type.ts';
import { RedoParser } from '../../../src/sources/oracle/redo/redo-parser.ts';
import { Literal } from '../../../src/sources/oracle/redo/redo-statement.ts';
import { columnWriter, isUnavailable, unsupportedType } from '../../../src/sources/oracle/values/column-writer.ts';
import { joinedText } from '../../../src/sources/oracle/values/expressions.ts';
import { seeded } from '../../harness/seed.ts';

const COLUMNS = { indexOf: () => 0 };
const parser = new RedoParser();

function column(type: string): OracleColumnType {
  return { name: 'C', type, length: 100, precision: undefined, scale: undefined, nullable: true };
}

/** What the target gets for a value as SQL_REDO has it: its text, null, or undefined for one that is not told. */
function written(type: string, sql: string, kind?: TargetKind): string | null | undefined {
  const write = columnWriter(column(type), kind && { kind, array: false, nullable: true });
  const { literals, starts, ends, sql: text } = parser.parse(`insert into "S"."T"("C") values (${sql})`, COLUMNS);
  const out = new TupleWriter();
  out.begin(1);
  write(text, literals[0], starts[0], ends[0], out);
  return decodeTuple(out.buffer, 0)[0];
}

const TSTZ = 'TIMESTAMP(9) WITH TIME ZONE';
const DS = 'INTERVAL DAY(9) TO SECOND(9)';

const WRITTEN: readonly (readonly [type: string, sql: string, expected: string | undefined, kind?: TargetKind])[] = [
  ['NUMBER', "'0'", '0'],
  ['NUMBER', "'-.5'", '-0.5', 'decimal'],
  ['NUMBER', "'+7.'", '7', 'int'],
  ['NUMBER', '-.25', '-0.25'],
  ['NUMBER', "'1.5E-130'", '1.5E-130', 'decimal'],
  ['NUMBER', "'.5E+3'", '0.5E+3', 'decimal'],
  ['NUMBER', "'1E+5'", '100000', 'int'],
  ['NUMBER', "'-1.50E+1'", '-15', 'int'],
  ['NUMBER', "'12E-1'", '1.2', 'int'],
  ['NUMBER', "'0E+3'", '0', 'int'],
  ['FLOAT', "'0'", 'f', 'bool'],
  ['NVARCHAR2', "UNISTR('\\0031')", 't', 'bool'],
  ['BOOLEAN', 'TRUE', '1', 'int'],
  ['BOOLEAN', "'0'", 'f', 'bool'],
  ['BINARY_FLOAT', "'1.40129846E-045'", '1e-45'],
  ['BINARY_FLOAT', "'3.40282347E+038'", '3.4028235e+38'],
  ['BINARY_FLOAT', "'-0'", '-0'],
  ['BINARY_DOUBLE', "'1.7976931348623157E+308'", '1.7976931348623157e+308'],
  ['BINARY_DOUBLE', "'+Inf'", 'Infinity'],
  ['DATE', "TO_TIMESTAMP('2020-02-01 00:00:00.')", '2020-02-01 00:00:00'],
  ['DATE', "TO_DATE('2020-02-01')", '2020-02-01 00:00:00'],
  ['DATE', "TO_DATE('-0044-03-15 12:00:00', 'X')", '0044-03-15 BC', 'date'],
  // The day is what it was, however near its end.
  ['TIMESTAMP(9)', "TO_TIMESTAMP('2020-12-31 23:59:59.999999999')", '2020-12-31', 'date'],
  ['TIMESTAMP(9)', "TO_TIMESTAMP('2020-02-28 23:59:59,9999995')", '2020-02-29 00:00:00'],
  ['TIMESTAMP(9)', "TO_TIMESTAMP('-0001-12-31 23:59:59.9999999')", '0001-01-01 00:00:00'],
  ['TIMESTAMP(9)', "TO_TIMESTAMP('-0002-12-31 23:59:59.9999999')", '0001-01-01 00:00:00 BC'],
  ['TIMESTAMP(3)', "TO_TIMESTAMP('2020-01-01 00:00:00.050')", '2020-01-01 00:00:00.050'],
  [TSTZ, "TO_TIMESTAMP_TZ('2020-12-31 23:59:59.9999996 -03:30')", '2021-01-01 00:00:00-03:30'],
  [TSTZ, "TO_TIMESTAMP_TZ('-0044-03-15 00:00:00.5 +01:00')", '0044-03-15 00:00:00.5+01:00 BC'],
  [
    TSTZ,
    "TO_TIMESTAMP_TZ('2020-01-01 00:00:00 America/Port-au-Prince ')",
    '2020-01-01 00:00:00 America/Port-au-Prince',
  ],
  ['TIMESTAMP(6) WITH LOCAL TIME ZONE', "TO_TIMESTAMP_LTZ('2020-01-01 00:00:00')", '2020-01-01 00:00:00+00:00'],
  ['INTERVAL YEAR(2) TO MONTH', "TO_YMINTERVAL('+03-06')", '3 years 6 mons'],
  [DS, "TO_DSINTERVAL('-001 23:59:59.999999999')", '-2 days -00:00:00'],
  [DS, "TO_DSINTERVAL('+000000001 02:03:04.')", '1 days 02:03:04'],
  ['BLOB', 'EMPTY_BLOB()', '\\x', 'bytes'],
  ['RAW', "HEXTORAW('')", '\\x', 'bytes'],
  ['VARCHAR2', "'a\\101b'", '\\x615c31303162', 'bytes'],
  ['VARCHAR2', "'\0é'", '\\x00c3a9', 'bytes'],
  ['CLOB', 'EMPTY_CLOB()', '\\x', 'bytes'],
  ['CLOB', 'EMPTY_CLOB()', ''],
  ['NCHAR', "UNISTR('\\0412  ')", 'В'],
  ['CHAR', "'   '", ''],
  ['NVARCHAR2', "UNISTR('a||b') || ' || ' || TO_NCHAR('c')", 'a||b || c'],
  ['NVARCHAR2', "nchr(1074) || unistr('\\0412')", 'вВ'],
  // One character, split between two parts.
  ['NVARCHAR2', "UNISTR('\\D83D') || UNISTR('\\de42')", '🙂'],
  ['VARCHAR2', `'{"a": "it''s"}'`, `{"a": "it's"}`, 'json'],
  ['LONG', "'short'", 'short'],
  ['LONG', "'LONG DATA'", undefined],
  ['LONG RAW', "'LONG DATA'", undefined],
  ['VARCHAR2', "'LONG DATA'", 'LONG DATA'],
  ['DATE', 'Unsupported Type', undefined],
];

test('values of every type, in the less usual forms of the redo', () => {
  for (const [type, sql, expected, kind] of WRITTEN) {
    assert.equal(written(type, sql, kind), expected, `${type} ${sql} ${kind}`);
  }
});

const REFUSED: readonly (readonly [type: string, sql: string, kind?: TargetKind])[] = [
  ...['', '.', '-', '--5', '1.2.3', '1e', 'e5', '1-2', '~', '0x10', '1E5E5', ' 1'].map(
    (text) => ['NUMBER', `'${text}'`] as const,
  ),
  ['NUMBER', "'1E+999999'", 'int'],
  ['NUMBER', "TO_DATE('2020-01-01', 'X')"],
  ['NUMBER', "'2'", 'bool'],
  ['BINARY_FLOAT', "'1E+39'"],
  ['BINARY_DOUBLE', "'1E+400'"],
  ['BINARY_DOUBLE', "'0x10'"],
  ...['0000-01-01', '2020-13-01', '2020-00-01', '2020-01-32', '20-01-01', '2020/01/01', '2020-01-01 +01:00'].map(
    (text) => ['DATE', `TO_DATE('${text}')`] as const,
  ),
  ...['24:00:00', '00:60:00', '00:00:60', '1:00:00', '00:00:00.5x 1', '00:00:00 +1', '00:00:00 A B'].map(
    (text) => [TSTZ, `TO_TIMESTAMP_TZ('2020-01-01 ${text}')`] as const,
  ),
  [DS, "TO_DSINTERVAL('1 02:03')"],
  ['RAW', "HEXTORAW('abc')"],
  ['RAW', "HEXTORAW('0011')", 'uuid'],
  // Digits of an unknown character set are not the text.
  ['VARCHAR2', "HEXTORAW('4142')"],
  ['VARCHAR2', 'SOMETHING(1)'],
  ['NVARCHAR2', "UNISTR('\\041')"],
  ['NVARCHAR2', "UNISTR('\\04XY')"],
  ['NVARCHAR2', "UNISTR('half of \\D83D a character')"],
  ['NVARCHAR2', "UNISTR('\\0000')"],
];

test('what has no clear meaning is refused, and nothing of it is told', () => {
  for (const [type, sql, kind] of REFUSED) {
    assert.throws(
      () => written(type, sql, kind),
      (error) =>
        error instanceof OperatorError &&
        error.code === 'ORACLE_VALUE' &&
        error.message.startsWith(`a value of column C (${type}) cannot be written`) &&
        error.cause === undefined &&
        !/SOMETHING|HEXTORAW|half of|1E\+|4142/.test(`${error.message} ${error.fix}`),
      `${type} ${sql}`,
    );
  }
});

test('an expression is text in parts, and nothing else', () => {
  for (const [sql, expected] of [
    ["UNISTR('a') || N'b''c' || NCHR(1074) || n'' || 'd'", "ab'cвd"],
    ["UNISTR ( 'a' )||to_nchar( 'b' ) ", 'ab'],
    ["UNISTR('a') UNISTR('b')", undefined],
    ["UNISTR('a') ||", undefined],
    ["UNISTR('a'", undefined],
    ["UNISTR('a", undefined],
    ["UNISTR('a\\'')", undefined],
    ["UPPER('a')", undefined],
    ['NCHR()', undefined],
    ['NCHR(65536)', undefined],
    ['', undefined],
  ] as const) {
    assert.equal(joinedText(sql, 0, sql.length), expected, sql);
    // What stands around it is none of its business.
    assert.equal(joinedText(`'${sql}'`, 1, sql.length + 1), expected, sql);
  }
});

test('types are told apart by their whole names', () => {
  for (const type of ['XMLTYPE', 'BFILE', 'JSON', 'VECTOR', 'SDO_GEOMETRY', 'ANYDATA', 'TIMESTAMPS_T', 'INTERVAL_T']) {
    assert.match(unsupportedType(column(type)) ?? '', /\w/, type);
  }
  for (const type of ['NUMBER', 'LONG', TSTZ, 'TIMESTAMP(6)', DS, 'INTERVAL YEAR(2) TO MONTH', 'UROWID']) {
    assert.equal(unsupportedType(column(type)), undefined, type);
  }
  assert.deepEqual(Object.values(Literal).filter(isUnavailable), [Literal.unsupported]);
});

/** `digits` times ten to the `exponent` as Oracle prints it with an exponent. */
const SCIENTIFIC = fc.record({
  digits: fc.bigInt(-(10n ** 40n), 10n ** 40n),
  point: fc.nat(45),
  exponent: fc.integer({ min: -130, max: 125 }),
});

test('a number has the value that Oracle printed, in an integer column without an exponent', (t) => {
  fc.assert(
    fc.property(SCIENTIFIC, ({ digits, point, exponent }) => {
      const size = String(digits < 0n ? -digits : digits).padStart(point, '0');
      const sign = digits < 0n ? '-' : '';
      const mantissa = `${size.slice(0, size.length - point)}${point === 0 ? '' : `.${size.slice(-point)}`}`;
      const printed = `${sign}${mantissa}E${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`;
      const plain = written('NUMBER', `'${printed}'`, 'int') ?? '';
      assert.match(plain, /^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/, printed);
      // Both, with as many zeros as make them integers.
      assert.equal(scaled(plain, 200n), digits * 10n ** BigInt(200 - point + exponent), printed);
      assert.equal(written('NUMBER', `'${printed}'`, 'decimal'), printed.replace(/^(-?)\./, '$10.'));
    }),
    seeded(t, 1000),
  );
});

function scaled(text: string, places: bigint): bigint {
  const [whole, fraction = ''] = text.replace('-', '').split('.');
  const size = BigInt(whole + fraction) * 10n ** (places - BigInt(fraction.length));
  return text.startsWith('-') ? -size : size;
}

test('floats are read by the target as the very ones that they were', (t) => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = written('BINARY_FLOAT', `'${oracleFloat(value, 8)}'`) ?? '';
      assert.ok(Object.is(Math.fround(Number(text)), value), text);
      assert.ok(text.replace(/e.*|[-.]/g, '').replace(/^0+|0+$/g, '').length <= 9, text);
    }),
    seeded(t, 1000),
  );
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.ok(Object.is(Number(written('BINARY_DOUBLE', `'${oracleFloat(value, 16)}'`)), value));
    }),
    seeded(t, 1000),
  );
});

function oracleFloat(value: number, decimals: number): string {
  const [mantissa, exponent] = value.toExponential(decimals).split('e');
  const sign = Object.is(value, -0) ? '-' : '';
  return `${sign}${mantissa}E${exponent[0]}${exponent.slice(1).padStart(3, '0')}`;
}

const DAY = 86_400n * 1_000_000_000n;

test('times before and after Christ are rounded to microseconds, whatever that carries over', (t) => {
  const nanoseconds = fc.tuple(fc.integer({ min: -2_400_000, max: 2_900_000 }), fc.bigInt(-2000n, 2000n), fc.boolean());
  fc.assert(
    fc.property(nanoseconds, fc.bigInt(0n, DAY - 1n), ([day, near, atMidnight], within) => {
      const value = BigInt(day) * DAY + (atMidnight ? near : within);
      const rounded = floor(value + 500n, 1000n) * 1000n;
      const { date, clock, fraction, before } = parts(value);
      const expected = parts(rounded);
      const micros = expected.fraction.slice(0, 6);
      const text = `${expected.date} ${expected.clock}${Number(micros) === 0 ? '' : `.${micros}`}`;
      assert.equal(
        written('TIMESTAMP(9)', `TO_TIMESTAMP('${before ? '-' : ' '}${date} ${clock}.${fraction}')`),
        `${text}${expected.before ? ' BC' : ''}`,
      );
    }),
    seeded(t, 3000),
  );
});

function floor(value: bigint, unit: bigint): bigint {
  return (value - (((value % unit) + unit) % unit)) / unit;
}

/** Of nanoseconds since 1970, by the calendar of `Date`, whose year 0 is 1 before Christ. */
function parts(value: bigint): { date: string; clock: string; fraction: string; before: boolean } {
  const seconds = floor(value, 1_000_000_000n);
  const time = new Date(Number(seconds) * 1000);
  const year = time.getUTCFullYear();
  const two = (part: number) => String(part).padStart(2, '0');
  return {
    date: `${String(year > 0 ? year : 1 - year).padStart(4, '0')}-${two(time.getUTCMonth() + 1)}-${two(time.getUTCDate())}`,
    clock: `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())}`,
    fraction: String(value - seconds * 1_000_000_000n).padStart(9, '0'),
    before: year <= 0,
  };
}

test('an interval keeps its length to the microsecond, and its sign in every field', (t) => {
  const edge = fc.constantFrom(0n, 499n, 500n, 999_999_499n, 999_999_500n, 999_999_999n);
  const nanoseconds = fc.oneof(edge, fc.bigInt(0n, 999_999_999n));
  const seconds = fc.oneof(fc.constantFrom(86_399n, 3599n, 59n), fc.bigInt(0n, 86_399n));
  fc.assert(
    fc.property(fc.nat(999_999_999), seconds, nanoseconds, fc.boolean(), (days, second, nanos, negative) => {
      const sign = negative ? '-' : '+';
      const clock = [second / 3600n, (second / 60n) % 60n, second % 60n].map((part) => String(part).padStart(2, '0'));
      const sql = `TO_DSINTERVAL('${sign}${String(days).padStart(9, '0')} ${clock.join(':')}.${String(nanos).padStart(9, '0')}')`;
      const found = /^(-?)(\d+) days (-?)(\d\d):(\d\d):(\d\d)(?:\.(\d{6}))?$/.exec(written(DS, sql) ?? '');
      assert.ok(found, sql);
      const [, first, day, second2, hours, minutes, rest, micros = '0'] = found;
      assert.deepEqual([first, second2], negative ? ['-', '-'] : ['', '']);
      const total = ((BigInt(day) * 24n + BigInt(hours)) * 60n + BigInt(minutes)) * 60n + BigInt(rest);
      const expected = (BigInt(days) * 86_400n + second) * 1_000_000n + (nanos + 500n) / 1000n;
      assert.equal(total * 1_000_000n + BigInt(micros), expected, sql);
    }),
    seeded(t, 1000),
  );
});

test('text in the national character set comes through, however it is cut into parts', (t) => {
  const text = fc.string({ unit: fc.constantFrom(..."ab '\\|)(éВ漢", '🙂', '||', '\\0041'), maxLength: 60 });
  fc.assert(
    fc.property(text, fc.array(fc.nat(60), { maxLength: 4 }), fc.boolean(), (value, cuts, lower) => {
      const units = Array.from({ length: value.length }, (_, i) => unit(value.charCodeAt(i), lower));
      const sorted = [0, ...cuts.map((cut) => Math.min(cut, units.length)).sort((a, b) => a - b), units.length];
      const pieces = sorted.slice(1).map((end, i) => `UNISTR('${units.slice(sorted[i], end).join('')}')`);
      assert.equal(written('NVARCHAR2', pieces.join(' || ')), value);
      assert.equal(written('NCLOB', pieces.join('||'), 'bytes'), `\\x${Buffer.from(value).toString('hex')}`);
    }),
    seeded(t, 1000),
  );
});

function unit(code: number, lower: boolean): string {
  if (code === 0x5c) return '\\\\';
  if (code === 0x27) return "''";
  if (code < 0x80) return String.fromCharCode(code);
  const hex = code.toString(16).padStart(4, '0');
  return `\\${lower ? hex : hex.toUpperCase()}`;
}

test('bytes come through, sixteen of them as a uuid', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 16, maxLength: 16 }), (some, sixteen) => {
      const raw = (bytes: Uint8Array) => `HEXTORAW('${Buffer.from(bytes).toString('hex').toUpperCase()}')`;
      const text = written('RAW', raw(some), 'bytes') ?? '';
      assert.equal(text.toLowerCase(), `\\x${Buffer.from(some).toString('hex')}`);
      const uuid = written('RAW', raw(sixteen), 'uuid') ?? '';
      assert.match(uuid, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.equal(uuid.replaceAll('-', ''), Buffer.from(sixteen).toString('hex'));
    }),
    seeded(t, 500),
  );
});
