import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TargetKind } from '../../../../src/changes/table.ts';
import { ColumnType } from '../../../../src/sources/mysql/values/column.ts';
import { column, decode, refusedWith, target } from './decode.ts';

function big(value: bigint, bytes: number): Buffer {
  return Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex');
}

const two = (value: number): string => String(value).padStart(2, '0');

function date(year: number, month: number, day: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntLE(year * 512 + month * 32 + day, 0, 3);
  return bytes;
}

function fractionBytes(micros: number, fsp: number): Buffer {
  const bytes = Math.ceil(fsp / 2);
  const kept = Math.floor(micros / 10 ** (6 - fsp)) * 10 ** (fsp % 2);
  return big(BigInt(kept), bytes).subarray(0, bytes);
}

interface Point {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly seconds: number;
  readonly micros: number;
}

function datetime2({ year, month, day, seconds, micros }: Point, fsp: number): Buffer {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const packed =
    (BigInt(year * 13 + month) << 22n) | BigInt((day << 17) | (hours << 12) | (minutes << 6) | (seconds % 60));
  return Buffer.concat([big(packed + 0x8000000000n, 5), fractionBytes(micros, fsp)]);
}

function clock(seconds: number, micros: number, fsp: number): string {
  const text = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return fsp === 0 ? text : `${text}.${String(micros).padStart(6, '0').slice(0, fsp)}`;
}

const points = fc.record({
  year: fc.integer({ min: 1, max: 9999 }),
  month: fc.integer({ min: 1, max: 12 }),
  day: fc.integer({ min: 1, max: 28 }),
  seconds: fc.integer({ min: 0, max: 86_399 }),
  micros: fc.integer({ min: 0, max: 999_999 }),
});
const precisions = fc.integer({ min: 0, max: 6 });

test('DATE and DATETIME: every day and moment, in as many digits as the column keeps', () => {
  fc.assert(
    fc.property(points, precisions, (point, fsp) => {
      const day = `${String(point.year).padStart(4, '0')}-${two(point.month)}-${two(point.day)}`;
      for (const type of [ColumnType.date, ColumnType.newdate]) {
        assert.equal(decode(column(type), date(point.year, point.month, point.day)), day);
      }
      const text = `${day} ${clock(point.seconds, point.micros, fsp)}`;
      const of = column(ColumnType.datetime2, { meta: fsp });
      assert.equal(decode(of, datetime2(point, fsp)), text);
      assert.equal(decode(of, datetime2(point, fsp), { target: target('timestamp') }), text);
      assert.equal(decode(of, datetime2(point, fsp), { target: target('timestamptz') }), `${text}+00`);
    }),
  );
});

test('TIMESTAMP: UTC, with a zone unless the target has none', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffffffff }), fc.nat(999_999), precisions, (seconds, micros, fsp) => {
      const of = column(ColumnType.timestamp2, { meta: fsp });
      const bytes = Buffer.concat([big(BigInt(seconds), 4), fractionBytes(micros, fsp)]);
      const iso = new Date(seconds * 1000).toISOString();
      const text = `${iso.slice(0, 10)} ${clock(seconds % 86_400, micros, fsp)}`;
      assert.equal(decode(of, bytes), `${text}+00`);
      assert.equal(decode(of, bytes, { target: target('timestamptz') }), `${text}+00`);
      for (const kind of ['timestamp', 'string', 'date'] as const) {
        assert.equal(decode(of, bytes, { target: target(kind) }), text);
      }
      const old = Buffer.alloc(4);
      old.writeUInt32LE(seconds);
      const oldText = `${iso.slice(0, 10)} ${iso.slice(11, 19)}+00`;
      assert.equal(decode(column(ColumnType.timestamp), old), oldText);
    }),
  );
});

