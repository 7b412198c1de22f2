import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { flagNamed } from '../../src/config/flags.ts';
import { stateOf } from '../../src/sessions/state.ts';
import { ReplicationStore } from '../../src/sessions/store.ts';
import { eventually } from '../harness/engine.ts';
import type { MysqlDatabase } from '../harness/mysql-session-rig.ts';
import { sharedMysql } from '../servers/mysql.ts';
import { sharedServer, type TestDatabase } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
/** Choosing tables takes a script; until the engine runs such scripts this cannot be tried. */
const NO_SCRIPTS = flagNamed('userscript').effect === 'unavailable' && 'the engine runs no userscripts yet';

const mysql = sharedMysql({});
const targets = sharedServer();

/** A MySQL source and a target, and a file of answers about a replication between them. `more` are further lines of it. */
async function prepared(t: TestContext, more: (from: MysqlDatabase) => string = () => '') {
  const folder = scratchDirectory('setup-file-mysql');
  const env: NodeJS.ProcessEnv = { ...process.env, INSTAR_HOME: join(folder, 'state') };
  const store = ReplicationStore.open(env);
  t.after(async () => {
    for (const each of store.list()) {
      if (stateOf(each) === 'running' && each.run !== undefined) process.kill(each.run.pid, 'SIGKILL');
    }
  });
  const [from, to] = await Promise.all([mysql.freshDatabase(t), targets.freshDatabase(t)]);
  for (const database of [from, to]) await database.query('CREATE TABLE item (id int PRIMARY KEY, v text)');
  env.SHOP_SOURCE = from.url;
  const file = join(folder, 'answers.yaml');
  const answers = `name: shop
source: $SHOP_SOURCE
target: ${to.url}
targetSchema: public
gtidSet: now
options:
  stagingSchema: _replicator
${more(from)}`;
  writeFileSync(file, answers, { mode: 0o600 });
  const instar = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [CLI, ...args], { env, timeout: 60_000 }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      );
    });
  return { from, to, file, env, store, instar };
}

async function arrived(from: MysqlDatabase, to: TestDatabase): Promise<void> {
  const rows = async (database: MysqlDatabase | TestDatabase) =>
    JSON.stringify(await database.query('SELECT id, v FROM item ORDER BY id'));
  const goal = await rows(from);
  await eventually(
    async () => (await rows(to)) === goal,
    () => 'the target does not follow',
  );
}

test('from a file to replicating from MySQL with one command, then stopped, resumed, listed and told of', async (t) => {
  const { from, to, file, store, instar } = await prepared(t);
  const planned = await instar('setup', '--file', file);
  assert.equal(planned.code, 0, planned.stderr + planned.stdout);
  assert.match(planned.stdout, /SOURCE mysql:\/\//);
  assert.match(planned.stdout, /ok +binlog_row_metadata +FULL/);
  assert.match(planned.stdout, /replicator mylogical --sourceConn "\$SHOP_SOURCE"/);
  assert.match(planned.stdout, /--defaultGTIDSet [0-9a-f-]{36}:/);
  assert.deepEqual(store.list(), []);

  const launched = await instar('setup', '--file', file, '--yes');
  assert.equal(launched.code, 0, launched.stderr);
  assert.match(launched.stderr, /ok +the engine: .*process \d+/);
  for (let id = 1; id <= 20; id++) await from.query(`INSERT INTO item VALUES (${id}, 'v${id}')`);
  await arrived(from, to);
  const status = await instar('status', 'shop');
  assert.match(status.stdout, /applied +[0-9a-f-]{36}:1-\d+/);
  assert.match(status.stdout, /waiting +0 transactions/);

  assert.equal((await instar('stop', 'shop')).code, 0);
  await from.query(`UPDATE item SET v = 'changed' WHERE id % 2 = 0`);
  const dry = await instar('resume', 'shop', '--dry-run');
  assert.equal(dry.code, 0, dry.stdout);
  assert.match(dry.stdout, /safe: 1 transaction behind/);
  const resumed = await instar('resume', 'shop', '--headless');
  assert.equal(resumed.code, 0, resumed.stderr);
  await arrived(from, to);
  const list = await instar('list');
  assert.match(list.stdout, /shop +running +mysql:\/\/.* -> postgresql:\/\//);
  assert.equal((await instar('stop', 'shop')).code, 0);
});

test('a file that chooses tables: the script is in the plan and is written at the launch', {
  skip: NO_SCRIPTS,
}, async (t) => {
  const { from, to, file, store, instar } = await prepared(t, ({ name }) => `tables: [${name}.item]\n`);
  await from.query('CREATE TABLE left_out (id int PRIMARY KEY)');
  const planned = await instar('setup', '--file', file);
  assert.match(planned.stdout, /api\.configureTargetSchema\("public"/);
  const launched = await instar('setup', '--file', file, '--yes');
  assert.equal(launched.code, 0, launched.stderr);
  const { script } = store.get('shop')!.answers;
  assert.ok(script !== undefined && existsSync(script));
  assert.match(readFileSync(script, 'utf8'), /"item"/);
  await from.query('INSERT INTO left_out VALUES (1)');
  await from.query(`INSERT INTO item VALUES (1, 'x')`);
  await arrived(from, to);
});

test('preflight knows a MySQL source by its scheme', async (t) => {
  const { from, to, instar } = await prepared(t);
  const flags = ['--sourceConn', from.url, '--targetConn', to.url, '--targetSchema', 'public'];
  const ready = await instar('preflight', ...flags);
  assert.equal(ready.code, 0, ready.stdout);
  assert.match(ready.stdout, /ok +gtid_mode +ON/);
  assert.match(ready.stdout, new RegExp(`ok +${from.name}\\.item +2 columns`));
  const gone = await instar('preflight', ...flags, '--defaultGTIDSet', '77263736-7899-11f0-81a5-0242ac120002:1-38');
  assert.equal(gone.code, 1);
  assert.match(gone.stdout, /MYSQL_GTID_UNKNOWN/);
});
