import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from 'pg';
import type { Verdict } from '../../src/preflight/resume.ts';
import { startEngine, stopEngine } from '../../src/sessions/engine-child.ts';
import { launch } from '../../src/sessions/launch.ts';
import { resume } from '../../src/sessions/resume.ts';
import { stateOf } from '../../src/sessions/state.ts';
import {
  assertEqual,
  createSlot,
  dropSlot,
  instar,
  prepared,
  type Session,
  settled,
  slotOf,
  withPassword,
} from '../harness/session-rig.ts';
import { type SharedServer, sharedServer } from '../servers/postgres.ts';

const source = sharedServer();
const forgetful = sharedServer({ settings: { max_slot_wal_keep_size: '1MB' } });
const target = sharedServer();

interface Unsafe {
  readonly name: string;
  harm(session: Session): Promise<unknown>;
  readonly code: string;
  /** What is said to be lost or doubled. */
  readonly says: RegExp;
  readonly wayOut: RegExp;
  readonly source?: SharedServer;
}

const UNSAFE: readonly Unsafe[] = [
  {
    name: 'the slot is gone',
    harm: dropSlot,
    code: 'PG_SLOT_MISSING',
    says: /changes between the checkpoint and .* would be lost/,
    wayOut: /pg_create_logical_replication_slot\('\w+', 'pgoutput'\);\n[\s\S]*DELETE FROM "?_replicator"?\.memo/,
  },
  {
    name: 'the slot was made anew',
    harm: async (session) => {
      await dropSlot(session);
      await session.from.query(`INSERT INTO item VALUES (5000, 'lost')`);
      await createSlot(session);
    },
    code: 'PG_SLOT_AHEAD',
    says: /would be lost/,
    wayOut: /start over with a fresh copy/,
  },
  {
    name: 'the source gave the slot up',
    source: forgetful,
    harm: async ({ from }) => {
      for (let i = 0; i < 4; i++) {
        await from.query(`INSERT INTO item VALUES (${6000 + i})`);
        await from.query('SELECT pg_switch_wal()');
      }
      await from.query('CHECKPOINT');
    },
    code: 'PG_SLOT_LOST',
    says: /would be lost/,
    wayOut: /start over with a fresh copy/,
  },
  {
    name: 'the checkpoint is beyond the end of the source',
    harm: ({ to }) => to.query(`UPDATE _replicator.memo SET value = 'FFFF/0' WHERE key LIKE 'pglogical-wal-offset-%'`),
    code: 'PG_SOURCE_BEHIND',
    says: /keep changes that the source does not have/,
    wayOut: /start over with a fresh copy/,
  },
  {
    name: 'the publication is gone',
    harm: ({ from }) => from.query('DROP PUBLICATION molt_fetch'),
    code: 'PG_PUBLICATION_MISSING',
    says: /Changes made while there is no publication would be lost/,
    wayOut: /create it again/,
  },
  {
    name: 'a target table has changed',
    harm: ({ to }) => to.query('ALTER TABLE item DROP COLUMN v'),
    code: 'TARGET_SCHEMA_DRIFT',
    says: /Nothing is lost meanwhile/,
    wayOut: /instar resume shop/,
  },
  {
    name: 'the checkpoint belongs to another server',
    harm: ({ to }) =>
      to.query(
        `UPDATE _replicator.memo SET value = convert_to(regexp_replace(convert_from(value, 'UTF8'), '"systemId":"\\d+"', '"systemId":"1"'), 'UTF8') WHERE key LIKE 'instar-identity%'`,
      ),
    code: 'PG_SOURCE_CHANGED',
    says: /those of another mixed in/,
    wayOut: /connect to the former source/,
  },
  {
    name: 'the connection leads to another database, where all is there by the same name',
    harm: async (session) => {
      await session.to.query('CREATE PUBLICATION molt_fetch FOR TABLE item');
      await session.to.query(`SELECT pg_create_logical_replication_slot('${slotOf(session)}', 'pgoutput')`);
      session.secrets.set('shop', 'source', withPassword(session.to.url));
    },
    code: 'PG_SOURCE_CHANGED',
    says: /those of another mixed in/,
    wayOut: /connect to the former source/,
  },
  {
    name: 'the slot is in another database of the server',
    harm: async (session) => {
      const postgres = new URL(withPassword(session.from.url));
      postgres.pathname = '/postgres';
      await session.from.server.query('CREATE PUBLICATION molt_fetch FOR ALL TABLES');
      session.secrets.set('shop', 'source', postgres.href);
    },
    code: 'PG_SLOT_DATABASE',
    says: /those of another mixed in/,
    wayOut: /connect to the former source/,
  },
  {
    name: 'the staging schema is gone',
    harm: ({ to }) => to.query('DROP SCHEMA _replicator CASCADE'),
    code: 'CHECKPOINT_MISSING',
    says: /applied again .* doubled in tables without a key/,
    wayOut: /instar pglogical --sourceConn \$SOURCE --targetConn \$TARGET --slotName/,
  },
];

