import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clean,
  cut,
  formatAge,
  formatBytes,
  formatCount,
  formatRate,
  formatSeconds,
  padEnd,
  padStart,
} from '../../../src/terminal/format.ts';
import { textWidth } from '../../../src/terminal/width.ts';

function assertAll<T, R>(format: (value: T) => R, cases: readonly (readonly [T, R])[]): void {
  assert.deepEqual(
    cases.map(([value]) => [value, format(value)]),
    cases.map(([value, text]) => [value, text]),
  );
}

test('bytes have a decimal unit and at most three digits', () => {
  assertAll(formatBytes, [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1234, '1.23 kB'],
    [999_499, '999 kB'],
    [999_600, '1 MB'],
    [9_996_000, '10 MB'],
    [41_230_000_000, '41.2 GB'],
    [64e9, '64 GB'],
    [3.25e12, '3.25 TB'],
    [-1500, '-1.50 kB'],
  ]);
});

test('seconds change their unit without a gap or an overflow', () => {
  assertAll(formatSeconds, [
    [0, '0 s'],
    [0.0002, '<1 ms'],
    [0.35, '350 ms'],
    [0.9996, '1.0 s'],
    [3.2, '3.2 s'],
    [9.96, '10 s'],
    [59.6, '1 min 00 s'],
    [245, '4 min 05 s'],
    [3599.7, '1 h 00 min'],
    [7800, '2 h 10 min'],
    [86_399.9, '1 d 0 h'],
    [273_600, '3 d 4 h'],
    [-5, '0 s'],
  ]);
});

test('counts, rates and ages', () => {
  assertAll(formatCount, [
    [0, '0'],
    [12_345, '12,345'],
    [999_999, '999,999'],
    [1_234_567, '1.2 M'],
    [123_456_789, '123 M'],
    [1_200_000_000, '1.2 G'],
  ]);
  assertAll(formatRate, [
    [0, '0/s'],
    [0.42, '0.4/s'],
    [9.97, '10/s'],
    [1234, '1,234/s'],
  ]);
  assertAll(formatAge, [
    [900, '0 s'],
    [12_400, '12 s'],
    [245_000, '4 min'],
    [7.9e6, '2 h'],
    [2.7e8, '3 d'],
  ]);
});

test('what is not known is a dash, never zero', () => {
  for (const format of [formatBytes, formatSeconds, formatCount, formatRate, formatAge]) {
    for (const unknown of [undefined, Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(format(unknown), '-');
  }
});

test('widths count the columns of the terminal', () => {
  assertAll(textWidth, [
    ['abc', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['👩‍👩‍👧', 2],
    ['한글', 4],
    ['…→✓', 3],
  ]);
  assert.equal(padEnd('日本', 6), '日本  ');
  assert.equal(padStart('日本', 6), '  日本');
  assert.equal(cut('日本語', 5), '日本…');
  assert.equal(cut('日本語', 4), '日…');
  assert.equal(cut('abcdef', 4, '~'), 'abc~');
  assert.equal(cut('abc', 3), 'abc');
  assert.equal(cut('abc', 0), '');
});

test("others' text cannot move the cursor, ring, colour or turn the line round", () => {
  assert.equal(clean('a\x1b[2Jb\x1b]52;c;eA==\x07c\u0007d\r\ne\tf\u202eg\u0000'), 'abcd e fg');
  assert.equal(clean('👩‍👩‍👧'), '👩‍👩‍👧');
});
