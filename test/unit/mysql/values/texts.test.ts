import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Charsets } from '../../../../src/sources/mysql/charsets.ts';
import { tableConverter } from '../../../../src/sources/mysql/text-converter.ts';
import { ColumnType } from '../../../../src/sources/mysql/values/column.ts';
import { TupleWriter } from '../../../../src/changes/tuple-writer.ts';
import { column, decode, prefixed, refusedWith, target } from './decode.ts';

const varchar = (charset: string | undefined, meta = 200) => column(ColumnType.varchar, { meta, charset });

/** Strings without lone surrogates, which UTF-8 cannot hold. */
const strings = fc.string({ unit: 'binary', maxLength: 300 }).filter((text) => text.isWellFormed());

function utf32(text: string): Buffer {
  const points = [...text].map((character) => character.codePointAt(0) ?? 0);
  const bytes = Buffer.alloc(points.length * 4);
  points.forEach((point, i) => {
    bytes.writeUInt32BE(point, i * 4);
  });
  return bytes;
}

test('text of the Unicode charsets arrives as it was, short and long', () => {
  fc.assert(
    fc.property(strings, fc.integer({ min: 1, max: 300 }), (piece, times) => {
      const text = piece.repeat(Math.ceil(times / 30));
      const blob = (charset: string) => column(ColumnType.blob, { meta: 4, charset });
      const le = Buffer.from(text, 'utf16le');
      assert.equal(decode(blob('utf8mb4'), prefixed(4, text)), text);
      assert.equal(decode(blob('utf8mb3'), prefixed(4, text)), text);
      assert.equal(decode(blob('utf16le'), prefixed(4, le)), text);
      assert.equal(decode(blob('utf16'), prefixed(4, Buffer.from(le).swap16())), text);
      assert.equal(decode(blob('ucs2'), prefixed(4, Buffer.from(le).swap16())), text);
      assert.equal(decode(blob('utf32'), prefixed(4, utf32(text))), text);
    }),
  );
});

test('lengths stand in one byte up to 255 bytes of column and in two beyond', () => {
  assert.equal(decode(varchar('utf8mb4', 255), prefixed(1, 'abc')), 'abc');
  assert.equal(decode(varchar('utf8mb4', 256), prefixed(2, 'abc')), 'abc');
  assert.equal(decode(column(ColumnType.string, { meta: 1020, charset: 'utf8mb4' }), prefixed(2, 'abc')), 'abc');
});

test('latin1 is Windows-1252, and its five open bytes are control characters', () => {
  const all = Buffer.from(Array.from({ length: 255 }, (_, i) => i + 1));
  const text = decode(varchar('latin1'), prefixed(1, all)) ?? '';
  const expected = new TextDecoder('windows-1252').decode(all);
  assert.equal(text, expected);
  assert.equal(text[0x80], '\x81');
  assert.equal(text[0x7f], '€');
});

test('bytes that are no text of the charset are a named error that shows only them', () => {
  for (const [charset, hex, where] of [
    ['utf8mb4', '6162ff63', /ff63 at byte 2 of 4/],
    ['utf8mb4', `${'61'.repeat(100)}eda080`, /eda080 at byte 100 of 103/],
    ['utf8mb4', 'c3a4e282', /e282 at byte 2 of 4/],
    ['ascii', '6180', /80 at byte 1 of 2/],
    ['utf16', 'd800', /d800 at byte 0 of 2/],
    ['utf16', '0061d83d0061', /d83d0061 at byte 2 of 6/],
    ['utf16', 'dc00', /dc00 at byte 0/],
    ['utf16le', '610062', /62 at byte 2 of 3/],
    ['utf32', '00110000', /00110000 at byte 0/],
    ['utf32', '0000d800', /0000d800 at byte 0/],
    ['utf32', '000061', /000061 at byte 0/],
  ] as const) {
    assert.throws(
      () => decode(varchar(charset), prefixed(1, Buffer.from(hex, 'hex'))),
      refusedWith('MYSQL_TEXT_INVALID', where),
      `${charset} ${hex}`,
    );
  }
});

test('a zero character is sent as it is: whether it is text is for the target to say', () => {
  assert.equal(decode(varchar('utf8mb4'), prefixed(1, 'a\0b')), 'a\0b');
});

test('a charset or its name that is not known is refused before any value', () => {
  assert.throws(
    () => decode(varchar(undefined), prefixed(1, 'a')),
    refusedWith('MYSQL_METADATA_MISSING', /character set/),
  );
  assert.throws(() => decode(varchar('klingon'), prefixed(1, 'a')), refusedWith('MYSQL_TYPE_UNSUPPORTED', /klingon/));
});

test('text for a bytes target is the bytes that the source keeps', () => {
  const parts = { target: target('bytes') };
  assert.equal(decode(varchar('latin1'), prefixed(1, Buffer.from('e4', 'hex')), parts), '\\xe4');
});

const binary = (meta: number) => column(ColumnType.string, { meta, charset: 'binary' });
const varbinary = column(ColumnType.varchar, { meta: 100, charset: 'binary' });

test('bytes become hex digits, and BINARY gets its zero bytes back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (array) => {
      const bytes = Buffer.from(array);
      const hex = `\\x${bytes.toString('hex')}`;
      assert.equal(decode(column(ColumnType.blob, { meta: 2, charset: 'binary' }), prefixed(2, bytes)), hex);
      const padded = `\\x${bytes.toString('hex').padEnd(800, '0')}`;
      assert.equal(decode(binary(400), prefixed(2, bytes), { target: target('bytes') }), padded);
    }),
  );
  assert.equal(decode(varbinary, prefixed(1, Buffer.from('0100', 'hex'))), '\\x0100');
});