for (const { name, harm, code, says, wayOut, source: from = source } of UNSAFE) {
  test(`not resumed because ${name}: ${code}, nothing started, ways out offered`, async (t) => {
    const session = await prepared(t, from, target);
    await launch('shop', session);
    await session.from.query(`INSERT INTO item SELECT i, 'x' FROM generate_series(1, 10) i`);
    await settled(session);
    await stopEngine(session.replication(), session);
    await harm(session);
    const { verdict, replication } = await resume('shop', session);
    assert.equal(replication, undefined);
    assert.equal(verdict?.safe, false);
    assert.deepEqual(refusals(verdict), [code], JSON.stringify(verdict, undefined, 1));
    assert.match(verdict.lines[1], /^not safe: /);
    assert.match(verdict.lines[1], says);
    assert.match(verdict.waysOut.map(({ label, text }) => `${label}\n${text}`).join('\n'), wayOut);
    assert.notEqual(stateOf(session.replication()), 'running');
    const { code: status, stdout } = await instar(session, 'resume', 'shop', '--dry-run', '--json');
    assert.equal(status, 1);
    assert.equal((JSON.parse(stdout) as { safe: boolean }).safe, false);
    const told = await instar(session, 'resume', 'shop', '--headless');
    assert.equal(told.code, 1);
    assert.match(told.stdout, wayOut);
    assert.match(told.stdout, /Nothing was started\.\n$/);
  });
}

function refusals(verdict: Verdict | undefined): (string | undefined)[] {
  const stopped = verdict?.findings.filter(({ state, severity }) => state === 'failed' && severity === 'blocking');
  return [...new Set(stopped?.map(({ code }) => code))].sort();
}

test('not resumed while somebody else reads from the slot; resumed when that has ended', async (t) => {
  const session = await prepared(t, source, target);
  await launch('shop', session);
  await stopEngine(session.replication(), session);
  const reader = new Client({ connectionString: `${session.from.url}?replication=database` });
  await reader.connect();
  reader.on('error', () => {});
  const reading = reader.query(
    `START_REPLICATION SLOT ${slotOf(session)} LOGICAL 0/0 (proto_version '1', publication_names 'molt_fetch')`,
  );
  reading.catch(() => {});
  const { verdict } = await resume('shop', session);
  assert.deepEqual(refusals(verdict), ['PG_SLOT_ACTIVE']);
  assert.match(String(verdict?.lines[1]), /apply changes twice/);
  // Killed a moment ago, as far as the server has noticed.
  setTimeout(() => reader.connection.stream.destroy(), 500);
  assert.equal((await resume('shop', session)).verdict?.safe, true);
});

test('not resumed while another process replicates; told who', async (t) => {
  const session = await prepared(t, source, target);
  await launch('shop', session);
  await stopEngine(session.replication(), session);
  // A copy of what is saved, on another machine so to speak.
  session.store.save({ ...session.replication(), name: 'copy' });
  for (const side of ['source', 'target'] as const)
    session.secrets.set('copy', side, session.secrets.get('shop', side));
  const run = await startEngine(session.store.get('copy')!, session);
  try {
    const { verdict } = await resume('shop', session);
    assert.equal(verdict?.safe, false);
    assert.deepEqual(refusals(verdict), ['LEASE_HELD', 'PG_SLOT_ACTIVE']);
  } finally {
    process.kill(run.pid, 'SIGKILL');
  }
});

