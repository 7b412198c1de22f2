import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Engine, eventually, freePort } from '../harness/engine.ts';
import { connect, Replica } from '../harness/replica.ts';
import { sharedServer } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const PASSWORD = `p@ss:w/ord?#%&'"é `;
const source = sharedServer({ password: PASSWORD });
const target = sharedServer({ password: PASSWORD });

const ITEMS = 'create table item (id integer primary key, v text);';
const create = (t: TestContext) => Replica.create(t, source.server, target.server, { schema: ITEMS });

async function insert(replica: Replica, id: number): Promise<void> {
  await replica.source.query(`insert into item values ($1, 'v')`, [id]);
}

test('the documented command, expanded by a shell; then the shorter one to resume', async (t) => {
  const replica = await create(t);
  const port = await freePort();
  const inShell = (command: string) => {
    const child = spawn('sh', ['-c', `exec "$NODE" "$CLI" ${command}`], {
      cwd: scratchDirectory('command'),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        NODE: process.execPath,
        CLI: new URL('../../dist/cli.js', import.meta.url).pathname,
        SOURCE: replica.sourceConn,
        TARGET: replica.targetConn,
      },
    });
    let log = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (log += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (log += text));
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
    t.after(() => void child.kill('SIGKILL'));
    return { child, exited, log: () => log };
  };
  await insert(replica, 1);
  const first = inShell(
    `pglogical --sourceConn $SOURCE --targetConn $TARGET --targetSchema ${replica.targetSchema} --slotName ${replica.slot}
     --stagingSchema _replicator --stagingCreateSchema --metricsAddr :${port} --verbose`.replaceAll(/\s+/g, ' '),
  );
  await replica.settle();
  await replica.source.query('update item set v = $1', ['w']);
  await replica.settle();
  const metrics = await fetch(`http://127.0.0.1:${port}/_/varz`);
  assert.equal(metrics.status, 200);
  first.child.kill('SIGINT');
  assert.equal(await first.exited, 0, first.log());
  assert.match(first.log(), /upserted rows/);
  assert.doesNotMatch(first.log(), /p@ss|p%40ss/);

  await insert(replica, 2);
  const second = inShell(
    `pglogical --sourceConn $SOURCE --targetConn $TARGET --slotName ${replica.slot} --stagingSchema _replicator`,
  );
  await replica.settle();
  await replica.assertEqual();
  second.child.kill('SIGTERM');
  assert.equal(await second.exited, 0, second.log());
});

test('secrets show nowhere: not in the log, the endpoints, the command line or the environment of errors', async (t) => {
  const replica = await create(t);
  const engine = await replica.start(['-vv']);
  await insert(replica, 1);
  await replica.settle();
  const commandLine = readFileSync(`/proc/${engine.pid}/cmdline`, 'utf8');
  const shown = [commandLine, await engine.diag(), (await engine.fetch('/_/varz')).body];
  await engine.stop();
  shown.push(engine.log);
  const wrong = await replica.start([], { sourceConn: replica.sourceConn.replace('@127', 'x@127') });
  assert.equal((await wrong.waitForExit()).code, 1);
  shown.push(wrong.log);
  for (const text of shown) {
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), 'p@ss', 'p%40ss', 'w/ord', 'w%2Ford']) {
      assert(!text.includes(secret), `a secret is shown in: ${text.slice(0, 2000)}`);
    }
  }
});

test('defect 23: flags from a configuration file and the environment; the command line wins', async (t) => {
  const replica = await create(t);
  const file = join(scratchDirectory('config'), 'replicator.yaml');
  writeFileSync(
    file,
    `targetSchema: ${replica.targetSchema}\nslotName: wrong_slot\nstagingSchema: ${replica.stagingSchema}\nstagingCreateSchema: true\n`,
  );
  chmodSync(file, 0o600);
  await replica.start([], {
    flags: ['--config', file, '--slotName', replica.slot],
    environment: { INSTAR_SLOT_NAME: 'also_wrong' },
  });
  await insert(replica, 1);
  await replica.assertSettledEqual();
});

test('a wrong command line is refused with status 2 before anything is touched', async (t) => {
  const run = async (...flags: string[]) => {
    const engine = await Engine.start(t, { argv: ['pglogical', ...flags], metrics: false });
    const { code } = await engine.waitForExit();
    return { code, log: engine.log };
  };
  const ends = await Promise.all([
    run('--slotNmae', 'x'),
    run('--flushPeriod', 'soon'),
    run('--flushSize'),
    run('--parallelism', 'many'),
    run('--targetConn', 'postgresql://localhost/x'),
    run('--sourceConn', 'postgresql://a,b/x', '--targetConn', 'postgresql://localhost/x'),
  ]);
  assert.deepEqual(
    ends.map(({ code }) => code),
    [2, 2, 2, 2, 2, 2],
  );
  assert.match(ends[0].log, /--slotNmae[\s\S]*--slotName/);
  assert.match(ends[1].log, /--flushPeriod/);
  assert.match(ends[2].log, /--flushSize/);
  assert.match(ends[3].log, /--parallelism/);
  assert.match(ends[4].log, /source/i);
});

