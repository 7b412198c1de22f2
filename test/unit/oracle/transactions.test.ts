import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChangeKind, encodeTuple, OldTuple } from '../../../src/changes/change-log.ts';
import type { SourceTable } from '../../../src/changes/table.ts';
import { parseScnPosition, ScnPosition } from '../../../src/sources/oracle/position.ts';
import { Transactions } from '../../../src/sources/oracle/transactions.ts';
import { rowNumber } from '../../../src/sources/oracle/undo-stack.ts';
import { CollectingSink } from '../../harness/collecting-sink.ts';
import { seeded } from '../../harness/seed.ts';

const TABLE: SourceTable = {
  schema: 'APP',
  name: 'T',
  identity: 'key',
  columns: [{ name: 'ID', identity: true }],
};

/** What stands in the redo, as far as transactions go. */
interface Event {
  readonly scn: bigint;
  readonly xid: string;
  readonly what: 'change' | 'undo' | 'commit' | 'rollback';
  readonly row: number;
  /** Tells the change from every other. */
  readonly value: string;
}

const xidOf = (number: number) => number.toString(16).toUpperCase().padStart(16, '0');

/** Random redo: each number is a step of one of several transactions, and the SCN often stays the same. */
function redoOf(steps: readonly number[]): Event[] {
  const events: Event[] = [];
  const open = new Map<number, { xid: string; changes: number[] }>();
  let scn = 1000n;
  let xids = 0;
  steps.forEach((step, i) => {
    const lane = step % 5;
    if (step % 7 > 3) scn += BigInt(step % 7);
    let transaction = open.get(lane);
    if (transaction === undefined) {
      transaction = { xid: xidOf(++xids), changes: [] };
      open.set(lane, transaction);
    }
    const { xid, changes } = transaction;
    const kind = (step >> 4) % 12;
    const row = (step >> 8) % 6;
    if (kind < 2 && changes.length > 0) events.push({ scn, xid, what: 'undo', row: changes.pop() ?? 0, value: '' });
    else if (kind === 2 || kind === 3) {
      if (kind === 3) {
        for (const each of changes.splice(0).reverse()) events.push({ scn, xid, what: 'undo', row: each, value: '' });
      }
      events.push({ scn, xid, what: kind === 3 ? 'rollback' : 'commit', row: 0, value: '' });
      open.delete(lane);
    } else {
      changes.push(row);
      events.push({ scn, xid, what: 'change', row, value: `${xid}/${i}` });
    }
  });
  return events;
}

/** What is committed, by an independent reckoning: an undo takes back the last change of its row. */
function committed(events: readonly Event[]): string[][] {
  const open = new Map<string, { row: number; value: string }[]>();
  const done: string[][] = [];
  for (const { xid, what, row, value } of events) {
    const changes = open.get(xid) ?? [];
    open.set(xid, changes);
    if (what === 'change') changes.push({ row, value });
    else if (what === 'undo')
      changes.splice(
        changes.findLastIndex((each) => each.row === row),
        1,
      );
    else {
      if (what === 'commit' && changes.length > 0) done.push(changes.map((each) => each.value));
      open.delete(xid);
    }
  }
  return done;
}

async function replay(events: readonly Event[], start: ScnPosition, directory: string, budget: number) {
  const sink = new CollectingSink();
  const transactions = new Transactions(start, directory, budget);
  const end = events.at(-1)?.scn ?? start.applied;
  for (const { scn, xid, what, row, value } of events) {
    if (scn <= start.mineFrom) continue;
    const number = rowNumber(1, `row${row}`);
    if (what === 'change') {
      const changes = transactions.changesOf(xid, scn);
      const before = changes.length;
      const tuple = encodeTuple([value]);
      changes.append(ChangeKind.insert, TABLE, OldTuple.none, tuple, 0, 0, 0, tuple.length);
      transactions.changed(number, changes.length - before);
    } else if (what === 'undo') {
      const found = transactions.undone(xid, number);
      // After a restart, of a transaction that had ended: what it takes back is not read again.
      if (start.mineFrom === 0n) assert.ok(found);
    }
    if (what === 'commit') transactions.commit(xid, scn, 0, sink);
    if (what === 'rollback') transactions.rollback(xid);
  }
  const position = transactions.positionAt(end);
  if (position !== undefined) sink.progress(position);
  await sink.read();
  transactions.discard();
  const delivered = sink.transactions.map(({ changes }) => changes.map((change) => change.new?.[0]));
  return { delivered, positions: sink.transactions.map((each) => each.position), end: sink.progressed.at(-1) };
}

