import assert from 'node:assert/strict';
import { test } from 'node:test';
import { THREADS } from '../../../src/sources/oracle/log-files.ts';
import { CURRENT_SCN } from '../../../src/sources/oracle/logminer-session.ts';
import { OPEN_TRANSACTIONS, OPEN_TRANSACTIONS_OF_CLUSTER, readStart } from '../../../src/sources/oracle/start-scn.ts';
import { answering, type OracleAnswer } from '../../harness/oracle-answers.ts';

const THREAD = (number: string, state = 'OPEN') => [number, state, '1', '900', '990'];

function server(scns: readonly string[], open: OracleAnswer, threads = [THREAD('1')]) {
  const asked: string[] = [];
  let at = 0;
  const connection = answering((sql) => {
    asked.push(sql);
    if (sql === THREADS) return threads;
    if (sql === CURRENT_SCN) return [[scns[at++], '+00:00']];
    return sql === OPEN_TRANSACTIONS || sql === OPEN_TRANSACTIONS_OF_CLUSTER ? open : undefined;
  });
  return { connection, asked };
}

test('nothing is open: what began between the two questions began behind the first', async () => {
  const { connection } = server(['1000', '1005'], []);
  assert.deepEqual(await readStart(connection, connection, []), {
    scn: 1005n,
    backfillFrom: 1000n,
    oldest: undefined,
    unknown: 0,
    others: 0,
  });
});

test('the oldest transaction says from where on redo is needed', async () => {
  const { connection } = server(
    ['9000000000000000', '9000000000000007'],
    [
      ['8999999999999999', 'APP', '11/23/26 02:00:01'],
      ['8999999999999001', 'BATCH', '11/23/26 01:00:00'],
    ],
  );
  const start = await readStart(connection, connection, []);
  assert.equal(start.scn, 9000000000000007n);
  assert.equal(start.backfillFrom, 8999999999999001n);
  assert.deepEqual(start.oldest, { user: 'BATCH', scn: 8999999999999001n, since: '11/23/26 01:00:00' });
});

test('only transactions of the named users count, and those without a session', async () => {
  const open: OracleAnswer = [
    ['10', 'DBA', '11/01/26 01:00:00'],
    ['500', null, '11/23/26 01:00:00'],
    ['700', 'APP', '11/23/26 01:30:00'],
  ];
  const all = server(['1000', '1000'], open).connection;
  assert.equal((await readStart(all, all, [])).backfillFrom, 10n);
  const some = server(['1000', '1000'], open).connection;
  assert.equal((await readStart(some, some, ['APP'])).backfillFrom, 500n);
});

test('a transaction that does not tell its start is counted and does not move it', async () => {
  const { connection } = server(['1000', '1002'], [['0', 'APP', '11/23/26 01:00:00']]);
  const start = await readStart(connection, connection, []);
  assert.equal(start.unknown, 1);
  assert.equal(start.backfillFrom, 1000n);
  assert.equal(start.oldest, undefined);
});

test('a transaction that began between the two questions does not move the start ahead', async () => {
  const { connection } = server(['1000', '1010'], [['1005', 'APP', '11/23/26 01:00:00']]);
  assert.equal((await readStart(connection, connection, [])).backfillFrom, 1000n);
});

test('a cluster is asked over all of its instances', async () => {
  const single = server(['1000', '1000'], [], [THREAD('1'), THREAD('2', 'CLOSED')]);
  await readStart(single.connection, single.connection, []);
  assert.ok(single.asked.includes(OPEN_TRANSACTIONS));
  const cluster = server(['1000', '1000'], [], [THREAD('1'), THREAD('2')]);
  await readStart(cluster.connection, cluster.connection, []);
  assert.ok(cluster.asked.includes(OPEN_TRANSACTIONS_OF_CLUSTER));
  assert.ok(!cluster.asked.includes(OPEN_TRANSACTIONS));
});
