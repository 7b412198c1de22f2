import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OperatorError } from '../../src/errors.ts';
import { alignFormat, FORMAT_KEY, type StagingMigration } from '../../src/staging/format.ts';
import { dropStaging } from '../../src/staging/drop.ts';
import { readIdentity, writeIdentity } from '../../src/staging/identity.ts';
import {
  checkpointStatement,
  ensureCheckpoint,
  FENCED,
  memoKeys,
  moveCheckpoint,
  readMemo,
  writeMemo,
} from '../../src/staging/memo.ts';
import { openStagingSchema, type StagingSchema } from '../../src/staging/staging-schema.ts';
import { readStagingState } from '../../src/staging/staging-state.ts';
import { findTargetSchema } from '../../src/staging/target-schema.ts';
import { describeServer } from '../../src/target/dialect.ts';
import { stagingSchemaName, targetSchemaName } from '../../src/target/identifiers.ts';
import { sharedServer } from '../servers/postgres.ts';
import { connectText } from '../servers/text-client.ts';

const KEY = 'pglogical-wal-offset-shop.public';

function hex(text: string): string {
  return `\\x${Buffer.from(text).toString('hex')}`;
}

describe('the staging schema', () => {
  const shared = sharedServer();
  type Scope = Parameters<typeof connectText>[0];

  async function place(t: Scope, text = '_replicator') {
    const database = await shared.freshDatabase(t);
    const client = await connectText(t, database.url);
    const server = await describeServer(client);
    const staging: StagingSchema = { name: stagingSchemaName(text, server), dialect: server.dialect };
    return { database, client, server, staging };
  }

  async function opened(t: Scope) {
    const parts = await place(t);
    await openStagingSchema(parts.client, parts.staging, { create: true });
    return parts;
  }

  test('missing without --stagingCreateSchema: a named error with the flag and the SQL', async (t) => {
    const { client, staging } = await place(t);
    await assert.rejects(openStagingSchema(client, staging, { create: false }), {
      code: 'STAGING_MISSING',
      fix: /--stagingCreateSchema[\s\S]*CREATE SCHEMA "_replicator";/,
    });
  });

  test('is created with tables of the existing tool and its version markers, and opened again without the flag', async (t) => {
    const { database, client, staging } = await opened(t);
    await openStagingSchema(client, staging, { create: false });
    const columns = await database.query(
      `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS c
       FROM information_schema.columns WHERE table_schema = '_replicator' ORDER BY table_name, ordinal_position`,
    );
    assert.deepEqual(
      columns.map((row) => row.c),
      [
        'leases.name text NO',
        'leases.expires timestamp without time zone NO',
        'leases.nonce uuid NO',
        'leases.hostname text NO',
        'memo.key text NO',
        'memo.value bytea NO',
      ],
    );
    assert.deepEqual(await memoKeys(client, staging, 'version-'), [
      'version-389',
      'version-400',
      'version-572',
      'version-828',
    ]);
    assert.equal(await readMemo(client, staging, 'version-828'), '{"state":"applied"}');
  });

  test('markers are left alone where the existing tool has still to upgrade', async (t) => {
    const { client, staging, database } = await opened(t);
    await database.query(`DELETE FROM _replicator.memo WHERE key = 'version-828'`);
    await openStagingSchema(client, staging, { create: true });
    assert.equal(await readMemo(client, staging, 'version-828'), '');
  });

  /** All that is in the schema, tables and rows. */
  async function everything(database: Awaited<ReturnType<typeof place>>['database']): Promise<string> {
    const tables = await database.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = '_replicator'::regnamespace AND relkind = 'r' ORDER BY 1`,
    );
    const rows = tables.map(({ name }) =>
      database.query(`SELECT '${name}' AS t, * FROM _replicator.${name} ORDER BY 2`),
    );
    return JSON.stringify([tables, ...(await Promise.all(rows))]);
  }

  test('one that the existing tool has made is taken as it is: what it reads is not touched', async (t) => {
    const { client, staging, database } = await place(t);
    await database.query(`CREATE SCHEMA _replicator;
      CREATE TABLE _replicator.memo (key TEXT NOT NULL PRIMARY KEY, value BYTEA NOT NULL);
      INSERT INTO _replicator.memo VALUES ('${KEY}', '0/1A2B3C'), ('version-389', '{"state":"applied"}'),
        ('version-400', '{"state":"applied"}'), ('version-572', '{"state":"applied"}'), ('version-828', '{"state":"applied"}')`);
    const before = await database.query('SELECT * FROM _replicator.memo ORDER BY key');
    await openStagingSchema(client, staging, { create: false });
    await ensureCheckpoint(client, staging, KEY);
    assert.equal(await readMemo(client, staging, KEY), '0/1A2B3C');
    const after = await database.query(`SELECT * FROM _replicator.memo WHERE key NOT LIKE 'instar-%' ORDER BY key`);
    assert.deepEqual(after, before);
    assert.equal(await readMemo(client, staging, FORMAT_KEY), '1');
    assert.deepEqual(await memoKeys(client, staging, 'pglogical-wal-offset-'), [KEY]);
  });

  test('what a newer version keeps there is refused by name, and nothing of it is touched', async (t) => {
    const { client, staging, database } = await opened(t);
    await database.query('DROP TABLE _replicator.leases');
    for (const format of ['2', '17', '{"format":"later"}']) {
      await writeMemo(client, staging, FORMAT_KEY, format);
      const before = await everything(database);
      for (const create of [true, false]) {
        await assert.rejects(openStagingSchema(client, staging, { create }), {
          code: 'STAGING_NEWER',
          message: /nothing was started or changed/,
        });
      }
      assert.equal((await readStagingState(client, staging)).refused?.code, 'STAGING_NEWER');
      assert.equal(await everything(database), before);
    }
  });

  test('what an older version keeps there is brought up to date, once, with a copy; a broken attempt is gone on with', async (t) => {
    const { client, staging, database } = await opened(t);
    await writeMemo(client, staging, KEY, '0/10');
    const before = await database.query('SELECT * FROM _replicator.memo ORDER BY key');
    let breaks = true;
    const steps: string[] = [];
    const migrations: StagingMigration[] = [
      async (open, at) => {
        steps.push('2');
        await writeMemo(open, at, KEY, '0/11');
      },
      async (open, at) => {
        steps.push('3');
        await open.query(`ALTER TABLE ${at.name.sql}.leases ADD COLUMN IF NOT EXISTS note TEXT`);
        if (breaks) throw new Error('the connection broke');
      },
    ];
    await assert.rejects(alignFormat(client, staging, migrations), /the connection broke/);
    assert.equal(await readMemo(client, staging, FORMAT_KEY), '2');
    breaks = false;
    await alignFormat(client, staging, migrations);
    await alignFormat(client, staging, migrations);
    assert.deepEqual(steps, ['2', '3', '3']);
    assert.equal(await readMemo(client, staging, FORMAT_KEY), '3');
    assert.deepEqual(await database.query('SELECT * FROM _replicator.memo_format_1 ORDER BY key'), before);
    const kept = { checkpoint: KEY, identity: 'none' };
    await writeMemo(client, staging, 'pglogical-wal-offset-other.public', '0/1');
    assert.equal(await dropStaging(client, staging, kept), false, 'another replication keeps its progress there');
    // This program is the older one now.
    await assert.rejects(openStagingSchema(client, staging, { create: true }), { code: 'STAGING_NEWER' });
    assert.equal((await readStagingState(client, staging)).refused?.code, 'STAGING_NEWER');
    await database.query(`DELETE FROM _replicator.memo WHERE key LIKE '%other%'`);
    assert.equal(await dropStaging(client, staging, kept), true, 'its copies are gone with it');
  });

  test('many processes may create it at the same moment', async (t) => {
    const { database, staging } = await place(t);
    const clients = await Promise.all(Array.from({ length: 8 }, () => connectText(t, database.url)));
    await Promise.all(clients.map((client) => openStagingSchema(client, staging, { create: true })));
    assert.equal((await memoKeys(clients[0], staging, 'version-')).length, 4);
  });

  test('a user who may not create it is told what to grant', async (t) => {
    const { database, staging } = await place(t);
    const role = `weak_${database.name}`;
    await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'weak'`);
    t.after(async () => {
      await shared.server.query(`DROP ROLE ${role}`);
    });
    const url = new URL(database.url);
    url.username = role;
    url.password = 'weak';
    const client = await connectText(t, url.href);
    await assert.rejects(openStagingSchema(client, staging, { create: true }), {
      code: 'STAGING_NOT_PERMITTED',
      message: new RegExp(`^the user ${role} may not create or use what is missing in the staging schema`),
      fix: new RegExp(`^GRANT CREATE ON DATABASE .* TO "${role}";`),
    });
    await openStagingSchema(await connectText(t, database.url), staging, { create: true });
    await database.query(`GRANT USAGE ON SCHEMA ${staging.name.sql} TO ${role}`);
    const refusal: unknown = await openStagingSchema(client, staging, { create: false }).catch((error) => error);
    assert.ok(refusal instanceof OperatorError);
    assert.match(
      refusal.message,
      new RegExp(`^the user ${role} may not create or use \\S+"memo" of the staging schema`),
    );
    await database.query(refusal.fix!);
    await openStagingSchema(client, staging, { create: false });
  });

  test('memo: an absent key reads as empty, a written one as the text', async (t) => {
    const { client, staging } = await opened(t);
    assert.equal(await readMemo(client, staging, 'x'), '');
    await writeMemo(client, staging, 'x', 'größe 🦋 \\x00');
    assert.equal(await readMemo(client, staging, 'x'), 'größe 🦋 \\x00');
    await writeMemo(client, staging, 'x', 'again');
    assert.equal(await readMemo(client, staging, 'x'), 'again');
    await writeMemo(client, staging, 'a_b', '1');
    await writeMemo(client, staging, 'axb', '1');
    assert.deepEqual(await memoKeys(client, staging, 'a_'), ['a_b']);
  });

  test('the checkpoint starts empty, is kept when it exists, and moves only from the expected value', async (t) => {
    const { client, staging } = await opened(t);
    await ensureCheckpoint(client, staging, KEY);
    assert.equal(await readMemo(client, staging, KEY), '');
    await moveCheckpoint(client, staging, KEY, '0/1', '');
    await ensureCheckpoint(client, staging, KEY);
    assert.equal(await readMemo(client, staging, KEY), '0/1');
    await moveCheckpoint(client, staging, KEY, '0/2', '0/1');
    await assert.rejects(moveCheckpoint(client, staging, KEY, '0/3', '0/1'), { code: 'CHECKPOINT_MOVED' });
    await assert.rejects(moveCheckpoint(client, staging, 'no such key', '0/3', ''), { code: 'CHECKPOINT_MOVED' });
    assert.equal(await readMemo(client, staging, KEY), '0/2');
  });

  test('defect 19: of two processes that write from the same checkpoint only one commits', async (t) => {
    const { database, client, staging } = await opened(t);
    await ensureCheckpoint(client, staging, KEY);
    await database.query('CREATE TABLE rows_of (who text)');
    const sql = checkpointStatement(staging.name, staging.dialect);
    const other = await connectText(t, database.url);

    await client.query('BEGIN');
    await client.query(`INSERT INTO rows_of VALUES ('first')`);
    await client.query(sql, [KEY, hex('0/1'), hex('')]);
    await other.query('BEGIN');
    await other.query(`INSERT INTO rows_of VALUES ('second')`);
    const waiting = assert.rejects(other.query(sql, [KEY, hex('0/1'), hex('')]), { code: FENCED });
    await client.query('COMMIT');
    await waiting;
    await other.query('COMMIT');
    assert.deepEqual(await database.query('SELECT who FROM rows_of'), [{ who: 'first' }]);

    // The first one's rollback lets the second one through instead.
    await client.query('BEGIN');
    await client.query(sql, [KEY, hex('0/2'), hex('0/1')]);
    await other.query('BEGIN');
    const through = other.query(sql, [KEY, hex('0/3'), hex('0/1')]);
    await client.query('ROLLBACK');
    await through;
    await other.query('COMMIT');
    assert.equal(await readMemo(client, staging, KEY), '0/3');
  });

  test('a batch that was sent behind a failed one cannot commit', async (t) => {
    const { database, client, staging } = await opened(t);
    await ensureCheckpoint(client, staging, KEY);
    await database.query('CREATE TABLE rows_of (n int CHECK (n <> 1))');
    const sql = checkpointStatement(staging.name, staging.dialect);
    const outcomes: string[] = [];
    for (const [n, before, after] of [
      [0, '', '0/1'],
      [1, '0/1', '0/2'],
      [2, '0/2', '0/3'],
    ] as const) {
      await client.query('BEGIN');
      try {
        await client.query('INSERT INTO rows_of VALUES ($1)', [n]);
        await client.query(sql, [KEY, hex(after), hex(before)]);
        await client.query('COMMIT');
        outcomes.push('committed');
      } catch (error) {
        outcomes.push((error as { code: string }).code);
        await client.query('ROLLBACK');
      }
    }
    assert.deepEqual(outcomes, ['committed', '23514', FENCED]);
    assert.deepEqual(await database.query('SELECT n FROM rows_of'), [{ n: 0 }]);
    assert.equal(await readMemo(client, staging, KEY), '0/1');
  });

  test('the identity of a source is kept beside its checkpoint', async (t) => {
    const { client, server, staging } = await opened(t);
    const target = targetSchemaName('public', server);
    assert.equal(await readIdentity(client, staging, 'pglogical', 'public'), undefined);
    await writeIdentity(client, staging, 'pglogical', target, { systemId: '7', slot: 'a' });
    assert.deepEqual(await readIdentity(client, staging, 'pglogical', 'public'), {
      targetSchema: 'public',
      source: { systemId: '7', slot: 'a' },
    });
    assert.equal(await readIdentity(client, staging, 'mylogical', 'public'), undefined);
    await writeMemo(client, staging, 'instar-identity-pglogical-public', '{"half');
    await assert.rejects(readIdentity(client, staging, 'pglogical', 'public'), { code: 'IDENTITY_UNREADABLE' });
  });

  test('resume without --targetSchema: none, one, several', async (t) => {
    const { client, staging } = await opened(t);
    const find = () => findTargetSchema(client, staging, 'pglogical', 'pglogical-wal-offset-');
    await assert.rejects(find(), { code: 'USAGE', message: /^no target schema specified.* no checkpoint/ });
    await writeMemo(client, staging, 'mysql-wal-offset-other.public', 'x');
    await writeMemo(client, staging, KEY, '0/1');
    assert.equal(await find(), 'shop.public');
    await writeMemo(client, staging, 'pglogical-wal-offset-defaultdb.public', '0/1');
    await assert.rejects(find(), {
      code: 'USAGE',
      message: /^no target schema specified.*defaultdb\.public, shop\.public/,
    });
  });

  test('resume finds a schema whose name needed quotes', async (t) => {
    const { client, server, staging } = await opened(t);
    const target = targetSchemaName(`"${server.database}"."a.b"`, server);
    await writeMemo(client, staging, `pglogical-wal-offset-${target.raw}`, '0/1');
    await writeIdentity(client, staging, 'pglogical', target, {});
    const found = await findTargetSchema(client, staging, 'pglogical', 'pglogical-wal-offset-');
    assert.deepEqual(targetSchemaName(found, server), target);
  });

  test('a staging schema with an odd name is only a name', async (t) => {
    const { client, staging } = await place(t, '"x""; drop schema public; --"');
    await openStagingSchema(client, staging, { create: true });
    await ensureCheckpoint(client, staging, KEY);
    await moveCheckpoint(client, staging, KEY, '0/1', '');
    assert.equal(await readMemo(client, staging, KEY), '0/1');
  });
});
