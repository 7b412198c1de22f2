import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Engine, eventually, freePort } from '../harness/engine.ts';
import { MysqlReplica, type MysqlReplicaOptions } from '../harness/mysql-replica.ts';
import { StallingProxy } from '../harness/stalling-proxy.ts';
import { sharedMysql } from '../servers/mysql.ts';
import { sharedServer } from '../servers/postgres.ts';
import { scratchDirectory } from '../servers/scratch.ts';

const target = sharedServer();

const ITEMS: MysqlReplicaOptions = {
  sourceSchema: 'CREATE TABLE item (id INT PRIMARY KEY, v VARCHAR(100), n DECIMAL(20, 4))',
  targetSchema: 'CREATE TABLE item (id int PRIMARY KEY, v text, n numeric(20, 4))',
};

for (const flavour of ['mysql', 'mariadb-11'] as const) {
  const source = sharedMysql({ flavour });
  const create = (t: TestContext, options: MysqlReplicaOptions = ITEMS) =>
    MysqlReplica.create(t, source.server, target.server, options);
  const insert = (replica: MysqlReplica, id: number) =>
    replica.source.query('INSERT INTO item VALUES (?, ?, ?)', [id, `v${id}`, '1.5']);

  test(`${flavour}: the documented command, expanded by a shell; then the shorter one to resume`, async (t) => {
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
      `mylogical --sourceConn $SOURCE --targetConn $TARGET --targetSchema ${replica.targetSchema} --defaultGTIDSet ${replica.begin}
       --stagingSchema _replicator --stagingCreateSchema --metricsAddr :${port} --verbose`.replaceAll(/\s+/g, ' '),
    );
    await replica.settle();
    await replica.source.query('UPDATE item SET v = ?', ['w']);
    await replica.settle();
    const metrics = await fetch(`http://127.0.0.1:${port}/_/varz`).then((response) => response.text());
    assert.match(metrics, /^mylogical_dial_success_total 1$/m);
    assert.match(metrics, /^mutation_total\{source="mysql",type="insert"\} 3$/m);
    first.child.kill('SIGINT');
    assert.equal(await first.exited, 0, first.log());
    assert.match(first.log(), /upserted rows/);
    assert.match(first.log(), /Using GTID from the command line: /);
    assert.match(first.log(), /progressed to consistent point: /);
    assert.match(first.log(), /stopped as asked; resume with the same --stagingSchema/);

    await insert(replica, 2);
    const second = inShell('mylogical --sourceConn $SOURCE --targetConn $TARGET --stagingSchema _replicator');
    await replica.assertSettledEqual();
    second.child.kill('SIGTERM');
    assert.equal(await second.exited, 0, second.log());
    assert.match(second.log(), /Using GTID Set stored in the memo table: /);
  });

  test(`${flavour}: inserts, updates of rows and keys, deletes, rollbacks, large and small transactions`, async (t) => {
    const replica = await create(t);
    const engine = await replica.start();
    const { source: db } = replica;
    await db.query(`INSERT INTO item SELECT seq, CONCAT('v', seq), seq / 3 FROM
      (WITH RECURSIVE s (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM s WHERE seq < 900) SELECT seq FROM s) AS numbers`);
    await db.query('UPDATE item SET v = NULL WHERE id % 7 = 0');
    await db.query('UPDATE item SET id = id + 10000 WHERE id % 11 = 0');
    await db.query('DELETE FROM item WHERE id % 13 = 0');
    await db.query('START TRANSACTION; DELETE FROM item WHERE id < 100; ROLLBACK');
    await db.query(
      'START TRANSACTION; UPDATE item SET v = ? WHERE id = 1; SAVEPOINT a; DELETE FROM item; ROLLBACK TO a; COMMIT',
      ['ünï "quoted" \\ \' \n end'],
    );
    await replica.assertSettledEqual();
    await db.query('REPLACE INTO item VALUES (1, "replaced", 0), (2, NULL, NULL)');
    await db.query('INSERT INTO item VALUES (1, "x", 1) ON DUPLICATE KEY UPDATE n = n + 1');
    await replica.assertSettledEqual();
    assert.equal((await engine.stop()).code, 0);
  });

  test(`${flavour}: after SIGKILL it goes on without the flag, also when nothing was committed yet`, async (t) => {
    const replica = await create(t);
    const first = await replica.start();
    await first.waitForLog(/streaming/);
    await first.kill();
    assert.equal(await replica.checkpoint(), replica.begin, 'the start is stored before anything is streamed');
    await insert(replica, 1);
    for (let i = 0; i < 3; i++) {
      const engine = await replica.start([], { flags: replica.resumeFlags });
      const writing = (async () => {
        for (let id = 10 + i * 100; id < 60 + i * 100; id++) await insert(replica, id);
      })();
      await engine.waitForLog(/streaming/);
      await sleep(Math.random() * 100);
      await engine.kill();
      await writing;
    }
    await replica.start([], { flags: replica.resumeFlags });
    await replica.assertSettledEqual();
  });

  test(`${flavour}: the checkpoint wins over the flag; where it is deleted another start is possible`, async (t) => {
    const replica = await create(t);
    const first = await replica.start();
    await insert(replica, 1);
    await replica.settle();
    assert.equal((await first.stop()).code, 0);
    await replica.target.query('DELETE FROM item');
    const second = await replica.start();
    await second.waitForLog(/stored in the memo table: .*--defaultGTIDSet is for a start without a checkpoint/);
    await replica.settle();
    assert.equal((await replica.target.query('SELECT FROM item')).rowCount, 0, 'nothing was sent again');
    assert.equal((await second.stop()).code, 0);
    await replica.target.query('DELETE FROM _replicator.memo');
    await replica.start();
    await replica.assertSettledEqual();
  });

  test(`${flavour}: without a checkpoint and without the flag it says how to find out where to begin`, async (t) => {
    const replica = await create(t);
    const flags = ['--targetSchema', replica.targetSchema, '--stagingCreateSchema', ...replica.resumeFlags];
    const engine = await replica.start([], { flags });
    assert.equal((await engine.waitForExit()).code, 1);
    assert.match(engine.log, /MYSQL_GTID_EMPTY/);
    assert.match(engine.log, flavour === 'mysql' ? /SHOW BINARY LOG STATUS/ : /gtid_binlog_pos/);
    assert.match(engine.log, /--defaultGTIDSet/);
  });

  test(`${flavour}: a GTID set of another server and one that is purged are refused`, async (t) => {
    const replica = await create(t);
    const foreign = flavour === 'mysql' ? '00000000-1111-2222-3333-444444444444:1-5' : '77-77-77';
    const stranger = await replica.start(['--defaultGTIDSet', foreign]);
    assert.equal((await stranger.waitForExit()).code, 1);
    assert.match(stranger.log, /MYSQL_GTID_UNKNOWN/);
    assert.equal(await replica.checkpoint(), undefined, 'what was refused is not stored');

    const first = await replica.start();
    await replica.settle();
    assert.equal((await first.stop()).code, 0);
    await insert(replica, 1);
    await source.server.query('FLUSH BINARY LOGS');
    await eventually(
      async () => {
        const logs = await source.server.query<{ Log_name: string }>('SHOW BINARY LOGS');
        if (logs.length > 1) await source.server.query('PURGE BINARY LOGS TO ?', [logs[logs.length - 1].Log_name]);
        return logs.length === 1;
      },
      () => 'the older logs are still there',
    );
    const late = await replica.start();
    assert.equal((await late.waitForExit()).code, 1);
    assert.match(late.log, /MYSQL_GTID_PURGED/);
  });

  test(`${flavour}: new log files, a restart of the source and its crash are lived through`, async (t) => {
    const replica = await create(t);
    const engine = await replica.start();
    await insert(replica, 1);
    for (let i = 2; i < 6; i++) {
      await source.server.query('FLUSH BINARY LOGS');
      await insert(replica, i);
    }
    await replica.settle();
    await source.server.restart();
    await replica.reconnect();
    await insert(replica, 10);
    await replica.settle();
    await source.server.kill();
    await sleep(1000);
    await source.server.restart();
    await replica.reconnect();
    await insert(replica, 11);
    await replica.assertSettledEqual();
    assert.equal(engine.running, true);
    assert.match(engine.log, /will retry from the checkpoint/);
  });

  test(`${flavour}: a network that has lost the way is noticed, though nobody says so`, async (t) => {
    const replica = await create(t);
    const proxy = await StallingProxy.start(source.server.port);
    t.after(() => proxy.stop());
    const engine = await replica.start([], { sourceConn: proxy.through(replica.sourceConn) });
    await insert(replica, 1);
    await replica.settle();
    proxy.stall();
    await insert(replica, 2);
    await engine.waitForLog(/MYSQL_SOURCE_SILENT/, 40_000);
    await replica.assertSettledEqual();
  });

  test(`${flavour}: a target that is held up for longer than net_write_timeout costs nothing but time`, async (t) => {
    const replica = await create(t, {
      sourceSchema: 'CREATE TABLE item (id INT PRIMARY KEY, v LONGTEXT)',
      targetSchema: 'CREATE TABLE item (id int PRIMARY KEY, v text)',
    });
    await source.server.query('SET GLOBAL net_write_timeout = 1');
    t.after(() => source.server.query('SET GLOBAL net_write_timeout = 60').then(() => {}));
    const engine = await replica.start(['--memoryLimit', '4MiB']);
    await replica.settle();
    await replica.target.query('BEGIN; LOCK TABLE item');
    for (let id = 0; id < 60; id++) {
      await replica.source.query(`INSERT INTO item VALUES (?, repeat('x', 1000000))`, [id]);
    }
    // Several times what the server would wait for others.
    await sleep(4000);
    await replica.target.query('COMMIT');
    await replica.assertSettledEqual();
    assert.doesNotMatch(engine.log, /will retry/);
  });

  test(`${flavour}: two replications of one id`, async (t) => {
    const one = await create(t);
    const other = await create(t);
    const same = ['--replicationProcessID', '4242'];
    const first = await one.start(same);
    await one.settle();
    await other.start(same);
    await other.settle();
    if (flavour === 'mysql') {
      // MySQL tells them apart by what they replicate.
      await one.assertSettledEqual();
      assert.equal(first.running, true);
    } else {
      assert.equal((await first.waitForExit()).code, 1);
      assert.match(first.log, /MYSQL_SERVER_ID_IN_USE/);
      assert.match(first.log, /--replicationProcessID/);
    }
  });
}