test('bytes for a UUID: sixteen of them, or its text', () => {
  const parts = { target: target('uuid') };
  const bytes = Buffer.from('123456789abcdef0123456789abcde00', 'hex');
  const text = '12345678-9abc-def0-1234-56789abcde00';
  assert.equal(decode(binary(16), prefixed(1, bytes), parts), text);
  assert.equal(decode(binary(16), prefixed(1, bytes.subarray(0, 15)), parts), text);
  assert.equal(decode(varbinary, prefixed(1, text), parts), text);
  assert.equal(decode(varbinary, prefixed(1, bytes.subarray(0, 3)), parts), '\\x123456');
});

test('bytes for text must be UTF-8', () => {
  const parts = { target: target('string') };
  assert.equal(decode(varbinary, prefixed(1, 'größe'), parts), 'größe');
  assert.throws(
    () => decode(varbinary, prefixed(1, Buffer.from('ff', 'hex')), parts),
    refusedWith('MYSQL_TEXT_INVALID', /no UTF-8/),
  );
});

test('BINARY(1) for a boolean: the byte or the digit', () => {
  const parts = { target: target('bool') };
  for (const [value, text] of [
    ['', 'f'],
    ['\x00', 'f'],
    ['0', 'f'],
    ['\x01', 't'],
    ['1', 't'],
    ['\x07', '\\x07'],
  ]) {
    assert.equal(decode(binary(1), prefixed(1, value), parts), text);
  }
});

test("MariaDB's UUID and addresses: by their declaration, or by the target's type", () => {
  const uuid = { ...binary(16), flavour: 'mariadb', declared: 'uuid' } as const;
  const hex = (text: string): Buffer => prefixed(1, Buffer.from(text, 'hex'));
  assert.equal(decode(uuid, hex('123456789abcdef0123456789abcdef0')), '12345678-9abc-def0-1234-56789abcdef0');
  assert.equal(decode(uuid, hex('12'), { target: target('bytes') }), `\\x12${'00'.repeat(15)}`);
  const inet6 = { ...binary(16), flavour: 'mariadb', declared: 'inet6' } as const;
  for (const [bytes, text] of [
    ['', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['20010db8000000000000ff0000428329', '2001:db8::ff00:42:8329'],
    ['00010000', '1::'],
    ['00010000000000020000000000000003', '1:0:0:2::3'],
    ['00000000000000000000ffff01020304', '::ffff:1.2.3.4'],
    ['00000000000000000000000001020304', '::1.2.3.4'],
    ['00010000000200030004000500060007', '1::2:3:4:5:6:7'],
  ]) {
    assert.equal(decode(inet6, hex(bytes)), text);
    assert.equal(decode(binary(16), hex(bytes), { target: target('inet') }), text);
  }
  const inet4 = { ...binary(4), flavour: 'mariadb', declared: 'inet4' } as const;
  assert.equal(decode(inet4, hex('0a')), '10.0.0.0');
  assert.equal(decode(binary(4), hex('01020304'), { target: target('inet') }), '1.2.3.4');
});

test('a charset by table: single bytes, pairs, three and four bytes', () => {
  const single = new Uint32Array(256).fill(0xffffffff).map((none, i) => (i < 0x80 ? i : none));
  const pair = new Uint32Array(65536).fill(0xffffffff);
  const triple = new Uint32Array(65536).fill(0xffffffff);
  single[0xb1] = 0xff71;
  pair[0x8140] = 0x3000;
  triple[0xb0a1] = 0x4e02;
  const convert = tableConverter({
    single,
    pair,
    triple,
    quadruple: (input, at) => (input[at + 3] === 0x39 ? 0x1f600 : 0xffffffff),
  });
  const text = (hex: string): string | number => {
    const out = new TupleWriter();
    const bytes = Buffer.from(hex, 'hex');
    const invalid = convert(bytes, 0, bytes.length, out);
    return invalid < 0 ? out.buffer.toString('utf8', 0, out.length) : invalid;
  };
  assert.equal(text('61b181408fb0a190303139'), 'aｱ　丂😀');
  assert.equal(text('6181'), 1);
  assert.equal(text('618141'), 1);
  assert.equal(text('8fb0'), 0);
  assert.equal(text('6190303138'), 1);
});

test('collations without a server: the commonest, and the ranges of MariaDB', () => {
  const charsets = new Charsets(new Map([[95, 'cp932']]));
  for (const [collation, charset] of [
    [8, 'latin1'],
    [45, 'utf8mb4'],
    [63, 'binary'],
    [95, 'cp932'],
    [255, 'utf8mb4'],
    [2304, 'utf8mb4'],
    [2816, 'utf16'],
    [9999, undefined],
  ] as const) {
    assert.equal(charsets.charsetOf(collation), charset);
  }
  assert.equal(charsets.text('latin1', Buffer.from('x\xe4y', 'latin1'), 1, 3), 'äy');
  assert.equal(charsets.text('utf8mb4', Buffer.from([0xff]), 0, 1), undefined);
  assert.equal(charsets.text('cp932', Buffer.from('a'), 0, 1), undefined);
});
