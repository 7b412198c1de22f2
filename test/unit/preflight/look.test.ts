import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConnectionString } from '../../../src/config/connection.ts';
import { parseOracleConnectionString } from '../../../src/config/oracle-connection.ts';
import { OperatorError } from '../../../src/errors.ts';
import { type CheckResult, isReady } from '../../../src/preflight/check.ts';
import type { ConnectionFacts } from '../../../src/preflight/connection-test.ts';
import { encryptionOutcome } from '../../../src/preflight/encryption.ts';
import { counted, failed, failedBy, type Look, listed, lookAtAll, once, passed } from '../../../src/preflight/look.ts';
import { plannedSourceChecks } from '../../../src/preflight/postgres-source.ts';
import { SERVER_LOOKS } from '../../../src/preflight/postgres-server-looks.ts';
import { SLOT_LOOKS } from '../../../src/preflight/postgres-slot-looks.ts';
import { TABLE_LOOKS } from '../../../src/preflight/postgres-table-looks.ts';
import { plannedTargetChecks } from '../../../src/preflight/target.ts';
import { SERVER_LOOKS as TARGET_SERVER_LOOKS } from '../../../src/preflight/target-server-looks.ts';
import { STAGING_LOOKS } from '../../../src/preflight/target-staging-looks.ts';
import { TABLE_LOOKS as TARGET_TABLE_LOOKS } from '../../../src/preflight/target-table-looks.ts';

function look(id: string, needs: readonly string[], what: Look<undefined>['look']): Look<undefined> {
  return { check: { id, title: `the ${id}`, side: 'source', severity: 'blocking', why: 'why' }, needs, look: what };
}

test('one failure hides nothing but what needs it, and the root of it is named', async () => {
  const reported: string[] = [];
  const results = await lookAtAll<undefined>(
    [
      look('a', [], async () => failed('wrong', { expected: 'right' })),
      look('b', ['a'], async () => passed('never')),
      look('c', ['b'], async () => passed('never')),
      look('d', [], async () => {
        throw new Error('permission denied');
      }),
      look('e', [], async () => passed('well')),
    ],
    undefined,
    ({ id }) => reported.push(id),
    undefined,
  );
  assert.deepEqual(
    results.map(({ id, state, found }) => [id, state, found]),
    [
      ['a', 'failed', 'wrong'],
      ['b', 'skipped', 'not looked at, because of: the a'],
      ['c', 'skipped', 'not looked at, because of: the a'],
      ['d', 'skipped', 'could not be looked at: permission denied'],
      ['e', 'passed', 'well'],
    ],
  );
  assert.deepEqual(reported.toSorted(), ['a', 'b', 'c', 'd', 'e']);
});

test('a slow look holds up none of the others; an abort ends the wait', async () => {
  const stop = new AbortController();
  const slow = Promise.withResolvers<never>();
  const reported: string[] = [];
  const run = lookAtAll<undefined>(
    [look('slow', [], () => slow.promise), look('fast', [], async () => passed('well'))],
    undefined,
    ({ id }) => {
      reported.push(id);
      stop.abort(new Error('enough'));
    },
    stop.signal,
  );
  await assert.rejects(run, /enough/);
  assert.deepEqual(reported, ['fast']);
});

test('a fact is asked for once, whether it is there or not', async () => {
  let asked = 0;
  const fact = once(async () => {
    asked += 1;
    throw new Error('no');
  });
  await assert.rejects(fact(), /no/);
  await assert.rejects(fact(), /no/);
  assert.equal(asked, 1);
});

test('every check needs only checks before it, has a short title, a reason, and an id of its own', () => {
  for (const looks of [
    [...SERVER_LOOKS, ...SLOT_LOOKS, ...TABLE_LOOKS],
    [...TARGET_SERVER_LOOKS, ...STAGING_LOOKS, ...TARGET_TABLE_LOOKS],
  ]) {
    const ids = looks.map(({ check }) => check.id);
    assert.equal(new Set(ids).size, ids.length);
    looks.forEach(({ check, needs }, index) => {
      for (const id of needs) assert(ids.slice(0, index).includes(id), `${check.id} needs ${id}`);
      assert(check.title.length <= 40, check.title);
      assert.match(check.why, /^[A-Z].*\.$/);
      assert(check.id.startsWith(`${check.side}.`));
    });
  }
  assert.equal(plannedSourceChecks().length, SERVER_LOOKS.length + SLOT_LOOKS.length + TABLE_LOOKS.length);
});

test('tables have checks of their own, by their printed names', () => {
  const planned = plannedTargetChecks(['public.orders', '"a.b"."C"', `public.${'long_'.repeat(12)}`]).slice(-3);
  assert.deepEqual(
    planned.map(({ id }) => id),
    ['target.table.public.orders', 'target.table."a.b"."C"', `target.table.public.${'long_'.repeat(12)}`],
  );
  assert.equal(planned[2].title.length, 40);
  assert.throws(() => plannedTargetChecks(['orders']), /schema\.table is needed/);
});

test('advice that was not taken or not to be had does not keep anything from starting', () => {
  const result = (severity: CheckResult['severity'], state: CheckResult['state']): CheckResult => ({
    id: 'source.x',
    title: 'x',
    side: 'source',
    why: 'why',
    found: '',
    severity,
    state,
  });
  assert(isReady([result('advisory', 'failed'), result('advisory', 'skipped'), result('blocking', 'passed')]));
  assert(!isReady([result('blocking', 'skipped')]));
  assert(!isReady([result('blocking', 'failed')]));
});

test('an error of the engine keeps its code and its fix', () => {
  const error = new OperatorError('PG_WAL_LEVEL', 'message', { fix: 'SQL;' });
  assert.deepEqual(failedBy(error, 'found', 'source', { expected: 'more', statements: ['SQL'], restart: true }), {
    state: 'failed',
    found: 'found',
    expected: 'more',
    code: 'PG_WAL_LEVEL',
    fix: { text: 'SQL;', side: 'source', statements: ['SQL'], restart: true },
  });
  assert.equal(failedBy(new OperatorError('PG_WAL_LEVEL', 'message'), 'found', 'source').fix, undefined);
});

test('encryption is asked for where there is a network between', () => {
  const facts = (encrypted: boolean): ConnectionFacts => ({
    product: 'postgresql',
    version: '18',
    database: 'd',
    user: 'u',
    encrypted,
    latency: 1,
  });
  const outcome = (host: string, encrypted: boolean) =>
    encryptionOutcome(parseConnectionString(`host=${host} user=u`, 'x', {}), facts(encrypted), 'source').state;
  const oracle = parseOracleConnectionString('oracle://u@db1/ORCL', 'x');
  const advice = encryptionOutcome(oracle, facts(false), 'source').fix?.text ?? '';
  assert.match(advice, /ssl=true \(with wallet=DIRECTORY/);
  assert.doesNotMatch(advice, /sslmode/);
  for (const host of ['localhost', '127.0.0.1', '::1', '/var/run/postgresql'])
    assert.equal(outcome(host, false), 'passed', host);
  assert.equal(outcome('db1', false), 'failed');
  assert.equal(outcome('127.0.0.1.example.com', false), 'failed');
  assert.equal(outcome('db1', true), 'passed');
});

test('lists are cut, numbers have their thing', () => {
  assert.equal(listed(['a', 'b', 'c']), 'a, b, c');
  assert.equal(listed(['a', 'b', 'c', 'd', 'e']), 'a, b, c and 2 more');
  assert.equal(counted(1, 'table'), '1 table');
  assert.equal(counted(0, 'table'), '0 tables');
});
