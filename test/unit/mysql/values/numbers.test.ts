import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ColumnType } from '../../../../src/sources/mysql/values/column.ts';
import { column, decode, target } from './decode.ts';

const INTEGERS: readonly [type: number, bytes: number][] = [
  [ColumnType.tiny, 1],
  [ColumnType.short, 2],
  [ColumnType.int24, 3],
  [ColumnType.long, 4],
  [ColumnType.longlong, 8],
];

function integer(value: bigint, bytes: number): Buffer {
  const wide = Buffer.alloc(8);
  wide.writeBigInt64LE(BigInt.asIntN(64, value));
  return wide.subarray(0, bytes);
}

for (const [type, bytes] of INTEGERS) {
  for (const unsigned of [false, true]) {
    test(`integers of ${bytes} bytes, ${unsigned ? 'unsigned' : 'signed'}, have all of their digits`, () => {
      const top = 1n << BigInt(bytes * 8);
      const [min, max] = unsigned ? [0n, top - 1n] : [-top / 2n, top / 2n - 1n];
      const edges = [min, max, min + 1n, max - 1n, 0n, 1n, unsigned ? 2n : -1n].filter(
        (edge) => edge >= min && edge <= max,
      );
      const check = (value: bigint): void =>
        assert.equal(decode(column(type, { unsigned }), integer(value, bytes)), String(value));
      for (const edge of edges) check(edge);
      fc.assert(fc.property(fc.bigInt({ min, max }), check));
    });
  }
}

test('around 53 bits, where numbers and big integers meet, no digit is lost', () => {
  for (let shift = 50n; shift < 64n; shift++) {
    for (const off of [-1n, 0n, 1n]) {
      const value = (1n << shift) + off;
      assert.equal(decode(column(ColumnType.longlong, { unsigned: true }), integer(value, 8)), String(value));
      if (shift > 62n) continue;
      assert.equal(decode(column(ColumnType.longlong), integer(-value, 8)), String(-value));
    }
  }
});

test('TINYINT for a boolean target: zero is false, all else is true, and other values than 1 are counted', () => {
  let counted = 0;
  const parts = { target: target('bool'), options: { onCounted: () => counted++ } };
  assert.equal(decode(column(ColumnType.tiny), integer(0n, 1), parts), 'f');
  assert.equal(decode(column(ColumnType.tiny), integer(1n, 1), parts), 't');
  assert.equal(counted, 0);
  assert.equal(decode(column(ColumnType.tiny), integer(-3n, 1), parts), 't');
  assert.equal(decode(column(ColumnType.tiny, { declared: 'tinyint(1)' }), integer(2n, 1), parts), 't');
  assert.equal(counted, 2);
  assert.equal(decode(column(ColumnType.longlong), integer(1n << 40n, 8), parts), 't');
  assert.equal(counted, 3);
  assert.equal(decode(column(ColumnType.longlong), integer(1n, 8), parts), 't');
  assert.equal(decode(column(ColumnType.longlong), integer(0n, 8), parts), 'f');
  assert.equal(counted, 3);
});

test('TINYINT(1) stays a number where the target is not a boolean', () => {
  for (const facts of [undefined, target('int'), target('string'), target('bool', { array: true })]) {
    assert.equal(decode(column(ColumnType.tiny, { declared: 'tinyint(1)' }), integer(1n, 1), { target: facts }), '1');
  }
});

test('YEAR: a number; the year zero has four digits only as text', () => {
  const year = column(ColumnType.year, { unsigned: true });
  assert.equal(decode(year, Buffer.from([124])), '2024');
  assert.equal(decode(year, Buffer.from([255])), '2155');
  assert.equal(decode(year, Buffer.from([0]), { target: target('int') }), '0');
  assert.equal(decode(year, Buffer.from([0]), { target: target('string') }), '0000');
});

test('DOUBLE: every number reads back to itself', () => {
  const check = (value: number, kind?: 'float' | 'string'): void => {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    const text = decode(column(ColumnType.double, { meta: 8 }), bytes, kind && { target: target(kind) });
    assert.ok(Object.is(Number(text), value), `${value} became ${text}`);
  };
  for (const value of [0, -0, 1, -1.5, 1e15, 1e14, 1e-15, 1e-16, 5e-324, 1.7976931348623157e308]) check(value);
  fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => check(value, 'float')));
});

test('FLOAT: the shortest digits that round to the same 32 bits', () => {
  const text = (value: number): string | null | undefined => {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return decode(column(ColumnType.float, { meta: 4 }), bytes);
  };
  assert.equal(text(0.1), '0.1');
  assert.equal(text(-0), '-0');
  assert.equal(text(1.2345678), '1.2345678');
  assert.equal(text(-16777216), '-16777216');
  assert.equal(text(3.40282e38), '3.40282e38');
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const digits = text(value) ?? '';
      assert.ok(Object.is(Math.fround(Number(digits)), value), `${value} became ${digits}`);
      assert.ok(
        digits
          .replace(/e.*/, '')
          .replace(/\D/g, '')
          .replace(/^0+|0+$/g, '').length <= 9,
      );
    }),
  );
});

