import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { ColumnType } from '../../../../src/sources/mysql/values/column.ts';
import { column, decode, prefixed, refusedWith, target } from './decode.ts';

const geometry = column(ColumnType.geometry, { meta: 4 });

/** POINT(1 2) as WKB. */
const POINT = '0101000000000000000000f03f0000000000000040';

test('GEOMETRY: EWKB with its SRID, WKB without one', () => {
  assert.equal(decode(geometry, prefixed(4, Buffer.from(`00000000${POINT}`, 'hex'))), POINT);
  assert.equal(
    decode(geometry, prefixed(4, Buffer.from(`e6100000${POINT}`, 'hex'))),
    '0101000020e6100000000000000000f03f0000000000000040',
  );
  const bigEndian = '00000000013ff00000000000004000000000000000';
  assert.equal(
    decode(geometry, prefixed(4, Buffer.from(`e6100000${bigEndian}`, 'hex'))),
    '0020000001000010e63ff00000000000004000000000000000',
  );
});

test('GEOMETRY for bytes is what SELECT shows; one without a value is NULL', () => {
  const bytes = prefixed(4, Buffer.from(`e6100000${POINT}`, 'hex'));
  assert.equal(decode(geometry, bytes, { target: target('bytes') }), `\\xe6100000${POINT}`);
  assert.equal(decode(geometry, prefixed(4, '')), null);
  assert.throws(
    () => decode(geometry, prefixed(4, ''), { target: target('geometry', { nullable: false }) }),
    refusedWith('MYSQL_PROTOCOL'),
  );
  assert.throws(() => decode(geometry, prefixed(4, Buffer.alloc(9, 7))), refusedWith('MYSQL_PROTOCOL', /GEOMETRY/));
});

test('WKB in a binary column goes to a geometry as hex without a mark', () => {
  const blob = column(ColumnType.blob, { meta: 2, charset: 'binary' });
  assert.equal(decode(blob, prefixed(2, Buffer.from(POINT, 'hex')), { target: target('geometry') }), POINT);
});

test('VECTOR: its numbers, in the brackets that the target wants', () => {
  const floats = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 20 });
  const vector = column(ColumnType.vector, { meta: 4 });
  fc.assert(
    fc.property(floats, (list) => {
      const bytes = Buffer.alloc(list.length * 4);
      list.forEach((value, i) => {
        bytes.writeFloatLE(value, i * 4);
      });
      const text = decode(vector, prefixed(4, bytes)) ?? '';
      const back = (text.slice(1, -1) || undefined)?.split(',').map((value) => Math.fround(Number(value))) ?? [];
      assert.deepEqual(back, list);
      assert.equal(
        decode(vector, prefixed(4, bytes), { target: target('float', { array: true }) }),
        `{${text.slice(1, -1)}}`,
      );
      assert.equal(decode(vector, prefixed(4, bytes), { target: target('bytes') }), `\\x${bytes.toString('hex')}`);
    }),
  );
  const declared = column(ColumnType.blob, { meta: 2, charset: 'binary', flavour: 'mariadb', declared: 'vector(2)' });
  assert.equal(decode(declared, prefixed(2, Buffer.from('0000803f000020c0', 'hex'))), '[1,-2.5]');
  assert.throws(() => decode(vector, prefixed(4, 'abc')), refusedWith('MYSQL_PROTOCOL'));
});

function compressed(raw: boolean, text: string): Buffer {
  const plain = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(plain.length);
  return Buffer.concat([Buffer.from([raw ? 0x8a : 0x82]), length, raw ? deflateRawSync(plain) : deflateSync(plain)]);
}

test('columns with the attribute COMPRESSED', () => {
  const text = column(ColumnType.blobCompressed, { meta: 2, charset: 'utf8mb4', flavour: 'mariadb' });
  const bytes = column(ColumnType.varcharCompressed, { meta: 300, charset: 'binary', flavour: 'mariadb' });
  const long = 'größe '.repeat(500);
  assert.equal(decode(text, prefixed(2, compressed(true, long))), long);
  assert.equal(decode(text, prefixed(2, compressed(false, long))), long);
  assert.equal(decode(text, prefixed(2, '\0plain')), 'plain');
  assert.equal(decode(text, prefixed(2, '')), '');
  assert.equal(decode(bytes, prefixed(2, compressed(false, 'abab'))), '\\x61626162');
  const wrongLength = compressed(false, long);
  wrongLength[2]++;
  for (const bad of [Buffer.from([0x12]), Buffer.from([0x82, 1]), Buffer.from('820001ff', 'hex'), wrongLength]) {
    assert.throws(() => decode(text, prefixed(2, bad)), refusedWith('MYSQL_PROTOCOL'));
  }
});

test('a type that is not known here is refused by its code', () => {
  assert.throws(() => decode(column(20), Buffer.alloc(1)), refusedWith('MYSQL_TYPE_UNSUPPORTED', /code 20/));
});
