import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters } from '../../soak/counters.ts';

const exposition = (rows: number, lag: number, late: number) => `# HELP rows_total Rows.
# TYPE rows_total counter
rows_total{table="a b"} ${rows}
rows_total{table="c"} 1
# TYPE lag gauge
lag ${lag}
# TYPE age histogram
age_bucket{le="1"} ${late}
age_sum ${late * 2}
age_count ${late}
`;

test('counters and histograms may rise, gauges may do as they like', () => {
  const counters = new Counters();
  for (const [rows, lag, late] of [
    [1, 5, 1],
    [1, 3, 1],
    [7, 4, 9],
  ])
    counters.see(exposition(rows, lag, late));
  assert.deepEqual(counters.falls, []);
  assert.equal(counters.total('rows_total'), 8);
});

test('a counter that falls or is gone is told', () => {
  const counters = new Counters();
  counters.see(exposition(7, 1, 2));
  counters.see(exposition(6, 1, 1));
  assert.deepEqual(counters.falls, [
    'rows_total{table="a b"} fell from 7 to 6',
    'age_bucket{le="1"} fell from 2 to 1',
    'age_sum fell from 4 to 2',
    'age_count fell from 2 to 1',
  ]);
  counters.see('');
  assert.equal(counters.falls.length, 9);
});