test('a wrong command line is refused with status 2 before anything is touched', async (t) => {
  const to = ['--targetConn', 'postgresql://localhost/x'];
  const run = async (...flags: string[]) => {
    const engine = await Engine.start(t, { argv: ['mylogical', ...flags], metrics: false });
    const { code } = await engine.waitForExit();
    return { code, log: engine.log };
  };
  const ends = await Promise.all([
    run('--sourceConn', 'mysql://u:s3cretpw@h', ...to),
    run('--sourceConn', 'postgresql://u:s3cretpw@h/d', ...to),
    run('--sourceConn', 'mysql://u:s3cretpw@h/d', ...to, '--replicationProcessID', '0'),
    run('--sourceConn', 'mysql://u:s3cretpw@h/d', ...to, '--zeroDates', 'ignore'),
    run('--sourceConn', 'mysql://u:s3cretpw@h/d', ...to, '--slotName', 'x'),
  ]);
  assert.deepEqual(
    ends.map(({ code }) => code),
    [2, 2, 2, 2, 2],
  );
  assert.match(ends[0].log, /names no database[\s\S]*--allDatabases/);
  assert.match(ends[1].log, /pglogical/);
  assert.match(ends[2].log, /--replicationProcessID must be at least 1/);
  assert.match(ends[3].log, /--zeroDates must be one of null, error, keep/);
  assert.match(ends[4].log, /--slotName/);
  for (const { log } of ends) assert.doesNotMatch(log, /s3cretpw/);
});
