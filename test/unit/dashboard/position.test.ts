import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distanceOf, shortPosition, transactionsText } from '../../../src/dashboard/position.ts';

const A = '77263736-7899-11f0-81a5-0242ac120002';
const B = '11111111-1111-1111-1111-0242ac120011';

test('a position is counted by what its kind consists of', () => {
  assert.deepEqual(distanceOf('1/10'), { unit: 'bytes', value: 2 ** 32 + 16 });
  assert.deepEqual(distanceOf(`${A}:1-38`), { unit: 'transactions', value: 38 });
  assert.deepEqual(distanceOf(`${A}:1-5:8:tag_a:1-3,\n${B}:7`), { unit: 'transactions', value: 10 });
  assert.deepEqual(distanceOf(`${A.toUpperCase()}:4`), { unit: 'transactions', value: 1 });
  assert.deepEqual(distanceOf('0-1-100,7-2-5'), { unit: 'transactions', value: 105 });
  for (const other of [undefined, '', 'scn=5', `${A}`]) assert.equal(distanceOf(other), undefined);
});

test('a position is shown whole where it fits, then shorter, and never cut in the middle', () => {
  const set = `${A}:1-38`;
  assert.equal(shortPosition(set, 44), set);
  assert.equal(shortPosition(set, 20), '77263736…:1-38');
  assert.equal(shortPosition(`${A}:1-38,${B}:1-4`, 40), '77263736…:1-38,11111111…:1-4');
  assert.equal(shortPosition(`${A}:1-38,${B}:1-4`, 20), '42 transactions of 2 servers');
  assert.equal(shortPosition('0/167A220', 4), '0/167A220');
});

test('one transaction is one', () => {
  assert.equal(transactionsText(1), '1 transaction');
  assert.equal(transactionsText(0), '0 transactions');
  assert.equal(transactionsText(12_345), '12,345 transactions');
});
