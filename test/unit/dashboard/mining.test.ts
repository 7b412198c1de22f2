import assert from 'node:assert/strict';
import { test } from 'node:test';
import { miningText, readMining } from '../../../src/dashboard/mining.ts';
import { parseSamples } from '../../../src/dashboard/samples.ts';

const SCRAPE = parseSamples(
  [
    'oraclelogminer_scn_interval_size 12345',
    'oraclelogminer_num_inflight_transactions_in_memory 1',
    'instar_oraclelogminer_window_size 3250',
    '',
  ].join('\n'),
);

test('where LogMiner is, in a line', () => {
  const reading = readMining(SCRAPE, 'oraclelogminer');
  assert.deepEqual(reading, { distance: 12_345, window: 3250, open: 1 });
  assert.equal(reading && miningText(reading), '12,345 SCNs to read, 3,250 at a time; 1 open transaction');
  assert.equal(miningText({ distance: 3, window: 1e12, open: 0 }), '3 SCNs to read; 0 open transactions');
});

test('there is no such line for other sources, whose endpoints have the gauges too, nor where there are none', () => {
  assert.equal(readMining(SCRAPE, 'pglogical'), undefined);
  assert.equal(readMining(parseSamples(''), 'oraclelogminer'), undefined);
});

test("another program's endpoint, which tells no kind and no window, has its line", () => {
  const other = readMining(parseSamples('oraclelogminer_scn_interval_size 7\n'), undefined);
  assert.equal(other && miningText(other), '7 SCNs to read; 0 open transactions');
});
