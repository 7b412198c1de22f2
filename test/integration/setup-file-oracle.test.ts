import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SecretsFile } from '../../src/sessions/secrets.ts';
import { cancelled, retire } from '../../src/sessions/removal.ts';
import { stateOf } from '../../src/sessions/state.ts';
import { ReplicationStore } from '../../src/sessions/store.ts';
import { eventually } from '../harness/engine.ts';
import { startOracle } from '../harness/oracle-run.ts';
import type { OracleServer } from '../servers/oracle/oracle.ts';
import type { ModelTable } from '../servers/oracle/redo-model.ts';
import { sharedServer, type TestDatabase } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const targets = sharedServer();

const column = (name: string, type = 'NUMBER') => ({ name, type, length: 22, nullable: name !== 'ID' });

/** An Oracle source with two tables, a target with one of them, and a file of answers to be written. */
async function prepared(t: TestContext) {
  const folder = scratchDirectory('setup-file-oracle');
  const env: NodeJS.ProcessEnv = { ...process.env, INSTAR_HOME: join(folder, 'state') };
  const store = ReplicationStore.open(env);
  const server = await startOracle(t, { profile: '23ai', multitenant: true });
  const to = await targets.freshDatabase(t);
  t.after(async () => {
    for (const each of store.list()) {
      if (stateOf(each) === 'running' && each.run !== undefined) process.kill(each.run.pid, 'SIGKILL');
    }
  });
  const { model, owner } = server;
  const columns = [column('ID'), column('V', 'VARCHAR2')];
  const item = model.createTable(owner, 'ITEM', columns, ['ID']);
  const secret = model.createTable(owner, 'SECRET', columns, ['ID']);
  await to.query('CREATE TABLE item (id numeric PRIMARY KEY, v text)');
  env.SHOP_SOURCE = `${server.rootUrl}?pdb=${model.container}`;
  const file = join(folder, 'answers.yaml');
  const answer = (more: string) => {
    const common = `name: shop\nsource: $SHOP_SOURCE\ntarget: ${to.url}\ntargetSchema: public\nsourceSchema: ${owner}\n`;
    writeFileSync(file, `${common}${more}`, { mode: 0o600 });
  };
  const run = (command: string, args: string[], more: NodeJS.ProcessEnv = {}): Promise<Ran> =>
    new Promise((resolve) => {
      execFile(command, args, { env: { ...env, ...more }, timeout: 60_000 }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      );
    });
  const instar = (...args: string[]) => run(process.execPath, [CLI, ...args]);
  return { server, item, secret, to, folder, file, env, store, answer, instar };
}

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Rows in a transaction of their own; returns their row ids. */
function insert(server: OracleServer, table: ModelTable, ids: readonly number[]): string[] {
  const transaction = server.model.begin();
  const rows = ids.map((id) => transaction.insert(table, [String(id), `v${id}`]));
  transaction.commit();
  return rows;
}

async function arrives(to: TestDatabase, wanted: readonly string[]): Promise<void> {
  let found: readonly unknown[] = [];
  await eventually(
    async () => {
      found = (await to.query(`SELECT id || ' ' || v AS row FROM item ORDER BY id`)).map(({ row }) => row);
      return JSON.stringify(found) === JSON.stringify(wanted);
    },
    () => `the target has ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`,
  );
}

