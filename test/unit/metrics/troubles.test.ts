import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { registerSecret } from '../../../src/config/secrets.ts';
import { createLogger } from '../../../src/log/create-logger.ts';
import { Troubles } from '../../../src/metrics/troubles.ts';

function troublesOf(): { troubles: Troubles; log: ReturnType<typeof createLogger> } {
  const troubles = new Troubles();
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done() });
  const onLine: NonNullable<Parameters<typeof createLogger>[0]['onLine']> = (...line) => troubles.line(...line);
  return { troubles, log: createLogger({ format: 'text', verbosity: 2, stdout, onLine }) };
}

test('errors and warnings with a code are kept, newest first, with table, fix and cause', () => {
  const { troubles, log } = troublesOf();
  const before = Date.now();
  log.info('streaming', { code: 'TARGET_LOST' });
  log.warn('a parameter has no effect');
  log.warn('the connection to the target was lost; will retry', { code: 'TARGET_LOST' });
  log.error('a transaction was put into the dead-letter table', {
    code: 'DEAD_LETTER',
    table: 'orders',
    error: 'no such parent',
    fix: 'INSERT it',
  });
  assert.ok(troubles.list.every(({ at }) => at >= before && at <= Date.now()));
  assert.deepEqual(
    troubles.list.map(({ at: _, ...rest }) => rest),
    [
      {
        code: 'DEAD_LETTER',
        message: 'a transaction was put into the dead-letter table: no such parent',
        fix: 'INSERT it',
        table: 'orders',
      },
      {
        code: 'TARGET_LOST',
        message: 'the connection to the target was lost; will retry',
        fix: undefined,
        table: undefined,
      },
    ],
  );
});

test('no secret is kept', () => {
  registerSecret('kept-nowhere-9');
  const { troubles, log } = troublesOf();
  log.error('cannot connect to postgres://app:hunter2@h/db', {
    code: 'PG_CONNECT',
    fix: 'use kept-nowhere-9',
    error: 'kept-nowhere-9',
  });
  assert.doesNotMatch(JSON.stringify(troubles.list), /hunter2|kept-nowhere/);
});

test('what comes again and again is there once, and only the newest twenty are kept', () => {
  const { troubles, log } = troublesOf();
  for (let i = 0; i < 30; i++) {
    log.warn('lost', { code: 'TARGET_LOST' });
    log.warn(`other ${i}`, { code: 'CONNECTION_LOST' });
  }
  assert.equal(troubles.list.length, 20);
  assert.deepEqual(
    troubles.list.slice(0, 3).map(({ message }) => message),
    ['other 29', 'lost', 'other 28'],
  );
});
