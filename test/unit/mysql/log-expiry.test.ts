import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptSeconds } from '../../../src/sources/mysql/log-expiry.ts';

test('for how long a server keeps its binary logs, by whatever its version calls that', () => {
  const kept = (variables: Readonly<Record<string, string>>) => keptSeconds(new Map(Object.entries(variables)));
  // MySQL 8.4, and 8.0 beside the setting that it replaces.
  assert.equal(kept({ binlog_expire_logs_seconds: '2592000', binlog_expire_logs_auto_purge: 'ON' }), 2_592_000);
  assert.equal(kept({ binlog_expire_logs_seconds: '3600', expire_logs_days: '0' }), 3600);
  assert.equal(kept({ binlog_expire_logs_seconds: '0', expire_logs_days: '7' }), 604_800);
  // MySQL 5.7; MariaDB, which takes parts of days.
  assert.equal(kept({ expire_logs_days: '10' }), 864_000);
  assert.equal(kept({ binlog_expire_logs_seconds: '43200', expire_logs_days: '0.500000' }), 43_200);
  const forever: readonly Readonly<Record<string, string>>[] = [
    { binlog_expire_logs_seconds: '0', expire_logs_days: '0' },
    { expire_logs_days: '0' },
    { binlog_expire_logs_seconds: '3600', binlog_expire_logs_auto_purge: 'OFF' },
    {},
  ];
  for (const variables of forever) assert.equal(kept(variables), undefined);
});
