import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StageName } from '../../../src/dashboard/reading.ts';
import { type StageEvidence, stagesOf } from '../../../src/dashboard/stages.ts';

const behind: StageEvidence = {
  state: 'behind',
  silent: false,
  paused: false,
  connected: true,
  bytesPerSecond: 12e6,
  changesPerSecond: 5000,
  rowsPerSecond: 4000,
  blocked: 0,
  buffered: 1e6,
  bufferLimit: 256e6,
  waiting: 0,
  queueShare: 0,
  busy: 0.3,
  core: 0.4,
  stuck: false,
};

const cases: [what: string, evidence: Partial<StageEvidence>, bottleneck: StageName | undefined][] = [
  ['nothing waits and the target has time', {}, 'source'],
  ['not connected', { connected: false, state: 'stalled' }, 'source'],
  ['the target works all the time', { busy: 0.97, waiting: 40, queueShare: 0.2 }, 'target'],
  ['the target commits nothing', { state: 'stalled', stuck: true, busy: 0, waiting: 1 }, 'target'],
  ['the engine uses a whole core', { core: 0.95, waiting: 2, queueShare: 0.7 }, 'buffer'],
  ['a busy target before a busy engine', { core: 0.95, busy: 0.9 }, 'target'],
  ['a full queue and a target that has time', { waiting: 200, queueShare: 0.8, busy: 0.2 }, 'queue'],
  ['a full queue and a target of which nothing is known', { waiting: 200, queueShare: 0.8, busy: undefined }, 'target'],
  ['the source is made to wait', { blocked: 0.4, waiting: 5, queueShare: 0.1 }, 'target'],
  ['a large transaction is gathered', { buffered: 200e6 }, 'buffer'],
  ['caught up', { state: 'caught up', busy: 0.9 }, undefined],
  ['following', { state: 'following', busy: 0.9 }, undefined],
  ['paused', { state: 'stalled', paused: true, waiting: 9 }, undefined],
  ['silent', { state: 'stalled', silent: true, connected: false }, undefined],
];

for (const [what, evidence, bottleneck] of cases) {
  test(`${what}: ${bottleneck ?? 'no bottleneck'}`, () => {
    const stages = stagesOf({ ...behind, ...evidence });
    assert.deepEqual(
      stages.filter((stage) => stage.bottleneck).map(({ name }) => name),
      bottleneck === undefined ? [] : [bottleneck],
    );
  });
}

test('each stage says what it does', () => {
  const texts = (evidence: Partial<StageEvidence>) => stagesOf({ ...behind, ...evidence }).map(({ text }) => text);
  assert.deepEqual(texts({ waiting: 3 }), ['reads 12 MB/s', '1 MB held', '3 batches', '30% busy']);
  assert.deepEqual(texts({ connected: false, waiting: 1 }).slice(0, 3), ['not connected', '1 MB held', '1 batch']);
  assert.equal(texts({ blocked: 0.6 })[0], 'made to wait');
  assert.deepEqual(
    texts({
      bytesPerSecond: undefined,
      buffered: undefined,
      waiting: undefined,
      rowsPerSecond: undefined,
      busy: undefined,
    }),
    ['reads 5,000/s', '-', '-', 'writes -'],
  );
});
