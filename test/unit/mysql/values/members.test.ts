import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ColumnType } from '../../../../src/sources/mysql/values/column.ts';
import { column, decode, refusedWith, target } from './decode.ts';

const sizes = column(ColumnType.enum, { meta: 1, members: ['s', 'größe', 'a\\b'] });

test('ENUM: the member, empty for the invalid value, the index for a number', () => {
  for (const facts of [undefined, target('string'), target('enum')]) {
    assert.equal(decode(sizes, Buffer.from([2]), { target: facts }), 'größe');
    assert.equal(decode(sizes, Buffer.from([0]), { target: facts }), '');
  }
  for (const kind of ['int', 'decimal', 'float'] as const) {
    assert.equal(decode(sizes, Buffer.from([3]), { target: target(kind) }), '3');
  }
  const many = column(ColumnType.enum, { meta: 2, members: Array.from({ length: 300 }, (_, i) => `m${i + 1}`) });
  assert.equal(decode(many, Buffer.from([0x2c, 1])), 'm300');
});

test('a backslash in a member means nothing to a bytes target', () => {
  assert.equal(decode(sizes, Buffer.from([3]), { target: target('bytes') }), '\\x615c62');
});

test('an ENUM or SET whose members are not known, or not these, is refused', () => {
  const unknown = column(ColumnType.enum, { meta: 1 });
  assert.throws(() => decode(unknown, Buffer.from([1])), refusedWith('MYSQL_METADATA_MISSING', /members/));
  assert.equal(decode(unknown, Buffer.from([1]), { target: target('int') }), '1');
  assert.throws(() => decode(sizes, Buffer.from([4])), refusedWith('MYSQL_DEFINITION_MISMATCH', /member 4 of 3/));
  const set = column(ColumnType.set, { meta: 1, members: ['a'] });
  assert.throws(() => decode(set, Buffer.from([2])), refusedWith('MYSQL_DEFINITION_MISMATCH', /member 2 of 1/));
});

test('SET: members with commas, an array where the target has one, the mask for a number', () => {
  const set = column(ColumnType.set, { meta: 1, members: ['a', 'b"c', 'd\\e', 'null'] });
  const array = { target: target('string', { array: true }) };
  assert.equal(decode(set, Buffer.from([0b1011])), 'a,b"c,null');
  assert.equal(decode(set, Buffer.from([0])), '');
  assert.equal(decode(set, Buffer.from([0b1111]), array), '{"a","b\\"c","d\\\\e","null"}');
  assert.equal(decode(set, Buffer.from([0]), array), '{}');
  assert.equal(decode(set, Buffer.from([0b1010]), { target: target('int') }), '10');
});

test('SET: all 64 bits', () => {
  const members = Array.from({ length: 64 }, (_, i) => `m${i}`);
  const set = column(ColumnType.set, { meta: 8, members });
  assert.equal(decode(set, Buffer.alloc(8, 0xff)), members.join(','));
  assert.equal(decode(set, Buffer.from('0100008001000080', 'hex')), 'm0,m31,m32,m63');
  assert.equal(decode(set, Buffer.alloc(8, 0xff), { target: target('decimal') }), '18446744073709551615');
  const five = column(ColumnType.set, { meta: 5, members });
  assert.equal(decode(five, Buffer.from('0000000080', 'hex')), 'm39');
});
