import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckResult } from '../../../src/preflight/check.ts';
import { reportJson, reportText } from '../../../src/preflight/check-report.ts';

const PLACES = { source: 'postgresql://app:*****@db1:5432/shop', target: 'postgresql://root@db2:26257/defaultdb' };

const RESULTS: readonly CheckResult[] = [
  {
    id: 'source.version',
    title: 'version',
    side: 'source',
    severity: 'blocking',
    why: 'Not said.',
    state: 'passed',
    found: 'PostgreSQL 18.1',
  },
  {
    id: 'source.slot_keep_size',
    title: 'max_slot_wal_keep_size',
    side: 'source',
    severity: 'advisory',
    why: 'The disk may fill up.',
    state: 'failed',
    found: 'no limit',
    fix: { side: 'source', text: 'ALTER SYSTEM …;' },
  },
  {
    id: 'source.slot',
    title: 'replication slot',
    side: 'source',
    severity: 'blocking',
    why: 'Not said.',
    state: 'skipped',
    found: 'not looked at, because of: wal_level',
  },
  {
    id: 'source.wal_level',
    title: 'wal_level',
    side: 'source',
    severity: 'blocking',
    why: 'At a lower level the log does not hold what is needed to tell which rows changed.',
    state: 'failed',
    found: 'replica',
    expected: 'logical',
    code: 'PG_WAL_LEVEL',
    fix: { side: 'source', text: `ALTER SYSTEM SET wal_level = 'logical';\nSELECT 1;`, restart: true },
  },
  {
    id: 'target.version',
    title: 'product and version',
    side: 'target',
    severity: 'blocking',
    why: 'Not said.',
    state: 'passed',
    found: 'CockroachDB 26.2.1',
  },
];

test('what blocks comes first, with why and how; each side by itself; titles stand in one column', () => {
  assert.equal(
    reportText(RESULTS, PLACES),
    `SOURCE postgresql://app:*****@db1:5432/shop
  FAILED   wal_level                      replica; wanted: logical
                                          (PG_WAL_LEVEL)
           At a lower level the log does not hold what is needed to tell which
           rows changed.
           fix:
             ALTER SYSTEM SET wal_level = 'logical';
             SELECT 1;
             then restart the server
  skipped  replication slot               not looked at, because of: wal_level
  advice   max_slot_wal_keep_size         no limit
           The disk may fill up.
           fix:
             ALTER SYSTEM …;
  ok       version                        PostgreSQL 18.1

TARGET postgresql://root@db2:26257/defaultdb
  ok       product and version            CockroachDB 26.2.1

Not ready: 1 must be put right, 1 could not be looked at, 1 advice to consider, 2 passed.
`,
  );
});

test('ready', () => {
  assert.match(reportText([RESULTS[0], RESULTS[4]], PLACES), /\n\nReady: 2 passed\.\n$/);
});

test('the same for programs', () => {
  assert.deepEqual(JSON.parse(reportJson(RESULTS, PLACES)), { ready: false, ...PLACES, checks: RESULTS });
});
