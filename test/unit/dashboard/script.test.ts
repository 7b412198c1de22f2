import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSamples } from '../../../src/dashboard/samples.ts';
import { readScript, ScriptModel, scriptText } from '../../../src/dashboard/script.ts';

const START = 1_700_000_000_000;

/** A scrape of an engine whose script has done so much. */
function scrape(passed: number, dropped: number, milliseconds: number, failures = 0): string {
  const orders = '{schema="db.public",table="orders",function="onRowUpsert"}';
  const all = '{schema="db.public",table="",function="onRowDelete"}';
  return [
    `script_invocations_total${orders} ${passed + dropped}`,
    `script_rows_processed_total${orders} ${passed - 10}`,
    `script_rows_processed_total${all} 10`,
    `script_rows_filtered_total${orders} ${dropped}`,
    `script_exec_time_seconds_sum${orders} ${milliseconds / 1000}`,
    ...(failures === 0 ? [] : [`script_errors_total${all} ${failures}`]),
    '',
  ].join('\n');
}

const facts = (...of: Parameters<typeof scrape>) => readScript(parseSamples(scrape(...of)));

test('without a script, or before its first row, there is no line', () => {
  assert.equal(readScript(parseSamples('')), undefined);
  assert.equal(readScript(parseSamples('script_invocations_total{function="onRowUpsert"} 0\n')), undefined);
  assert.equal(new ScriptModel(5000, 60_000).look(START, undefined), undefined);
});

test('what a script passes, leaves out, costs, and fails at, over all of its handlers', () => {
  const model = new ScriptModel(5000, 60_000);
  for (let second = 0; second < 20; second++) {
    model.look(START + 1000 * second, facts(1000 * second + 10, 30 * second, 120 * second));
  }
  const reading = model.look(START + 20_000, facts(20_010, 600, 2400, 1))!;
  const busy = Number(reading.busy?.toFixed(6));
  assert.deepEqual(
    { ...reading, busy },
    { passedPerSecond: 1000, droppedPerSecond: 30, dropped: 600, busy: 0.12, failures: 1 },
  );
  assert.equal(scriptText(reading), 'passes 1,000/s, leaves out 30/s; 12% of a core; 1 failure');
});

test('a script that has left out nothing says so; a failure at its very first row is told', () => {
  const model = new ScriptModel(5000, 60_000);
  model.look(START, facts(10, 0, 0));
  assert.equal(scriptText(model.look(START + 1000, facts(110, 0, 5))!), 'passes 100/s, leaves out none; 1% of a core');
  const first = readScript(parseSamples('script_errors_total{function="onRowUpsert"} 1\n'));
  assert.match(scriptText(new ScriptModel(5000, 60_000).look(START, first)!), /; 1 failure$/);
});

test('an engine that was started anew counts from zero, and no rate is below it', () => {
  const model = new ScriptModel(5000, 60_000);
  model.look(START, facts(1010, 50, 100));
  model.restart();
  const reading = model.look(START + 1000, facts(210, 5, 10))!;
  assert.deepEqual([reading.passedPerSecond, reading.droppedPerSecond], [210, 5]);
});
