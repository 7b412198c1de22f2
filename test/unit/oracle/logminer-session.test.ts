import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OracleConnection } from '../../../src/sources/oracle/connection.ts';
import type { LogFile } from '../../../src/sources/oracle/log-files.ts';
import { ADD_FIRST_LOG, LogMinerSession, START_LOGMINER } from '../../../src/sources/oracle/logminer-session.ts';
import { flushRedo, insertSentinel, updateSentinel } from '../../../src/sources/oracle/sentinel.ts';
import { answering } from '../../harness/oracle-answers.ts';

/** The online log `redo01` when it was that sequence. */
function online(sequence: bigint): LogFile {
  const first = sequence * 100n;
  return { name: '/u01/redo01.log', thread: '1', sequence, first, next: first + 100n, archived: false };
}

test('files are added once, and again when a log was written over and has the same name', async () => {
  const asked: string[] = [];
  const connection = answering((sql) => {
    asked.push(sql);
    return [];
  });
  const session = new LogMinerSession(connection, 'APP', undefined);
  await session.start([online(4n)], 401n, 410n);
  await session.start([online(4n)], 411n, 499n);
  await session.start([online(7n)], 700n, 710n);
  assert.equal(asked.filter((sql) => sql === START_LOGMINER).length, 3);
  assert.equal(asked.filter((sql) => sql === ADD_FIRST_LOG).length, 2);
});

test('a server that sends fewer rows than were asked for is asked for the rest', async () => {
  const batches = [500, 120, 500, 3].map((count, i) => Array.from({ length: count }, (_, at) => [`${i}/${at}`]));
  const sent = batches.flat().length;
  const resultSet = { getRows: async () => batches.shift() ?? [], close: async () => {} };
  const connection: unknown = { execute: async () => ({ resultSet }) };
  const session = new LogMinerSession(connection as OracleConnection, 'APP', undefined);
  let read = 0;
  for await (const batch of session.rows(1n, 9n)) read += batch.length;
  assert.equal(read, sent);
});

test('the row of the sentinel that another replication puts there in the same moment is used', async () => {
  const asked: string[] = [];
  const connection = answering((sql) => {
    asked.push(sql);
    return sql === insertSentinel('APP') ? 1 : [];
  });
  const counted: typeof connection.execute = async (...question: readonly unknown[]) => ({
    ...(await (connection.execute as (...all: readonly unknown[]) => Promise<object>)(...question)),
    rowsAffected: asked.filter((sql) => sql === updateSentinel('APP')).length - 1,
  });
  await flushRedo({ ...connection, execute: counted }, 'APP', 5n);
  assert.deepEqual(asked.slice(0, 3), [updateSentinel('APP'), insertSentinel('APP'), updateSentinel('APP')]);
  assert.equal(asked.length, 4);
});
