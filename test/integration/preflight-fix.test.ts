import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { parseConnectionString } from '../../src/config/connection.ts';
import { OperatorError } from '../../src/errors.ts';
import type { Fix } from '../../src/preflight/check.ts';
import { runFix } from '../../src/preflight/run-fix.ts';
import { sharedServer } from '../servers/postgres.ts';

function fix(...statements: string[]): Fix {
  return { side: 'target', text: statements.map((statement) => `${statement};`).join('\n'), statements };
}

describe('fixes', () => {
  const shared = sharedServer({ version: 18 });

  async function fails(url: string, what: Fix, code: string, message: RegExp): Promise<OperatorError> {
    let failure: unknown;
    await assert.rejects(runFix(what, { target: parseConnectionString(url, 'target', {}) }), (error) => {
      failure = error;
      return true;
    });
    assert(failure instanceof OperatorError, String(failure));
    assert.equal(failure.code, code, failure.message);
    assert.match(failure.message, message);
    assert(failure.fix?.includes(what.text), 'what has to be run by hand is said');
    return failure;
  }

  test('each statement is a transaction of its own: what cannot run in one does, and what is done stays', async (t) => {
    const database = await shared.freshDatabase(t);
    const target = parseConnectionString(database.url, 'target', {});
    await runFix(fix(`ALTER SYSTEM SET work_mem = '5MB'`, 'CREATE TABLE t (id int)'), { target });
    await runFix(fix('VACUUM t'), { target });
    await fails(
      database.url,
      fix('CREATE TABLE u (id int)', 'CREATE TABLE t (id int)', 'CREATE TABLE never (id int)'),
      'FIX_FAILED',
      /"CREATE TABLE t \(id int\)": relation "t" already exists; 1 of 3 statements were carried out before it/,
    );
    const tables = await database.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
    );
    assert.deepEqual(
      tables.map(({ name }) => name),
      ['t', 'u'],
    );
  });

  test('does not queue up behind a table that is in use, which would stop the application', async (t) => {
    const database = await shared.freshDatabase(t);
    await database.query('CREATE TABLE t (id int)');
    const busy = new Client({ connectionString: database.url });
    await busy.connect();
    await busy.query('BEGIN; SELECT * FROM t');
    const failure = await fails(
      database.url,
      fix('ALTER TABLE t REPLICA IDENTITY FULL'),
      'FIX_BLOCKED',
      /somebody else uses the table .*nothing was changed/,
    );
    assert.equal(failure.transient, true);
    await busy.query('ROLLBACK');
    await busy.end();
    await runFix(fix('ALTER TABLE t REPLICA IDENTITY FULL'), {
      target: parseConnectionString(database.url, 'target', {}),
    });
  });

  test('what only a person can do is left to one', async () => {
    const byHand: Fix = { side: 'target', text: 'Reboot the instance.' };
    await fails(shared.server.url(), byHand, 'FIX_BY_HAND', /nothing was changed/);
  });

  test('a server that cannot be reached', async () => {
    const target = parseConnectionString(shared.server.url('nowhere'), 'target', {});
    await assert.rejects(
      runFix(fix('SELECT 1'), { target }),
      (error) => error instanceof OperatorError && error.code === 'PG_NO_DATABASE',
    );
  });
});
