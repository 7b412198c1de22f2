import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reading } from '../../../src/dashboard/reading.ts';
import type { Replication } from '../../../src/sessions/replication.ts';
import { keepSeen } from '../../../src/wizard/seen-keeper.ts';
import { launched, reading } from './saved.ts';

/** A poller whose readings the test makes, and a store in memory. */
function watched() {
  let listener = () => {};
  let saved: Replication = launched('shop');
  let saves = 0;
  const poller = {
    reading: undefined as Reading | undefined,
    subscribe(told: () => void) {
      listener = told;
      return () => {
        listener = () => {};
      };
    },
  };
  const store = {
    update(_name: string, change: (replication: Replication) => Replication) {
      saves++;
      saved = change(saved);
      return saved;
    },
  };
  const end = keepSeen('shop', poller, store);
  return {
    end,
    tell(at: number, applied: string, bytes: number, change: Partial<Reading> = {}) {
      const base = reading();
      poller.reading = reading({
        at,
        lag: { ...base.lag, bytes },
        position: { ...base.position, applied },
        ...change,
      });
      listener();
    },
    get seen() {
      return saved.seen;
    },
    get saves() {
      return saves;
    },
  };
}

test('checkpoint and lag are kept, a few times a minute and at the end', () => {
  const it = watched();
  for (let second = 0; second < 30; second++) it.tell(1_000_000 + second * 1000, `0/${second + 16}`, 5);
  assert.ok(it.saves <= 4, String(it.saves));
  it.end();
  assert.equal(it.seen?.checkpoint, '0/45');
  assert.equal(it.seen?.lagBytes, 5);
  assert.equal(it.seen?.at, new Date(1_029_000).toISOString());
  assert.equal(it.seen?.bytesPerSecond, undefined, 'it was never behind');
});

test('how fast it catches up is measured while it is behind, and kept afterwards', () => {
  const it = watched();
  it.tell(1_000_000, '0/0', 50_000_000);
  it.tell(1_002_000, '0/1000000', 33_000_000);
  it.tell(1_004_000, '0/1000010', 10);
  it.end();
  assert.equal(it.seen?.bytesPerSecond, 0x1000000 / 2);
  assert.equal(it.seen?.lagBytes, 10);
});

test('a silent endpoint is not a new sight, and after the end nothing is saved', () => {
  const it = watched();
  it.tell(1_000_000, '0/10', 5);
  it.tell(1_020_000, '0/10', 5, { silence: 'refused' });
  assert.equal(it.saves, 1);
  it.end();
  assert.equal(it.saves, 1);
  it.tell(1_040_000, '0/20', 5);
  assert.equal(it.seen?.checkpoint, '0/10');
});

test('a source that is counted by transactions is kept by them', () => {
  const it = watched();
  const set = (last: number) => `77263736-7899-11f0-81a5-0242ac120002:1-${last}`;
  const tell = (at: number, applied: number, transactions: number) => {
    const { lag, position } = reading();
    it.tell(at, set(applied), 0, {
      lag: { ...lag, bytes: undefined, transactions },
      position: { ...position, applied: set(applied), distance: undefined },
    });
  };
  tell(1_000_000, 100, 50_000);
  tell(1_002_000, 20_100, 30_000);
  tell(1_004_000, 50_100, 3);
  it.end();
  assert.equal(it.seen?.transactionsPerSecond, 10_000);
  assert.equal(it.seen?.bytesPerSecond, undefined);
  assert.equal(it.seen?.lagTransactions, 3);
  assert.equal(it.seen?.lagBytes, undefined);
  assert.equal(it.seen?.checkpoint, set(50_100));
});