test('a server that cannot be reached, and tables published since: told, and resumed when it is back', async (t) => {
  const session = await prepared(t, source, target);
  await launch('shop', session);
  await stopEngine(session.replication(), session);
  for (const database of [session.from, session.to]) await database.query('CREATE TABLE extra (id int PRIMARY KEY)');
  const right = session.secrets.get('shop', 'target')!;
  session.secrets.set('shop', 'target', right.replace(/:\d+\//, ':1/'));
  const { verdict } = await resume('shop', session);
  assert.equal(verdict?.safe, false);
  assert.ok(verdict?.findings.some(({ code }) => code === 'PG_CONNECTION_REFUSED'));
  session.secrets.set('shop', 'target', right);
  const again = await resume('shop', session);
  assert.equal(again.verdict?.safe, true);
  const told = again.verdict?.findings.find(({ id }) => id === 'resume.added');
  assert.match(String(told?.found), /published since then: public\.extra/);
  assert.equal(stateOf(session.replication()), 'running');
  assert.deepEqual(session.replication().facts?.tables, ['public.extra', 'public.item']);
});

test('a publication that leaves out other rows, columns or changes than at the last start is told of, once', async (t) => {
  const session = await prepared(t, source, target);
  await session.from.query(
    `CREATE PUBLICATION narrow FOR TABLE item; CREATE TABLE "Odd.One" (id int PRIMARY KEY, v text)`,
  );
  await session.to.query('CREATE TABLE "Odd.One" (id int PRIMARY KEY, v text)');
  session.store.update('shop', (now) => ({
    ...now,
    answers: { ...now.answers, publication: { name: 'narrow', create: false } },
  }));
  await launch('shop', session);
  await stopEngine(session.replication(), session);
  const told = async () => {
    const { verdict } = await resume('shop', session);
    assert.equal(verdict?.safe, true, JSON.stringify(verdict));
    await stopEngine(session.replication(), session);
    const { state, found } = verdict.findings.find(({ id }) => id === 'resume.left_out')!;
    return `${state}: ${found}`;
  };
  assert.equal(await told(), 'passed: nothing');
  await session.from.query(
    `ALTER PUBLICATION narrow SET TABLE item WHERE (id > 10), "Odd.One" (id); ALTER PUBLICATION narrow SET (publish = 'insert, update')`,
  );
  assert.equal(
    await told(),
    'failed: left out since the last start: no DELETE, no TRUNCATE, public."Odd.One": only the columns id, public.item: only rows WHERE (id > 10)',
  );
  assert.match(await told(), /^passed: no DELETE, no TRUNCATE, public\."Odd\.One"/);
  await session.from.query(`ALTER PUBLICATION narrow SET TABLE item WHERE (id > 10), "Odd.One"`);
  assert.equal(
    await told(),
    'failed: sent again, without what was left out until now: public."Odd.One": only the columns id',
  );
  // As an earlier version has saved it.
  session.store.update('shop', (now) => ({ ...now, facts: { tables: now.facts!.tables } }));
  assert.match(await told(), /^passed: no DELETE/);
});

test('a table that is published no more stops the resume unless that is accepted; one that was dropped does not', async (t) => {
  const session = await prepared(t, source, target, { tables: ['public.item', 'public.extra', 'public."Odd.One"'] });
  for (const database of [session.from, session.to]) {
    await database.query('CREATE TABLE extra (id int PRIMARY KEY); CREATE TABLE "Odd.One" (id int PRIMARY KEY)');
  }
  await launch('shop', session);
  await stopEngine(session.replication(), session);
  await session.from.query('ALTER PUBLICATION molt_fetch DROP TABLE extra; DROP TABLE "Odd.One"');
  const { verdict } = await resume('shop', session);
  assert.deepEqual(refusals(verdict), ['TABLES_UNPUBLISHED']);
  assert.match(
    String(verdict?.lines[1]),
    /published no more: public\.extra\. Changes made to them since then would be lost/,
  );
  const accepted = await instar(session, 'resume', 'shop', '--acceptTables', '--json');
  assert.equal(accepted.code, 0, accepted.stderr);
  assert.equal(stateOf(session.replication()), 'running');
  assert.deepEqual(session.replication().facts?.tables, ['public.item']);
  await stopEngine(session.replication(), session);
  assert.equal((await resume('shop', { ...session, dryRun: true })).verdict?.safe, true);
});

test('safe: how far behind from the checkpoint on, even where the slot has not heard of it, and how long it will take', async (t) => {
  const session = await prepared(t, source, target);
  await launch('shop', session);
  await session.from.query(`INSERT INTO item VALUES (1, 'x')`);
  await settled(session);
  await stopEngine(session.replication(), session);
  await session.from.query(`INSERT INTO item SELECT i, repeat('x', 500) FROM generate_series(2, 2000) i`);
  session.store.update('shop', (before) => ({ ...before, seen: { at: before.created, bytesPerSecond: 10_000 } }));
  const { verdict: far } = await resume('shop', { ...session, dryRun: true });
  const bytes = Number(far?.behind.bytes);
  assert.ok(bytes > 1_000_000 && bytes < 10_000_000, String(bytes));
  assert.equal(far?.catchUp, bytes / 10_000);
  assert.match(String(far?.lines[1]), /^safe: [\d.]+ MB of log behind, about \d+m\d+s to catch up$/);
  const [{ lsn }] = await session.from.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
  const [{ value }] = await session.to.query<{ value: Buffer }>(
    `SELECT value FROM _replicator.memo WHERE key LIKE 'pglogical-wal-offset-%'`,
  );
  const move = (position: string | Buffer) =>
    session.to.query(`UPDATE _replicator.memo SET value = $1 WHERE key LIKE 'pglogical-wal-offset-%'`, [
      Buffer.from(position),
    ]);
  await move(lsn);
  const { verdict: near } = await resume('shop', { ...session, dryRun: true });
  assert.equal(near?.safe, true);
  assert.ok(Number(near?.behind.bytes) < 100_000, String(near?.behind.bytes));
  await move(value);
  await resume('shop', session);
  await settled(session);
  await assertEqual(session);
});
