import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firing } from '../../monitoring/alerts.ts';
import type { Series } from '../../monitoring/evaluate.ts';

const MINUTE = 60;
const HOUR = 3600;
const SCRAPE = 15;
const ENGINE = { job: 'shop', instance: 'db1:30005' };

type Story = Readonly<Record<string, number | undefined | ((time: number) => number | undefined)>>;

/** What an engine publishes that is well: nothing waits, rows come and are applied. */
const WELL: Story = {
  up: 1,
  target_apply_queue_size: 0,
  cdc_sink_start_seconds: 1_000_000,
  'instar_source_state{state="streaming"}': 1,
  instar_lag_seconds: 0.01,
  source_commit_to_apply_lag_seconds: 0.01,
  'core_sweep_mutations_applied_total{schema="s"}': (time) => time * 10,
  instar_paused: 0,
  instar_slot_retained_bytes: 2 ** 20,
  instar_slot_limit_bytes: 2 ** 30,
  'instar_slot_wal_status{status="reserved"}': 1,
  instar_source_log_needed_seconds: 0,
  instar_source_log_kept_seconds: 86_400,
  'apply_errors_total{schema="s",table="t"}': 0,
};

/** Scrapes of two hours of `story` over WELL; the time that it is told is that since the first hour has passed. */
function scrapes(story: Story): Series[] {
  return Object.entries({ ...WELL, ...story }).map(([name, value]) => {
    const [, metric, labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(name)!;
    const own = Object.fromEntries(Array.from(labels.matchAll(/(\w+)="(.*?)"/g), ([, label, text]) => [label, text]));
    const samples: [number, number][] = [];
    for (let time = 0; time <= 2 * HOUR; time += SCRAPE) {
      const told = typeof value === 'function' ? value(time - HOUR) : value;
      if (told !== undefined) samples.push([time, told]);
    }
    return { labels: { __name__: metric, ...ENGINE, ...own }, samples };
  });
}

/** Names of the alerts that fire `after` seconds of a story. */
function alerts(story: Story, after: number): string[] {
  return [...firing(scrapes(story), HOUR + after).keys()];
}

/** From the first hour on. */
const then =
  (now: number | undefined, before: number | undefined = 0) =>
  (time: number) =>
    time < 0 ? before : now;

test('nothing fires where all is well, idle or busy', () => {
  assert.deepEqual(alerts({}, HOUR), []);
  assert.deepEqual(alerts({ 'core_sweep_mutations_applied_total{schema="s"}': 5, instar_lag_seconds: 0 }, HOUR), []);
  assert.deepEqual(alerts({ instar_slot_limit_bytes: 0, instar_source_log_kept_seconds: 0 }, HOUR), []);
});

test('a process that is gone: down, whatever else it published last; one that never was is nobody`s affair', () => {
  const gone = Object.fromEntries(
    Object.entries(WELL).map(([name, value]) => [
      name,
      (time: number) => (time >= 0 ? undefined : typeof value === 'function' ? value(time) : value),
    ]),
  );
  assert.deepEqual(alerts({ ...gone, up: then(0, 1) }, MINUTE), []);
  assert.deepEqual(alerts({ ...gone, up: then(0, 1) }, HOUR / 2), ['InstarDown']);
  const nothing = Object.fromEntries(Object.keys(WELL).map((name) => [name, undefined]));
  assert.deepEqual(alerts({ ...nothing, up: 0 }, HOUR), []);
});

test('a target that hangs: stalled after minutes, then the objective is missed', () => {
  const stalled: Story = {
    instar_lag_seconds: (time) => Math.max(0, time),
    'core_sweep_mutations_applied_total{schema="s"}': (time) => Math.min(time, 0) + HOUR,
  };
  assert.deepEqual(alerts(stalled, MINUTE), []);
  assert.deepEqual(alerts(stalled, 4 * MINUTE), ['InstarStalled']);
  assert.deepEqual(alerts(stalled, 20 * MINUTE), ['InstarStalled', 'InstarLagObjectiveMissed']);
  assert.deepEqual(alerts({ ...stalled, instar_paused: then(1) }, 4 * MINUTE), [], 'paused is not stalled');
  assert(alerts({ ...stalled, instar_paused: then(1) }, 20 * MINUTE).includes('InstarPaused'));
  // Nothing was ever applied, so the counter is not there.
  const never = { ...stalled, 'core_sweep_mutations_applied_total{schema="s"}': undefined };
  assert.deepEqual(alerts(never, 4 * MINUTE), ['InstarStalled']);
});

test('one that catches up is late and not stalled; so is MOLT Replicator, which tells one lag only', () => {
  assert.deepEqual(alerts({ instar_lag_seconds: 7200 }, HOUR), ['InstarLagObjectiveMissed']);
  const molt: Story = {
    instar_lag_seconds: undefined,
    instar_paused: undefined,
    'instar_source_state{state="streaming"}': undefined,
    source_commit_to_apply_lag_seconds: 400,
  };
  assert.deepEqual(alerts(molt, HOUR), ['InstarLagObjectiveMissed']);
});

test('a source that cannot be reached, also one that never could', () => {
  const away = {
    'instar_source_state{state="streaming"}': then(0, 1),
    'instar_source_state{state="waiting"}': then(1),
  };
  assert.deepEqual(alerts(away, 10 * MINUTE), ['InstarNotStreaming']);
  const never = { 'instar_source_state{state="streaming"}': undefined, 'instar_source_state{state="connecting"}': 1 };
  assert.deepEqual(alerts(never, 10 * MINUTE), ['InstarNotStreaming']);
});

test('retries and reconnects count when they go on for long', () => {
  for (const [metric, alert] of [
    ['retry_retried_total{code="40001"}', 'InstarRetrying'],
    ['instar_reconnects_total{side="target",code="TARGET_LOST"}', 'InstarReconnecting'],
  ]) {
    assert.deepEqual(alerts({ [metric]: (time) => Math.max(0, time) }, 25 * MINUTE), [alert]);
    assert.deepEqual(alerts({ [metric]: (time) => Math.min(Math.max(0, time), 60) }, 25 * MINUTE), []);
  }
});

test('the first dead letter, script error and piece of redo fire, though their counters are born with them', () => {
  for (const [metric, alert] of [
    ['instar_dead_letters_total{table="dlq"}', 'InstarDeadLetters'],
    ['script_errors_total{schema="s",table="t",function="onRowUpsert"}', 'InstarScriptErrors'],
    ['instar_oraclelogminer_redo_skipped_total{reason="lob"}', 'InstarRedoSkipped'],
  ]) {
    const born = { [metric]: then(1, undefined) };
    // The value of a counter that was not there is its gain: nothing is subtracted.
    assert.deepEqual(alerts({ [metric]: then(3, 2) }, 5 * MINUTE), [alert], metric);
    assert.deepEqual(alerts(born, 5 * MINUTE), [alert], metric);
    assert.deepEqual(alerts(born, HOUR), [], 'it does not go on for ever');
  }
  assert.deepEqual(alerts({ 'apply_errors_total{schema="s",table="t"}': then(1) }, 5 * MINUTE), ['InstarApplyErrors']);
});

test('log that is near its limit, by bytes and by age', () => {
  assert.deepEqual(alerts({ instar_slot_retained_bytes: 0.69 * 2 ** 30 }, HOUR), []);
  assert.deepEqual(alerts({ instar_slot_retained_bytes: 0.71 * 2 ** 30 }, HOUR), ['InstarSlotNearLimit']);
  const endless = { instar_slot_retained_bytes: 2 ** 36, instar_slot_limit_bytes: 0 };
  assert.deepEqual(alerts(endless, HOUR), ['InstarSlotHoldsLog']);
  const lost = {
    'instar_slot_wal_status{status="reserved"}': then(0, 1),
    'instar_slot_wal_status{status="lost"}': then(1, undefined),
  };
  assert.deepEqual(alerts(lost, MINUTE), ['InstarSlotGoing']);
  assert.deepEqual(alerts({ instar_source_log_needed_seconds: 43_000 }, HOUR), []);
  assert.deepEqual(alerts({ instar_source_log_needed_seconds: 44_000 }, HOUR), ['InstarLogNearlyRemoved']);
});

test('a process that dies again and again', () => {
  const dying = { cdc_sink_start_seconds: (time: number) => 1_000_000 + Math.floor(Math.max(0, time) / 300) };
  assert.deepEqual(alerts(dying, 25 * MINUTE), ['InstarRestarting']);
  assert.deepEqual(alerts({ cdc_sink_start_seconds: then(2, 1) }, 25 * MINUTE), []);
});