test('defect 20: what nobody but a person can mend ends the process with status 1, a code and a fix', async (t) => {
  const replica = await create(t);
  const expect = async (code: RegExp, flags: readonly string[], over = {}) => {
    const engine = await replica.start([], { flags, ...over });
    assert.deepEqual(await engine.waitForExit(), { code: 1, signal: null }, engine.logTail());
    assert.match(engine.log, code);
    assert.match(engine.log, /fix: /);
  };
  await expect(/PG_SLOT_MISSING/, [
    '--targetSchema',
    replica.targetSchema,
    '--stagingCreateSchema',
    '--slotName',
    'no_such_slot',
  ]);
  await expect(/PG_PUBLICATION_MISSING/, [...replica.firstRunFlags, '--publicationName', 'nothing']);
  await replica.source.query(`create publication second for table item`);
  await expect(/PG_PUBLICATION_AMBIGUOUS/, replica.firstRunFlags);
  await replica.source.query('drop publication second');
  const plain = replica.slot.replace('_slot', '_plain');
  await replica.source.query(`select pg_create_logical_replication_slot($1, 'test_decoding')`, [plain]);
  await expect(/PG_SLOT_PLUGIN/, [
    '--targetSchema',
    replica.targetSchema,
    '--stagingCreateSchema',
    '--slotName',
    plain,
  ]);
});

test('a slot that is in use elsewhere is named with the process that holds it', async (t) => {
  const replica = await create(t);
  const engine = await replica.start();
  await insert(replica, 1);
  await replica.settle();
  await replica.target.query('create schema other');
  const other = await Engine.start(t, {
    sourceConn: replica.sourceConn,
    targetConn: replica.targetConn,
    flags: [
      '--targetSchema',
      `${replica.targetSchema.split('.')[0]}.other`,
      '--slotName',
      replica.slot,
      '--stagingSchema',
      '_other',
      '--stagingCreateSchema',
    ],
  });
  assert.equal((await other.waitForExit(30_000)).code, 1);
  assert.match(other.log, /PG_SLOT_ACTIVE/);
  assert(engine.running);
});

test('SIGINT drains: what was committed before is on the target when the process ends with status 0', async (t) => {
  const replica = await create(t);
  const engine = await replica.start();
  await engine.waitForLog(/streaming/);
  await replica.source.query(`insert into item select n, 'v' from generate_series(1, 300) n`);
  await replica.settle();
  await replica.source.query(`insert into item select n, 'v' from generate_series(1001, 1300) n`);
  assert.deepEqual(await engine.stop(), { code: 0, signal: null });
  const { rows } = await replica.target.query('select count(*)::int as n from item');
  assert([300, 600].includes(rows[0].n), `half a transaction: ${rows[0].n} rows`);
  const again = await replica.start([], { flags: replica.resumeFlags });
  await replica.assertSettledEqual();
  assert.deepEqual(await again.stop(), { code: 0, signal: null });
});

test('a second SIGINT stops at once, while the target answers nothing', async (t) => {
  const replica = await create(t);
  const engine = await replica.start();
  await insert(replica, 1);
  await replica.settle();
  const locker = await connect(replica.targetConn);
  try {
    await locker.query('begin; lock table item in access exclusive mode');
    await insert(replica, 2);
    await eventually(
      async () => (await locker.query(`select from pg_locks where not granted`)).rowCount === 1,
      () => 'the engine does not wait for the lock',
    );
    engine.signal('SIGINT');
    await engine.waitForLog(/Interrupted/);
    assert(engine.running);
    const asked = Date.now();
    engine.signal('SIGINT');
    assert.deepEqual(await engine.waitForExit(), { code: 0, signal: null });
    assert(Date.now() - asked < 2000);
  } finally {
    await locker.end();
  }
  await replica.start();
  await replica.assertSettledEqual();
});

test('defect 19: a second process on the target schema is told who holds it; a standby takes over after a SIGKILL', async (t) => {
  const replica = await create(t);
  const first = await replica.start();
  await insert(replica, 1);
  await replica.settle();
  const second = await Engine.start(t, {
    sourceConn: replica.sourceConn,
    targetConn: replica.targetConn,
    flags: replica.resumeFlags,
  });
  assert.deepEqual(await second.waitForExit(30_000), { code: 1, signal: null });
  assert.match(second.log, /LEASE_HELD/);
  assert.match(second.log, new RegExp(`pid ${first.pid} `));
  const standby = await Engine.start(t, {
    sourceConn: replica.sourceConn,
    targetConn: replica.targetConn,
    flags: [...replica.resumeFlags, '--standby'],
  });
  await standby.waitForLog(/on standby/);
  assert(standby.running);
  await first.kill();
  const killed = Date.now();
  replica.engine = standby;
  await insert(replica, 2);
  await replica.settle();
  assert(Date.now() - killed < 10_000, `${Date.now() - killed} ms`);
  await replica.assertEqual();
  await standby.stop();
});

