import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { isAlive } from '../../src/demo/server-process.ts';
import { startPostgres } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`in vain waited until ${what}`);
    await sleep(20);
  }
}

for (const version of [14, 18] as const) {
  describe(`PostgreSQL ${version}`, () => {
    test('is the version asked for, ready for logical replication, and leaves nothing behind', async () => {
      const server = await startPostgres({ version, settings: { wal_sender_timeout: '7s' } });
      const url = await server.createDatabase('a "quoted" name');
      assert.equal(url, server.url('a "quoted" name'));
      const [row] = await server.query(
        `SELECT current_setting('server_version_num')::integer / 10000 AS version, current_setting('wal_level') AS wal_level,
           current_setting('wal_sender_timeout') AS setting, current_database() AS database, $1::integer AS parameter`,
        [5],
        'a "quoted" name',
      );
      const expected = { version, wal_level: 'logical', setting: '7s', database: 'a "quoted" name', parameter: 5 };
      assert.deepEqual(row, expected);
      const { pids, dataDir } = server;
      assert.ok(pids.length > 3);
      await server.stop();
      assert.deepEqual(pids.filter(isAlive), []);
      assert.ok(!existsSync(path.dirname(dataDir)));
    });

    test('keeps what was committed over a kill, a stop and a restart on the same port', async (t) => {
      const server = await startPostgres({ version });
      t.after(() => server.stop());
      const { port } = server;
      await server.query('CREATE TABLE t AS SELECT 1 AS n');
      const busy = new Client({ connectionString: server.url() });
      busy.on('error', () => {});
      await busy.connect();
      const lost = busy.query('SELECT pg_sleep(60)').catch(() => 'lost');
      await until(() => server.pids.length > 0, 'the server runs');
      const { pids } = server;
      await server.kill();
      assert.equal(await lost, 'lost');
      assert.deepEqual(pids.filter(isAlive), []);
      assert.deepEqual(server.pids, []);

      await server.restart();
      await server.query('INSERT INTO t VALUES (2)');
      await server.stop({ keepData: true });
      await assert.rejects(server.query('SELECT 1'));
      await server.restart({ work_mem: '5MB' });
      assert.equal(server.port, port);
      assert.deepEqual(await server.query('SELECT n FROM t ORDER BY n'), [{ n: 1 }, { n: 2 }]);
      assert.deepEqual(await server.query('SHOW work_mem'), [{ work_mem: '5MB' }]);
    });
  });
}

test('a password is demanded when one was set, also for replication', async (t) => {
  const password = `it's a "p@ss:word/%`;
  const server = await startPostgres({ version: 18, password });
  t.after(() => server.stop());
  assert.deepEqual(await server.query('SELECT 1 AS one'), [{ one: 1 }]);
  for (const replication of ['', '?replication=database']) {
    const client = new Client({
      connectionString: `postgresql://postgres:wrong@${server.host}:${server.port}/postgres${replication}`,
    });
    await assert.rejects(client.connect(), { code: '28P01' });
  }
});

test('two servers made at once from nothing do not disturb each other', async (t) => {
  const servers = await Promise.all([startPostgres({ version: 18 }), startPostgres({ version: 18 })]);
  t.after(() => Promise.all(servers.map((server) => server.stop())));
  assert.notEqual(servers[0].port, servers[1].port);
  for (const server of servers) assert.deepEqual(await server.query('SELECT 1 AS one'), [{ one: 1 }]);
});

test('a setting that the server refuses is reported in its words, and nothing is left', async () => {
  const starting = startPostgres({ version: 18, settings: { wal_level: 'nonsense' } });
  await assert.rejects(starting, { code: 'EMBEDDED_POSTGRES_START', message: /wal_level/ });
});

test('a port that is taken is reported', async (t) => {
  const taken = createServer().listen({ host: '127.0.0.1', port: 0 });
  t.after(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  await assert.rejects(startPostgres({ version: 18, port }), {
    code: 'EMBEDDED_POSTGRES_START',
    message: /Address already in use/,
  });
});

for (const signal of ['SIGKILL', 'SIGINT'] as const) {
  test(`no server outlives a process that ended by ${signal}`, async () => {
    const report = path.join(scratchDirectory(), 'server.json');
    const script = `
      import { writeFileSync, renameSync } from 'node:fs';
      import { startPostgres } from './src/demo/embedded-postgres.ts';
      const server = await startPostgres({ version: 18 });
      writeFileSync(process.argv[1] + '.new', JSON.stringify({ pids: server.pids, dataDir: server.dataDir }));
      renameSync(process.argv[1] + '.new', process.argv[1]);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script, report], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: 'ignore',
    });
    const gone = once(parent, 'exit');
    await until(() => existsSync(report), 'the server has started');
    const { pids, dataDir } = JSON.parse(readFileSync(report, 'utf8')) as { pids: number[]; dataDir: string };
    assert.ok(pids.every(isAlive));
    parent.kill(signal);
    await gone;
    await until(() => !pids.some(isAlive), 'the server has ended');
    await until(() => !existsSync(path.dirname(dataDir)), 'its files are gone');
  });
}
