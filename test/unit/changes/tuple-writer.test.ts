import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeTuple, encodeTuple } from '../../../src/changes/change-log.ts';
import { TupleWriter } from '../../../src/changes/tuple-writer.ts';

const values = fc.array(
  fc.oneof(
    fc.constant(null),
    fc.constant(undefined),
    fc.string({ unit: 'grapheme', maxLength: 80 }),
    fc.string({ maxLength: 80 }),
  ),
  { maxLength: 40 },
);

test('a tuple is what the change log takes, whichever way its values were written', () => {
  const out = new TupleWriter();
  fc.assert(
    fc.property(values, fc.nat(5), (list, way) => {
      if (way === 0) out.clear();
      const start = out.begin(list.length);
      for (const value of list) {
        if (value === null) out.null();
        else if (value === undefined) out.unchanged();
        else if (way % 3 === 0) out.utf8(value);
        else if (way % 3 === 1) out.bytes(Buffer.from(`<${value}>`), 1, Buffer.byteLength(value) + 1);
        else {
          const at = out.open();
          for (const byte of Buffer.from(value)) out.writeByte(byte);
          out.close(at);
        }
      }
      assert.deepEqual(out.buffer.subarray(start, out.length), encodeTuple(list));
    }),
  );
});

test('the buffer grows as far as it must and is given back after an extraordinary row', () => {
  const out = new TupleWriter();
  const usual = out.buffer.length;
  out.begin(3);
  const long = 'ä'.repeat(6_000_000);
  out.ascii('x'.repeat(usual));
  out.utf8(long);
  out.integer(-12);
  assert.deepEqual(decodeTuple(out.buffer, 0), ['x'.repeat(usual), long, '-12']);
  out.clear();
  assert.equal(out.buffer.length, usual);
});

test('integers up to 53 bits have their digits', () => {
  const out = new TupleWriter();
  const text = (value: number): unknown => {
    out.clear();
    out.begin(1);
    out.integer(value);
    return decodeTuple(out.buffer, 0)[0];
  };
  for (let power = 0; power <= 15; power++) {
    for (const off of [-1, 0, 1]) assert.equal(text(10 ** power + off), String(10 ** power + off));
  }
  fc.assert(fc.property(fc.maxSafeInteger(), (value) => assert.equal(text(value), String(value))));
});

test('a value of an earlier tuple can be copied', () => {
  const out = new TupleWriter();
  out.begin(1);
  const start = out.length;
  out.utf8('größe');
  const end = out.length;
  const second = out.begin(2);
  out.copyValue(start, end);
  out.null();
  assert.deepEqual(decodeTuple(out.buffer, second), ['größe', null]);
});
