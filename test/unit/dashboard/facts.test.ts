import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFacts } from '../../../src/dashboard/facts.ts';
import { moltScrape } from './molt-scrape.ts';

const at = 1_700_000_000_000;
const of = (varz: string, diag?: unknown, clockAhead = 0) => readFacts({ varz, diag, clockAhead }, at);

test("MOLT Replicator's endpoint tells less, and nothing is made up", () => {
  const facts = of(moltScrape({ received: 12, upserts: 10, deletes: 2, queue: 3, lags: [[4, 1.5]] }), {
    build: 'another document altogether',
    stopper: [1, 2],
  });
  assert.equal(facts.changesReceived, 12);
  assert.equal(facts.rowsApplied, 12);
  assert.equal(facts.waiting, 3);
  assert.equal(facts.queueShare, 0.003);
  assert.equal(facts.ages!.count, 4);
  assert.deepEqual(
    [...facts.tables],
    [['defaultdb.public.item', { upserts: 10, deletes: 2, errors: 0, ageSum: 6, ageCount: 4 }]],
  );
  for (const unknown of [
    'lagBytes',
    'bufferedBytes',
    'retainedBytes',
    'sourceState',
    'engineState',
    'head',
    'lastReceived',
    'deadLetters',
  ] as const) {
    assert.equal(facts[unknown], undefined, unknown);
  }
  assert.equal(facts.paused, false);
  assert.deepEqual(facts.troubles, []);
});

test('names of earlier releases', () => {
  const facts = of(`mutations_received_count{kind="pglogical",target="db.public"} 7
core_sweep_apply_count{schema="db.public"} 6
target_apply_queue_depth 2
target_lag_seconds{kind="cdc",target="db.public"} 4.5
apply_mutation_age_seconds_bucket{schema="s",table="t",le="1"} 1
apply_mutation_age_seconds_bucket{schema="s",table="t",le="+Inf"} 2
apply_mutation_age_seconds_sum{schema="s",table="t"} 9
apply_mutation_age_seconds_count{schema="s",table="t"} 2
`);
  assert.equal(facts.changesReceived, 7);
  assert.equal(facts.waiting, 2);
  assert.equal(facts.toldLag, 4.5);
  assert.equal(facts.ages!.count, 2);
  assert.equal(facts.tables.get('s.t')!.ageSum, 9);
});

test('a lag between heard and applied, of changefeeds: the target that is farthest back', () => {
  const facts = of(`target_pending_timestamp_seconds{kind="cdc",target="a"} 1000
target_pending_timestamp_seconds{kind="cdc",target="b"} 1000
target_applied_timestamp_seconds{kind="cdc",target="a"} 999
target_applied_timestamp_seconds{kind="cdc",target="b"} 940
target_applied_timestamp_seconds{kind="cdc",target="c"} 1`);
  assert.equal(facts.toldLag, 60);
});

test('a label that holds the whole name of a table is not given its schema twice', () => {
  const facts = of(`apply_upserts_total{schema="db.public",table="db.public.item"} 1
apply_upserts_total{schema="db.public",table="other"} 2`);
  assert.deepEqual([...facts.tables.keys()], ['db.public.item', 'db.public.other']);
});

test('the diagnosis is taken as far as it has the right types, and before the gauges', () => {
  const diag = {
    build: { pid: 42 },
    settings: { memoryLimit: 1000, targetApplyQueueSize: 8, standbyTimeout: 60_000 },
    source: { kind: 'pglogical', state: 'streaming', head: '0/20', lagBytes: 16, retainedBytes: 'many', received: 5 },
    checkpoint: { position: '0/10' },
    engine: { state: 'streaming', paused: true, queued: 2, inFlight: 1, bufferedBytes: 77 },
    lag: { p50: 0.1, p99: null, lastEvent: at - 4000, lastHeartbeat: 0 },
    troubles: [
      { at: at - 9000, code: 'A', message: 'older' },
      { at: new Date(at - 1000).toISOString(), code: 'B', message: 'newer', fix: 'do it', table: 't' },
      'nonsense',
      {},
    ],
  };
  const facts = of('target_apply_queue_size 99\ninstar_source_lag_bytes 1\ninstar_slot_retained_bytes 7', diag);
  assert.equal(facts.pid, 42);
  assert.equal(facts.waiting, 3);
  assert.equal(facts.queueShare, 0.25);
  assert.equal(facts.lagBytes, 16);
  assert.equal(facts.retainedBytes, 7);
  assert.equal(facts.bufferLimit, 1000);
  assert.equal(facts.paused, true);
  assert.equal(facts.p50, 0.1);
  assert.equal(facts.p99, undefined);
  assert.equal(facts.lastReceived, undefined);
  assert.equal(facts.heartbeatLimit, 180);
  assert.deepEqual(
    facts.troubles.map(({ code }) => code),
    ['B', 'A'],
  );
});

test('times of a machine whose clock goes wrong are told by the clock here', () => {
  const hour = 3_600_000;
  const diag = { source: { lastReceived: at + hour - 2000 }, troubles: [{ at: at + hour, code: 'A', message: 'm' }] };
  const facts = of(`cdc_sink_start_seconds ${(at + hour) / 1000 - 60}`, diag, hour);
  assert.equal(facts.lastReceived, at - 2000);
  assert.equal(facts.startedAt, at - 60_000);
  assert.equal(facts.troubles[0].at, at);
});

test('gauges that are there for every source say nothing of those that are not counted so', () => {
  const gauges = 'instar_source_lag_bytes 0\ninstar_source_waiting_transactions 0\n';
  const postgres = of(gauges, { source: { kind: 'pglogical', lagBytes: 5, head: '0/20' } });
  assert.deepEqual([postgres.lagBytes, postgres.waitingTransactions], [5, undefined]);
  const mysql = of(gauges, { source: { kind: 'mylogical' } });
  assert.deepEqual([mysql.lagBytes, mysql.waitingTransactions], [undefined, undefined]);
  assert.equal(of('instar_source_waiting_transactions 7\n').waitingTransactions, 7);
});

test('what waits is what lies between the positions of one answer', () => {
  const uuid = '77263736-7899-11f0-81a5-0242ac120002';
  const waits = (head: string, position: string, told: number) =>
    of('', { source: { kind: 'mylogical', head, waitingTransactions: told }, checkpoint: { position } })
      .waitingTransactions;
  assert.equal(waits(`${uuid}:1-45`, `${uuid}:1-38`, 200), 7);
  assert.equal(waits(`${uuid}:1-38`, `${uuid}:1-45`, 3), 0);
  assert.equal(waits('0-1-45,7-1-9', '0-1-38,7-1-9', 200), 7);
  assert.equal(waits(`${uuid}:1-45`, 'what is this', 3), 3);
});
