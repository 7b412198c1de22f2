import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OperatorError } from '../../../src/errors.ts';
import { asLsn, Lsn } from '../../../src/sources/postgres/lsn.ts';

const anyLsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => new Lsn(value));

test('a log position survives printing and parsing', () => {
  fc.assert(fc.property(anyLsn, (lsn) => Lsn.parse(lsn.toString()).value === lsn.value));
  assert.equal(Lsn.parse('0/1A2B3C').toString(), '0/1A2B3C');
  assert.equal(Lsn.parse('16/b374d848').toString(), '16/B374D848');
  assert.equal(Lsn.parse('0/0').value, 0n);
});

test('positions are ordered as numbers, not as text', () => {
  fc.assert(fc.property(anyLsn, anyLsn, (a, b) => a.covers(b) === a.value >= b.value));
  assert(Lsn.parse('10/0').covers(Lsn.parse('9/FFFFFFFF')));
  assert(!Lsn.parse('0/9').covers(Lsn.parse('0/10')));
});

test('text that is no position is refused by name', () => {
  for (const text of ['', '0', '0/', '/0', '0/1/2', '0/123456789', 'x/1', '0x1/2', '0/-1']) {
    assert.throws(
      () => Lsn.parse(text),
      (error) => error instanceof OperatorError && error.code === 'PG_LSN',
    );
  }
});

test("another source's position is a program error", () => {
  assert.throws(() => asLsn({ toString: () => 'uuid:1-3', covers: () => true }), TypeError);
});