test('DATETIME of servers before 5.6: decimal digits in 64 bits', () => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(20240229235958n);
  assert.equal(decode(column(ColumnType.datetime), bytes), '2024-02-29 23:59:58');
  bytes.writeBigUInt64LE(0n);
  assert.equal(decode(column(ColumnType.datetime), bytes), null);
});

const TIMESTAMP_ZERO = Buffer.alloc(7);
const ZERO_POINT = { year: 0, month: 0, day: 0, seconds: 0, micros: 0 };

test('a zero date is NULL, an error or itself, as --zeroDates says', () => {
  let counted = 0;
  const options = { onCounted: () => counted++ };
  for (const [of, bytes, text] of [
    [column(ColumnType.date), date(0, 0, 0), '0000-00-00'],
    [column(ColumnType.datetime2, { meta: 3 }), datetime2(ZERO_POINT, 3), '0000-00-00 00:00:00.000'],
    [column(ColumnType.timestamp2, { meta: 6 }), TIMESTAMP_ZERO, '0000-00-00 00:00:00.000000'],
  ] as const) {
    counted = 0;
    assert.equal(decode(of, bytes, { target: target('timestamp'), options: { ...options, zeroDates: 'null' } }), null);
    assert.equal(counted, 1);
    assert.equal(decode(of, bytes, { target: target('timestamp'), options: { ...options, zeroDates: 'keep' } }), text);
    assert.throws(
      () => decode(of, bytes, { target: target('timestamp'), options: { zeroDates: 'error' } }),
      refusedWith('MYSQL_ZERO_DATE', /column note of shop\.orders holds the date 0000-00-00/),
    );
    assert.equal(counted, 1);
  }
});

test('a zero date cannot become NULL in a NOT NULL column: the error names table, column and date', () => {
  assert.throws(
    () => decode(column(ColumnType.date), date(2024, 2, 0), { target: target('date', { nullable: false }) }),
    refusedWith('MYSQL_ZERO_DATE', /note of shop\.orders holds the date 2024-02-00.*NOT NULL/),
  );
});

test('text takes a zero date as it is, whatever --zeroDates says', () => {
  for (const zeroDates of ['null', 'error', 'keep'] as const) {
    const parts = { target: target('string'), options: { zeroDates } };
    assert.equal(decode(column(ColumnType.date), date(0, 0, 0), parts), '0000-00-00');
    assert.equal(decode(column(ColumnType.timestamp2), Buffer.alloc(4), parts), '0000-00-00 00:00:00');
  }
});

test('days that do not exist are treated as zero dates, and no day that exists is', () => {
  const exists = (year: number, month: number, day: number): boolean =>
    decode(column(ColumnType.date), date(year, month, day)) !== null;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9999 }), fc.nat(12), fc.nat(31), (year, month, day) => {
      const point = new Date(Date.UTC(2000, 0, 1));
      point.setUTCFullYear(year, month - 1, day);
      const real = year > 0 && point.getUTCFullYear() === year && point.getUTCMonth() === month - 1;
      assert.equal(
        exists(year, month, day),
        real && month > 0 && point.getUTCDate() === day,
        `${year} ${month} ${day}`,
      );
    }),
    { numRuns: 2000 },
  );
  for (const year of [1900, 2000, 2023, 2024]) assert.equal(exists(year, 2, 29), year === 2000 || year === 2024);
});

/** One signed number of whole and fraction, as field types of the server add and subtract them. */
function time2(negative: boolean, seconds: number, micros: number, fsp: number): Buffer {
  const bytes = Math.ceil(fsp / 2);
  const packed =
    (BigInt(Math.floor(seconds / 3600)) << 12n) | BigInt(((Math.floor(seconds / 60) % 60) << 6) | (seconds % 60));
  const fraction = BigInt(Math.floor(micros / 10 ** (6 - fsp)) * 10 ** (fsp % 2));
  const size = (packed << BigInt(bytes * 8)) | fraction;
  return big((negative ? -size : size) + (0x800000n << BigInt(bytes * 8)), 3 + bytes);
}

