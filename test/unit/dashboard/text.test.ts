import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusJson, statusLine, statusText } from '../../../src/dashboard/text.ts';
import { busy, fakeEngine, NOW } from '../../harness/fake-replicator.ts';
import { readFacts } from '../../../src/dashboard/facts.ts';
import { ReadingModel } from '../../../src/dashboard/model.ts';

const trouble = {
  at: NOW,
  code: 'APPLY_CONSTRAINT',
  message: 'a row was refused',
  fix: 'SELECT 1;\nSELECT 2;',
  table: 'shop.public.items',
};

test('the status for a person: what is known, in words, with units', async () => {
  const fake = fakeEngine({ deadLetters: 2, troubles: [trouble] });
  await fake.look(30, busy);
  const text = statusText(fake.poller.reading!);
  for (const line of [
    /^state {9}following$/m,
    /^from {10}postgresql:\/\/app@db1:5432\/shop$/m,
    /^lag {11}12 ms, 0 B; holds$/m,
    /^last minute {3}p50 6 ms, p99 36 ms$/m,
    /^throughput {4}1,244 rows\/s, 12\.3 MB\/s$/m,
    /^applied {7}0\/[0-9A-F]+$/m,
    /^log {11}2 GB held of 64 GB allowed, not growing$/m,
    /^dead letters {2}2 source transactions in the dead-letter table dlq$/m,
    /^shop\.public\.items {5}.*12,340 .* 0 .* 2 /m,
    /^2026-11-22T10:20:30\.000Z APPLY_CONSTRAINT: a row was refused \(shop\.public\.items\)$/m,
    /^ {4}SELECT 2;$/m,
  ]) {
    assert.match(text, line);
  }
  assert(!text.includes('undefined') && !text.includes('NaN'));
});

test('what a userscript does stands among the rest, and is null where there is none', async () => {
  const fake = fakeEngine();
  await fake.look(10, busy);
  const reading = fake.poller.reading!;
  assert.doesNotMatch(statusText(reading), /script/);
  assert.equal((statusJson(reading) as { script: unknown }).script, null);
  const script = { passedPerSecond: 12, droppedPerSecond: undefined, dropped: 3, busy: 0.5, failures: 0 };
  assert.match(statusText({ ...reading, script }), /^script {8}passes 12\/s, leaves out -; 50% of a core$/m);
  assert.deepEqual((statusJson({ ...reading, script }) as { script: unknown }).script, {
    ...script,
    droppedPerSecond: null,
  });
});

test('one line, and the same when nobody answers: the age of the numbers, not the numbers alone', async () => {
  const fake = fakeEngine();
  await fake.look(10, busy);
  assert.equal(
    statusLine(fake.poller.reading!).replace(/0\/[0-9A-F]+/, 'LSN'),
    '2026-11-22T10:20:40Z following; lag 12 ms, 0 B (holds); 1,244 rows/s, 12.3 MB/s; applied LSN; 2 GB held of 64 GB allowed',
  );
  fake.engine.gone = true;
  await fake.look(5);
  const line = statusLine(fake.poller.reading!);
  assert.match(
    line,
    /^2026-11-22T10:20:45Z stalled: the endpoint does not answer: nobody listens .*; numbers are 5\.0 s old; lag/,
  );
  assert(!line.includes('\n'));
});

test('the same for programs: everything there, null for what is not known, units in the names', async () => {
  const fake = fakeEngine({ troubles: [trouble] });
  await fake.look(10, busy);
  const json = JSON.parse(JSON.stringify(statusJson(fake.poller.reading!)));
  assert.equal(json.state, 'following');
  assert.equal(json.stale, false);
  assert.equal(json.lag.p99Seconds.toFixed(6), '0.036000');
  assert.equal(json.lag.lastEvent, '2026-11-22T10:20:38.000Z');
  assert.equal(json.retained.limitBytes, 64e9);
  assert.deepEqual(
    json.stages.map(({ name }: { name: string }) => name),
    ['source', 'buffer', 'queue', 'target'],
  );
  assert.equal(json.tables.length, 3);
  assert.equal(json.troubles[0].fix, trouble.fix);
  const bare = new ReadingModel().observe(readFacts({ varz: 'm 1', diag: undefined, clockAhead: 0 }, NOW));
  const unknown = JSON.parse(JSON.stringify(statusJson(bare)));
  assert.deepEqual(Object.keys(unknown), Object.keys(json), 'the same keys, whatever is known');
  assert.deepEqual(Object.keys(unknown.lag), Object.keys(json.lag));
  assert.equal(unknown.lag.bytes, null);
  assert.equal(unknown.position.applied, null);
});
