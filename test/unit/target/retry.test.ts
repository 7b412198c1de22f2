import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../../src/errors.ts';
import { sqlState, type Verdict, verdict } from '../../../src/target/retry.ts';

const failure = (code: string, message = '') => Object.assign(new Error(message), { code });

const VERDICTS: Record<Verdict, string[]> = {
  retry: ['40001', '40P01', '55P03', '57014', '53200', '53300', '53100', '58030', 'XX000'],
  reconnect: ['40003', '08006', '08003', '57P01', '57P02', '57P03', '25P03', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'],
  fenced: ['22012'],
  schema: ['42P01', '42703', '0A000', '26000', '42P10', '428C9'],
  refused: ['23505', '23503', '23502', '23514', '22P02', '22003', '22001', '22P04', '08P01', '25P02', 'P0001'],
  denied: ['42501'],
};

for (const [wanted, states] of Object.entries(VERDICTS)) {
  test(`${wanted}: ${states.join(' ')}`, () => {
    for (const state of states) assert.equal(verdict(failure(state)), wanted, state);
  });
}

test('the text of an error decides nothing', () => {
  assert.equal(verdict(failure('23505', 'restart transaction: connection terminated')), 'refused');
  assert.equal(verdict(new Error('duplicate key value')), 'reconnect');
});

test('only the server gives a SQLSTATE', () => {
  assert.equal(sqlState(failure('40001')), '40001');
  assert.equal(sqlState(failure('EPIPE')), undefined);
  assert.equal(sqlState(failure('ECONNREFUSED')), undefined);
  assert.equal(sqlState(new OperatorError('PG_HBA', 'no')), undefined);
  assert.equal(sqlState(undefined), undefined);
});
