import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lsnValue, readSample } from '../../../src/demo/sample.ts';

test('a sample sums rows over tables and reads lag and checkpoint', () => {
  const varz = [
    '# HELP apply_upserts_total Rows upserted.',
    '# TYPE apply_upserts_total counter',
    'apply_upserts_total{schema="shop.public",table="a} 9"} 12',
    'apply_upserts_total{schema="shop.public",table="b"} 30',
    'apply_upserts_total_created 1000',
    'apply_deletes_total{schema="shop.public",table="b"} 8',
    'source_commit_to_apply_lag_seconds 0.0015',
    'instar_source_lag_bytes 1.5e+06',
  ].join('\n');
  assert.deepEqual(readSample(varz, '{"checkpoint":{"position":"16/B374D848"},"other":1}'), {
    rows: 50,
    lagSeconds: 0.0015,
    lagBytes: 1_500_000,
    checkpoint: '16/B374D848',
  });
});

test('an engine that has done nothing yet has nothing to show', () => {
  assert.deepEqual(readSample('', '{}'), { rows: 0, lagSeconds: 0, lagBytes: 0, checkpoint: undefined });
});

test('LSNs compare as 64-bit numbers', () => {
  assert.equal(lsnValue('0/0'), 0n);
  assert.equal(lsnValue('16/B374D848'), 0x16b374d848n);
  assert.ok(lsnValue('A/0') > lsnValue('9/FFFFFFFF'));
});