test('what is committed is handed on once, in the order of the commits, wherever it was stopped before', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'instar-oracle-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(2 ** 20), { minLength: 1, maxLength: 120 }),
      fc.constantFrom(0, 200, 1e6),
      fc.nat(1000),
      async (steps, budget, where) => {
        const events = redoOf(steps);
        const expected = committed(events);
        const first = await replay(events, new ScnPosition(0n, 0n), directory, budget);
        assert.deepEqual(first.delivered, expected);
        // Started again at any position that was handed on: exactly the rest follows.
        if (expected.length > 0) {
          const done = where % expected.length;
          const again = await replay(events, parseScnPosition(first.positions[done]), directory, budget);
          assert.deepEqual(again.delivered, expected.slice(done + 1));
          assert.deepEqual(
            again.positions.map((text) => parseScnPosition(text).applied),
            first.positions.slice(done + 1).map((text) => parseScnPosition(text).applied),
          );
        }
        // And at the end of a window, with what was open there and ended later.
        const half = events.filter(({ scn }) => scn <= events[events.length >> 1].scn);
        const window = await replay(half, new ScnPosition(0n, 0n), directory, budget);
        const rest = await replay(events, parseScnPosition(window.end ?? '0'), directory, budget);
        assert.deepEqual([...window.delivered, ...rest.delivered], expected);
      },
    ),
    seeded(t, 400),
  );
  assert.deepEqual(readdirSync(join(directory, 'spill')), [], 'no file is left');
});

test('undo of a transaction whose sequence the redo does not tell finds it by the rest of its number', async () => {
  const sink = new CollectingSink();
  const transactions = new Transactions(new ScnPosition(0n, 0n), tmpdir(), 1e6);
  const tuple = encodeTuple(['a']);
  const xid = '0001000200000ABC';
  for (const row of [1, 2]) {
    transactions.changesOf(xid, 10n).append(ChangeKind.insert, TABLE, OldTuple.none, tuple, 0, 0, 0, tuple.length);
    transactions.changed(row, 20);
  }
  assert.ok(transactions.undone('00010002FFFFFFFF', 2));
  transactions.commit(xid, 12n, 0, sink);
  assert.deepEqual(sink.transactions[0].changes.length, 1);
});

test('a transaction of which everything was taken back is not handed on', () => {
  const sink = new CollectingSink();
  const transactions = new Transactions(new ScnPosition(0n, 0n), tmpdir(), 1e6);
  const tuple = encodeTuple(['a']);
  transactions.changesOf('A', 10n).append(ChangeKind.insert, TABLE, OldTuple.none, tuple, 0, 0, 0, tuple.length);
  transactions.changed(7, 20);
  transactions.undone('A', 7);
  transactions.commit('A', 12n, 0, sink);
  assert.equal(sink.transactions.length, 0);
  assert.equal(String(transactions.positionAt(12n)), '12:12');
});

test('very many rows that are rolled back one by one take no more than their number of steps', () => {
  const transactions = new Transactions(new ScnPosition(0n, 0n), tmpdir(), 1e9);
  const tuple = encodeTuple(['a']);
  const count = 100_000;
  for (let i = 1; i <= count; i++) {
    transactions.changesOf('A', 10n).append(ChangeKind.insert, TABLE, OldTuple.none, tuple, 0, 0, 0, tuple.length);
    transactions.changed(i, 20);
  }
  for (let i = count; i > 0; i--) assert.ok(transactions.undone('A', i));
  assert.equal(transactions.undone('A', 1), false);
  transactions.discard();
});