test('from a file to replicating some tables of Oracle with one command; looked at, stopped, resumed, listed, removed', async (t) => {
  const { server, item, secret, to, file, env, store, answer, instar } = await prepared(t);
  const { model, owner } = server;
  answer(`tables: [${owner}.ITEM]\nscn: now\noptions:\n  stagingSchema: _replicator\n`);
  const planned = await instar('setup', '--file', file);
  assert.equal(planned.code, 0, planned.stderr + planned.stdout);
  assert.match(planned.stdout, /SOURCE oracle:\/\/C%23%23REPLICATOR:\*+@127\.0\.0\.1:\d+\/ORCLCDB\?pdb=ORCLPDB1/);
  assert.match(planned.stdout, /ok +supplemental logging of keys +YES/);
  assert.match(planned.stdout, /ok +tables +1 table/);
  assert.match(planned.stdout, /lets 1 table through, and no other/);
  assert.match(planned.stdout, /replicator oraclelogminer --sourceConn "\$SHOP_SOURCE"/);
  assert.match(planned.stdout, /--scn \d+/);
  assert.doesNotMatch(planned.stdout, /sslmode/);
  assert.deepEqual(store.list(), []);

  const launched = await instar('setup', '--file', file, '--yes');
  assert.equal(launched.code, 0, launched.stderr);
  assert.match(launched.stderr, /ok +filter of tables: written/);
  assert.match(launched.stderr, /ok +the engine: .*process \d+/);
  const { script } = store.get('shop')!.answers;
  assert.match(readFileSync(script!, 'utf8'), /"ITEM"/);
  insert(server, secret, [1, 2, 3]);
  const [, second, third] = insert(server, item, [1, 2, 3]);
  const change = model.begin();
  change.update(item, second, new Map([[1, 'changed']]));
  change.delete(item, third);
  change.commit();
  await arrives(to, ['1 v1', '2 changed']);
  const running = await instar('status', 'shop', '--json');
  assert.equal(running.code, 0, running.stdout);
  const status = JSON.parse(running.stdout);
  assert.match(status.state, /^(following|caught up)$/);
  assert.match(status.position.applied, /^\d+:\d+$/);
  assert.equal(status.script.dropped, 3, 'rows of the other table were left out');

  assert.equal((await instar('stop', 'shop')).code, 0);
  insert(server, item, [4]);
  const looked = await instar('preflight', 'shop', '--json');
  assert.equal(looked.code, 0, looked.stdout);
  assert.equal(JSON.parse(looked.stdout).ready, true);
  const dry = await instar('resume', 'shop', '--dryRun', '--json');
  assert.equal(dry.code, 0, dry.stdout);
  assert.equal(JSON.parse(dry.stdout).safe, true);
  const resumed = await instar('resume', 'shop', '--headless');
  assert.equal(resumed.code, 0, resumed.stderr);
  await arrives(to, ['1 v1', '2 changed', '4 v4']);
  assert.match((await instar('list')).stdout, /shop +running +oracle:\/\/.* -> postgresql:\/\//);
  assert.equal((await instar('stop', 'shop')).code, 0);
  assert.match((await instar('list')).stdout, /shop +stopped/);

  assert.deepEqual(cancelled(store.get('shop')!), [
    `script ${script} on this machine`,
    'staging schema _replicator on the target',
  ]);
  await retire('shop', store.get('shop')!.made, { store, secrets: SecretsFile.open(env), env });
  assert.equal(existsSync(script!), false);
  assert.deepEqual(store.list(), []);
  const left = await to.query(`SELECT 1 FROM pg_namespace WHERE nspname = '_replicator'`);
  assert.deepEqual(left, []);
  assert.equal((await instar('resume', 'shop')).code, 1);
});

test('SCNs from a file, plain and quoted: what began before the SCN of the copy and is committed behind it is whole', async (t) => {
  const { server, item, to, file, answer, instar } = await prepared(t);
  const { model } = server;
  insert(server, item, [100]); // in the copy
  const backfill = model.scn;
  const open = model.begin();
  open.insert(item, ['1', 'v1']);
  const scn = model.scn;
  insert(server, item, [2]);
  answer(`tables: all\nscn: ${scn}\nbackfillFromSCN: "${backfill}"\n`);
  await to.query('CREATE TABLE secret (id numeric PRIMARY KEY, v text)');
  const launched = await instar('setup', '--file', file, '--yes');
  assert.equal(launched.code, 0, launched.stderr + launched.stdout);
  open.commit();
  await arrives(to, ['1 v1', '2 v2']);
  assert.equal((await instar('stop', 'shop')).code, 0);
});

test('the users whose transactions count narrow what a file leaves to be read at the source, whatever the case of their names', async (t) => {
  const { server, item, file, answer, instar } = await prepared(t);
  const { model } = server;
  const begin = (user: string) => {
    const transaction = model.begin(1, user);
    transaction.insert(item, [String(Number(model.scn)), 'x']);
    return model.scn;
  };
  const report = begin('REPORTS');
  insert(server, item, [1]);
  const app = begin('APP');
  insert(server, item, [2]);
  const backfill = async (options: string) => {
    answer(`tables: [${server.owner}.ITEM]\nscn: now\n${options}`);
    const { stdout } = await instar('setup', '--file', file);
    return BigInt(/--backfillFromSCN (\d+)/.exec(stdout)?.[1] ?? -1);
  };
  const all = await backfill('');
  const narrowed = await backfill('options:\n  oracle-application-users: app\n');
  assert(all <= report, `${all} is from before ${report}`);
  assert(narrowed > report && narrowed <= app, `${narrowed} is where APP began, ${app}`);
});

test('what is wrong with the answers is told before anything is made', async (t) => {
  const { server, file, store, answer, instar } = await prepared(t);
  const { model, owner } = server;
  answer(`tables: [${owner}.ITEM, ${owner}.TYPO]\nscn: now\n`);
  const typo = await instar('setup', '--file', file, '--yes');
  assert.equal(typo.code, 1);
  assert.match(typo.stdout, /FAILED +tables +TYPO: not there/);
  answer(`tables: [${owner}.ITEM]\nscn: ${model.scn + 1_000_000n}\n`);
  const ahead = await instar('setup', '--file', file, '--yes');
  assert.equal(ahead.code, 1);
  assert.match(ahead.stdout, /ORACLE_SCN_AHEAD/);
  assert.deepEqual(store.list(), []);
});

test('redo from before the first checkpoint may be gone once there is one: preflight of a saved replication does not ask for it', async (t) => {
  const { server, item, to, file, answer, instar } = await prepared(t);
  const { model } = server;
  answer(`tables: [${server.owner}.ITEM]\nscn: now\n`);
  const launched = await instar('setup', '--file', file, '--yes');
  assert.equal(launched.code, 0, launched.stderr);
  insert(server, item, [1]);
  model.switchLog();
  insert(server, item, [2]);
  await arrives(to, ['1 v1', '2 v2']);
  model.switchLog();
  insert(server, item, [3]);
  await arrives(to, ['1 v1', '2 v2', '3 v3']);
  assert.equal((await instar('stop', 'shop')).code, 0);
  model.logs.purge(model.scn);
  const looked = await instar('preflight', 'shop');
  assert.equal(looked.code, 0, looked.stdout);
});

test('the commands of the plan run as they are: the first start, and the resume', async (t) => {
  const { server, item, to, folder, file, env, answer, instar } = await prepared(t);
  answer(`tables: all\nscn: now\noptions:\n  metricsAddr: 127.0.0.1:0\n`);
  await to.query('CREATE TABLE secret (id numeric PRIMARY KEY, v text)');
  const { plan } = JSON.parse((await instar('setup', '--file', file, '--json')).stdout);
  const shell = `replicator() { exec "${process.execPath}" "${CLI}" "$@"; }\n`;
  for (const [command, id] of [
    [plan.start, 1],
    [plan.resume, 2],
  ] as const) {
    const engine = spawn('sh', ['-c', shell + command], {
      cwd: folder,
      env: { ...env, TARGET: to.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    for (const stream of [engine.stdout, engine.stderr]) stream.on('data', (data) => said.push(String(data)));
    const ended = new Promise((resolve) => engine.once('exit', resolve));
    insert(server, item, [id]);
    try {
      await arrives(
        to,
        Array.from({ length: id }, (_, i) => `${i + 1} v${i + 1}`),
      );
    } catch (error) {
      throw new Error(said.join(''), { cause: error });
    } finally {
      engine.kill('SIGTERM');
      await ended;
    }
  }
});
