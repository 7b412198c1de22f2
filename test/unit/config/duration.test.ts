import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../../src/config/duration.ts';
import { formatSize, parseSize } from '../../../src/config/size.ts';

test('durations are read as Go reads them', () => {
  const expected: [string, number][] = [
    ['0', 0],
    ['-0', 0],
    ['0s', 0],
    ['1h2m3.5s', 3_723_500],
    ['100ms', 100],
    ['1m0s', 60_000],
    ['24h0m0s', 86_400_000],
    ['168h', 604_800_000],
    ['1.1s', 1100],
    ['.5s', 500],
    ['5.s', 5000],
    ['1µs', 0.001],
    ['1μs', 0.001],
    ['1us', 0.001],
    ['250ns', 0.00025],
    ['-1.5s', -1500],
    ['+2s', 2000],
    ['-1', -1],
    ['1s1s', 2000],
  ];
  for (const [text, milliseconds] of expected) assert.equal(parseDuration(text), milliseconds, text);
});

test('what Go refuses is refused', () => {
  for (const text of [
    '',
    '1',
    '5',
    '-',
    '+',
    's',
    '.s',
    '1x',
    '1 s',
    ' 1s',
    '1s ',
    '1h-1m',
    '--1s',
    '1e3s',
    'NaN',
    '1S',
    '9999999h',
  ]) {
    assert.equal(parseDuration(text), undefined, JSON.stringify(text));
  }
});

test('durations are written as Go writes them', () => {
  const expected: [number, string][] = [
    [0, '0s'],
    [60_000, '1m0s'],
    [86_400_000, '24h0m0s'],
    [300_000, '5m0s'],
    [2500, '2.5s'],
    [25, '25ms'],
    [1.5, '1.5ms'],
    [0.001, '1µs'],
    [0.00025, '250ns'],
    [-1, '-1ms'],
    [3_723_500, '1h2m3.5s'],
  ];
  for (const [milliseconds, text] of expected) assert.equal(formatDuration(milliseconds), text);
});

test('a written duration is read back as itself, to the nanosecond', () => {
  // Above some days a number of milliseconds cannot hold single nanoseconds any more.
  fc.assert(
    fc.property(fc.integer({ min: -1e15, max: 1e15 }), (nanoseconds) => {
      assert.equal(parseDuration(formatDuration(nanoseconds / 1e6)), nanoseconds / 1e6 + 0);
    }),
  );
});

test('no text makes the parsers throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.+-hmsnuµkKiBG ') }), (text) => {
      const duration = parseDuration(text);
      const size = parseSize(text);
      assert.ok(duration === undefined || Number.isFinite(duration));
      assert.ok(size === undefined || Number.isSafeInteger(size));
    }),
  );
});

test('sizes', () => {
  const expected: [string, number | undefined][] = [
    ['0', 0],
    ['1048576', 1_048_576],
    ['64MiB', 67_108_864],
    ['64mib', 67_108_864],
    ['1.5 GiB', 1_610_612_736],
    ['10kB', 10_000],
    ['5GB', 5e9],
    ['7B', 7],
    ['', undefined],
    ['MiB', undefined],
    ['64M', undefined],
    ['-1MiB', undefined],
    ['64 MiB x', undefined],
    ['99999999TiB', undefined],
  ];
  for (const [text, bytes] of expected) assert.equal(parseSize(text), bytes, text);
});

test('a written size is read back as itself', () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => assert.equal(parseSize(formatSize(bytes)), bytes)));
});
