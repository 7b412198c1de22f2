import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explanationText, filled } from '../../../src/commands/explanation-text.ts';
import { codesOfServerError } from '../../../src/commands/server-codes.ts';
import { explanationOf } from '../../../src/explanations/table.ts';

test('errors of the servers lead to the codes under which the program tells them', () => {
  const cases: Readonly<Record<string, readonly string[] | undefined>> = {
    'ORA-01291': ['ORACLE_LOG_FILE'],
    'ora-1017': ['ORACLE_PASSWORD'],
    'ORA-99999': ['ORACLE_ERROR'],
    'NJS-530': ['ORACLE_HOST_NOT_FOUND'],
    '1045': ['MYSQL_PASSWORD'],
    'ERROR 1227': ['MYSQL_NO_REPLICATION_PRIVILEGE'],
    '28P01': ['PG_PASSWORD'],
    '3D000': ['PG_NO_DATABASE'],
    '55006': ['PG_SLOT_ACTIVE', 'APPLY_RETRIES'],
    '58P01': ['PG_SLOT_LOST', 'APPLY_RETRIES'],
    '40001': ['APPLY_RETRIES'],
    '23505': ['APPLY_FAILED', 'PG_CONNECT', 'PG_SOURCE_ERROR'],
    '42501': ['PG_PERMISSION', 'PG_NO_REPLICATION_PRIVILEGE', 'TARGET_DENIED'],
    hello: undefined,
    slot: undefined,
  };
  for (const [text, codes] of Object.entries(cases)) {
    const found = codesOfServerError(text);
    assert.deepEqual(found && [...found].sort(), codes && [...codes].sort(), text);
  }
  assert(codesOfServerError('1236')!.includes('MYSQL_GTID_PURGED'));
});

test('a code is shown with its SQL ready to be copied, and with the names of a replication in it', () => {
  const lost = explanationOf('PG_SLOT_LOST')!;
  const places = { slot: 'shop_slot', 'target schema': 'defaultdb.public', staging: '_replicator' };
  const text = explanationText('PG_SLOT_LOST', lost, places);
  assert.match(text, /^PG_SLOT_LOST\n\nWhat happened {2}The source has removed log/);
  assert.match(text, /\n {17}SELECT pg_drop_replication_slot\('shop_slot'\);/);
  assert.match(text, /DELETE FROM _replicator\.memo WHERE key IN \('pglogical-wal-offset-defaultdb\.public'/);
  assert.doesNotMatch(text, /[<`]/);
  const sentences = text.split('\n').filter((line) => !line.startsWith(' '.repeat(17)));
  for (const line of sentences) assert(line.length <= 80, line);
  assert.match(explanationText('PG_SLOT_LOST', lost), /<slot>/);
  assert.doesNotMatch(JSON.stringify(filled(lost, places).fix), /<slot>/);
});
