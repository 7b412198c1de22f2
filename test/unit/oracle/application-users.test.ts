import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseApplicationUsers } from '../../../src/sources/oracle/application-users.ts';

test('names of users are folded as SQL does it, so that nobody is passed over for the case of a letter', () => {
  assert.deepEqual(parseApplicationUsers('app, C##Batch ,"Mixed"'), ['APP', 'C##BATCH', 'Mixed']);
  assert.deepEqual(parseApplicationUsers(' , '), []);
  assert.deepEqual(parseApplicationUsers(''), []);
});