function time1(value: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeIntLE(value, 0, 3);
  return bytes;
}

const durations = fc.record({ negative: fc.boolean(), seconds: fc.nat(3_020_399), micros: fc.nat(999_999) });

test('TIME: from -838:59:59 to 838:59:59, with the right sign also between -1 and 0 seconds', () => {
  const half = decode(column(ColumnType.time2, { meta: 1 }), time2(true, 0, 500_000, 1));
  assert.equal(half, '-00:00:00.5');
  fc.assert(
    fc.property(durations, precisions, ({ negative, seconds, micros }, fsp) => {
      const text = clock(seconds, micros, fsp);
      const sign = negative && /[1-9]/.test(text) ? '-' : '';
      for (const kind of [undefined, 'interval', 'string'] as const) {
        const facts = kind && target(kind);
        const of = column(ColumnType.time2, { meta: fsp });
        assert.equal(decode(of, time2(negative, seconds, micros, fsp), { target: facts }), sign + text);
      }
    }),
  );
  assert.equal(decode(column(ColumnType.time), time1(-8385959)), '-838:59:59');
  assert.equal(decode(column(ColumnType.time), time1(-1)), '-00:00:01');
  assert.equal(decode(column(ColumnType.time), time1(235959)), '23:59:59');
});

test('a TIME column of the target gets times of day and nothing else', () => {
  const of = column(ColumnType.time2, { meta: 1 });
  const decoded = (kind: TargetKind, negative: boolean, seconds: number, micros = 0): unknown =>
    decode(of, time2(negative, seconds, micros, 1), { target: target(kind) });
  assert.equal(decoded('time', false, 86_399, 900_000), '23:59:59.9');
  assert.equal(decoded('time', false, 86_400), '24:00:00.0');
  assert.equal(decoded('timetz', false, 3600), '01:00:00.0+00');
  for (const [negative, seconds, micros] of [
    [false, 86_400, 100_000],
    [false, 90_000, 0],
    [true, 0, 500_000],
    [true, 3600, 0],
  ] as const) {
    assert.throws(
      () => decoded('time', negative, seconds, micros),
      refusedWith('MYSQL_TIME_RANGE', /note of shop\.orders/),
    );
  }
});

test('times in the format of MariaDB 5.3 are refused where their size is not known', () => {
  for (const type of [ColumnType.time, ColumnType.datetime, ColumnType.timestamp]) {
    assert.throws(
      () => decode(column(type, { flavour: 'mariadb' }), Buffer.alloc(8)),
      refusedWith('MYSQL_METADATA_MISSING'),
    );
    const declared = 'datetime(3) /* mariadb-5.3 */';
    assert.throws(
      () => decode(column(type, { flavour: 'mariadb', declared }), Buffer.alloc(8)),
      refusedWith('MYSQL_TYPE_UNSUPPORTED', /MariaDB 5\.3/),
    );
  }
  const declared = 'time /* mariadb-5.3 */';
  assert.equal(decode(column(ColumnType.time, { flavour: 'mariadb', declared }), time1(123456)), '12:34:56');
});

test('parts that no date or time has are a malformed stream', () => {
  for (const [of, bytes] of [
    [column(ColumnType.date), date(10_000, 1, 1)],
    [column(ColumnType.date), date(2024, 13, 1)],
    [column(ColumnType.datetime2), datetime2({ year: 2024, month: 1, day: 1, seconds: 24 * 3600, micros: 0 }, 0)],
    [column(ColumnType.datetime2, { meta: 2 }), Buffer.concat([datetime2(ZERO_POINT, 0), Buffer.from([100])])],
    [column(ColumnType.time2), time2(false, 839 * 3600, 0, 0)],
    [column(ColumnType.time), time1(106000)],
  ] as const) {
    assert.throws(() => decode(of, bytes, { options: { zeroDates: 'keep' } }), refusedWith('MYSQL_PROTOCOL'));
  }
});
