import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChangeKind, encodeTuple, OldTuple } from '../../../src/changes/change-log.ts';
import { SpilledTransaction } from '../../../src/changes/spill.ts';
import type { SourceTable } from '../../../src/changes/table.ts';
import { OperatorError } from '../../../src/errors.ts';
import { readChanges } from '../../harness/collecting-sink.ts';
import { scratchDirectory } from '../../servers/scratch.ts';

const directory = scratchDirectory('spill');
const tables: SourceTable[] = ['a', 'b', 'c'].map((name) => ({
  schema: 'public',
  name,
  identity: 'key',
  columns: [{ name: 'value', identity: true }],
}));
let names = 0;

function newTransaction(): SpilledTransaction {
  return new SpilledTransaction(directory, `transaction-${++names}`);
}

function append(transaction: SpilledTransaction, subtransaction: number, table: SourceTable, value: string): void {
  const tuple = encodeTuple([value]);
  transaction.changesOf(subtransaction).append(ChangeKind.insert, table, OldTuple.none, tuple, 0, 0, 0, tuple.length);
}

/** What is read back: table and value of each change. */
async function contents(transaction: SpilledTransaction): Promise<string[]> {
  const found: string[] = [];
  for await (const log of transaction.read()) {
    const changes = readChanges(log);
    assert.equal(log.count, changes.length);
    for (const change of changes) found.push(`${change.table.name}:${change.new?.[0]}`);
  }
  return found;
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      subtransaction: fc.integer({ min: 1, max: 5 }),
      table: fc.nat(tables.length - 1),
      // now and then larger than what is gathered before a write
      size: fc.oneof({ weight: 8, arbitrary: fc.nat(50) }, { weight: 1, arbitrary: fc.constant(700_000) }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('settle' as const) }) },
);

test('what was not rolled back is read in order, whatever was written when', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 5 })),
      async (steps, aborted) => {
        const transaction = newTransaction();
        const expected: string[] = [];
        let written = 0;
        for (const each of steps) {
          if (each.kind === 'settle') {
            transaction.settle();
            continue;
          }
          const value = `${written++}-`.padEnd(each.size, 'x');
          append(transaction, each.subtransaction, tables[each.table], value);
          if (!aborted.includes(each.subtransaction)) expected.push(`${tables[each.table].name}:${value}`);
        }
        assert.equal(transaction.count, written);
        for (const subtransaction of aborted) transaction.abort(subtransaction);
        assert.deepEqual(await contents(transaction), expected);
        assert.deepEqual(await contents(transaction), expected, 'a second reading');
        transaction.discard();
      },
    ),
    { numRuns: 60 },
  );
});

test('many savepoints cost no write each, and memory stays bounded', async () => {
  const transaction = newTransaction();
  for (let i = 0; i < 100_000; i++) append(transaction, i, tables[0], `row ${i}`);
  for (let i = 0; i < 100_000; i += 2) transaction.abort(i);
  let logs = 0;
  let count = 0;
  for await (const log of transaction.read()) {
    assert(log.buffer.length < 1_200_000);
    logs++;
    count += log.count;
  }
  assert.equal(count, 50_000);
  assert(logs <= Math.ceil(transaction.bytes / 1_000_000) + 1, `${logs} logs`);
  transaction.discard();
});

test('nothing is left behind: the file has no name, and neither a crash nor a second discard can do harm', () => {
  const own = join(directory, 'own');
  mkdirSync(own);
  writeFileSync(join(own, 'left.spill'), 'of a crash', { mode: 0o644 });
  const transaction = new SpilledTransaction(own, 'left');
  append(transaction, 1, tables[0], 'x');
  transaction.settle();
  assert.deepEqual(readdirSync(own), []);
  transaction.discard();
  transaction.discard();
});

test('the directory is made for its owner alone', () => {
  const made = join(directory, 'new', 'spill');
  new SpilledTransaction(made, 'x').discard();
  assert.equal(statSync(made).mode & 0o777, 0o700);
});

test('a directory that cannot be used is named, with what it means for the data', () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  assert.throws(
    () => new SpilledTransaction(join(file, 'spill'), 'x'),
    (error) => error instanceof OperatorError && error.code === 'SPILL_FAILED' && error.message.includes(file),
  );
  assert.equal(readFileSync(file, 'utf8'), '');
});
