import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { parseConnectionString } from '../../src/config/connection.ts';
import { OperatorError } from '../../src/errors.ts';
import { type CheckResult, isReady } from '../../src/preflight/check.ts';
import { runFix } from '../../src/preflight/run-fix.ts';
import { checkTarget, plannedTargetChecks } from '../../src/preflight/target.ts';
import type { TargetWishes } from '../../src/preflight/target-facts.ts';
import { Lease, leaseName } from '../../src/staging/lease.ts';
import { openStagingSchema } from '../../src/staging/staging-schema.ts';
import { describeServer } from '../../src/target/dialect.ts';
import { stagingSchemaName, targetSchemaName } from '../../src/target/identifiers.ts';
import { RecordingLogger } from '../harness/recording-logger.ts';
import { Replica } from '../harness/replica.ts';
import { sharedServer, type TestDatabase } from '../servers/postgres.ts';

type Results = Readonly<Record<string, CheckResult>>;

interface Scope {
  after(done: () => Promise<void>): void;
}

const WISHES = { targetSchema: 'public', stagingSchema: '_replicator', tables: 'all' } as const;

function description(url: string) {
  return parseConnectionString(url, '--targetConn', {});
}

async function check(
  target: string,
  source: string,
  wishes: Partial<TargetWishes> = {},
  report?: (result: CheckResult) => void,
): Promise<Results> {
  const results = await checkTarget(description(target), { ...WISHES, source: description(source), ...wishes }, report);
  return Object.fromEntries(results.map((result) => [result.id.replace('target.', ''), result]));
}

function wrong(results: Results): string[] {
  return Object.entries(results)
    .filter(([, { state }]) => state !== 'passed')
    .map(([id, { state }]) => `${id} ${state}`);
}

async function open(t: Scope, url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  t.after(() => client.end());
  return client;
}

/** Makes the staging schema as the engine does. */
async function stage(t: Scope, database: TestDatabase) {
  const client = await open(t, database.url);
  const server = await describeServer(client);
  const staging = { name: stagingSchemaName('_replicator', server), dialect: server.dialect };
  await openStagingSchema(client, staging, { create: true });
  return { staging, schema: targetSchemaName('public', server) };
}

