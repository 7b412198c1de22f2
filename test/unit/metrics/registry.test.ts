import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decadeBuckets, definitions } from '../../../src/metrics/names.ts';
import { createMetrics, Metrics } from '../../../src/metrics/registry.ts';

test('every metric of the table is published with its type and help', async () => {
  const text = await new Metrics().text();
  for (const [name, { type, help }] of Object.entries(definitions)) {
    assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name);
  }
});

test('the names, types and labels that existing boards ask for', () => {
  const expected: [keyof typeof definitions, string, string[]][] = [
    ['core_source_lag_seconds', 'histogram', ['kind', 'target']],
    ['target_apply_transaction_lag_seconds', 'histogram', ['kind', 'target']],
    ['target_apply_mutation_age_seconds', 'histogram', ['schema', 'table']],
    ['target_apply_queue_utilization_percent', 'gauge', []],
    ['target_apply_queue_size', 'gauge', []],
    ['source_commit_to_apply_lag_seconds', 'gauge', []],
    ['mutation_total', 'counter', ['source', 'type']],
    ['pglogical_dial_success_total', 'counter', []],
    ['pglogical_dial_failure_total', 'counter', []],
    ['core_sweep_mutations_applied_total', 'counter', ['schema']],
    ['core_parallelism_utilization_percent', 'gauge', []],
    ['apply_duration_seconds', 'histogram', ['schema', 'table']],
    ['apply_upserts_total', 'counter', ['schema', 'table']],
    ['apply_deletes_total', 'counter', ['schema', 'table']],
    ['apply_errors_total', 'counter', ['schema', 'table']],
    ['script_exec_time_seconds', 'histogram', ['schema', 'table', 'function']],
    ['retry_retried_total', 'counter', ['code']],
  ];
  for (const [name, type, labels] of expected) {
    assert.deepEqual([definitions[name].type, definitions[name].labels], [type, labels], name);
  }
});

test('bucket bounds: one to nine times each power of ten, printed without rounding noise', () => {
  assert.deepEqual(definitions.apply_duration_seconds.buckets, decadeBuckets(0.001, 60));
  assert.deepEqual(
    decadeBuckets(0.001, 0.02),
    [0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.01, 0.02],
  );
  assert.equal(decadeBuckets(0.001, 60).length, 42, 'with +Inf the 43 of the 2024 engine');
  assert.deepEqual(decadeBuckets(1, 86400).slice(-3), [70000, 80000, 86400]);
  const bounds = decadeBuckets(0.001, 86400);
  assert.ok(bounds.every((bound, i) => i === 0 || bound > bounds[i - 1]));
});

test('a table is present with zeros as soon as it is known, and counts under its labels', async () => {
  const metrics = new Metrics();
  const table = metrics.table('defaultdb.public', 'a "b"');
  const labels = 'schema="defaultdb.public",table="a \\"b\\""';
  assert.ok((await metrics.text()).includes(`apply_upserts_total{${labels}} 0\n`));
  table.upserts.inc(3);
  table.deletes.inc();
  table.errors.inc();
  table.duration.observe(0.0025);
  table.age.observe(1.5);
  assert.equal(metrics.table('defaultdb.public', 'a "b"'), table, 'the same handles, nothing is reset');
  const text = await metrics.text();
  for (const line of [
    `apply_upserts_total{${labels}} 3`,
    `apply_deletes_total{${labels}} 1`,
    `apply_errors_total{${labels}} 1`,
    `apply_conflicts_total{${labels}} 0`,
    `apply_duration_seconds_bucket{le="0.002",${labels}} 0`,
    `apply_duration_seconds_bucket{le="0.003",${labels}} 1`,
    `target_apply_mutation_age_seconds_bucket{le="2",${labels}} 1`,
    `target_apply_mutation_age_seconds_count{${labels}} 1`,
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
});

test('the source is in one state at a time', async () => {
  const metrics = new Metrics();
  metrics.sourceState('connecting');
  metrics.sourceState('streaming');
  metrics.sourceState('streaming');
  const text = await metrics.text();
  assert.ok(text.includes('instar_source_state{state="connecting"} 0\n'));
  assert.ok(text.includes('instar_source_state{state="streaming"} 1\n'));
});

test('two instances share nothing', async () => {
  const [one, other] = [new Metrics(), new Metrics()];
  one.handle.pglogical_dial_success_total.inc(5);
  assert.ok((await other.text()).includes('pglogical_dial_success_total 0\n'));
});

test('process metrics come without the event loop timer that would cost an idle core', async () => {
  const text = await createMetrics().text();
  assert.match(text, /^process_resident_memory_bytes \d+/m);
  assert.match(text, /^nodejs_eventloop_lag_seconds /m);
  assert.doesNotMatch(text, /nodejs_eventloop_lag_p99_seconds/);
});