test('a DOUBLE for an integer target has no exponent', () => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(1e15);
  assert.equal(decode(column(ColumnType.double), bytes, { target: target('int') }), '1000000000000000');
  assert.equal(decode(column(ColumnType.double), bytes), '1e15');
  bytes.writeDoubleLE(-0);
  assert.equal(decode(column(ColumnType.double), bytes, { target: target('int') }), '0');
});

/** As the manual's example has it: digits in groups of nine around the point, first bit turned, all turned when negative. */
function packDecimal(text: string, precision: number, scale: number): Buffer {
  const negative = text.startsWith('-');
  const [whole, fraction = ''] = text.replace('-', '').split('.');
  const left = whole.padStart(precision - scale, '0').slice(-(precision - scale) || Infinity);
  const groups: string[] = [];
  const odd = (precision - scale) % 9;
  if (odd > 0) groups.push(left.slice(0, odd));
  for (let i = odd; i < precision - scale; i += 9) groups.push(left.slice(i, i + 9));
  const right = fraction.padEnd(scale, '0');
  for (let i = 0; i < scale; i += 9) groups.push(right.slice(i, i + 9));
  const bytes = groups.flatMap((digits) => {
    const size = Math.ceil(digits.length / 2) - (digits.length >= 9 ? 1 : 0);
    const group = Buffer.alloc(4);
    group.writeUInt32BE(Number(digits));
    return [...group.subarray(4 - size)];
  });
  bytes[0] ^= 0x80;
  return Buffer.from(negative ? bytes.map((byte) => byte ^ 0xff) : bytes);
}

test("DECIMAL: the manual's own example", () => {
  const bytes = Buffer.from('810dfb38d204d2', 'hex');
  const decimal = column(ColumnType.newdecimal, { meta: (14 << 8) | 4 });
  assert.equal(decode(decimal, bytes), '1234567890.1234');
  assert.equal(decode(decimal, Buffer.from(bytes.map((byte) => byte ^ 0xff))), '-1234567890.1234');
});

test('DECIMAL: all digits of every precision and scale', () => {
  const shapes = fc.integer({ min: 1, max: 65 }).chain((precision) =>
    fc.record({
      precision: fc.constant(precision),
      scale: fc.integer({ min: 0, max: Math.min(30, precision) }),
      digits: fc.bigInt({ min: 0n, max: 10n ** BigInt(precision) - 1n }),
      shift: fc.integer({ min: 0, max: precision - 1 }),
      negative: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(shapes, ({ precision, scale, digits, shift, negative }) => {
      const all = String(digits / 10n ** BigInt(shift)).padStart(scale + 1, '0');
      const whole = all.slice(0, all.length - scale);
      const text = scale > 0 ? `${whole}.${all.slice(all.length - scale)}` : whole;
      const signed = negative && BigInt(all) > 0n ? `-${text}` : text;
      const meta = (precision << 8) | scale;
      assert.equal(decode(column(ColumnType.newdecimal, { meta }), packDecimal(signed, precision, scale)), signed);
    }),
    { numRuns: 1000 },
  );
});

test('a DECIMAL for an integer target loses a fraction of zeros and no other', () => {
  const decimal = column(ColumnType.newdecimal, { meta: (10 << 8) | 2 });
  const parts = { target: target('int') };
  assert.equal(decode(decimal, packDecimal('-12.00', 10, 2), parts), '-12');
  assert.equal(decode(decimal, packDecimal('12.50', 10, 2), parts), '12.50');
  assert.equal(decode(decimal, packDecimal('12.00', 10, 2), { target: target('decimal') }), '12.00');
});

test('BIT: its digits, a number, a boolean or bytes, as the target takes it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (bits, any) => {
      const value = any & ((1n << BigInt(bits)) - 1n);
      const hex = value.toString(16).padStart(Math.ceil(bits / 8) * 2, '0');
      const of = column(ColumnType.bit, { meta: bits });
      const bytes = Buffer.from(hex, 'hex');
      const digits = value.toString(2).padStart(bits, '0');
      for (const facts of [undefined, target('bit'), target('string')]) {
        assert.equal(decode(of, bytes, { target: facts }), digits);
      }
      for (const kind of ['int', 'decimal', 'float'] as const) {
        assert.equal(decode(of, bytes, { target: target(kind) }), String(value));
      }
      assert.equal(decode(of, bytes, { target: target('bool') }), value === 0n ? 'f' : 't');
      assert.equal(decode(of, bytes, { target: target('bytes') }), `\\x${hex}`);
    }),
  );
});
