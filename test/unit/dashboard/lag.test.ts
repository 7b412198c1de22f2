import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeLag, type LagEvidence, SEGMENT_BYTES } from '../../../src/dashboard/lag.ts';
import type { LagState } from '../../../src/dashboard/reading.ts';

/** A source that is heard and has nothing to tell. */
const idle: LagEvidence = {
  silence: undefined,
  paused: false,
  engineState: 'streaming',
  engineReason: undefined,
  sourceState: 'streaming',
  dialsFail: false,
  sinceHeartbeat: 2,
  heartbeatLimit: 30,
  waiting: 0,
  buffered: 0,
  stuckFor: 0,
  sinceProgress: 3600,
  sinceChange: 3600,
  seconds: 0,
  bytes: 0,
  transactions: undefined,
  clearIn: undefined,
  before: undefined,
};
const busy: Partial<LagEvidence> = { sinceChange: 0, sinceProgress: 0, seconds: 0.2 };

const cases: [what: string, evidence: Partial<LagEvidence>, state: LagState, reason: RegExp | undefined][] = [
  ['an idle source', {}, 'caught up', undefined],
  ['an idle source, after hours', { sinceChange: 90_000, sinceProgress: 90_000 }, 'caught up', undefined],
  ['an idle source whose server writes a little log', { bytes: 4000, sinceProgress: 70 }, 'caught up', undefined],
  ['no change for a moment', { sinceChange: 2 }, 'following', undefined],
  ['changes that come and go', { ...busy }, 'following', undefined],
  ['a batch in hand', { ...busy, waiting: 1, buffered: 5000 }, 'following', undefined],
  ['8 s of lag', { ...busy, seconds: 8 }, 'following', undefined],
  ['11 s of lag', { ...busy, seconds: 11 }, 'behind', /11 s old/],
  ['8 s of lag after it was behind', { ...busy, seconds: 8, before: 'behind' }, 'behind', /8\.0 s old/],
  ['4 s of lag after it was behind', { ...busy, seconds: 4, before: 'behind' }, 'following', undefined],
  ['much log to read', { ...busy, bytes: 40e9, clearIn: 4000 }, 'behind', /40 GB of log are left/],
  ['much log, nothing applied yet', { ...busy, bytes: 40e9 }, 'behind', /40 GB/],
  ['much log and fast', { ...busy, bytes: 5 * SEGMENT_BYTES, clearIn: 2 }, 'following', undefined],
  ['less than a segment', { ...busy, bytes: SEGMENT_BYTES - 1, clearIn: 500 }, 'following', undefined],
  [
    'a large transaction that is still arriving',
    { ...busy, buffered: 9e6, stuckFor: 40, seconds: 40 },
    'behind',
    /a large transaction has been arriving for 40 s/,
  ],
  [
    'the target stuck with a queue',
    { ...busy, waiting: 3, buffered: 9e6, stuckFor: 14 },
    'stalled',
    /^3 batches wait and the target has committed nothing for 14 s$/,
  ],
  ['the target slow with a queue', { ...busy, waiting: 3, stuckFor: 9 }, 'following', undefined],
  [
    'a dead connection that the engine knows of',
    { sourceState: 'connecting', seconds: 0 },
    'stalled',
    /connecting to the source/,
  ],
  [
    'no connection, with the reason',
    { sourceState: 'waiting', engineReason: 'refused' },
    'stalled',
    /not connected to the source: refused/,
  ],
  ['a dead connection that nobody has noticed', { sinceHeartbeat: 31 }, 'stalled', /no word from the source for 31 s/],
  ['a source that is asked seldom', { sinceHeartbeat: 31, heartbeatLimit: 180 }, 'caught up', undefined],
  [
    'a source not listened to while the target is slow',
    { ...busy, waiting: 200, sinceHeartbeat: 300 },
    'following',
    undefined,
  ],
  [
    'connections that fail, seen from counters',
    { sourceState: undefined, engineState: undefined, dialsFail: true },
    'stalled',
    /connections to the source fail/,
  ],
  [
    'an engine that connects again',
    { engineState: 'reconnecting', engineReason: 'the target is gone' },
    'stalled',
    /connects again: the target is gone/,
  ],
  ['an engine that has failed', { engineState: 'failed' }, 'stalled', /has failed/],
  ['an engine in a state that is new', { engineState: 'dreaming' }, 'stalled', /dreaming/],
  ['paused', { paused: true, bytes: 5e9 }, 'stalled', /paused on request/],
  ['a silent endpoint', { silence: 'connection refused' }, 'stalled', /does not answer: connection refused/],
  ['a silent endpoint of a paused engine', { silence: 'refused', paused: true }, 'stalled', /does not answer/],
  [
    'log left and nothing moves',
    { bytes: 3e6, sinceProgress: 61 },
    'stalled',
    /3 MB of log are left and nothing has moved for 1 min 01 s/,
  ],
  [
    'transactions left and nothing moves',
    { bytes: undefined, transactions: 7, sinceProgress: 61 },
    'stalled',
    /7 transactions of the source wait and nothing has moved for 1 min 01 s/,
  ],
  ['transactions left and it moves', { bytes: undefined, transactions: 7, sinceProgress: 5 }, 'following', undefined],
  ['no transactions left', { bytes: undefined, transactions: 0 }, 'caught up', undefined],
  [
    'many transactions left',
    { ...busy, bytes: undefined, transactions: 50_000, clearIn: 60 },
    'behind',
    /50,000 transactions are left to read and apply/,
  ],
  [
    'many transactions left, and fast',
    { ...busy, bytes: undefined, transactions: 50_000, clearIn: 2 },
    'following',
    undefined,
  ],
  ['log left and it moves', { bytes: 3e6, sinceProgress: 5 }, 'following', undefined],
  ['half a transaction and then nothing', { buffered: 100, sinceProgress: 61 }, 'stalled', /half read/],
  [
    'an endpoint that does not tell of the source',
    {
      engineState: undefined,
      sourceState: undefined,
      sinceHeartbeat: undefined,
      buffered: undefined,
      bytes: undefined,
    },
    'caught up',
    /does not tell whether the source is connected/,
  ],
];

for (const [what, evidence, state, reason] of cases) {
  test(`${what}: ${state}`, () => {
    const verdict = judgeLag({ ...idle, ...evidence });
    assert.equal(verdict.state, state, verdict.reason);
    if (reason === undefined) assert.equal(verdict.reason, undefined);
    else assert.match(verdict.reason ?? '', reason);
  });
}
