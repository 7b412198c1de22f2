import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stateOf } from '../../src/sessions/state.ts';
import { ReplicationStore } from '../../src/sessions/store.ts';
import { eventually } from '../harness/engine.ts';
import { startOracle } from '../harness/oracle-run.ts';
import type { ModelTable } from '../servers/oracle/redo-model.ts';
import { sharedServer } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

const targets = sharedServer();

/** An Oracle source with two tables, a target, and a file of answers about a replication between them. `more` are further lines of it. */
async function prepared(t: TestContext, more: string) {
  const folder = scratchDirectory('setup-file-oracle');
  const server = await startOracle(t, { profile: '19c', multitenant: true });
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    INSTAR_HOME: join(folder, 'state'),
    SHOP_SOURCE: `${server.rootUrl}?pdb=${server.model.container}`,
  };
  const store = ReplicationStore.open(env);
  t.after(() => {
    for (const each of store.list()) {
      if (stateOf(each) === 'running' && each.run !== undefined) process.kill(each.run.pid, 'SIGKILL');
    }
  });
  const target = await targets.freshDatabase(t);
  const columns = [
    { name: 'ID', type: 'NUMBER', length: 22, nullable: false },
    { name: 'NAME', type: 'VARCHAR2', length: 22, nullable: true },
  ];
  const [item, other] = ['ITEM', 'OTHER'].map((name) => server.model.createTable(server.owner, name, columns, ['ID']));
  for (const name of ['item', 'other']) await target.query(`CREATE TABLE ${name} (id numeric PRIMARY KEY, name text)`);
  const file = join(folder, 'answers.yaml');
  writeFileSync(
    file,
    `name: shop
source: $SHOP_SOURCE
target: ${target.url}
targetSchema: public
sourceSchema: ${server.owner}
${more}
options:
  stagingSchema: _replicator
`,
    { mode: 0o600 },
  );
  const instar = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [CLI, ...args], { env, timeout: 60_000 }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      );
    });
  const insert = (table: ModelTable, ...ids: number[]) => {
    const transaction = server.model.begin();
    for (const id of ids) transaction.insert(table, [String(id), `v${id}`]);
    transaction.commit();
  };
  const arrived = async (table: string, ...ids: number[]) => {
    const wanted = JSON.stringify(ids.map((id) => `${id} v${id}`));
    await eventually(
      async () => {
        const rows = await target.query(`SELECT id || ' ' || name AS row FROM ${table} ORDER BY id`);
        return JSON.stringify(rows.map(({ row }) => row)) === wanted;
      },
      () => `${table} does not hold ${ids}`,
    );
  };
  return { server, target, item, other, file, store, instar, insert, arrived };
}

test('from a file to replicating from Oracle with one command, then stopped, checked, resumed, listed and told of', async (t) => {
  const { file, store, instar, item, insert, arrived } = await prepared(t, 'scn: now');
  const planned = await instar('setup', '--file', file);
  assert.equal(planned.code, 0, planned.stderr + planned.stdout);
  assert.match(planned.stdout, /SOURCE oracle:\/\//);
  assert.match(planned.stdout, /ok +archived logs|ok +ARCHIVELOG/i);
  assert.match(planned.stdout, /replicator oraclelogminer --sourceConn "\$SHOP_SOURCE"/);
  assert.match(planned.stdout, /--backfillFromSCN \d+/);
  assert.deepEqual(store.list(), []);

  const launched = await instar('setup', '--file', file, '--yes');
  assert.equal(launched.code, 0, launched.stderr);
  insert(item, 1, 2, 3);
  await arrived('item', 1, 2, 3);
  const status = JSON.parse((await instar('status', 'shop', '--json')).stdout);
  assert.match(JSON.stringify(status), /oraclelogminer/);

  assert.equal((await instar('stop', 'shop')).code, 0);
  const checked = await instar('preflight', 'shop');
  assert.equal(checked.code, 0, checked.stdout + checked.stderr);
  insert(item, 4);
  const dry = await instar('resume', 'shop', '--dryRun', '--json');
  assert.equal(dry.code, 0, dry.stdout);
  const resumed = await instar('resume', 'shop', '--headless');
  assert.equal(resumed.code, 0, resumed.stderr);
  await arrived('item', 1, 2, 3, 4);
  assert.match((await instar('list')).stdout, /shop +running +oracle:\/\/.* -> postgresql:\/\//);
  assert.equal((await instar('stop', 'shop')).code, 0);
});

test('SCNs of a copy and chosen tables in a file: what began before and ended behind it is whole, other tables are left out', async (t) => {
  const { server, item, other, file, store, instar, insert, arrived } = await prepared(t, '# filled in below');
  const open = server.model.begin();
  open.insert(item, ['1', 'v1']);
  const backfill = server.model.scn;
  insert(item, 2);
  const scn = server.model.scn;
  const lines = `scn: ${scn}\nbackfillFromSCN: "${backfill - 1n}"\ntables: [${server.owner}.ITEM]`;
  writeFileSync(file, readFileSync(file, 'utf8').replace('# filled in below', lines));
  const planned = await instar('setup', '--file', file);
  assert.match(planned.stdout, /api\.configureTargetSchema\("public"/);
  assert.match(planned.stdout, new RegExp(`--scn ${scn}`));
  const launched = await instar('setup', '--file', file, '--yes');
  assert.equal(launched.code, 0, launched.stderr + launched.stdout);
  assert.match(readFileSync(store.get('shop')!.answers.script!, 'utf8'), /"ITEM"/);
  open.commit();
  insert(other, 7);
  insert(item, 3);
  await arrived('item', 1, 3);
  await arrived('other');
  assert.equal((await instar('stop', 'shop')).code, 0);
});
