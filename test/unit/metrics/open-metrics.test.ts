import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toOpenMetrics, wantsOpenMetrics } from '../../../src/metrics/open-metrics.ts';
import { Metrics } from '../../../src/metrics/registry.ts';

test('counters: the family loses _total, one that never had it keeps its name and is of unknown type', () => {
  const text = [
    '# HELP apply_upserts_total Rows "upserted".',
    '# TYPE apply_upserts_total counter',
    'apply_upserts_total{schema="s",table="# TYPE x counter"} 3',
    '',
    '# HELP core_flush_count Batches.',
    '# TYPE core_flush_count counter',
    'core_flush_count{reason="size"} 1',
    '',
    '# HELP queue Waiting.',
    '# TYPE queue gauge',
    'queue 0',
    '',
  ].join('\n');
  assert.equal(
    toOpenMetrics(text),
    [
      '# TYPE apply_upserts counter',
      '# HELP apply_upserts Rows \\"upserted\\".',
      'apply_upserts_total{schema="s",table="# TYPE x counter"} 3',
      '# TYPE core_flush_count unknown',
      '# HELP core_flush_count Batches.',
      'core_flush_count{reason="size"} 1',
      '# TYPE queue gauge',
      '# HELP queue Waiting.',
      'queue 0',
      '# EOF',
      '',
    ].join('\n'),
  );
});

test('an OpenMetrics scrape leaves the names of the plain text as they were', async () => {
  const metrics = new Metrics();
  const before = await metrics.text();
  const open = toOpenMetrics(before);
  assert.equal(await metrics.text(), before);
  assert.match(open, /^pglogical_dial_success_total 0$/m);
  assert.ok(!open.includes('\n\n'));
  assert.ok(open.endsWith('\n# EOF\n'));
});

test('families do not clash once _total is cut off', async () => {
  const families = [...toOpenMetrics(await new Metrics().text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  assert.equal(new Set(families).size, families.length);
});

test('OpenMetrics is served only to those who prefer it', () => {
  assert.equal(
    wantsOpenMetrics('application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1'),
    true,
  );
  assert.equal(wantsOpenMetrics('application/openmetrics-text'), true);
  assert.equal(wantsOpenMetrics('application/openmetrics-text;q=0.2, text/plain'), false);
  assert.equal(wantsOpenMetrics('application/openmetrics-text;q=0'), false);
  assert.equal(wantsOpenMetrics('*/*'), false);
  assert.equal(wantsOpenMetrics(undefined), false);
});
