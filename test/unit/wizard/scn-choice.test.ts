import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scnProblem } from '../../../src/wizard/scn-choice.ts';

test('SCNs that cannot be begun with are told apart, each in its field', () => {
  assert.equal(scnProblem('100', '90', 200n), undefined);
  assert.equal(scnProblem(' 100 ', '100', 100n), undefined);
  assert.deepEqual(scnProblem('1e3', '90', 200n), { field: 'scn', text: 'an SCN is a whole number' });
  assert.deepEqual(scnProblem('201', '90', 200n), { field: 'scn', text: 'the source has only come to 200' });
  assert.equal(scnProblem('100', '', 200n)?.field, 'backfill');
  assert.equal(scnProblem('100', '101', 200n)?.field, 'backfill');
});
