import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTuple } from '../../../../src/changes/change-log.ts';
import { ColumnType } from '../../../../src/sources/mysql/values/column.ts';
import { partialJsonDecoder } from '../../../../src/sources/mysql/values/column-decoder.ts';
import { parseJsonPath } from '../../../../src/sources/mysql/values/json-path.ts';
import { TupleWriter } from '../../../../src/changes/tuple-writer.ts';
import { column, prefixed, refusedWith, target } from './decode.ts';
import * as j from './json-encode.ts';

const REPLACE = 0;
const INSERT = 1;
const REMOVE = 2;

function lenenc(bytes: Buffer): Buffer {
  if (bytes.length < 251) return prefixed(1, bytes);
  const [mark, width] = bytes.length < 0x10000 ? [0xfc, 2] : [0xfd, 3];
  return Buffer.concat([Buffer.from([mark]), prefixed(width, bytes)]);
}

function diff(operation: number, path: string, value?: j.Json): Buffer {
  const parts = [Buffer.from([operation]), lenenc(Buffer.from(path))];
  if (value !== undefined) parts.push(lenenc(j.jsonDocument(value)));
  return Buffer.concat(parts);
}

function apply(document: j.Json, diffs: readonly Buffer[], kind?: 'bytes'): string | null | undefined {
  const decoder = partialJsonDecoder('shop.orders', column(ColumnType.json, { meta: 4 }), kind && target(kind));
  const before = Buffer.concat([Buffer.from('head'), prefixed(4, j.jsonDocument(document))]);
  const after = prefixed(4, Buffer.concat(diffs));
  const input = Buffer.concat([Buffer.from('xyz'), after, Buffer.from('behind')]);
  const out = new TupleWriter();
  out.begin(1);
  assert.equal(decoder(before, 4, before.length, input, 3, 3 + after.length, out), 3 + after.length);
  return decodeTuple(out.buffer, 0)[0];
}

const LONG = 'x'.repeat(70_000);
const document: j.Json = {
  members: [
    ['a', j.int16(1)],
    ['b', { cells: [j.int16(10), j.string('ten'), { members: [['k', j.literal(null)]] }] }],
    ['dé.e', { members: [] }],
  ],
};

test('members are replaced, inserted in the order of the server, and removed', () => {
  assert.equal(
    apply(document, [diff(REPLACE, '$.a', j.string(LONG))]),
    `{"a": "${LONG}", "b": [10, "ten", {"k": null}], "dé.e": {}}`,
  );
  assert.equal(
    apply(document, [diff(INSERT, '$.ccc', j.int16(2)), diff(INSERT, '$.c', j.double(1, '1.0'))]),
    '{"a": 1, "b": [10, "ten", {"k": null}], "c": 1.0, "ccc": 2, "dé.e": {}}',
  );
  assert.equal(apply(document, [diff(REMOVE, '$.b'), diff(REMOVE, '$."dé.e"')]), '{"a": 1}');
});

test('cells are replaced, inserted and removed, one diff upon the other', () => {
  assert.equal(
    apply(document, [
      diff(REMOVE, '$.b[0]'),
      diff(INSERT, '$.b[1]', { cells: [j.int16(5)] }),
      diff(REPLACE, '$.b[1][0]', j.int16(6)),
      diff(INSERT, '$.b[9]', j.literal(true)),
      diff(REPLACE, '$.b[2].k', j.literal(false)),
      diff(INSERT, '$."dé.e"."q\\"uote"', j.int16(1)),
    ]),
    '{"a": 1, "b": ["ten", [6], {"k": false}, true], "dé.e": {"q\\"uote": 1}}',
  );
});

test('the whole document can be replaced; no diffs at all mean unchanged', () => {
  assert.equal(apply(document, [diff(REPLACE, '$', j.int16(7))]), '7');
  assert.equal(apply(document, []), undefined);
  assert.equal(
    apply(j.int16(1), [diff(REPLACE, '$', j.string('\n'))], 'bytes'),
    `\\x${Buffer.from('"\\n"').toString('hex')}`,
  );
});

test('diffs that do not fit their document, or are none, are a malformed stream', () => {
  for (const bad of [
    diff(REPLACE, '$.nothing', j.int16(1)),
    diff(REMOVE, '$.b[3]'),
    diff(INSERT, '$.a.b', j.int16(1)),
    diff(INSERT, '$.b.c', j.int16(1)),
    diff(REMOVE, '$'),
    diff(7, '$.a', j.int16(1)),
    diff(REPLACE, 'a', j.int16(1)),
    diff(REPLACE, '$.a', j.int16(1)).subarray(0, -1),
    Buffer.from([REPLACE]),
    Buffer.from([REPLACE, 0xff]),
    Buffer.from([REPLACE, 0xfe, 1, 0, 0]),
  ]) {
    assert.throws(() => apply(document, [bad]), refusedWith('MYSQL_PROTOCOL'), bad.toString('latin1'));
  }
});

test('paths as the server logs them', () => {
  assert.deepEqual(parseJsonPath('$'), []);
  assert.deepEqual(parseJsonPath('$.a[12].b'), ['a', 12, 'b']);
  assert.deepEqual(parseJsonPath('$."a.b"."c\\"d\\\\"."é\\u0041"[0]'), ['a.b', 'c"d\\', 'éA', 0]);
  assert.deepEqual(parseJsonPath('$."".größe'), ['', 'größe']);
  for (const none of ['', 'a', '$a', '$.', '$[', '$[x]', '$."a']) {
    assert.equal(parseJsonPath(none), undefined, none);
  }
});
