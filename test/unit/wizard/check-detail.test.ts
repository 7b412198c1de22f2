import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckResult } from '../../../src/preflight/check.ts';
import { detailLines } from '../../../src/wizard/check-detail.ts';

const CHECK = {
  id: 'source.wal_level',
  title: 'wal_level',
  side: 'source',
  severity: 'blocking',
  why: 'It matters.',
} as const;

function shown(result: CheckResult): string {
  return detailLines({ check: CHECK, result, running: false }, 80)
    .map(({ label, text }) => `${label}|${text}`)
    .join('\n');
}

test('a check that failed says what it means for the data, and where more is told; one that passed does not', () => {
  const failed = shown({ ...CHECK, state: 'failed', found: 'replica', expected: 'logical', code: 'PG_WAL_LEVEL' });
  assert.match(failed, /^Data\|Nothing was read or written/m);
  assert.match(failed, /^More\|instar explain PG_WAL_LEVEL$/m);
  assert.doesNotMatch(shown({ ...CHECK, state: 'passed', found: 'logical' }), /^(Data|More)\|/m);
  assert.doesNotMatch(shown({ ...CHECK, state: 'failed', found: 'no code' }), /^(Data|More)\|/m);
});
