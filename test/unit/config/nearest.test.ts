import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../../src/config/nearest.ts';

const names = ['slotName', 'sourceConn', 'targetConn', 'stagingConn', 'targetSchema', 'flushSize', 'flushPeriod'];

test('the nearest name is found through case, hyphens, swaps and slips', () => {
  const expected: [string, string | undefined][] = [
    ['slotname', 'slotName'],
    ['slot-name', 'slotName'],
    ['SLOT_NAME', 'slotName'],
    ['soltName', 'slotName'],
    ['sourceCon', 'sourceConn'],
    ['souceConn', 'sourceConn'],
    ['target', 'targetConn'],
    ['flushSizes', 'flushSize'],
    ['x', undefined],
    ['somethingElseEntirely', undefined],
    ['', undefined],
  ];
  for (const [word, name] of expected) assert.equal(nearest(word, names), name, word);
});