test('a checkpoint that the existing tool has written is resumed, and ours is one that it can read', async (t) => {
  const replica = await create(t);
  await insert(replica, 1);
  const { rows } = await replica.source.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
  await insert(replica, 2);
  await replica.target.query(`create schema _replicator;
    create table _replicator.memo (key text primary key, value bytea not null);
    insert into _replicator.memo values ('pglogical-wal-offset-${replica.targetSchema}', '${rows[0].lsn}'),
      ('version-389', '{"state":"applied"}'), ('version-400', '{"state":"applied"}')`);
  await replica.start([], { flags: replica.resumeFlags });
  await replica.settle();
  const copied = await replica.target.query('select id from item order by id');
  assert.deepEqual(copied.rows, [{ id: 2 }]);
  assert.match((await replica.checkpoint())!, /^[0-9A-F]+\/[0-9A-F]+$/);
});

test('the shorter command lists the target schemas when the staging schema knows several', async (t) => {
  const replica = await create(t);
  await replica.target.query(`create schema _replicator;
    create table _replicator.memo (key text primary key, value bytea not null);
    insert into _replicator.memo values ('pglogical-wal-offset-a.one', '0/1'), ('pglogical-wal-offset-a.two', '0/1')`);
  const engine = await replica.start([], { flags: replica.resumeFlags });
  assert.equal((await engine.waitForExit()).code, 2);
  assert.match(engine.log, /a\.one/);
  assert.match(engine.log, /a\.two/);
});

test('defect 9: --onApplyError dlq keeps the transaction that fails, with its error, and goes on', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    sourceSchema: ITEMS,
    targetSchema: `create table item (id integer primary key, v text check (v <> 'bad'));`,
  });
  await replica.start(['--onApplyError', 'dlq']);
  await insert(replica, 1);
  await replica.source.query(`begin; insert into item values (2, 'ok'); insert into item values (3, 'bad'); commit`);
  await insert(replica, 4);
  await replica.source.query(`update item set v = 'after' where id = 1`);
  await replica.settle();
  const items = await replica.target.query('select id, v from item order by id');
  assert.deepEqual(items.rows, [
    { id: 1, v: 'after' },
    { id: 4, v: 'v' },
  ]);
  const letters = await replica.target.query<{ dlq_name: string; data_after: { id: number }; error: string }>(
    'select dlq_name, data_after, error from replicator_dlq order by source_logical',
  );
  assert.deepEqual(
    letters.rows.map((row) => [row.dlq_name, String(row.data_after.id)]),
    [
      ['item', '2'],
      ['item', '3'],
    ],
  );
  assert.match(letters.rows[1].error, /item_v_check|check constraint/);
});

test('without --onApplyError dlq a refused transaction stops the process; nothing of it is applied, nothing after it', async (t) => {
  const replica = await Replica.create(t, source.server, target.server, {
    sourceSchema: ITEMS,
    targetSchema: `create table item (id integer primary key, v text check (v <> 'bad'));`,
  });
  const engine = await replica.start();
  await insert(replica, 1);
  await replica.source.query(`begin; insert into item values (2, 'ok'); insert into item values (3, 'bad'); commit`);
  await insert(replica, 4);
  assert.deepEqual(await engine.waitForExit(), { code: 1, signal: null });
  assert.match(engine.log, /APPLY_FAILED/);
  assert.match(engine.log, /item_v_check/);
  const { rows } = await replica.target.query('select id from item');
  assert.deepEqual(rows, [{ id: 1 }]);
  await replica.target.query('alter table item drop constraint item_v_check');
  await replica.start();
  await replica.assertSettledEqual();
});

test('a schema spelled another way on resume goes on from the same checkpoint', async (t) => {
  const replica = await create(t);
  const engine = await replica.start();
  await insert(replica, 1);
  await replica.settle();
  await engine.kill();
  await insert(replica, 2);
  const schema = replica.targetSchema.split('.').at(-1)!;
  await replica.start([], { flags: [...replica.resumeFlags, '--targetSchema', schema] });
  await replica.assertSettledEqual();
  const { rows } = await replica.target.query(
    `select key from _replicator.memo where key like 'pglogical-wal-offset-%'`,
  );
  assert.equal(rows.length, 1);
});