for (const version of [14, 18] as const) {
  describe(`checks of a target on PostgreSQL ${version}`, () => {
    const shared = sharedServer({ version });

    test('tables are missing: each is made by its fix, and then everything passes', async (t) => {
      const source = await shared.freshDatabase(t);
      const target = await shared.freshDatabase(t);
      await source.query(`
        CREATE TABLE "Orders" (id bigint PRIMARY KEY, note varchar(20), total numeric(10,2)[]);
        CREATE TABLE lines (a int, b text, PRIMARY KEY (b, a));
        INSERT INTO "Orders" VALUES (1)`);
      const before = await check(target.url, source.url);
      assert.deepEqual(wrong(before), ['rows failed', 'table.public."Orders" failed', 'table.public.lines failed']);
      assert.match(before.rows.found, /^only at the source: public\."Orders"/);
      assert.match(before.rows.why, /copies no rows/);
      const missing = before['table.public.lines'];
      assert.equal(missing.code, 'TARGET_SCHEMA_DRIFT');
      assert.equal(missing.title, 'public.lines');
      assert.match(missing.fix?.text ?? '', /^CREATE TABLE "public"\."lines" \(\n {2}"a" integer,.*PRIMARY KEY/s);
      for (const { fix } of Object.values(before)) {
        if (fix?.statements) await runFix(fix, { target: description(target.url) });
      }
      await target.query('INSERT INTO "Orders" VALUES (1)');
      const reported: CheckResult[] = [];
      const after = await check(target.url, source.url, {}, (result) => reported.push(result));
      assert.deepEqual(wrong(after), []);
      assert(isReady(Object.values(after)));
      assert.equal(after.staging.found, '"_replicator" will be created (--stagingCreateSchema)');
      assert.equal(after.rows.found, 'on both sides, in 1 table');
      assert.deepEqual(new Set(reported), new Set(Object.values(after)));
      const planned = plannedTargetChecks(['public."Orders"', 'public.lines']);
      assert.deepEqual(
        Object.values(after).map(({ id, title, side, severity, why }) => ({ id, title, side, severity, why })),
        planned,
      );
      // nothing was created by looking
      assert.equal((await target.query(`SELECT FROM pg_namespace WHERE nspname = '_replicator'`)).length, 0);
    });

    test('tables that do not fit, in the words of the engine, with fixes that can be run', async (t) => {
      const source = await shared.freshDatabase(t);
      const target = await shared.freshDatabase(t);
      await source.query('CREATE TABLE t (id int PRIMARY KEY, a text, b text); CREATE TABLE u (id int PRIMARY KEY)');
      await target.query('CREATE TABLE t (id int, a text, must text NOT NULL); CREATE TABLE u (id int PRIMARY KEY)');
      const results = await check(target.url, source.url, { tables: ['public.t', 'public.u', 'public.nothing'] });
      assert.deepEqual(wrong(results), ['table.public.t failed', 'table.public.nothing failed']);
      const { found, fix } = results['table.public.t'];
      assert.match(
        found,
        /unexpected columns: b .*must not be NULL.*: must; no primary key or unique index over exactly "id"/,
      );
      assert.equal(fix?.statements?.length, 3);
      assert.match(results['table.public.nothing'].found, /not among the tables/);
      await runFix(fix, { target: description(target.url) });
      assert.deepEqual(wrong(await check(target.url, source.url)), []);
    });

    test('column types that do not take every value: told with what becomes of the rest, without standing in the way', async (t) => {
      const source = await shared.freshDatabase(t);
      const target = await shared.freshDatabase(t);
      await source.query(`
        CREATE TABLE t (id bigint PRIMARY KEY, code text, price numeric(12,4), at timestamptz, note varchar(20));
        CREATE TABLE u (id int PRIMARY KEY, same varchar(7), wider int, list int[])`);
      await target.query(`
        CREATE TABLE t (id int PRIMARY KEY, code int, price numeric(12,2), at date, note varchar(20));
        CREATE TABLE u (id int PRIMARY KEY, same varchar(7), wider numeric, list bigint[])`);
      const results = await check(target.url, source.url);
      assert.deepEqual(wrong(results), ['types failed']);
      assert(isReady(Object.values(results)));
      assert.equal(
        results.types.found,
        'public.t.id, bigint into integer: larger numbers are refused; public.t.code, text into integer: text that is no whole number is refused; public.t.price, numeric(12,4) into numeric(12,2): digits beyond 2 behind the point are rounded away; and 1 more',
      );
      const { text = '' } = results.types.fix ?? {};
      assert.match(text, /^ALTER TABLE "public"\."t" ALTER COLUMN "id" TYPE bigint;$/m);
      assert.match(text, /ALTER COLUMN "at" TYPE timestamp with time zone;$/m);
      await target.query(text);
      assert.deepEqual(wrong(await check(target.url, source.url)), []);
    });

    test('schema, rights, triggers, foreign keys: all at once', async (t) => {
      const source = await shared.freshDatabase(t);
      const target = await shared.freshDatabase(t);
      const role = `Writer ${target.name}`;
      await source.query('CREATE TABLE t (id int PRIMARY KEY, u int); CREATE TABLE noise (id int PRIMARY KEY)');
      await target.query(`
        CREATE TABLE other (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, u int CONSTRAINT "to Other" REFERENCES other);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
        CREATE ROLE "${role}" LOGIN; GRANT SELECT, INSERT ON t TO "${role}";
        REVOKE CREATE ON DATABASE ${target.name} FROM PUBLIC`);
      t.after(async () => void (await target.server.query(`DROP ROLE "${role}"`)));
      const url = new URL(target.url);
      url.username = encodeURIComponent(role);
      const wishes = { tables: ['public.t'] };
      const results = await check(url.href, source.url, wishes);
      assert.deepEqual(wrong(results), [
        'staging failed',
        'lease skipped',
        'checkpoint skipped',
        'rights failed',
        'truncate_right failed',
        'triggers failed',
        'foreign_keys failed',
      ]);
      assert.equal(results.staging.code, 'STAGING_NOT_PERMITTED');
      assert.match(results.staging.found, new RegExp(`CREATE on database "${target.name}"`));
      assert.match(results.lease.found, /because of: staging schema/);
      assert.equal(results.rights.found, 'no UPDATE, DELETE on "public"."t"');
      assert.match(results.triggers.found, /^t$/);
      assert.match(results.foreign_keys.found, /^t references other \(to Other\)$/);

      for (const { fix } of [results.rights, results.truncate_right]) {
        await target.query(fix!.text.replace(/^Have.*\n/, ''));
      }
      await target.query(
        `GRANT CREATE ON DATABASE ${target.name} TO "${role}"; ALTER TABLE t DROP CONSTRAINT "to Other"`,
      );
      await assert.rejects(
        runFix(results.triggers.fix!, { target: description(url.href) }),
        (error) =>
          error instanceof OperatorError &&
          error.code === 'FIX_NOT_PERMITTED' &&
          /nothing was changed/.test(error.message),
      );
      await runFix(results.triggers.fix!, { target: description(target.url) });
      assert.deepEqual(wrong(await check(url.href, source.url, wishes)), []);

      const nowhere = await check(target.url, source.url, { ...wishes, targetSchema: 'not there' });
      assert.deepEqual(wrong(nowhere), [
        'schema failed',
        'lease skipped',
        'checkpoint skipped',
        'rights skipped',
        'truncate_right skipped',
        'types skipped',
        'triggers skipped',
        'foreign_keys skipped',
        'rows skipped',
        'table.public.t skipped',
      ]);
      assert.equal(nowhere.schema.code, 'TARGET_SCHEMA_MISSING');
      await runFix(nowhere.schema.fix!, { target: description(target.url) });
      assert.equal(
        (await check(target.url, source.url, { ...wishes, targetSchema: 'not there' })).schema.state,
        'passed',
      );
      const elsewhere = await check(target.url, source.url, { ...wishes, targetSchema: 'a.b', stagingSchema: 'a.b' });
      assert.equal(elsewhere.schema.code, 'TARGET_OTHER_DATABASE');
      assert.equal(elsewhere.staging.code, 'STAGING_OTHER_DATABASE');
    });

    test('a target that takes no rows, and one that cannot be reached; the source is out of reach', async (t) => {
      const source = await shared.freshDatabase(t);
      const target = await shared.freshDatabase(t);
      await source.query('CREATE TABLE t (id int PRIMARY KEY)');
      await target.query(
        `CREATE TABLE t (id int PRIMARY KEY); ALTER DATABASE ${target.name} SET default_transaction_read_only = on`,
      );
      const results = await check(target.url, source.url);
      assert.deepEqual(wrong(results), ['writable failed']);
      const gone = await check(shared.server.url('nowhere'), source.url, { tables: ['public.t'] });
      assert.equal(gone.connection.code, 'PG_NO_DATABASE');
      assert(Object.values(gone).every(({ id, state }) => id === 'target.connection' || state === 'skipped'));
      const blind = await check(target.url, shared.server.url('nowhere'), { tables: ['public.t'] });
      assert.equal(blind.tables.code, 'PG_NO_DATABASE');
      assert.equal(blind['table.public.t'].state, 'skipped');
      assert.match(blind['table.public.t'].found, /because of: tables of the source/);
      assert.equal(blind.schema.state, 'passed');
    });

    test('progress that a newer version has kept is told before anything starts', async (t) => {
      const source = await shared.freshDatabase(t);
      const target = await shared.freshDatabase(t);
      await stage(t, target);
      await target.query(`UPDATE _replicator.memo SET value = '2' WHERE key = 'instar-staging-format'`);
      const { staging, lease } = await check(target.url, source.url);
      assert.deepEqual([staging.state, staging.code, lease.state], ['failed', 'STAGING_NEWER', 'skipped']);
      assert.match(String(staging.fix?.text), /another --stagingSchema/);
    });

    test('the lease: somebody else replicates, or nobody does any more', async (t) => {
      const source = await shared.freshDatabase(t);
      const target = await shared.freshDatabase(t);
      await source.query('CREATE TABLE t (id int PRIMARY KEY)');
      await target.query('CREATE TABLE t (id int PRIMARY KEY)');
      const { staging, schema } = await stage(t, target);
      assert.deepEqual(wrong(await check(target.url, source.url)), []);
      const lease = await Lease.acquire({
        staging,
        name: leaseName('pglogical', schema),
        connect: () => open(t, target.url),
        standby: false,
        onLost: () => {},
        log: new RecordingLogger(),
        holder: 'db-host pid 4711',
      });
      const held = (await check(target.url, source.url)).lease;
      assert.equal(held.code, 'LEASE_HELD');
      assert.equal(held.found, 'db-host pid 4711 does');
      await lease.release();
      assert.equal((await check(target.url, source.url)).lease.state, 'passed');
    });
  });
}

describe('a target that was replicated into before', () => {
  const sources = sharedServer({ version: 18 });
  const targets = sharedServer({ version: 14 });

  test('progress of an earlier replication: a resume, or something that the slot cannot go on from', async (t) => {
    const replica = await Replica.create(t, sources.server, targets.server, {
      schema: 'CREATE TABLE t (id int PRIMARY KEY)',
    });
    const engine = await replica.start();
    await replica.source.query('INSERT INTO t VALUES (1)');
    await replica.settle();
    const slot = { name: replica.slot, create: false };
    const wishes = { targetSchema: 'public', stagingSchema: replica.stagingSchema, slot };
    assert.equal((await check(replica.targetConn, replica.sourceConn, wishes)).lease.state, 'failed');
    await engine.stop();

    const resume = await check(replica.targetConn, replica.sourceConn, wishes);
    assert.deepEqual(wrong(resume), []);
    assert.match(resume.checkpoint.found, /^[0-9A-F]+\/[0-9A-F]+: the start will be a resume/);
    assert.match(resume.rows.found, /has begun already/);

    const fresh = { ...wishes, slot: { name: `new_${replica.slot}`, create: true } };
    const ahead = (await check(replica.targetConn, replica.sourceConn, fresh)).checkpoint;
    assert.equal(ahead.code, 'PG_SLOT_AHEAD');
    assert.match(ahead.fix?.text ?? '', new RegExp(`its own slot, ${replica.slot}\\.`));
    const forget = /DELETE.*/.exec(ahead.fix?.text ?? '')![0];
    assert.equal(ahead.fix?.statements, undefined, 'nobody forgets progress with one key');

    const other = await sources.freshDatabase(t);
    await other.query('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE harness_marker (id int PRIMARY KEY)');
    const otherSlot = `s_${other.name}`;
    await other.query(`SELECT pg_create_logical_replication_slot('${otherSlot}', 'pgoutput')`);
    const changed = (
      await check(replica.targetConn, other.url, { ...wishes, slot: { name: otherSlot, create: false } })
    ).checkpoint;
    assert.equal(changed.code, 'PG_SOURCE_CHANGED');

    await replica.target.query(forget);
    assert.match((await check(replica.targetConn, replica.sourceConn, fresh)).checkpoint.found, /^none/);
  });
});
