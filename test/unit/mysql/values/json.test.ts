import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ColumnType } from '../../../../src/sources/mysql/values/column.ts';
import { column, decode, prefixed, refusedWith, target } from './decode.ts';
import * as j from './json-encode.ts';

const json = column(ColumnType.json, { meta: 4 });

function text(value: j.Json): string | null | undefined {
  return decode(json, prefixed(4, j.jsonDocument(value)));
}

const plain = fc.string({ unit: 'grapheme', maxLength: 20 });
const scalars: fc.Arbitrary<j.Json> = fc.oneof(
  fc.constantFrom(j.literal(null), j.literal(true), j.literal(false)),
  fc.integer({ min: -0x8000, max: 0x7fff }).map(j.int16),
  fc.integer({ min: 0, max: 0xffff }).map(j.uint16),
  fc.integer({ min: -0x80000000, max: 0x7fffffff }).map(j.int32),
  fc.integer({ min: 0, max: 0xffffffff }).map(j.uint32),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(j.int64),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(j.uint64),
  plain.map(j.string),
);
const { document: documents } = fc.letrec<{ document: j.Json }>((tie) => ({
  document: fc.oneof(
    { maxDepth: 5 },
    scalars,
    fc.array(tie('document'), { maxLength: 6 }).map((cells) => ({ cells })),
    fc
      .uniqueArray(fc.tuple(plain, tie('document')), { maxLength: 6, selector: ([key]) => key })
      .map((members) => ({ members })),
  ),
}));

test('documents of all types and depths have the text of the server', () => {
  fc.assert(
    fc.property(documents, (value) => assert.equal(text(value), j.jsonText(value))),
    { numRuns: 500 },
  );
});

test('large containers, whose offsets have four bytes', () => {
  const long = j.string('x'.repeat(70_000));
  const value = {
    members: [
      ['a', j.int32(-70_000)] as const,
      ['b', long] as const,
      ['cc', { cells: [long, j.uint32(4e9)] }] as const,
    ],
  };
  assert.equal(j.jsonDocument(value)[0], 1);
  assert.equal(text(value), j.jsonText(value));
});

test('numbers keep their kind and all of their digits', () => {
  for (const [value, shown] of [
    [1, '1.0'],
    [-0, '-0.0'],
    [1e15, '1e15'],
    [1e14, '100000000000000.0'],
    [1e-15, '0.000000000000001'],
    [1e-16, '1e-16'],
    [-1e20, '-1e20'],
    [1079204221923882.6, '1079204221923882.6'],
    [0.1, '0.1'],
  ] as const) {
    assert.equal(text(j.double(value, shown)), shown);
  }
  assert.equal(text(j.uint64(18446744073709551615n)), '18446744073709551615');
});

test('strings are escaped as the server does', () => {
  assert.equal(
    text(j.string('a"\\/\b\f\n\r\t\u0001\u001f\u007fé😀')),
    '"a\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u007fé😀"',
  );
});

function packed(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}

/** The packed form of 2024-01-02 03:04:05.678901 and its parts, as a real server stores them. */
const DATE = (BigInt(2024 * 13 + 1) << 5n) | 2n;
const CLOCK = BigInt((3 << 12) | (4 << 6) | 5);

test('values of SQL types inside of JSON', () => {
  const decimal = Buffer.concat([Buffer.from([14, 4]), Buffer.from('810dfb38d204d2', 'hex')]);
  assert.equal(text(j.opaque(246, decimal, '')), '1234567890.1234');
  assert.equal(
    text(j.opaque(12, packed((((DATE << 17n) | CLOCK) << 24n) | 678901n), '')),
    '"2024-01-02 03:04:05.678901"',
  );
  assert.equal(text(j.opaque(7, packed(((DATE << 17n) | CLOCK) << 24n), '')), '"2024-01-02 03:04:05.000000"');
  assert.equal(text(j.opaque(10, packed(DATE << 41n), '')), '"2024-01-02"');
  assert.equal(text(j.opaque(10, packed(0n), '')), '"0000-00-00"');
  assert.equal(text(j.opaque(11, packed(-((CLOCK << 24n) | 500_000n)), '')), '"-03:04:05.500000"');
  assert.equal(text(j.opaque(15, Buffer.from('00ff', 'hex'), '')), '"base64:type15:AP8="');
  const line = 'q6ur'.repeat(19);
  assert.equal(text(j.opaque(252, Buffer.alloc(58, 0xab), '')), `"base64:type252:${line}\\nqw=="`);
});

test('a document of no bytes is null; a bytes target gets the digits of its text', () => {
  assert.equal(decode(json, prefixed(4, '')), 'null');
  const bytes = prefixed(4, j.jsonDocument(j.string('\n')));
  assert.equal(decode(json, bytes, { target: target('bytes') }), `\\x${Buffer.from('"\\n"').toString('hex')}`);
});

test('a small document whose parts overlap does not print for ever', () => {
  // An array of two cells that both are the array behind it, forty levels deep: 2^40 cells.
  const levels = Array.from({ length: 40 }, () => {
    const bytes = Buffer.alloc(10);
    bytes.writeUInt16LE(2, 0);
    bytes[4] = 2;
    bytes.writeUInt16LE(10, 5);
    bytes[7] = 2;
    bytes.writeUInt16LE(10, 8);
    return bytes;
  });
  const body = Buffer.concat([...levels, Buffer.from('00000400', 'hex')]);
  for (let i = 0; i < 40; i++) body.writeUInt16LE(body.length - i * 10, i * 10 + 2);
  const started = performance.now();
  assert.throws(
    () => decode(json, prefixed(4, Buffer.concat([Buffer.from([2]), body]))),
    refusedWith('MYSQL_PROTOCOL', /overlap/),
  );
  assert.ok(performance.now() - started < 1000);
});

test('documents deeper than any server makes them are refused', () => {
  let value: j.Json = j.int16(1);
  for (let i = 0; i < 100; i++) value = { cells: [value] };
  assert.equal(text(value), j.jsonText(value));
  for (let i = 0; i < 100; i++) value = { cells: [value] };
  assert.throws(() => text(value), refusedWith('MYSQL_PROTOCOL', /levels/));
});
